"""The demo with controls, from their images to a report that calls them what they are."""

from __future__ import annotations

import re

import numpy as np
import pytest
from end_to_end.small_cohort import Run

from qsmiron.tables import read_table

pytestmark = [pytest.mark.end_to_end, pytest.mark.nightly]

PATIENTS, CONTROLS = 4, 3


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(
        tmp_path_factory.mktemp("controls"),
        {
            "clinical_table": None,
            "demo": {"participants": PATIENTS, "controls": CONTROLS, "voxel_size": 4.0},
            "contrasts": {"progression": None, "phenotype": None},
            "scores": ["alsfrs_r"],
            "covariates": [],
            "statistics": {"permutations": 99, "bootstrap": 100, "null_permutations": 20},
            "multiverse": {"reference": [], "regions": [], "covariates": [], "metrics": {}},
        },
    )
    run.snakemake()
    return run


def test_patients_stand_against_controls(finished: Run) -> None:
    tests = read_table(finished.results / "group/group_tests.tsv", "group_tests")
    assert set(tests["contrast"]) == {"diagnosis"}
    tested = tests[(tests["metric"] == "chi_mean") & tests["p"].notna()]
    assert set(tested["level_1"]) == {"patient"}
    assert (tested["n_1"].max(), tested["n_2"].max()) == (PATIENTS, CONTROLS)


def test_a_score_is_the_patients(finished: Run) -> None:
    table = read_table(finished.results / "group/correlations.tsv", "correlations")
    assert table["n"].max() == PATIENTS


def test_patients_alone_have_deviations(finished: Run) -> None:
    table = read_table(finished.results / "group/deviations.tsv", "deviations")
    assert set(table["participant_id"]) == {f"sub-{i:02d}" for i in range(1, PATIENTS + 1)}
    assert table["n_controls"].max() == CONTROLS
    assert np.isfinite(table["z"]).any()


def test_contrasts_within_a_scan_are_measured(finished: Run) -> None:
    regions = read_table(finished.results / "group/regions.tsv", "regions")
    regions = regions[regions["atlas"] == "DK"]
    values = regions.pivot(index=["participant_id", "index"], columns="metric", values="value")
    names = regions.drop_duplicates("index").set_index("index")
    side = values.index.get_level_values("index").map(names["hemisphere"])
    known = values["chi_right_left"].notna().to_numpy()
    assert known[side == "R"].mean() > 0.9
    assert not known[side != "R"].any()
    motor = values.index.get_level_values("index").map(names["region"]) == "precentral"
    contrast = values.loc[motor, "chi_cortex_white"]
    assert contrast.notna().all()
    assert (contrast > 0).all()  # white matter is diamagnetic


def test_the_report_calls_everybody_what_they_are(finished: Run) -> None:
    text = (finished.results / "report.html").read_text()
    plain = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", text))
    assert f"{PATIENTS} patients and {CONTROLS} controls" in plain
    assert "no controls" not in plain.lower()
    assert f"There are {CONTROLS} controls." in plain
    assert "Patients are those with role patient, controls those with control" in plain
    assert f"patient (n = {PATIENTS})" in plain
    assert f"control (n = {CONTROLS})" in plain
    for number in range(1, CONTROLS + 1):
        assert f"sub-C{number:02d}" in plain
