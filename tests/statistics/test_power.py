"""Power in theory against known numbers and simulation, and the tests' power against theory."""

import numpy as np
import pytest
from benchmarks.power import power_table
from scipy import stats

from qsmiron.statistics.power import (
    correlation_power,
    delta_of_d,
    detectable_correlation,
    detectable_difference,
    group_power,
)

# The curves are those of large samples. At n = 38 the rates of 40,000 simulated cohorts lie within
# .006 of them for differences, and .022 above at a correlation of .44.
ASYMPTOTIC = 0.025


def test_the_study_could_find_what_is_known():
    found = detectable_difference(16, 22)
    assert found.d == pytest.approx(0.946, abs=0.001)
    assert detectable_correlation(38) == pytest.approx(0.441, abs=0.001)


@pytest.mark.parametrize(("n_1", "n_2", "alpha"), [(16, 22, 0.05), (5, 9, 0.01), (400, 600, 0.05)])
def test_the_detectable_effects_are_found_with_their_power(n_1, n_2, alpha):
    d, delta = detectable_difference(n_1, n_2, alpha, 0.8)
    # scipy's own noncentral t
    df = n_1 + n_2 - 2
    t = stats.nct(df, d * np.sqrt(n_1 * n_2 / (n_1 + n_2)))
    critical = stats.t.isf(alpha / 2, df)
    assert t.sf(critical) + t.cdf(-critical) == pytest.approx(0.8, abs=1e-6)
    assert group_power(d, n_1, n_2, alpha) == pytest.approx(0.8, abs=1e-6)
    assert delta == delta_of_d(d)
    rho = detectable_correlation(n_1 + n_2, alpha, 0.8)
    assert correlation_power(rho, n_1 + n_2, alpha) == pytest.approx(0.8, abs=1e-4)


def test_delta_of_normal_groups():
    rng = np.random.default_rng(0)
    one, two = rng.normal(0.8, 1, 4000), rng.normal(0, 1, 4000)
    delta = np.sign(one[:, None] - two).mean()
    assert delta == pytest.approx(delta_of_d(0.8), abs=0.03)  # 2.5 standard errors
    assert delta_of_d(0) == 0


def test_too_few_can_find_nothing():
    assert detectable_difference(1, 20) is None
    assert detectable_correlation(3) is None


@pytest.mark.parametrize(("kind", "planted"), [("difference", 0.95), ("correlation", 0.44)])
def test_the_tests_have_the_power_of_theory(kind, planted):
    table = power_table(kind, planted, blocks=60, cohorts=10, permutations=199)
    assert len(table) == 3
    error = 2.58 * np.sqrt(table["theory"] * (1 - table["theory"]) / 600)
    # Cohorts of a block share age and sex (and the score), so that a block's rates vary more.
    bound = np.maximum(error, (table["high"] - table["low"]) / 2) + ASYMPTOTIC
    assert (np.abs(table["found"] - table["theory"]) < bound).all()
    assert (bound < 0.1).all()
