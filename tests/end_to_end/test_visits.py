"""Two visits of two patients, from raw data to regions; and what a third visit runs again."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from end_to_end.repeated_visits import PATIENTS, add_visit, repeated_visits
from end_to_end.small_cohort import Run

from qsmiron.tables import read_table

pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]

OF_EACH_VISIT = {
    "register_visit", "carry_labels", "label_tissues", "mask_brain", "map_field",
    "remove_background_field", "invert_dipole", "reference_chi", "map_r2star",
    "separate_sources", "draw_subject",
}  # fmt: skip


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = repeated_visits(tmp_path_factory.mktemp("visits"))
    run.snakemake()
    return run


def test_tables_of_regions_hold_both_visits(finished: Run) -> None:
    regions = read_table(finished.results / "group/regions.tsv", "regions")
    metrics = regions.groupby(["participant_id", "session"])["metric"].nunique()
    assert len(metrics) == 2 * len(PATIENTS)
    assert metrics.nunique() == 1
    chi = regions[(regions["metric"] == "chi_mean") & (regions["atlas"] == "DK")]
    wide = chi.pivot(index=["participant_id", "index"], columns="session", values="value").dropna()
    assert len(wide) > 0.9 * 83 * len(PATIENTS)
    assert np.corrcoef(wide["1"], wide["2"])[0, 1] > 0.95


def test_labels_of_both_visits_have_the_same_volumes(finished: Run) -> None:
    """One registration with the study's template: they differ by the voxels' places alone."""
    voxels = read_table(finished.results / "group/region_voxels.tsv", "region_voxels")
    large = voxels[(voxels["atlas"] == "DK") & (voxels["region"].isin(["thalamus", "putamen"]))]
    wide = large.pivot(index=["participant_id", "index"], columns="session", values="volume")
    assert len(wide) == 4 * len(PATIENTS)
    assert (np.abs(np.log(wide["1"] / wide["2"])) < 0.15).all()


def test_chi_is_on_the_visits_own_grid(finished: Run) -> None:
    for session in ("1", "2"):
        name = f"sub-01_ses-{session}"
        raw = finished.folder / f"raw/sub-01/ses-{session}/anat"
        chi = finished.results / f"sub-01/ses-{session}/anat/{name}_desc-main_Chimap.nii.gz"
        magnitude = nib.load(raw / f"{name}_echo-1_part-mag_MEGRE.nii.gz")
        np.testing.assert_allclose(nib.load(chi).affine, magnitude.affine, atol=1e-5)


def test_a_third_visit_runs_the_imaging_of_that_participant_and_nobody_elses(
    finished: Run,
) -> None:
    assert finished.would_run() == {}
    add_visit(finished.folder, "sub-01", "3")
    jobs = finished.would_run()
    assert jobs["average_visits"] == 1
    # every visit of sub-01, whose labels and masks are made anew; sub-02 has two
    assert {rule: jobs.get(rule) for rule in OF_EACH_VISIT} == dict.fromkeys(OF_EACH_VISIT, 3)
    assert "register_subject" not in jobs
