"""Source files: each is an input of every job that reads it, and those that lack are listed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bids_trees import edit_sidecar, make_tree, megre, store_in_one_file

from qsmiron.study import Study, inspect_refused, load_study
from qsmiron.study.missing_files import lacks_files
from qsmiron.study.protocol_inputs import ProtocolInputs

HOME = Path(__file__).resolve().parents[2]
JOB = SimpleNamespace(folder="sub-01", entities="sub-01", echo="2", desc="main", atlas="DK")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Three participants, whose sidecars share what stands at the root."""
    root = make_tree(tmp_path / "bids", n_subjects=3)
    for path in root.rglob("*_MEGRE.json"):
        edit_sidecar(path, Units=None, MagneticFieldStrength=None)
    (root / "part-phase_MEGRE.json").write_text('{"Units": "arbitrary"}')
    (root / "MEGRE.json").write_text('{"MagneticFieldStrength": 3}')
    return root


@pytest.fixture
def study_of(values: dict[str, Any], root: Path) -> Any:
    def lay_out(**changes: Any) -> Study:
        paths = {"bids_dir": str(root), "results_dir": str(root.parent / "out")}
        return load_study({**values, **paths, **changes}, HOME)

    return lay_out


def test_rules_name_inherited_sidecars(study_of: Any, root: Path) -> None:
    store_in_one_file(root, "02")
    cohort = study_of().cohort
    shared, phases = str(root / "MEGRE.json"), str(root / "part-phase_MEGRE.json")
    beside = {
        p: [str(megre(root, "01", e, p, "json")) for e in (1, 2, 3)] for p in ("mag", "phase")
    }
    assert cohort.magnitude_sidecars(JOB) == [shared, *beside["mag"]]
    assert set(cohort.phase_sidecars(JOB)) == {shared, phases, *beside["phase"]}
    assert {shared, beside["mag"][0]} <= set(cohort.first_sidecars)
    assert ProtocolInputs(cohort).sidecars == cohort.magnitude_sidecars(JOB)
    whole = SimpleNamespace(folder="sub-02", entities="sub-02", echo="2")
    assert {shared, phases} <= set(cohort.raw_echo_files(whole))
    every = {str(path) for path in root.rglob("*MEGRE.json")}
    assert set(cohort.raw_sidecars) == every


def test_inherited_sidecars_are_no_news(study_of: Any) -> None:
    study = study_of()
    assert [str(problem) for problem in study.inspect_inputs().errors] == []
    assert not lacks_files(study)


def test_what_is_said_at_the_root_is_said_once(study_of: Any, root: Path) -> None:
    (root / "MEGRE.json").write_text('{"MagneticFieldStrength": 3000}')
    found = [p.where for p in study_of().inspect_inputs().errors]
    assert found == [f"{root}/MEGRE.json, MagneticFieldStrength"]


def test_hidden_files_are_no_news(study_of: Any, root: Path) -> None:
    before = study_of().inspect_inputs().problems
    for path in [*root.rglob("*")]:
        if path.is_file():
            path.with_name(f"._{path.name}").write_bytes(b"\0\5\26\7")
    (root / "._sub-01").mkdir()
    (root / "phenotype").mkdir()
    (root / "phenotype/._ecas.tsv").write_bytes(b"\0\5\26\7")
    for folder in (root, root / "sub-01", root / "sub-01/anat"):
        (folder / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    study = study_of()
    assert study.inspect_inputs().problems == before
    assert len(study.cohort.scans) == 3
    assert not [path for path in study.cohort.raw_files + study.tables_beside if "/." in path]


def without_sidecar(root: Path) -> None:
    megre(root, "01", 1, "mag", "json").unlink()
    for shared in root.glob("*.json"):
        shared.unlink()


def late(root: Path) -> None:
    hour = time.time() + 3600
    os.utime(megre(root, "02", 1, "phase", "json"), (hour, hour))


def dangling(root: Path) -> None:
    path = megre(root, "01", 2, "mag")
    path.unlink()
    path.symlink_to(".git/annex/objects/x")


@pytest.mark.parametrize(
    ("breaks", "changes"),
    [
        (without_sidecar, {}),
        (late, {}),
        (dangling, {}),
        (lambda root: megre(root, "01", 3, "phase").unlink(), {}),
        (lambda root: None, {"atlases": {"DK": {"label_table": "nowhere.tsv"}}}),
        (lambda root: None, {"atlases": {"own": {"label_table": "config/atlases/Tissues.tsv",
                                                 "segmentation": "{subject}.nii"}}}),
    ],
)  # fmt: skip
def test_what_lacks_is_seen_by_names_and_told_by_the_check(
    study_of: Any, root: Path, breaks: Any, changes: dict[str, Any]
) -> None:
    breaks(root)
    study = study_of(**changes)
    assert lacks_files(study)
    assert study.inspect_inputs().errors


def test_a_study_that_is_refused_is_checked_all_the_same(
    values: dict[str, Any], root: Path
) -> None:
    edit_sidecar(megre(root, "01", 1, "mag", "json"), EchoTime=5)
    mask = {"mask": {"user": "masks/{subject}.nii"}}
    inspection = inspect_refused({**values, "bids_dir": str(root), "reconstruction": mask})
    found = [problem.where for problem in inspection.errors]
    assert sum("EchoTime" in where for where in found) == 1
    assert sum("masks/" in where for where in found) == 3
    assert inspect_refused({**values, "bids_dir": str(root), "atlases": 3}) is None


def test_snakemake_lists_everything_before_it_plans(root: Path) -> None:
    """A sidecar is missing and an echo time is in ms: both are told, also of a dry run."""
    without_sidecar(root)
    edit_sidecar(megre(root, "03", 1, "mag", "json"), EchoTime=5)
    before = sorted(root.parent.rglob("*"))
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(HOME / "Snakefile"), "--directory",
         str(root.parent), "--cores", "1", "-n", "--config", f"bids_dir={root}", "results_dir=out"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    told = done.stdout + done.stderr
    assert done.returncode == 1
    assert "sub-01_echo-1_part-mag_MEGRE.json: no such file" in told
    assert "sub-03_echo-1_part-mag_MEGRE.json, EchoTime: 5" in told
    assert "MissingInputException" not in told
    assert "Traceback" not in told
    left = [p for p in sorted(root.parent.rglob("*")) if ".snakemake" not in p.parts]
    assert left == before


def test_a_job_that_snakemake_fails_for_a_late_input_says_so(study_of: Any, root: Path) -> None:
    study = study_of(on_subject_failure="exclude")
    late(root)
    path = megre(root, "02", 1, "phase", "json")
    job = SimpleNamespace(
        rule="map_field",
        wildcards=SimpleNamespace(folder="sub-02", entities="sub-02"),
        input=[str(path)],
        log=[str(root.parent / "none.log")],
        benchmark=None,
        is_group=lambda: False,
    )
    (failure,) = study.failure_records.found([job], study.cohort.scans, time.time())
    assert failure.reason.startswith(f"{path}: found a modification time in the future")
    assert "touch" in failure.reason
    assert not failure.lasting
    assert str(root / "MEGRE.json") in failure.files
    assert json.loads(json.dumps(failure.files)) == failure.files
