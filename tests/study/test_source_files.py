"""No file that the configuration names is an output of a rule."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from study.planning import refusal

TABLE = "participant_id\tage\n"


def put(path: Path, text: str = TABLE) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def linked(make: Callable[[Path, Path], None]) -> Callable[[Path], None]:
    """The data set's clinical table under the name of an output."""

    def fill(folder: Path) -> None:
        (folder / "out").mkdir()
        make(folder / "raw/participants.tsv", folder / "out/participants.tsv")

    return fill


def outputs_linked(folder: Path) -> None:
    """A results folder whose tables lie elsewhere."""
    put(folder / "elsewhere/correlations.tsv")
    (folder / "out").mkdir()
    (folder / "out/group").symlink_to(folder / "elsewhere")


ANALYSIS = {"analysis_only": True, "clinical_table": "people.tsv"}
MASK = "out/{folder}/anat/{entities}_label-brain_desc-main_mask.nii.gz"
LABELS = "out/{folder}/anat/{entities}_atlas-DK_dseg.nii.gz"
ATLAS = {"image": "a.nii.gz", "label_table": "a.tsv"}


def made_before(folder: Path) -> None:
    """What an earlier run leaves, its masks edited by hand."""
    put(folder / "out/benchmarks/planned.json", "{}")
    for scan in (
        "sub-A/anat/sub-A",
        "sub-B/ses-1/anat/sub-B_ses-1",
        "sub-C/ses-2/anat/sub-C_ses-2",
    ):
        for ending in ("label-brain_desc-main_mask.nii.gz", "atlas-DK_dseg.nii.gz"):
            put(folder / f"out/{scan}_{ending}", "")
    put(folder / "out/work/group/desc-main_meanchi.nii.gz", "")


@pytest.mark.parametrize(
    ("fill", "config", "words"),
    [
        (
            lambda folder: put(folder / "out/participants.tsv"),
            {"clinical_table": "out/participants.tsv"},
            "clinical_table out/participants.tsv: found a file that the workflow writes",
        ),
        (
            lambda folder: put(folder / "out/participants.tsv"),
            {"clinical_table": "raw/../out//participants.tsv"},
            "clinical_table raw/../out/participants.tsv",
        ),
        (
            lambda folder: (put(folder / "out/participants.tsv"), put(folder / "regions.tsv")),
            {"clinical_table": "out/participants.tsv", "analysis_only": True,
             "regions_table": "regions.tsv"},
            "clinical_table out/participants.tsv",
        ),
        (linked(lambda table, link: link.symlink_to(table)), {}, "out/participants.tsv"),
        (linked(lambda table, link: os.link(table, link)), {}, "out/participants.tsv"),
        (
            lambda folder: put(folder / "out/group/group_tests.tsv"),
            {**ANALYSIS, "regions_table": "out/group/group_tests.tsv"},
            "regions_table out/group/group_tests.tsv",
        ),
        (
            outputs_linked,
            {**ANALYSIS, "regions_table": "elsewhere/correlations.tsv"},
            r"regions_table .*\(out/group/correlations.tsv\)",
        ),
        (
            lambda folder: put(folder / "out/group/regions.tsv"),
            {"regions_table": "out/group/regions.tsv"},
            "regions_table out/group/regions.tsv",
        ),
        (
            made_before,
            {"reconstruction": {"mask": {"user": f"../{MASK}"}}},
            r"mask.user .*out/sub-A.*, and 2 more",
        ),
        (
            made_before,
            {"variants": {"main": {}, "own": {"mask": {"user": f"../{MASK}"}}}},
            "mask.user .*out/sub-A",
        ),
        (
            made_before,
            {"atlases": {"DK": {"segmentation": f"../{LABELS}"}}},
            "atlases.DK.segmentation .*dseg.nii.gz",
        ),
        (
            made_before,
            {"atlases": {"mine": {**ATLAS, "image": "out/work/group/desc-main_meanchi.nii.gz"}}},
            "atlases.mine.image",
        ),
        (
            lambda folder: put(folder / "out/group/quality.tsv"),
            {"atlases": {"mine": {**ATLAS, "label_table": "out/group/quality.tsv"}}},
            "atlases.mine.label_table",
        ),
        (
            lambda folder: shutil.copytree(folder / "raw", folder / "out/sourcedata/demo"),
            {"bids_dir": "out/sourcedata/demo"},
            "bids_dir out/sourcedata/demo/sub-A",
        ),
        (
            lambda folder: put(folder / "out/report.html", "mine"),
            {},
            "results_dir out: found report.html, which no run of this workflow made",
        ),
        (
            lambda folder: put(folder / "out/participants.tsv", "mine"),
            {},
            "results_dir out: found participants.tsv, which no run",
        ),
        (
            lambda folder: put(folder / "out/group/regions.tsv"),
            {},
            "results_dir out: found group/regions.tsv, which no run",
        ),
        (
            lambda folder: put(folder / "out/figures/chi_maps.png"),
            {},
            "results_dir out: found figures/chi_maps.png, which no run",
        ),
    ],
)  # fmt: skip
def test_a_source_file_that_is_an_output_is_refused_before_any_job(
    raw: Path, tmp_path: Path, fill: Callable[[Path], object], config: dict[str, Any], words: str
) -> None:
    put(tmp_path / "people.tsv")
    put(tmp_path / "a.tsv", "index\tname\n1\tx\n")
    put(tmp_path / "a.nii.gz", "")
    fill(tmp_path)
    before = {path: path.lstat() for path in tmp_path.rglob("*")}
    given = {"bids_dir": str(raw), "results_dir": "out", **config}
    message = refusal(tmp_path, given)
    assert re.search(words, message), message
    after = {path: path.lstat() for path in tmp_path.rglob("*") if ".snakemake" not in path.parts}
    assert {path: one.st_mtime_ns for path, one in after.items() if path.is_file()} == {
        path: one.st_mtime_ns for path, one in before.items() if path.is_file()
    }


def test_a_file_of_the_configuration_is_no_output(raw: Path, tmp_path: Path) -> None:
    put(tmp_path / "out/methods.md", f"bids_dir: {raw}\nresults_dir: out\n")
    put(tmp_path / "out/benchmarks/planned.json", "{}")
    message = refusal(tmp_path, {}, [tmp_path / "out/methods.md"])
    assert "the configuration" in message and "(out/methods.md)" in message


@pytest.mark.parametrize(
    ("fill", "config"),
    [
        (lambda folder: put(folder / "out/people.tsv"), {"clinical_table": "out/people.tsv"}),
        (
            lambda folder: put(folder / "out/sourcedata/participants.tsv"),
            {"clinical_table": "out/sourcedata/participants.tsv"},
        ),
        (lambda folder: put(folder / "out/group/regions.tsv"), ANALYSIS),
        (
            lambda folder: put(folder / "out/group/regions.tsv"),
            {**ANALYSIS, "regions_table": "out/group/regions.tsv"},
        ),
        (
            lambda folder: [
                put(folder / f"out/group/{name}.tsv")
                for name in ("regions", "quality", "region_voxels", "quantiles", "calibration")
            ],
            {**ANALYSIS, "covariates": ["age", "brain_volume", "region_volume"]},
        ),
        (
            lambda folder: put(folder / "out/group/mine.tsv"),
            {**ANALYSIS, "regions_table": "out/group/mine.tsv"},
        ),
    ],
)
def test_what_the_workflow_only_reads_may_lie_in_the_results(
    raw: Path, tmp_path: Path, fill: Callable[[Path], object], config: dict[str, Any]
) -> None:
    put(tmp_path / "people.tsv")
    fill(tmp_path)
    given = {"bids_dir": str(raw), "results_dir": "out", **config}
    assert refusal(tmp_path, given) == ""
