import numpy as np
import pytest
from scipy import stats

from qsmiron.statistics.replication import lower_tail, mann_whitney, spearman


@pytest.mark.parametrize(("n_1", "n_2"), [(3, 3), (3, 20), (16, 22), (22, 16), (40, 45)])
def test_mann_whitney_without_ties_is_exact(n_1, n_2):
    rng = np.random.default_rng(n_1)
    outcomes = (
        rng.normal(size=(n_1 + n_2, 20))
        + np.linspace(0, 3, 20) * (np.arange(n_1 + n_2) < n_1)[:, None]
    )
    first = rng.permutation(np.arange(n_1 + n_2) < n_1)
    ours = mann_whitney(outcomes, first)
    theirs = stats.mannwhitneyu(outcomes[first], outcomes[~first], method="exact")
    np.testing.assert_allclose(ours.u, theirs.statistic)
    np.testing.assert_allclose(ours.p, theirs.pvalue, rtol=1e-10)


def test_mann_whitney_with_ties_is_corrected_and_continuous():
    rng = np.random.default_rng(0)
    outcomes = rng.integers(0, 6, size=(38, 40)).astype(float)
    first = np.arange(38) < 16
    ours = mann_whitney(outcomes, first)
    theirs = stats.mannwhitneyu(
        outcomes[first], outcomes[~first], method="asymptotic", use_continuity=True
    )
    np.testing.assert_allclose(ours.p, theirs.pvalue, rtol=1e-10)


def test_mann_whitney_of_ties_and_no_ties_side_by_side():
    rng = np.random.default_rng(0)
    outcomes = np.column_stack([rng.normal(size=30), rng.integers(0, 4, 30)])
    first = np.arange(30) < 12
    both = mann_whitney(outcomes, first)
    for column in range(2):
        alone = mann_whitney(outcomes[:, [column]], first)
        assert both.p[column] == alone.p[0]


def test_mann_whitney_full_separation():
    outcomes = np.arange(38.0)[:, None]
    first = np.arange(38) >= 22
    u, p = mann_whitney(outcomes, first)
    assert u[0] == 16 * 22
    assert p[0] == pytest.approx(2 / 22239974430, rel=1e-12)  # 2 / C(38, 16)


def test_large_groups_use_the_asymptotic_p():
    rng = np.random.default_rng(2)
    outcomes = rng.normal(size=(1000, 3))
    first = np.arange(1000) < 400
    theirs = stats.mannwhitneyu(outcomes[first], outcomes[~first], method="asymptotic")
    np.testing.assert_allclose(mann_whitney(outcomes, first).p, theirs.pvalue, rtol=1e-10)


def test_lower_tail_counts_by_enumeration():
    from itertools import combinations

    u = [sum(chosen) - 10 for chosen in combinations(range(1, 10), 4)]
    expected = [np.mean(np.array(u) <= limit) for limit in range(11)]
    np.testing.assert_allclose(lower_tail(4, 5), expected, rtol=1e-15)


@pytest.mark.parametrize("tied", [False, True])
def test_spearman(tied):
    rng = np.random.default_rng(3)
    score = rng.normal(size=38).cumsum()
    outcomes = score[:, None] * np.linspace(-1, 1, 15) + rng.normal(size=(38, 15)) * 2
    if tied:
        outcomes, score = np.round(outcomes), np.round(score)
    ours = spearman(outcomes, score)
    for column in range(15):
        rho, p = stats.spearmanr(outcomes[:, column], score)
        assert ours.rho[column] == pytest.approx(rho, abs=1e-12)
        assert ours.p[column] == pytest.approx(p, rel=1e-8)
    assert ours.df == 36
