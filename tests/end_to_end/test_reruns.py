"""What runs again after a change, by dry runs over finished results (docs/workflow.md)."""

from __future__ import annotations

import os
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from end_to_end.small_cohort import N_BRANCHES, N_PARTICIPANTS, Run

from qsmiron.template import desikan_killiany

pytestmark = pytest.mark.end_to_end

OF_ONE_SCAN = {
    "simulate_subject", "register_subject", "mask_brain", "map_field", "remove_background_field",
    "invert_dipole", "reference_chi", "map_r2star", "separate_sources", "carry_labels",
    "draw_subject",
}  # fmt: skip
IMAGING = OF_ONE_SCAN | {"label_tissues", "measure_regions"}


def changed(run: Run, **settings: object) -> dict[str, int]:
    return Run(run.folder, {**run.settings, **settings}).would_run()


def test_results_that_are_newer_or_older_than_the_code_run_nothing(demo_copy: Run) -> None:
    """As after a fresh clone over old results, or a copy that lost its times."""
    for path in demo_copy.results.rglob("*"):
        if path.is_file() and "sourcedata" not in path.parts and path.suffix == ".tsv":
            os.utime(path)
    jobs = demo_copy.would_run()
    assert not IMAGING & set(jobs)


def test_an_added_participant_is_the_only_one_imaged(demo: Run) -> None:
    more = {**demo.settings["demo"], "participants": N_PARTICIPANTS + 1}
    jobs = changed(demo, demo=more)
    assert {rule: jobs.get(rule) for rule in OF_ONE_SCAN} == dict.fromkeys(OF_ONE_SCAN, 1)
    assert jobs["measure_regions"] == 2 + N_BRANCHES  # two atlases; the branches have one
    # the pooled thresholds, and with them everybody's deposits
    assert jobs["pool_thresholds"] == 2 + N_BRANCHES
    assert jobs["count_deposits"] == N_PARTICIPANTS + 1
    assert jobs["count_deposits_of_branches"] == N_PARTICIPANTS + 1
    assert jobs["test_groups"] == 2


def test_a_removed_participant_images_nobody(demo: Run) -> None:
    jobs = changed(demo, exclude=["sub-06"])
    assert not IMAGING & set(jobs)
    assert jobs["pool_thresholds"] == 2 + N_BRANCHES
    assert jobs["count_deposits"] == N_PARTICIPANTS - 1
    assert jobs["count_deposits_of_branches"] == N_PARTICIPANTS - 1
    assert jobs["test_groups"] == 2


def test_an_added_atlas_costs_labels_and_metrics_only(demo: Run, tmp_path: Path) -> None:
    atlas = nib.load(desikan_killiany())
    halves = np.where(np.asarray(atlas.dataobj) > 41, 2, 1) * (np.asarray(atlas.dataobj) > 0)
    nib.save(nib.Nifti1Image(halves.astype(np.int16), atlas.affine), tmp_path / "halves.nii.gz")
    (tmp_path / "halves.tsv").write_text("index\tname\themisphere\n1\tone\tR\n2\ttwo\tL\n")
    added = {"image": str(tmp_path / "halves.nii.gz"), "label_table": str(tmp_path / "halves.tsv")}
    jobs = changed(demo, atlases={"halves": added})
    assert jobs["carry_labels"] == jobs["measure_regions"] == N_PARTICIPANTS
    assert not (IMAGING - {"carry_labels", "measure_regions"}) & set(jobs)


def test_another_alternative_reference_inverts_nothing(demo: Run) -> None:
    reference = [{"region": "csf"}, {"atlas": "tissues", "region": "white_matter"}]
    jobs = changed(demo, multiverse={**demo.settings["multiverse"], "reference": reference})
    assert jobs["reference_chi_of_branch"] == N_PARTICIPANTS
    assert jobs["measure_regions"] == 2 * N_PARTICIPANTS
    assert not (IMAGING - {"measure_regions"}) & set(jobs)


def test_fields_that_were_deleted_to_save_space_run_nothing(demo_copy: Run) -> None:
    for name in ("totalfield", "localfield", "chi"):
        deleted = list(demo_copy.results.glob(f"work/sub-*/*_desc-main_{name}.nii.gz"))
        assert len(deleted) == N_PARTICIPANTS
        for path in deleted:
            path.unlink()
    assert demo_copy.would_run() == {}
    more = {**demo_copy.settings["demo"], "participants": N_PARTICIPANTS + 1}
    jobs = changed(demo_copy, demo=more)
    assert {rule: jobs.get(rule) for rule in OF_ONE_SCAN} == dict.fromkeys(OF_ONE_SCAN, 1)
