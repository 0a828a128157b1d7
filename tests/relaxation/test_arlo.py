import numpy as np
import pytest
from relaxation.decays import SHAPE, TIMES, cramer_rao_bound, decay, rician
from scipy.optimize import curve_fit

from qsmiron.errors import InputError
from qsmiron.relaxation.arlo import ArloParameters, fit_arlo

EVERYWHERE = np.ones(SHAPE, bool)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("times", [TIMES, TIMES[:3], 0.00289 + 0.003945 * np.arange(12)])
def test_noiseless_decay_is_exact(scale, times):
    rates = np.random.default_rng(0).uniform(1, 300, SHAPE)
    mask = EVERYWHERE.copy()
    mask[0] = False
    found = fit_arlo(decay(rates, times, scale), times, mask, ArloParameters())
    assert found[mask] == pytest.approx(rates[mask], rel=1e-4)
    assert not found[~mask].any()


@pytest.mark.parametrize(("rate", "bias"), [(5, 0.1), (20, 0.1), (50, 0.2), (100, 0.5)])
def test_noise_biases_little(rate, bias):
    magnitude = rician(decay(np.full(SHAPE, float(rate))), 20.0)
    found = fit_arlo(magnitude, TIMES, EVERYWHERE, ArloParameters())
    assert found.mean() == pytest.approx(rate, abs=bias)


def test_spread_is_not_far_above_the_least_possible():
    found = fit_arlo(rician(decay(np.full(SHAPE, 30.0)), 10.0), TIMES, EVERYWHERE, ArloParameters())
    assert found.std() < 1.15 * cramer_rao_bound(30.0, TIMES, 10.0)


def test_zeros_and_dead_voxels_give_finite_values():
    magnitude = decay(np.full(SHAPE, 40.0))
    magnitude[3:, 5] = 0
    magnitude[:, 6] = 0
    magnitude[1, 7] = np.nan
    magnitude[0, 8] = np.inf
    magnitude[0, 9] = 0
    magnitude[2, 10] = 0  # leaves no three echoes in a row
    found = fit_arlo(magnitude, TIMES, EVERYWHERE, ArloParameters())
    assert np.isfinite(found).all()
    assert found[[0, 5, 7, 8, 9]] == pytest.approx(40, rel=1e-3)
    assert not found[[6, 10]].any()


def test_values_stay_in_range():
    magnitude = decay(np.full(SHAPE, 2000.0))
    magnitude[:, 0] = magnitude[::-1, 1]
    found = fit_arlo(magnitude, TIMES, EVERYWHERE, ArloParameters(largest=300))
    assert found[1:].max() == 300
    assert not found[0].any()


@pytest.mark.parametrize(
    "times", [TIMES[:1], TIMES[:2], np.array([3, 6, 10, 14]) * 1e-3, np.array([4, 8, 20]) * 1e-3]
)
def test_other_echo_times_are_refused_with_a_remedy(times):
    magnitude = np.ones((len(times), *SHAPE))
    with pytest.raises(InputError, match=r"equally spaced.*loglinear"):
        fit_arlo(magnitude, times, EVERYWHERE, ArloParameters())


def test_echo_times_may_be_rounded():
    times = np.array([2.89, 6.84, 10.78, 14.73]) * 1e-3
    found = fit_arlo(decay(np.full(SHAPE, 30.0), times), times, EVERYWHERE, ArloParameters())
    assert found == pytest.approx(30, rel=2e-3)


def test_agrees_with_non_linear_least_squares():
    rates = np.random.default_rng(1).uniform(10, 60, SHAPE)
    sigma = 10.0
    magnitude = rician(decay(rates), sigma, seed=2)
    found = fit_arlo(magnitude, TIMES, EVERYWHERE, ArloParameters())

    def model(time, amplitude, rate):
        return amplitude * np.exp(-rate * time)

    for voxel in [(0, 0, 0), (3, 7, 11), (12, 20, 4), (25, 2, 19), (29, 29, 29)]:
        fitted, _ = curve_fit(model, TIMES, magnitude[:, *voxel], p0=(1000, 30))
        bound = cramer_rao_bound(rates[voxel], TIMES, sigma)
        assert found[voxel] == pytest.approx(fitted[1], abs=bound)
        assert found[voxel] == pytest.approx(rates[voxel], abs=4 * bound)
