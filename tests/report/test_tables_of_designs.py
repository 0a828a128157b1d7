"""The report's tables of calibration lines, models and deviations, and its words for people."""

import numpy as np
import pandas as pd
import pytest

from qsmiron.config import load_config
from qsmiron.config_files import read_settings
from qsmiron.report import calibration_table, deviations_table, models_table, planning_table
from qsmiron.report.people_words import NO_CONTROLS, control_caution, count_roles, people_words
from qsmiron.report.preregistration_text import preregistration_text
from qsmiron.tables import TABLES

WHERE = {"desc": "main", "atlas": "DK"}


def test_a_row_per_line_and_question():
    rows = [
        {**WHERE, "kind": kind, "name": name, "arm": arm, "parameter": parameter, "n": 38,
         "effect": 0.5, "p": p, "p_perm": p / 2}
        for kind, name in (("contrast", "progression"), ("score", "umn_score"))
        for arm, p in (("replication", 0.02), ("rigorous", 0.04))
        for parameter in ("slope", "intercept")
    ]  # fmt: skip
    other = [{**row, "atlas": "other", "p": 0.9} for row in rows]
    header, *shown = calibration_table.calibration_table(pd.DataFrame(rows + other))
    assert header == calibration_table.HEADER
    assert [row[:2] for row in shown] == [
        ["progression", "slope"], ["progression", "intercept"],
        ["UMN score", "slope"], ["UMN score", "intercept"],
    ]  # fmt: skip
    assert shown[0][2:] == ["38", "δ = .50", ".020", ".040", ".020"]
    assert shown[2][3] == "ρ = .50"


def test_terms_count_the_regions_that_pass():
    rows = [
        {**WHERE, "model": "stage", "term": term, "metric": name, "region": f"r{i}",
         "hemisphere": "L", "p": 0.01 * (i + 1), "q": 0.03 * (i + 1), "p_maxt": 0.2, "effect": 0.3}
        for term in ("omnibus", "1 − 2")
        for name in ("chi_mean", "chi_median", "iron_line")
        for i in range(6)
    ]  # fmt: skip
    header, *shown = models_table.models_table(pd.DataFrame(rows))
    assert header == models_table.HEADER
    assert [row[:3] for row in shown] == [
        ["stage", "omnibus", "Mean χ"], ["stage", "1 − 2", "Mean χ"],
    ]  # fmt: skip
    assert shown[0][3:] == ["6", "4", "1", "0", "L r0: p = .010, effect .30"]


def test_the_regions_of_largest_deviation():
    rows = [
        {**WHERE, "participant_id": f"sub-{who}", "metric": "chi_mean", "region": f"r{i}",
         "hemisphere": "R", "n_controls": 20, "z": (-1) ** i * i, "p": 0.01 if who < i else 0.5}
        for i in range(8)
        for who in range(4)
    ]  # fmt: skip
    header, *shown = deviations_table.deviations_table(pd.DataFrame(rows))
    assert header == deviations_table.HEADER
    assert [row[2] for row in shown] == [f"R r{i}" for i in (7, 6, 5, 4, 3)]
    assert shown[0] == ["Mean χ", "20", "R r7", "−7.00", "4 of 4"]
    assert shown[4][-1] == "3 of 4"


@pytest.mark.parametrize(
    ("make", "name"),
    [
        (calibration_table.calibration_table, "calibration_tests"),
        (models_table.models_table, "model_tests"),
        (deviations_table.deviations_table, "deviations"),
    ],
)
def test_without_rows_there_is_no_table(make, name):
    assert make(pd.DataFrame(columns=list(TABLES[name]))) == []


def test_why_nobody_could_be_compared_is_said():
    rows = [{"metric": "chi_mean", "p": np.nan, "reason": reason} for reason in ("few", "few", "x")]
    shown = deviations_table.deviations_table(pd.DataFrame(rows))
    assert shown == [["No patient could be compared"], ["few"], ["x"]]


def test_people_are_named_only_as_the_config_says():
    shipped = read_settings("config/config.yaml")
    people = pd.DataFrame({"diagnosis": ["ALS"] * 3 + ["HC"] * 2 + ["PLS"]})
    plain = load_config(shipped)
    roles = {"column": "diagnosis", "patients": ["ALS"], "controls": ["HC"]}
    named = load_config({**shipped, "roles": roles})
    assert people_words(count_roles(people, plain)) == "6 participants"
    counts = count_roles(people, named)
    assert people_words(counts) == "3 patients, 2 controls and 1 of neither"
    assert people_words(count_roles(people[:5], named)) == "3 patients and 2 controls"
    assert control_caution(counts).startswith("There are 2 controls.")
    assert control_caution(count_roles(people, plain)) == NO_CONTROLS
    # measured are patients alone: nobody is called a control
    assert people_words(count_roles(people[:3], named)) == "3 participants"


def test_planning_is_summed_up_over_regions():
    rows = [
        {**WHERE, "metric": "chi_mean", "effect": effect, "residual_sd": sd, "n_per_group": n,
         "n_per_group_corrected": 2 * n}
        for effect, sizes in ((0.005, (40, 50, 60)), (0.01, (10, 13, 15)))
        for sd, n in zip((0.007, 0.008, 0.009), sizes, strict=True)
    ]  # fmt: skip
    header, *shown = planning_table.planning_table(pd.DataFrame(rows))
    assert header == planning_table.HEADER
    assert shown == [
        ["Mean χ", "8.0 (7.5–8.5)", "5", "50 (45–55)", "100 (90–110)", "3"],
        ["Mean χ", "8.0 (7.5–8.5)", "10", "13 (12–14)", "26 (23–28)", "3"],
    ]
    assert planning_table.planning_table(pd.DataFrame(columns=list(TABLES["planning"]))) == []


def test_what_is_preregistered_is_what_the_configuration_says():
    values = read_settings("config/config.yaml")
    values["statistics"] = {"harmonisation": "combat", "variance_groups": "site"}
    text = preregistration_text(load_config(values))
    for words in (
        "progression (fast against slow, as the column progression says)",
        "covariates age, sex", "a residual variance for each site", "by ComBat",
        "at most 70 sets",  # 5 questions, 7 families, 2 atlases
    ):  # fmt: skip
        assert words in text
    assert "ComBat" not in preregistration_text(load_config(read_settings("config/config.yaml")))
