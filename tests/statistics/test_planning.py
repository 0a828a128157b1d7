"""Participants per group against the noncentral t, and the residual SD against statsmodels."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from statsmodels.stats.power import TTestIndPower

from qsmiron.statistics.cells import Cells
from qsmiron.statistics.covariates import Covariates
from qsmiron.statistics.planning import participants_per_group, planning_table
from qsmiron.statistics.power import MANN_WHITNEY_EFFICIENCY


@pytest.mark.parametrize("alpha", [0.05, 0.05 / 83])
def test_the_smallest_number_that_has_the_power(alpha):
    d = np.array([0.1, 0.2, 0.5, 0.95, 1.5, 2.0])
    found = participants_per_group(d, np.full(6, alpha), 0.8)
    for size, n in zip(d, found, strict=True):
        power = TTestIndPower().power(size, n, alpha)
        assert power >= 0.8 - 1e-9
        assert n == 2 or TTestIndPower().power(size, n - 1, alpha) < 0.8
    ranks = participants_per_group(d, np.full(6, alpha), 0.8, MANN_WHITNEY_EFFICIENCY)
    assert (ranks >= found).all()
    assert ranks[0] == pytest.approx(found[0] * np.pi / 3, rel=0.005)


def test_known_numbers():
    """Cohen 1988, table 2.4.1: 64 and 26 in each group for d of .5 and .8, two-sided .05."""
    d = np.array([0.5, 0.8, 50.0, 1e-4])
    assert participants_per_group(d, np.full(4, 0.05), 0.8)[:3].tolist() == [64, 26, 2]
    assert np.isnan(participants_per_group(d, np.full(4, 0.05), 0.8)[3])


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
            levels = np.array([0.05, 0.025])
            sizes = participants_per_group(np.full(2, d), levels, 0.8, MANN_WHITNEY_EFFICIENCY)
            assert [row["n_per_group"], row["n_per_group_corrected"]] == sizes.tolist()
