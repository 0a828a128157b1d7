"""A rule names each file that its job reads, and no other: nothing is stale or runs in vain."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable
from pathlib import Path

import pytest
from bids_trees import edit_sidecar, store_in_one_file, store_real_and_imaginary
from end_to_end.opened_files import Job, jobs_of, watched
from end_to_end.small_cohort import HOME, Run

from qsmiron.spaces import decimate
from qsmiron.template import desikan_killiany, template_t1w
from qsmiron.volumes import read_volume, write_volume

pytestmark = pytest.mark.end_to_end

RECORDS = "/results/benchmarks/"
"""What each job cost: the report shows it as it is, and no job runs again because one changed."""


def faults(jobs: Iterable[Job]) -> dict[str, set[str]]:
    """By rule, the files that are read and not named, or named and not read."""
    found: dict[str, set[str]] = {}
    for job in jobs:
        unnamed = {path for path in job.unnamed if RECORDS not in path}
        for path in unnamed:
            found.setdefault(job.rule, set()).add(f"reads {path}")
        for path in job.unread:
            found.setdefault(job.rule, set()).add(f"names {path}")
    return found


def rules_of(jobs: Iterable[Job]) -> set[str]:
    """The rules of which a job was watched."""
    return {job.rule for job in jobs if job.read}


def test_the_demos_jobs_read_what_their_rules_name(demo: Run) -> None:
    assert faults(jobs_of(demo)) == {}


@pytest.fixture(scope="module")
def odd_study(finished_demo: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Two participants, stored and analysed in all the ways that the demo is not."""
    folder = tmp_path_factory.mktemp("odd")
    raw = folder / "raw"
    for subject in ("01", "02"):
        shutil.copytree(
            finished_demo.results / f"sourcedata/demo/sub-{subject}", raw / f"sub-{subject}"
        )
    _store_otherwise(raw)
    _add_clinical_tables(raw)
    _add_masks_and_labels(finished_demo, raw)
    run = Run(folder, {**finished_demo.settings, **_other_settings(folder)})
    run.snakemake(environment=watched(run))
    return run


def _store_otherwise(raw: Path) -> None:
    """All echoes in one file; real and imaginary parts; fields that all sidecars inherit."""
    store_in_one_file(raw, "01")
    store_real_and_imaginary(raw, "02")
    for sidecar in raw.glob("sub-*/anat/*_MEGRE.json"):
        edit_sidecar(sidecar, MagneticFieldStrength=None)
    (raw / "MEGRE.json").write_text('{"MagneticFieldStrength": 3}')


def _add_clinical_tables(raw: Path) -> None:
    (raw / "participants.tsv").write_text(
        "participant_id\tage\tsex\tprogression\nsub-01\t61\tM\tfast\nsub-02\t55\tF\tslow\n"
    )
    (raw / "phenotype").mkdir()
    (raw / "phenotype/alsfrs.tsv").write_text("participant_id\talsfrs_r\nsub-01\t31\nsub-02\t40\n")


def _add_masks_and_labels(demo: Run, raw: Path) -> None:
    """Masks of the user's own for both, a segmentation for the first, labels of a template."""
    for subject in ("01", "02"):
        shutil.copy(
            demo.results / f"sub-{subject}/anat/sub-{subject}_label-brain_desc-main_mask.nii.gz",
            raw.parent / f"mask-{subject}.nii.gz",
        )
    shutil.copy(
        demo.results / "sub-01/anat/sub-01_atlas-DK_dseg.nii.gz", raw.parent / "labels-01.nii.gz"
    )
    shutil.copy(desikan_killiany(), raw.parent / "atlas.nii.gz")
    template = decimate(read_volume(template_t1w()), 3, 0.5)
    write_volume(raw.parent / "template.nii.gz", template.data, template.affine)
    shutil.copy(HOME / "config/atlases/DesikanKilliany.tsv", raw.parent / "labels.tsv")


def _other_settings(folder: Path) -> dict[str, object]:
    here = str(folder)
    return {
        "bids_dir": "raw",
        "clinical_table": None,
        "contrasts": {"phenotype": None},
        "scores": ["alsfrs_r"],
        "covariates": ["age", "field_noise", "region_volume"],
        "reconstruction": {
            "mask": {"user": f"{here}/mask-{{subject}}.nii.gz"},
            "field_map": {"method": "laplacian"},
            "background_field": {"method": "vsharp"},
            "inversion": {"method": "tkd"},
            "reference": {"region": "csf"},
        },
        "atlases": {
            "DK": {
                "segmentation": f"{here}/labels-{{subject}}.nii.gz",
                "segmentation_space": "GRE",
                "colour_table": f"{here}/labels.tsv",
            },
            "own": {
                "image": "atlas.nii.gz",
                "label_table": "labels.tsv",
                "template": "template.nii.gz",
            },
        },
        "regions": {"cortex_grey_matter": 0.3, "partial_volume_weights": True},
        "multiverse": {
            "reference": [{"region": "thalamus", "atlas": "own"}],
            "regions": [],
            "covariates": [],
            "metrics": {},
        },
    }


@pytest.mark.nightly
def test_an_odd_studys_jobs_read_what_their_rules_name(odd_study: Run) -> None:
    assert faults(jobs_of(odd_study)) == {}


@pytest.mark.nightly
def test_every_rule_was_watched(finished_demo: Run, odd_study: Run) -> None:
    text = "".join(path.read_text() for path in sorted((HOME / "rules").glob("*.smk")))
    rules = set(re.findall(r"^ *rule (\w+):", text, re.MULTILINE))
    watched_rules = rules_of(jobs_of(finished_demo)) | rules_of(jobs_of(odd_study))
    assert rules - watched_rules <= WITHOUT_INPUTS


WITHOUT_INPUTS = {"simulate_cohort", "describe_results"}
"""Rules whose script may read nothing but itself."""
