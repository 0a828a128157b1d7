import numpy as np
import pytest
from scipy import stats

from qsmiron.simulation.ranks import (
    arrange,
    arrange_groups,
    mann_whitney_null,
    mann_whitney_u,
    midranks,
)


@pytest.mark.parametrize(("n_1", "n_2"), [(3, 5), (16, 22), (18, 20)])
def test_the_null_distribution_gives_scipys_exact_p(n_1, n_2):
    first = np.arange(n_1) * 2.1 + 3.0
    second = np.arange(n_2) * 1.7
    result = stats.mannwhitneyu(first, second, method="exact")
    u = int(max(result.statistic, n_1 * n_2 - result.statistic))
    p = min(1.0, 2 * mann_whitney_null(n_1, n_2)[u:].sum())
    assert p == pytest.approx(result.pvalue, rel=1e-9)


@pytest.mark.parametrize("p", [0.028, 0.0011])
def test_no_other_u_comes_nearer_to_the_wanted_p(p):
    u = mann_whitney_u(16, 22, p)
    tail = np.cumsum(mann_whitney_null(16, 22)[::-1])[::-1]
    distance = np.abs(np.log(2 * tail[u - 1 : u + 2] / p))
    assert distance.argmin() == 1


def test_groups_get_the_exact_p_unrelated_to_the_nuisance():
    rng = np.random.default_rng(3)
    first = rng.permutation(38) < 16
    nuisance = rng.standard_normal(38)
    ranks = arrange_groups(first, 0.0014, [nuisance], rng)
    assert sorted(ranks) == list(range(38))
    p = stats.mannwhitneyu(ranks[first], ranks[~first], method="exact").pvalue
    assert p == pytest.approx(0.0014, rel=0.06)
    assert abs(np.corrcoef(ranks, nuisance)[0, 1]) < 0.05


def test_a_score_with_ties_gets_the_wanted_rho():
    rng = np.random.default_rng(4)
    score = rng.integers(20, 48, 38)
    ranks = arrange(midranks(score), -0.46, [rng.standard_normal(38)], rng)
    assert stats.spearmanr(ranks, score).statistic == pytest.approx(-0.46, abs=2e-3)


def test_midranks_are_scipys():
    values = np.array([3, 1, 3, 7, 1, 1])
    np.testing.assert_array_equal(midranks(values), stats.rankdata(values))
