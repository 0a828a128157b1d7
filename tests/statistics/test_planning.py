"""Participants per group against the noncentral t, and the residual SD against statsmodels."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from qsmiron.statistics.cells import Cells
from qsmiron.statistics.covariates import Covariates
from qsmiron.statistics.planning import participants_per_group, planning_table
from qsmiron.statistics.power import MANN_WHITNEY_EFFICIENCY


def power_of(d, n, alpha):
    df, shift = 2 * n - 2, d * np.sqrt(n / 2)
    limit = stats.t.isf(alpha / 2, df)
    wrong_sign = stats.nct.cdf(-limit, df, shift) if shift < 3 else 0.0  # below 1e-6
    return stats.nct.sf(limit, df, shift) + wrong_sign


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 83])
@pytest.mark.parametrize("d", [0.2, 0.5, 0.95, 2.0])
def test_the_smallest_number_that_has_the_power(d, alpha):
    n = participants_per_group(d, alpha, 0.8)
    assert power_of(d, n, alpha) >= 0.8
    assert n == 2 or power_of(d, n - 1, alpha) < 0.8
    assert participants_per_group(d, alpha, 0.8, MANN_WHITNEY_EFFICIENCY) >= n


def test_known_numbers():
    """Cohen 1988, table 2.4.1: 64 and 26 in each group for d of .5 and .8, two-sided .05."""
    assert [participants_per_group(d, 0.05, 0.8) for d in (0.5, 0.8)] == [64, 26]
    assert participants_per_group(50.0, 0.05, 0.8) == 2


@pytest.mark.parametrize("with_roles", [False, True])
def test_the_residual_sd_is_that_of_the_cohort(with_roles):
    rng = np.random.default_rng(8)
    n = 30
    people = pd.Index([f"sub-{i:02d}" for i in range(n)])
    age, role = rng.normal(60, 10, n), (np.arange(n) < 18).astype(float)
    values = 0.01 * rng.normal(size=(n, 4)) + 0.001 * age[:, None] + 0.02 * role[:, None]
    values[3, 0] = np.nan
    values[:, 3] = 0.5
    index = pd.DataFrame(
        {
            "region": ["a", "b", "c", "d"],
            "hemisphere": "L",
            "index": [1, 2, 3, 4],
            "metric": ["chi_mean", "chi_mean", "deposit_fraction", "chi_sd"],
            "family": ["susceptibility", "susceptibility", "iron_deposits", "distribution"],
        }
    )
    age[7] = np.nan
    covariates = Covariates(("age",), ("age",), age[:, None])
    table = planning_table(
        Cells("main", "DK", people, index, values), covariates, role if with_roles else None,
        (5.0, 10.0), 0.05, 0.8,
    )  # fmt: skip
    assert table["region"].tolist() == ["a", "a", "b", "b"]
    assert table["n"].tolist() == [28, 28, 29, 29]
    assert table["effect"].tolist() == [0.005, 0.01] * 2
    assert set(table["n_regions"]) == {2}
    for place, region in enumerate("ab"):
        here = np.isfinite(values[:, place]) & np.isfinite(age)
        model = np.column_stack([age, role] if with_roles else [age])[here]
        fit = sm.OLS(values[here, place], sm.add_constant(model)).fit()
        rows = table[table["region"] == region]
        np.testing.assert_allclose(rows["residual_sd"], np.sqrt(fit.scale), rtol=1e-9)
        for _, row in rows.iterrows():
            d = row["effect"] / np.sqrt(fit.scale)
            sizes = [
                participants_per_group(d, alpha, 0.8, MANN_WHITNEY_EFFICIENCY)
                for alpha in (0.05, 0.025)
            ]
            assert [row["n_per_group"], row["n_per_group_corrected"]] == sizes
