"""A table of broken inputs: each gives its message and status, and nothing is half-written."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from bids_trees import make_tree
from checks import (
    broken_images,
    broken_links,
    broken_parts,
    broken_ready_maps,
    broken_sidecars,
    broken_spin_echoes,
    broken_tables,
)
from checks.broken_images import Case

import check_inputs

SCRIPT = Path(check_inputs.__file__)
SETTINGS = {
    "contrasts": {"progression": {"column": "progression", "levels": ["fast", "slow"]}},
    "scores": ["alsfrs_r"],
    "covariates": ["age", "sex"],
}
CASES = [
    *broken_images.CASES,
    *broken_links.CASES,
    *broken_parts.CASES,
    *broken_ready_maps.CASES,
    *broken_sidecars.CASES,
    *broken_spin_echoes.CASES,
    *broken_tables.CASES,
]
PARTS = ("where", "found", "expected", "remedy")


@pytest.fixture(scope="module")
def good(tmp_path_factory) -> Path:
    return make_tree(tmp_path_factory.mktemp("good") / "bids", n_subjects=6)


@pytest.fixture
def root(good, tmp_path) -> Path:
    shutil.copytree(good, tmp_path / "bids", symlinks=True)
    return tmp_path / "bids"


def contents(folder: Path) -> dict[str, str]:
    """Every path in a folder, with what it holds."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        if path.is_file()
        else "folder"
        for path in sorted(folder.rglob("*"))
    }


def arguments(root: Path, settings: dict) -> list[str]:
    config = root.parent / "config.json"
    config.write_text(json.dumps(SETTINGS | settings))
    report = root.parent / "out" / "report.json"
    return [str(root), "--config", str(config), "--report", str(report)]


def check(root: Path, settings: dict, capsys) -> tuple[int, dict, str]:
    """Status, report and what was printed, as one line."""
    try:
        check_inputs.main(arguments(root, settings))
        status = 0
    except SystemExit as end:
        status = end.code
    shown = capsys.readouterr()
    assert shown.err == ""
    assert [path.name for path in (root.parent / "out").iterdir()] == ["report.json"]
    report = json.loads((root.parent / "out/report.json").read_text())
    return status, report, " ".join(shown.out.split())


def matches(problem: dict, case: Case) -> bool:
    return all(getattr(case, part) in problem[part] for part in PARTS)


def test_the_unbroken_tree_is_accepted(root, capsys):
    status, report, shown = check(root, {}, capsys)
    assert (status, report["status"], report["errors"], report["warnings"]) == (0, "ok", [], [])
    assert shown.endswith("OK: 6 participants, 6 scans, 42 images checked, no warnings.")


def test_unbroken_ready_maps_are_accepted(root, capsys):
    """Without any phase."""
    broken_ready_maps.add_maps(root)
    settings = {"maps": broken_ready_maps.MAPS}
    status, report, _ = check(root, settings, capsys)
    assert (status, report["errors"], report["warnings"]) == (0, [], [])


def test_the_table_is_long_and_names_each_case_once():
    assert len(CASES) >= 60
    assert len({case.name for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_broken_input(root, capsys, case):
    case.breaks(root)
    before = contents(root)
    status, report, shown = check(root, case.settings, capsys)
    assert contents(root) == before, "the check writes nothing into the data set"
    listed = report["errors"] if case.severity == "error" else report["warnings"]
    found = [problem for problem in listed if matches(problem, case)]
    assert found, json.dumps(report["errors"] + report["warnings"], indent=1, ensure_ascii=False)
    assert all(found[0][part].strip() for part in PARTS)
    for part in ("expected", "remedy"):
        assert " ".join(found[0][part].split()) in shown
    if case.severity == "error":
        assert status == 1
        assert report["status"] == "error"
        assert "STOPPED" in shown
    else:
        assert status == (1 if report["errors"] else 0)


WARNINGS_ALONE = [
    case
    for case in CASES
    if case.severity == "warning" and case.name != "what an undeclared unit looks like"
]


@pytest.mark.parametrize("case", WARNINGS_ALONE, ids=lambda case: case.name)
def test_a_warning_alone_does_not_stop(root, capsys, case):
    case.breaks(root)
    status, report, shown = check(root, case.settings, capsys)
    assert report["errors"] == []
    assert status == 0
    assert "OK" in shown


@pytest.mark.parametrize(
    "name", ["a gzip bomb", "EchoTime in milliseconds", "a decimal comma", "no T1w"]
)
def test_on_the_command_line(root, name):
    (case,) = [case for case in CASES if case.name == name]
    case.breaks(root)
    before = contents(root)
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments(root, case.settings)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == (1 if case.severity == "error" else 0)
    assert "Traceback" not in done.stdout + done.stderr
    assert case.found in done.stdout
    assert contents(root) == before


def test_a_subject_with_a_command_in_its_name_runs_nothing(root, capsys):
    (root / "sub-07;touch pwned;#").mkdir()
    status, _, shown = check(root, {}, capsys)
    assert status == 1
    assert "touch pwned" in shown
    assert not list(root.parent.rglob("pwned"))
    assert not Path("pwned").exists()


def test_a_report_that_cannot_be_written_is_a_message(root, tmp_path, capsys):
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(SystemExit) as end:
        check_inputs.main([str(root), "--report", str(blocked / "report.json")])
    assert end.value.code == 1
    assert f"error: {blocked}/report.json: found" in capsys.readouterr().err
    assert blocked.read_text() == ""


def test_a_folder_that_cannot_be_read_is_a_message(root, monkeypatch, capsys):
    entries = Path.iterdir

    def refusing(path):
        if path.name == "anat":
            raise PermissionError(13, "Permission denied", str(path))
        return entries(path)

    monkeypatch.setattr(Path, "iterdir", refusing)
    with pytest.raises(SystemExit) as end:
        check_inputs.main([str(root)])
    assert end.value.code == 1
    assert "anat: Permission denied" in capsys.readouterr().out
