"""Broken inputs stop the run before any job, all problems together, in the user's terms."""

from __future__ import annotations

import json
import subprocess
import sys

import nibabel as nib
import numpy as np
import pytest
from bids_trees import add_subject, make_tree
from end_to_end.small_cohort import HOME, Run

pytestmark = pytest.mark.end_to_end


def refused(run: Run) -> str:
    finished = run.snakemake(check=False)
    text = finished.stdout + finished.stderr
    assert finished.returncode != 0
    assert "Traceback" not in text
    assert not list(run.results.glob("work/sub-*")), "an imaging job ran before the check"
    return text


def test_four_problems_are_listed_together(raw_copy: Run) -> None:
    anat = "raw/sub-{0}/anat/sub-{0}_echo-{1}_part-{2}_MEGRE.{3}"
    # an echo is missing
    (raw_copy.folder / anat.format("01", 3, "phase", "nii.gz")).unlink()
    # a sidecar field is missing
    sidecar = raw_copy.folder / anat.format("02", 2, "mag", "json")
    fields = json.loads(sidecar.read_text())
    del fields["EchoTime"]
    sidecar.write_text(json.dumps(fields))
    # shapes differ
    path = raw_copy.folder / anat.format("03", 4, "phase", "nii.gz")
    image = nib.load(path)
    nib.save(nib.Nifti1Image(np.asarray(image.dataobj)[:-1], image.affine), path)
    # a score is out of range, and a participant has no images
    table = raw_copy.clinical_table
    header, *rows = [line.split("\t") for line in table.read_text().splitlines()]
    rows[3][header.index("alsfrs_r")] = "51"
    rows.append(["sub-99", *rows[0][1:]])
    table.write_text("\n".join("\t".join(row) for row in [header, *rows]) + "\n")

    text = refused(raw_copy)

    for words in (
        ("sub-01", "echo"),
        ("sub-02", "EchoTime"),
        ("sub-03", "shape"),
        ("alsfrs_r", "51", "48"),
        ("sub-99",),
    ):
        assert any(all(word in line for word in words) for line in text.splitlines()), words


def test_an_unknown_key_is_named(raw_copy: Run) -> None:
    run = Run(raw_copy.folder, {**raw_copy.settings, "reconstruction": {"inversoin": {}}})
    assert "inversoin" in refused(run)


def test_a_method_parameter_out_of_range_is_named(raw_copy: Run) -> None:
    steps = {"background_field": {"parameters": {"threshold": 7}}}
    run = Run(raw_copy.folder, {**raw_copy.settings, "reconstruction": steps})
    assert "threshold" in refused(run)


def test_a_missing_folder_is_named(raw_copy: Run) -> None:
    run = Run(raw_copy.folder, {**raw_copy.settings, "bids_dir": "no/such/folder"})
    assert "no/such/folder" in refused(run)


MISTAKES = {
    "scroes": ["umn_score"],
    "statistics": {"permutatons": 5},
    "contrasts": {"x": {"column": "progression", "levels": [True, False]}},
    "covariates": ["age", "age"],
}


def test_the_check_and_a_run_say_the_same_of_a_config(tmp_path) -> None:
    """And of the data in the same breath; no message holds the whole configuration."""
    root = make_tree(tmp_path / "raw", n_subjects=6)
    table = root / "participants.tsv"
    table.write_text(table.read_text().replace("\t51\t", "\t510\t", 1))
    run = Run(tmp_path, {"bids_dir": "raw", "clinical_table": "raw/participants.tsv", **MISTAKES})
    text = refused(run)
    report = tmp_path / "report.json"
    config = ["--config", str(tmp_path / "settings.yaml"), "--report", str(report)]
    check = [sys.executable, str(HOME / "workflow_scripts/check_inputs.py"), str(root), *config]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 1
    errors = json.loads(report.read_text())["errors"]
    told = [problem for problem in errors if problem["where"].startswith("config, ")]
    assert len(told) == 5
    for problem in told:
        said = "{where}: found {found}; expected {expected}. {remedy}".format(**problem)
        assert said in text
        assert len(said) < 300
    assert any("row 2 (sub-01), age" in problem["where"] for problem in errors)


def test_a_fault_of_a_config_file_is_named_with_its_line(tmp_path) -> None:
    run = Run(tmp_path)
    command = run.command("--dry-run")
    (tmp_path / "settings.yaml").write_text("scores: [a]\nexclude: [07]\nscores: [b]\n")
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    text = finished.stdout + finished.stderr
    assert finished.returncode != 0
    assert "settings.yaml, line 2: found 07, which YAML reads as 7" in text
    assert "settings.yaml, line 3: found the key scores again, which line 1 has" in text
    assert "Traceback" not in text


@pytest.mark.parametrize(("label", "other"), [("01", "1"), ("1", "01")])
def test_a_label_of_the_command_line_is_nobody_else(tmp_path, label, other) -> None:
    root = make_tree(tmp_path / "raw", n_subjects=1)
    add_subject(root, "1")
    run = Run(tmp_path, {"bids_dir": "raw", "clinical_table": None})
    command = run.command("--dry-run", "--config", f"participant_label={label}")
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert f"sub-{label}/anat" in text
    assert f"sub-{other}/anat" not in text
