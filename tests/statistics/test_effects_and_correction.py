import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from qsmiron.statistics.effect_sizes import cliffs_delta, hedges_g
from qsmiron.statistics.multiplicity import COPIES, PRIMARY_METRICS, q_values, role


def test_cliffs_delta_by_pairs_and_its_sign():
    rng = np.random.default_rng(0)
    outcomes = np.column_stack([rng.normal(size=20), rng.integers(0, 4, 20)])
    first = np.arange(20) < 8
    for column, delta in enumerate(cliffs_delta(outcomes, first)):
        pairs = np.sign(outcomes[first, column][:, None] - outcomes[~first, column])
        assert delta == pytest.approx(pairs.mean(), abs=1e-12)
    assert cliffs_delta(np.arange(6.0)[:, None], np.arange(6) > 2)[0] == 1


def test_hedges_g_against_pingouin():
    pingouin = pytest.importorskip("pingouin")
    rng = np.random.default_rng(1)
    outcomes = rng.normal(size=(38, 3)) + np.array([0, 1, -2])
    first = np.arange(38) < 16
    outcomes[first] += 0.7
    for column, g in enumerate(hedges_g(outcomes, first)):
        expected = pingouin.compute_effsize(
            outcomes[first, column], outcomes[~first, column], eftype="hedges"
        )
        assert g == pytest.approx(expected, rel=1e-10)


def test_hedges_g_without_spread_is_missing():
    outcomes = np.array([1.0, 1, 1, 2, 2, 2])[:, None]
    assert np.isnan(hedges_g(outcomes, np.arange(6) < 3)[0])


def test_q_within_sets_against_statsmodels():
    rng = np.random.default_rng(2)
    p = rng.random(60) ** 2
    sets = np.repeat(np.array(["chi_mean", "chi_sd", "r2star_mean"], dtype=object), 20)
    p[[3, 25, 26]] = np.nan
    p[40:] = np.nan
    q = q_values(p, sets)
    for name in ("chi_mean", "chi_sd"):
        tested = (sets == name) & np.isfinite(p)
        expected = multipletests(p[tested], method="fdr_bh")[1]
        np.testing.assert_allclose(q[tested], expected, rtol=1e-12)
    assert np.isnan(q[np.isnan(p)]).all()


def test_roles():
    assert role("susceptibility", "chi_mean") == "primary"
    assert role("susceptibility", "chi_median") == "exploratory"
    assert role("relaxation", "r2star_mean") == "exploratory"
    assert role("iron_concentration", "iron_line") == "primary"
    assert role("iron_concentration", "iron_calibrated") == "exploratory"
    # a copy is of a primary metric, so that it adds no set
    assert set(COPIES.values()) <= set(PRIMARY_METRICS.values())
