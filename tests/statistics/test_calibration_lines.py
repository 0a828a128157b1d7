"""Slope and intercept of the calibration lines against contrasts and scores."""

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import correlate_scores
import test_groups as test_groups_script
from qsmiron.statistics.calibration_tests import mark_calibrated
from qsmiron.tables import TABLES, read_table, write_table


@pytest.fixture
def study(tmp_path, make_regions, make_clinical):
    """Tables of a cohort whose slopes, and nothing else, differ between fast and slow."""
    regions, clinical = make_regions(n_regions=3), make_clinical()
    rng = np.random.default_rng(2)
    fast = (clinical["progression"] == "fast").to_numpy()
    n = len(clinical)
    lines = pd.DataFrame(
        {
            "participant_id": clinical.index,
            "desc": "main",
            "atlas": "DK",
            "slope": 9e-4 + 1e-4 * rng.normal(size=n) + 4e-4 * fast,
            "intercept": 1e-3 * rng.normal(size=n),
            "reason": None,
        }
    )
    lines.loc[3, ["slope", "intercept", "reason"]] = np.nan, np.nan, "the age is not known"
    write_table(regions, tmp_path / "regions.tsv", "regions")
    write_table(lines, tmp_path / "calibration.tsv", "calibration")
    clinical.to_csv(tmp_path / "clinical.tsv", sep="\t", na_rep="n/a")
    config = {"statistics": {"permutations": 99, "bootstrap": 0}, "scores": ["umn_score"]}
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path, lines, clinical


def run(script, folder, name, *more):
    script.main(
        [
            *("--regions", str(folder / "regions.tsv"), "--config", str(folder / "config.json")),
            *("--participants", str(folder / "clinical.tsv"), "--output", str(folder / name)),
            *("--calibration", str(folder / "calibration.tsv")),
            *("--calibration-tests", str(folder / "lines.tsv"), *more),
        ]
    )
    table = "group_tests" if script is test_groups_script else "correlations"
    return read_table(folder / name, table), read_table(folder / "lines.tsv", "calibration_tests")


def test_a_calibration_that_differs_is_found_and_told(study):
    folder, lines, clinical = study
    table, found = run(test_groups_script, folder, "tests.tsv")
    assert list(found.columns) == list(TABLES["calibration_tests"])
    assert len(found) == 2 * 2 * 2  # contrasts, arms, slope and intercept
    used = lines.drop(index=3).set_index("participant_id")
    group = clinical["progression"].reindex(used.index)
    one, other = (used.loc[group == level, "slope"] for level in ("fast", "slow"))
    truth = stats.mannwhitneyu(one, other, method="exact")
    row = found[(found["name"] == "progression") & (found["parameter"] == "slope")].iloc[0]
    assert (row["arm"], row["n"]) == ("replication", 37)
    assert row["p"] == pytest.approx(truth.pvalue, rel=1e-6)
    told = table[table["reason"].fillna("").str.contains("calibration differs")]
    assert set(zip(told["contrast"], told["metric"], strict=True)) == {
        ("progression", "iron_calibrated")
    }
    assert len(told) == 2 * 3, "every region, in both arms"


def test_a_calibration_that_goes_with_no_score_is_not_told(study):
    folder, lines, clinical = study
    table, found = run(correlate_scores, folder, "scores.tsv")
    used = lines.drop(index=3).set_index("participant_id")
    truth = stats.spearmanr(used["intercept"], clinical["umn_score"].reindex(used.index))
    row = found[(found["arm"] == "replication") & (found["parameter"] == "intercept")].iloc[0]
    assert row["effect"] == pytest.approx(truth.statistic, rel=1e-6)
    assert row["effect_name"] == "rho"
    assert found["p"].min() > 0.05
    assert not table["reason"].fillna("").str.contains("calibration").any()


def test_only_rows_that_have_a_test_are_told():
    table = pd.DataFrame(
        {
            "score": "s",
            "arm": "rigorous",
            "desc": "main",
            "atlas": "DK",
            "metric": ["iron_calibrated", "iron_calibrated", "chi_mean"],
            "p": [0.5, np.nan, 0.5],
            "reason": [None, "constant metric", None],
        }
    )
    lines = pd.DataFrame(
        {"name": "s", "arm": "rigorous", "desc": "main", "atlas": "DK",
         "parameter": ["slope", "intercept"], "p": [0.2, 0.04]}
    )  # fmt: skip
    reason = mark_calibrated(table, lines, 0.05)["reason"]
    assert reason[0].startswith("the calibration goes with the score (slope p = 0.2, intercept p")
    assert reason[1] == "constant metric" and pd.isna(reason[2])
    assert pd.isna(mark_calibrated(table, lines, 0.03)["reason"][0])
