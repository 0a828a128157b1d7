"""Broken inputs stop the run before any job, all problems together, in the user's terms."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from end_to_end.small_cohort import Run

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
