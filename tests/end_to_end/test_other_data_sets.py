"""Data sets unlike the demo: without a clinical table, without T1w, with a single echo."""

from __future__ import annotations

import shutil

import pandas as pd
import pytest
from end_to_end.small_cohort import Run

from qsmiron.tables import read_table

pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]


@pytest.fixture
def unlike(raw_copy: Run) -> Run:
    """sub-01 as it is; sub-02 without T1w; sub-03 with one echo, in a session; sub-04 without
    phase; no table.
    """
    raw = raw_copy.folder / "raw"
    for path in (raw / "sub-04/anat").glob("*part-phase*"):
        path.unlink()
    for path in raw.glob("sub-0[56]"):
        shutil.rmtree(path)
    for path in (raw / "sub-02/anat").glob("*_T1w.*"):
        path.unlink()
    (raw / "sub-03/ses-1").mkdir()
    (raw / "sub-03/anat").rename(raw / "sub-03/ses-1/anat")
    for path in (raw / "sub-03/ses-1/anat").iterdir():
        if "_echo-" in path.name and "_echo-3_" not in path.name:
            path.unlink()
        else:
            name = path.name.replace("sub-03_", "sub-03_ses-1_").replace("_echo-3_", "_echo-1_")
            path.rename(path.with_name(name))
    (raw / "participants.tsv").unlink(missing_ok=True)
    return Run(raw_copy.folder, {**raw_copy.settings, "clinical_table": None})


def test_maps_come_without_a_clinical_table_and_a_report_with_a_partial_one(unlike: Run) -> None:
    finished = unlike.snakemake()
    assert "participants.tsv" in finished.stderr  # the warning
    results = unlike.results
    for scan in ("sub-01/anat/sub-01", "sub-02/anat/sub-02", "sub-03/ses-1/anat/sub-03_ses-1"):
        assert (results / f"{scan}_desc-main_Chimap.nii.gz").exists()
    assert (results / "sub-02/anat/sub-02_desc-main_R2starmap.nii.gz").exists()
    assert not list(results.glob("sub-03/**/*_R2starmap.nii.gz"))
    assert (results / "sub-02/anat/sub-02_atlas-DK_dseg.nii.gz").exists()

    quality = read_table(results / "group/quality.tsv", "quality").set_index("participant_id")
    assert "no T1w: labels by R2* and χ, less exact" in quality.loc["sub-02", "flags"]
    assert quality.loc["sub-02", "labels_source"] == "atlas_without_t1w"
    assert quality.loc["sub-04", "flags"] == "no phase: left out"
    assert quality.loc["sub-04", "used"] == "no"
    assert not (results / "sub-04").exists()
    assert quality.loc["sub-03", "n_echoes"] == 1
    assert quality.loc["sub-03", "session"] == "1"

    regions = read_table(results / "group/regions.tsv", "regions")
    assert set(regions["participant_id"]) == {"sub-01", "sub-02", "sub-03"}
    regions = regions[regions["atlas"] == "DK"]
    r2star = regions[regions["metric"] == "r2star_mean"].groupby("participant_id")["value"]
    assert r2star.count().to_dict() == {"sub-01": 83, "sub-02": 83, "sub-03": 0}
    pallidum = regions[(regions["region"] == "pallidum") & (regions["metric"] == "chi_mean")]
    assert (pallidum["value"] > 0.03).all()
    assert not (results / "report.html").exists()
    assert unlike.would_run() == {}

    table = unlike.folder / "raw/participants.tsv"
    rows = [("sub-01", 60), ("sub-02", 61), ("sub-03", 62), ("sub-04", 63)]
    pd.DataFrame(rows, columns=["participant_id", "age"]).to_csv(table, sep="\t", index=False)
    assert "invert_dipole" not in unlike.would_run()
    unlike.snakemake()
    assert (unlike.results / "report.html").exists()
    tests = read_table(unlike.results / "group/group_tests.tsv", "group_tests")
    assert tests.empty
