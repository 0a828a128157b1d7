"""Leave-one-out influence against running the group's tables anew without the patient."""

import numpy as np
import pandas as pd
import pytest
from tables_of_tests import correlation_table, group_test_table

from qsmiron.statistics.cells import cell_matrices
from qsmiron.statistics.covariates import covariate_matrix
from qsmiron.statistics.headlines import Headline
from qsmiron.statistics.influence import influence
from qsmiron.statistics.regressors import ContrastRegressor, ScoreRegressor
from qsmiron.statistics.settings import Statistics

SETTINGS = Statistics(permutations=0, bootstrap=0)
NAMES = ("age", "sex")
HEADLINE = Headline("contrast", "c", "distribution", "chi_sd", "region0", "R", 2, "cohort")


def regressor_of(kind, clinical):
    if kind == "score":
        return ScoreRegressor("alsfrs_r", clinical["alsfrs_r"])
    group = clinical["progression"].map({"fast": 1.0, "slow": 0.0}).astype(float)
    return ContrastRegressor("c", group)


def anew(kind, regions, clinical):
    """Effect and p of the headline's cell in the rigorous arm of the group's table."""
    (cells,) = cell_matrices(regions)
    covariates = covariate_matrix(clinical, NAMES, cells.participants, "p")
    if kind == "score":
        score = clinical["alsfrs_r"]
        table = correlation_table(cells, "alsfrs_r", score, covariates, SETTINGS)
        table = table.rename(columns={"rho": "effect"})
    else:
        group = clinical["progression"]
        table = group_test_table(cells, "c", ("fast", "slow"), group, covariates, SETTINGS)
    here = (table["arm"] == "rigorous") & (table["metric"] == "chi_sd") & (table["index"] == 2)
    (row,) = table[here].to_dict("records")
    return row["effect"], row["p"]


def influenced(kind, regions, clinical):
    (cells,) = cell_matrices(regions)
    covariates = covariate_matrix(clinical, NAMES, cells.participants, "p")
    return pd.DataFrame(influence(HEADLINE, cells, covariates, regressor_of(kind, clinical)))


@pytest.fixture
def study(make_regions, make_clinical):
    """With a missing value, covariate, group and score: four patients in no test, or not in all."""
    regions, clinical = make_regions(n=18, n_regions=2), make_clinical(n=18)
    gone = (regions["participant_id"] == "sub-02") & (regions["index"] == 2)
    regions.loc[gone, "value"] = np.nan
    clinical.loc["sub-05", "age"] = np.nan
    clinical.loc["sub-07", "progression"] = None
    clinical.loc["sub-09", "alsfrs_r"] = np.nan
    return regions, clinical


@pytest.mark.parametrize("kind", ["contrast", "score"])
def test_it_is_the_table_anew_without_each(study, kind):
    regions, clinical = study
    rows = influenced(kind, regions, clinical)
    missing = {"sub-02", "sub-05", "sub-09" if kind == "score" else "sub-07"}
    assert set(rows["participant_id"]) == set(clinical.index) - missing
    assert (rows["n"] == 15).all()
    effect, p = anew(kind, regions, clinical)
    np.testing.assert_allclose(rows["effect"], effect, rtol=0, atol=1e-10)
    np.testing.assert_allclose(rows["p"], p, rtol=0, atol=1e-10)
    for row in rows.to_dict("records"):
        without = regions[regions["participant_id"] != row["participant_id"]]
        expected = anew(kind, without, clinical.drop(index=row["participant_id"]))
        assert (row["effect_without"], row["p_without"]) == pytest.approx(expected, abs=1e-10)
    assert rows["effect_without"].nunique() > 5


@pytest.mark.parametrize("kind", ["contrast", "score"])
def test_an_outlier_is_the_most_influential(make_regions, make_clinical, kind):
    regions, clinical = make_regions(n=18, n_regions=2), make_clinical(n=18)
    here = (regions["metric"] == "chi_sd") & (regions["index"] == 2)
    slow = clinical.index[clinical["progression"] == "slow"]
    outlier = slow[0]
    x = (clinical["progression"] == "fast") * 1.0
    if kind == "score":
        clinical.loc[outlier, "alsfrs_r"] = clinical["alsfrs_r"].min() - 5
        x = clinical["alsfrs_r"].rank() / 18
    noise = np.random.default_rng(6).normal(0, 0.05, 18)
    values = pd.Series(2 * x + noise, index=clinical.index)
    values[outlier] = 4.0  # the lowest of the regressor has by far the highest outcome
    regions.loc[here, "value"] = values[regions.loc[here, "participant_id"]].to_numpy()
    rows = influenced(kind, regions, clinical)
    shift = (rows["effect_without"] - rows["effect"]).abs()
    assert rows.loc[shift.idxmax(), "participant_id"] == outlier
    assert rows.loc[shift.idxmax(), "effect_without"] > rows["effect"].iloc[0]


def test_an_impossible_test_without_a_patient_has_a_reason(make_regions, make_clinical):
    regions, clinical = make_regions(n=18, n_regions=2), make_clinical(n=18)
    fast = clinical.index[clinical["progression"] == "fast"]
    clinical.loc[fast[3:], "progression"] = None
    rows = influenced("contrast", regions, clinical).set_index("participant_id")
    assert rows.loc[fast[:3], "p_without"].isna().all()
    assert (rows.loc[fast[:3], "reason"] == "fewer than 3 subjects in a group").all()
    others = rows.drop(index=fast[:3])
    assert others["p_without"].notna().all()
    assert others["reason"].isna().all()


def test_without_a_test_there_are_no_rows(make_regions, make_clinical):
    regions, clinical = make_regions(n=18, n_regions=2), make_clinical(n=18)
    regions.loc[regions["metric"] == "chi_sd", "value"] = 1.0
    assert influenced("contrast", regions, clinical).empty
