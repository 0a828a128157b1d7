"""HC3 in the rigorous arm, against statsmodels and against loops."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from qsmiron.statistics.linear import nuisance_space
from qsmiron.statistics.partial_spearman import partial_spearman, ranked_nuisance
from qsmiron.statistics.permutation import Permutations, permutation_p, permuted_r
from qsmiron.statistics.rank_ancova import rank_ancova


@pytest.fixture
def case():
    """Tied outcomes (26 × 4), groups of 10 and 16, covariates on which the first leans."""
    rng = np.random.default_rng(4)
    first = rng.permutation(26) < 10
    covariates = np.column_stack([rng.normal(size=26) + first, rng.integers(0, 2, 26)])
    outcomes = rng.normal(size=(26, 4)) + covariates[:, :1]
    outcomes[:, 2] = np.round(outcomes[:, 2])
    return outcomes, first, covariates


def fit(outcome, covariates, x):
    design = sm.add_constant(np.column_stack([covariates, x]))
    return sm.OLS(outcome, design).fit(cov_type="HC3", use_t=True)


@pytest.mark.parametrize("names", [slice(0), slice(1), slice(2)])
def test_rank_ancova_is_that_of_statsmodels(case, names):
    outcomes, first, covariates = case
    covariates = covariates[:, names]
    ours = rank_ancova(outcomes, first, nuisance_space(covariates), "hc3")
    usual = rank_ancova(outcomes, first, nuisance_space(covariates))
    for cell, ranks in enumerate(stats.rankdata(outcomes, axis=0).T):
        theirs = fit(ranks, covariates, first.astype(float))
        assert ours.t[cell] == pytest.approx(theirs.tvalues[-1], rel=1e-10)
        assert ours.p[cell] == pytest.approx(theirs.pvalues[-1], rel=1e-9)
    np.testing.assert_array_equal(ours.r, usual.r)
    assert (np.abs(ours.t / usual.t - 1) > 1e-3).any()


def test_partial_spearman_is_that_of_statsmodels(case):
    outcomes, _, covariates = case
    score = np.random.default_rng(5).integers(0, 9, 26).astype(float)
    ours = partial_spearman(outcomes, score, ranked_nuisance(covariates), "hc3")
    ranked = stats.rankdata(covariates, axis=0)
    for cell, ranks in enumerate(stats.rankdata(outcomes, axis=0).T):
        theirs = fit(ranks, ranked, stats.rankdata(score))
        assert ours.t[cell] == pytest.approx(theirs.tvalues[-1], rel=1e-10)


def test_permutations_are_those_of_a_loop(case):
    """Freedman-Lane with the robust t of every permutation fitted anew."""
    outcomes, first, covariates = case
    nuisance = nuisance_space(covariates)
    test = rank_ancova(outcomes, first, nuisance, "hc3")
    permutations = Permutations(3, 60, 26)
    everybody = np.arange(26)
    found = np.concatenate(list(permuted_r(test, nuisance.basis, permutations, everybody, 25)))
    (orders,) = permutations.orders(everybody, 60)
    expected = np.empty_like(found)
    for cell, ranks in enumerate(stats.rankdata(outcomes, axis=0).T):
        reduced = sm.OLS(ranks, sm.add_constant(covariates)).fit()
        for number, order in enumerate(orders):
            permuted = reduced.fittedvalues + reduced.resid[np.argsort(order)]
            t = fit(permuted, covariates, first.astype(float)).tvalues[-1]
            expected[number, cell] = t / np.sqrt(test.df + t**2)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    p = permutation_p(test, nuisance.basis, permutations, everybody)
    reached = np.abs(expected) >= np.abs(test.r_of_t) * (1 - 1e-10)
    np.testing.assert_allclose(p, (reached.sum(axis=0) + 1) / 61)


def test_a_perfect_fit_has_an_infinite_statistic():
    first = np.arange(12) < 6
    test = rank_ancova(np.where(first, 1.0, 0.0)[:, None], first, nuisance_space(np.zeros((12, 0))),
                       "hc3")  # fmt: skip
    assert np.abs(test.r_of_t[0]) == pytest.approx(1, abs=1e-6)
