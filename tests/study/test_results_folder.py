"""A results folder that cannot be one."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from study.planning import refusal

from qsmiron.errors import InputError
from qsmiron.progress import PLAN
from qsmiron.study import Study, load_study
from qsmiron.study.results_folder import PROJECT_FOLDERS

HOME = Path(__file__).resolve().parents[2]


def study_in(values: dict[str, Any], raw: Path, folder: str | Path) -> Study:
    return load_study({**values, "bids_dir": str(raw), "results_dir": str(folder)}, HOME)


def describe(folder: Path, **fields: Any) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset_description.json").write_text(json.dumps({"Name": "x"} | fields))


OURS = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "qsmiron", "Version": "0.1.0"}]}


@pytest.mark.parametrize("below", ["", "results", "results/deep"])
def test_a_file_in_its_place_is_named(
    values: dict[str, Any], raw: Path, tmp_path: Path, below: str
) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(InputError, match=f"results_dir .*taken.*: found {tmp_path}/taken, which"):
        study_in(values, raw, tmp_path / "taken" / below)


def test_a_disk_that_refuses_it_is_a_problem_of_the_check(
    values: dict[str, Any], raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_in(values, raw, tmp_path / "new/results")

    def messages() -> list[str]:
        return [str(one) for one in study.inspect().errors if "results_dir" in one.where]

    assert messages() == []
    assert list((tmp_path / "new/results").iterdir()) == []

    def refuse(**_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    (message,) = messages()
    assert "Read-only file system" in message


@pytest.mark.parametrize(
    ("folder", "words"),
    [
        ("raw", "the raw data set"),
        ("raw/", "the raw data set"),
        ("raw/sub-A/../../raw/.", "the raw data set"),
        ("link", "the raw data set"),
        (".", "holds the raw data set"),
        ("link/..", "holds the raw data set"),
        ("raw/sub-A", "the folder sub-A"),
        ("raw/sub-B/ses-1/anat/results", "the folder sub-B"),
        ("link/sub-new", "the folder sub-new"),
        ("raw/phenotype", "the folder phenotype"),
    ],
)
def test_raw_data_take_no_results(
    values: dict[str, Any], raw: Path, folder: str, words: str
) -> None:
    (raw.parent / "link").symlink_to(raw)
    before = sorted(raw.parent.rglob("*"))
    # pathlib would tidy the path
    with pytest.raises(InputError, match=f"results_dir .*: found .*{words}"):
        study_in(values, raw, f"{raw.parent}/{folder}")
    assert sorted(raw.parent.rglob("*")) == before


def hold(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (lambda out: describe(out), "DatasetType raw"),
        (lambda out: describe(out, **{**OURS, "DatasetType": "raw"}), "DatasetType raw"),
        (lambda out: describe(out, DatasetType="derivative"), "another tool"),
        (
            lambda out: describe(
                out, DatasetType="derivative", GeneratedBy=[{"Name": "fMRIPrep"}, {"Name": "x"}]
            ),
            "fMRIPrep, x",
        ),
        (lambda out: hold(out, "dataset_description.json"), "no JSON object"),
        (lambda out: hold(out, "sub-01/anat/sub-01_T1w.nii.gz"), "sub-01_T1w.nii.gz"),
        (lambda out: hold(out, "anat/sub-01_acq-3_bold.nii"), "sub-01_acq-3_bold.nii"),
        (lambda out: hold(out, "sub-01_ses-1_T1w.nii.gz"), "sub-01_ses-1_T1w.nii.gz"),
        (lambda out: hold(out, "sub-01/ses-2/anat/sub-01_ses-2_T1w.nii"), "ses-2_T1w.nii"),
        (lambda out: hold(out, "sub-01/mri/aparc+aseg.mgz"), "participants that are no results"),
        (lambda out: describe(out / "other"), "holds the raw data set other"),
        # what an earlier version did to a raw data set
        (
            lambda out: (describe(out, **OURS), hold(out, "sub-01/anat/sub-01_T1w.nii.gz")),
            "raw images",
        ),
    ],
)
def test_a_folder_of_other_data_takes_no_results(
    values: dict[str, Any], raw: Path, tmp_path: Path, fill: Callable[[Path], object], words: str
) -> None:
    fill(tmp_path / "out")
    with pytest.raises(InputError, match=f"results_dir .*: found .*{words}"):
        study_in(values, raw, tmp_path / "out")


@pytest.mark.parametrize(
    "fill",
    [
        lambda out: None,
        lambda out: out.mkdir(),
        lambda out: hold(out, "README", "notes/plan.txt", ".DS_Store"),
        lambda out: (describe(out, **OURS), hold(out, "participants.tsv", "report.html")),
        lambda out: hold(out, f"benchmarks/{PLAN}", "sub-A/anat/sub-A_desc-main_Chimap.nii.gz"),
        lambda out: hold(out, "group/regions.tsv", "group/regions.json", "group/quality.tsv"),
        lambda out: hold(out, "group/notes.tsv", "figures/mine.png", "work/x/y"),
        # BIDS has raw data below the results that were made of them
        lambda out: describe(out / "sourcedata/other"),
    ],
)
def test_earlier_results_and_stray_files_are_no_hindrance(
    raw: Path, tmp_path: Path, fill: Callable[[Path], object]
) -> None:
    fill(tmp_path / "out")
    assert refusal(tmp_path, {"bids_dir": str(raw), "results_dir": "out"}) == ""


@pytest.mark.parametrize("place", ["derivatives", "derivatives/qsmiron", "sourcedata/x", "code/x"])
def test_a_raw_data_set_has_places_for_results(
    values: dict[str, Any], raw: Path, place: str
) -> None:
    left_out = study_in(values, raw, raw / place).left_out
    assert not [one for one in left_out if "results_dir" in one.where]


@pytest.mark.parametrize("named", [True, False])
def test_results_elsewhere_in_a_raw_data_set_are_a_warning(
    values: dict[str, Any], raw: Path, named: bool
) -> None:
    describe(raw)
    if named:
        study = study_in(values, raw, raw / "results/one")
    else:
        people = str(raw / "participants.tsv")
        hold(raw, "regions.tsv")
        given = {"analysis_only": True, "regions_table": str(raw / "regions.tsv")}
        study = load_study(
            {**values, **given, "clinical_table": people, "results_dir": str(raw / "results/one")},
            HOME,
        )
    (warning,) = (one for one in study.left_out if "results_dir" in one.where)
    assert warning.severity == "warning"
    assert f"{raw}/derivatives/qsmiron is a better place" in warning.remedy


def test_raw_data_below_the_results_sourcedata_are_read(
    values: dict[str, Any], raw: Path, tmp_path: Path
) -> None:
    own = tmp_path / "out/sourcedata/raw"
    shutil.copytree(raw, own)
    assert len(study_in(values, own, tmp_path / "out").cohort.scans) == 3
    shutil.move(own, tmp_path / "out/inputs")
    with pytest.raises(InputError, match="holds the raw data set"):
        study_in(values, tmp_path / "out/inputs", tmp_path / "out")


@pytest.mark.parametrize("part", ["", *PROJECT_FOLDERS])
def test_the_project_takes_no_results(values: dict[str, Any], tmp_path: Path, part: str) -> None:
    project = tmp_path / "project"
    (project / part).mkdir(parents=True)
    (tmp_path / "link").symlink_to(project)
    demo = {**values, "results_dir": f"{tmp_path}/link/{part}"}
    with pytest.raises(InputError, match=r"results_dir .*: found .*project"):
        load_study(demo, project)


def test_the_projects_folders_are_those_of_the_repository() -> None:
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=HOME, capture_output=True, text=True, check=False
    ).stdout.split()
    if not tracked:
        pytest.skip("no repository")
    folders = {name.split("/")[0] for name in tracked if "/" in name}
    assert folders | {".git"} == set(PROJECT_FOLDERS)


def test_the_demo_is_not_put_among_the_data_of_others(
    values: dict[str, Any], tmp_path: Path
) -> None:
    describe(tmp_path / "out/sourcedata/demo", Name="Our patients")
    with pytest.raises(InputError, match="found the data set Our patients; expected the simul"):
        load_study({**values, "results_dir": str(tmp_path / "out")}, HOME)
