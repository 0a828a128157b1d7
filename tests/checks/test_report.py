"""What the check shows, writes and returns."""

from __future__ import annotations

import json

import pytest
from bids_trees import edit_sidecar, make_tree, megre

import check_inputs
from qsmiron.checks.cohort import Inspection
from qsmiron.checks.report import LINES_PER_GROUP, as_json, as_text
from qsmiron.errors import Problem


def run(capsys, *arguments) -> tuple[int, str, str]:
    try:
        check_inputs.main([str(a) for a in arguments])
        status = 0
    except SystemExit as end:
        status = end.code
    shown = capsys.readouterr()
    return status, shown.out, shown.err


def test_ok_is_status_0_and_one_line_with_counts(tmp_path, capsys):
    status, out, err = run(capsys, make_tree(tmp_path / "bids", 3))
    assert status == 0
    assert out.splitlines()[-1] == "OK: 3 participants, 3 scans, 21 images checked, no warnings."
    assert err == ""


def test_a_warning_is_status_0(tmp_path, capsys):
    root = make_tree(tmp_path / "bids", 3)
    (root / "sub-02/anat/sub-02_T1w.nii.gz").unlink()
    status, out, _ = run(capsys, root)
    assert status == 0
    assert "WARNINGS (1)" in out
    assert "ERRORS" not in out


def test_errors_are_status_1_apart_from_warnings_and_in_the_report(tmp_path, capsys):
    root = make_tree(tmp_path / "bids", 3)
    (root / "sub-02/anat/sub-02_T1w.nii.gz").unlink()
    edit_sidecar(megre(root, "01", 1, "mag", "json"), EchoTime=None)
    report = tmp_path / "out" / "report.json"
    status, out, _ = run(capsys, root, "--report", report)
    assert status == 1
    assert out.index("ERRORS (1)") < out.index("EchoTime") < out.index("WARNINGS (1)")
    assert "STOPPED: 1 error and 1 warning" in out
    content = json.loads(report.read_text())
    assert content["status"] == "error"
    assert [e["where"] for e in content["errors"]] == [
        f"{megre(root, '01', 1, 'mag', 'json')}, EchoTime"
    ]
    assert set(content["warnings"][0]) == {"severity", "where", "found", "expected", "remedy"}


def test_a_report_replaces_no_file_of_the_data_set(tmp_path, capsys):
    root = make_tree(tmp_path / "bids", 3)
    config = tmp_path / "config.yaml"
    config.write_text("scores: [alsfrs_r]\n")
    for brought in (
        root / "dataset_description.json",
        root / "participants.json",
        root / "sub-01/../participants.tsv",
        megre(root, "02", 2, "phase", "json"),
        megre(root, "02", 2, "phase"),
        config,
    ):
        brought.touch()
        before = brought.read_bytes()
        status, _, err = run(capsys, root, "--config", config, "--report", brought)
        assert status == 1
        assert err.startswith("error: ") and brought.name in err.splitlines()[-1]
        assert brought.read_bytes() == before
    report = root / "derivatives/check.json"
    for _ in range(2):  # over an earlier report
        run(capsys, root, "--report", report)
        assert json.loads(report.read_text())["participants"] == 3


def test_a_config_in_yaml_or_json_is_heeded_and_unknown_keys_ignored(tmp_path, capsys):
    root = make_tree(tmp_path / "bids", 3)
    config = tmp_path / "config.yaml"
    for text in ("scores: [nfl]\niron: {x: 1}\n", '{"scores":\t["nfl"]}'):
        config.write_text(text)
        status, out, _ = run(capsys, root, "--config", config)
        assert status == 1
        assert "'nfl'" in out


@pytest.mark.parametrize("text", ["{a: [", "[1, 2]", "\x00", "a: &a [*a"])
def test_a_broken_config_is_named(tmp_path, capsys, text):
    config = tmp_path / "config.yaml"
    config.write_text(text)
    status, out, err = run(capsys, make_tree(tmp_path / "bids", 1), "--config", config)
    assert status == 1
    assert str(config) in out  # in the list, with what is wrong with the data
    assert not err


def test_another_clinical_table(tmp_path, capsys):
    root = make_tree(tmp_path / "bids", 3)
    table = tmp_path / "clinic.tsv"
    (root / "participants.tsv").rename(table)
    assert run(capsys, root, "--participants", table)[0] == 0


def problem(i: int, where: str, found: str = "x") -> Problem:
    return Problem(where.format(i), found, "y", "Do z.")


def test_echoes_are_put_into_braces_and_like_problems_together():
    problems = [problem(e, "/d/sub-01/anat/sub-01_echo-{}_part-mag_MEGRE.json") for e in (1, 2, 4)]
    text = as_text(Inspection(problems), "/d")
    assert "sub-01_echo-{1,2,4}_part-mag_MEGRE.json: x" in text
    assert text.count("expected") == 1


def test_long_lists_still_name_every_participant():
    problems = [problem(i, "/d/sub-{:03d}") for i in range(100)]
    text = as_text(Inspection(problems), "/d")
    assert all(f"sub-{i:03d}" in text for i in range(100))
    assert len(text.splitlines()) < LINES_PER_GROUP + 20


def test_nothing_in_a_name_reaches_the_terminal_as_a_command():
    nasty = Problem("/d/sub-\x1b[31m\n\udcff", "\r", "y", "Do z.")
    text = as_text(Inspection([nasty]), "/d")
    assert "\x1b" not in text
    assert "\\x1b" in text
    text.encode()
    json.dumps(as_json(Inspection([nasty]), "/d"), ensure_ascii=False).encode()


def test_lines_fit_the_terminal_where_there_is_one():
    text = as_text(Inspection([Problem("/d/x", "word " * 50, "word " * 50, "Do.")]), "/d", 80)
    assert max(map(len, text.splitlines())) <= 80
