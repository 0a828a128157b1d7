"""Mean χ of what χ is relative to: zero by construction, tested nowhere, in nobody's way."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from tables_of_tests import correlation_table, group_test_table, null_rate_table

from qsmiron.statistics.cells import cell_matrices
from qsmiron.statistics.covariates import covariate_matrix
from qsmiron.statistics.headlines import Headline
from qsmiron.statistics.multiverse import specifications
from qsmiron.statistics.regressors import ContrastRegressor, ScoreRegressor
from qsmiron.statistics.settings import Statistics

LEVELS = ("fast", "slow")
SETTINGS = Statistics(permutations=99, bootstrap=0, null_permutations=20)
WHY = "χ is relative to this region: zero by construction"
REGION = 3


@pytest.fixture
def clinical(make_clinical):
    return make_clinical(n=24)


@pytest.fixture
def referenced(make_regions):
    """Regions of which one is the reference, with rounding that differs between the groups."""
    regions = make_regions(n=24, n_regions=4)
    here = (regions["index"] == REGION) & (regions["metric"] == "chi_mean")
    regions.loc[here, "value"] = np.linspace(-7e-5, -4e-5, 24)
    return regions


def tables_of(regions, clinical):
    """The tables of all tests and of the null rates."""
    (cells,) = cell_matrices(regions)
    covariates = covariate_matrix(clinical, ("age", "sex"), cells.participants, "p")
    group, score = clinical["progression"], clinical["alsfrs_r"]
    return (
        group_test_table(cells, "c", LEVELS, group, covariates, SETTINGS),
        correlation_table(cells, "alsfrs_r", score, covariates, SETTINGS),
        null_rate_table(cells, "c", LEVELS, group, covariates, SETTINGS),
    )


def test_no_arm_tests_it_and_its_row_says_why(referenced, clinical):
    for table in tables_of(referenced, clinical)[:2]:
        # mean χ, and iron by the line, which is the same
        here = (table["index"] == REGION) & table["metric"].isin(["chi_mean", "iron_line"])
        rows = table[here]
        assert list(rows["arm"]) == ["replication"] * 2 + ["rigorous"] * 2
        assert set(rows["reason"]) == {WHY}
        assert rows[["p", "p_perm", "p_maxt", "q"]].isna().all(axis=None)
        assert WHY not in set(table.loc[~here, "reason"])


def test_the_other_cells_are_corrected_as_without_it(referenced, clinical):
    here = referenced["index"] == REGION
    here &= referenced["metric"].isin(["chi_mean", "iron_line"])
    results = tables_of(referenced, clinical), tables_of(referenced[~here], clinical)
    for table, without in zip(*results, strict=True):
        if "reason" in table:
            table = table[table["reason"] != WHY]
        pd.testing.assert_frame_equal(table.reset_index(drop=True), without)


@pytest.mark.parametrize("kind", ["contrast", "score"])
def test_it_is_no_specification(referenced, clinical, kind):
    (cells,) = cell_matrices(referenced)
    regressor = (
        ContrastRegressor("c", clinical["progression"].map({"fast": 1.0, "slow": 0.0}))
        if kind == "contrast"
        else ScoreRegressor("alsfrs_r", clinical["alsfrs_r"])
    )
    headline = Headline(kind, "c", "susceptibility", "chi_mean", "region1", "L", REGION, "cohort")
    covariates = covariate_matrix(clinical, ("age",), cells.participants, "p")
    moved = replace(cells, desc="csf", values=cells.values + 0.01)
    found = specifications(
        headline,
        [cells, moved],
        ["chi_mean", "chi_median"],
        {"main": [covariates], "csf": [covariates]},
        regressor,
        cells.participants,
    )
    assert [one.reason for one in found] == [WHY, None, None, None]
    assert np.isnan(found[0].p)
