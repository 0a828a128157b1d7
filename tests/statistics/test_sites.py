"""Sites: permutation within blocks, and residual variances of their own."""

import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import test_groups as test_groups_script
from qsmiron.statistics.linear import nuisance_space
from qsmiron.statistics.permutation import Permutations, permutation_p, permuted_r
from qsmiron.statistics.rank_ancova import partial_test
from qsmiron.tables import read_table, write_table


def test_nobody_leaves_the_block():
    blocks = np.array([2, 0, 1, 0, 2, 2, 0, 1, 1, 0])
    for count in (400, 6_000_000):  # kept, and drawn again
        permutations = Permutations(3, count, 10, blocks)
        orders = next(permutations.orders(np.arange(10), 300))
        assert (blocks[orders] == blocks).all()
        assert (np.sort(orders, axis=1) == np.arange(10)).all()
        subset = np.array([0, 1, 3, 4, 8, 9])
        within = next(permutations.orders(subset, 300))
        assert (blocks[subset][within] == blocks[subset]).all()


def test_orders_within_a_block_are_uniform():
    permutations = Permutations(5, 6000, 7, np.array([0, 0, 0, 1, 1, 1, 1]))
    orders = next(permutations.orders(np.arange(7), 6000))[:, :3]
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 6
    assert stats.chisquare(counts).pvalue > 0.001


def test_without_blocks_orders_are_as_ever():
    one = next(Permutations(1, 50, 9).orders(np.arange(9), 50))
    other = next(Permutations(1, 50, 9, np.zeros(9, int)).orders(np.arange(9), 50))
    np.testing.assert_array_equal(one, other)


def test_two_groups_that_are_the_variance_groups_are_welch():
    rng = np.random.default_rng(1)
    first = np.arange(30) < 11
    outcomes = rng.normal(size=(30, 5)) * np.where(first, 3, 1)[:, None]
    nuisance = nuisance_space(np.zeros((30, 0)))
    left = nuisance.residuals(outcomes)
    test = partial_test(left, nuisance.residuals(first.astype(float)), nuisance,
                        groups=first.astype(int))  # fmt: skip
    theirs = stats.ttest_ind(outcomes[first], outcomes[~first], equal_var=False)
    np.testing.assert_allclose(test.t, theirs.statistic, rtol=1e-10)
    np.testing.assert_allclose(test.df_of_t, theirs.df, rtol=1e-10)
    np.testing.assert_allclose(test.p, theirs.pvalue, rtol=1e-9)


@pytest.fixture
def sites():
    """36 subjects of three sites, the third four times as noisy; a covariate; no effect."""
    rng = np.random.default_rng(4)
    site = np.repeat([0, 1, 2], 12)
    x = rng.normal(size=36)
    covariates = np.column_stack([rng.normal(size=36), site == 1, site == 2])
    outcomes = rng.normal(size=(36, 3)) * np.where(site == 2, 4, 1)[:, None] + site[:, None]
    return outcomes, x, covariates, site


def looped(y, x, covariates, site):
    """The t by its formula: OLS, and one residual variance per site, divided by Σ R_ii."""
    design = np.column_stack([np.ones(len(x)), covariates, x])
    fit = sm.OLS(y, design).fit()
    hat = np.diag(design @ np.linalg.inv(design.T @ design) @ design.T)
    sigma = np.array([
        (fit.resid[site == s] ** 2).sum() / (1 - hat[site == s]).sum() for s in site
    ])  # fmt: skip
    bread = np.linalg.inv(design.T @ design)
    variance = bread @ (design.T * sigma) @ design @ bread
    return fit.params[-1] / np.sqrt(variance[-1, -1])


def test_a_variance_per_site_and_its_permutation(sites):
    outcomes, x, covariates, site = sites
    nuisance = nuisance_space(covariates)
    left = nuisance.residuals(outcomes)
    test = partial_test(left, nuisance.residuals(x), nuisance, groups=site)
    expected = [looped(y, x, covariates, site) for y in outcomes.T]
    np.testing.assert_allclose(test.t, expected, rtol=1e-10)
    permutations = Permutations(3, 40, 36, site)
    found = np.concatenate(list(permuted_r(test, nuisance.basis, permutations, np.arange(36), 40)))
    (orders,) = permutations.orders(np.arange(36), 40)
    base = sm.add_constant(covariates)
    for cell, y in enumerate(outcomes.T):
        reduced = sm.OLS(y, base).fit()
        t = [looped(reduced.fittedvalues + reduced.resid[np.argsort(o)], x, covariates, site)
             for o in orders]  # fmt: skip
        np.testing.assert_allclose(found[:, cell], t / np.sqrt(test.df + np.square(t)), atol=1e-10)


def test_two_sites_of_unlike_variance_hold_the_level():
    """Half of a small, noisy site are patients and few elsewhere: the usual t finds too many."""
    rng = np.random.default_rng(9)
    site = np.repeat([0, 1], [30, 10])
    rates = {"usual": [], "sites": [], "parametric": []}
    for seed in range(400):
        x = np.concatenate([rng.permutation(30) < 3, rng.permutation(10) < 5]).astype(float)
        outcomes = rng.normal(size=(40, 2)) * np.where(site == 1, 4, 1)[:, None]
        nuisance = nuisance_space(site[:, None].astype(float))
        left, regressor = nuisance.residuals(outcomes), nuisance.residuals(x)
        plain = partial_test(left, regressor, nuisance)
        own = partial_test(left, regressor, nuisance, groups=site)
        everybody = np.arange(40)
        for name, test, blocks in (("usual", plain, None), ("sites", own, site)):
            p = permutation_p(test, nuisance.basis, Permutations(seed, 99, 40, blocks), everybody)
            rates[name] += (p <= 0.05).tolist()
        rates["parametric"] += (own.p <= 0.05).tolist()
    low, high = stats.binom.ppf([0.0005, 0.9995], 800, 0.05) / 800
    assert np.mean(rates["usual"]) > high
    assert low <= np.mean(rates["sites"]) <= high
    assert np.mean(rates["parametric"]) <= 0.08


def test_the_script_takes_sites_from_the_config(tmp_path, make_regions, make_clinical):
    clinical = make_clinical()
    clinical["site"] = np.where(np.arange(38) % 3 == 0, "A", "B").astype(object)
    clinical.loc["sub-05", "site"] = None
    write_table(make_regions(n_regions=2), tmp_path / "regions.tsv", "regions")
    clinical.to_csv(tmp_path / "clinical.tsv", sep="\t", na_rep="n/a")
    found = {}
    for name, more in {
        "usual": {}, "blocks": {"exchangeability_blocks": "site"},
        "groups": {"exchangeability_blocks": "site", "variance_groups": "site"},
    }.items():  # fmt: skip
        statistics = {"permutations": 99, "bootstrap": 0, **more}
        config = {"covariates": ["age", "site"], "statistics": statistics}
        (tmp_path / "config.json").write_text(json.dumps(config))
        test_groups_script.main(
            ["--regions", str(tmp_path / "regions.tsv"), "--config", str(tmp_path / "config.json"),
             "--participants", str(tmp_path / "clinical.tsv"), "--output", str(tmp_path / "o.tsv")]
        )  # fmt: skip
        table = read_table(tmp_path / "o.tsv", "group_tests")
        found[name] = table[table["arm"] == "rigorous"].reset_index(drop=True)
    pd.testing.assert_series_equal(found["usual"]["p"], found["blocks"]["p"])
    assert (found["usual"]["p_perm"] != found["blocks"]["p_perm"]).any()
    assert (found["groups"]["df"] < found["usual"]["df"]).all()
