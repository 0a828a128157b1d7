import numpy as np
import pytest
from relaxation.decays import SHAPE, TIMES, cramer_rao_bound, decay, rician
from scipy.optimize import curve_fit

from qsmiron.errors import InputError
from qsmiron.relaxation.loglinear import LoglinearParameters, fit_loglinear


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e6])
@pytest.mark.parametrize("times", [TIMES, TIMES[:2], TIMES[:3]])
def test_noiseless_decay_is_exact(scale, times):
    rates = np.random.default_rng(0).uniform(1, 150, SHAPE)
    mask = np.ones(SHAPE, bool)
    mask[0] = False
    found = fit_loglinear(decay(rates, times, scale), times, mask, LoglinearParameters())
    assert found[mask] == pytest.approx(rates[mask], rel=1e-3, abs=0.01)
    assert not found[~mask].any()


@pytest.mark.parametrize(("rate", "bias"), [(20, 0.2), (50, 0.5), (100, 2.0)])
def test_noise_biases_little(rate, bias):
    mask = np.ones(SHAPE, bool)
    magnitude = rician(decay(np.full(SHAPE, float(rate))), 20.0)
    found = fit_loglinear(magnitude, TIMES, mask, LoglinearParameters())
    assert found.mean() == pytest.approx(rate, abs=bias)


def test_spread_is_near_the_best_possible():
    """Cramér-Rao bound of a two-parameter exponential in Gaussian noise."""
    rate, sigma = 30.0, 10.0
    bound = cramer_rao_bound(rate, TIMES, sigma)
    magnitude = rician(decay(np.full(SHAPE, rate)), sigma)
    found = fit_loglinear(magnitude, TIMES, np.ones(SHAPE, bool), LoglinearParameters())
    assert found.std() == pytest.approx(bound, rel=0.05)


def test_zeros_and_dead_voxels_give_finite_values():
    magnitude = decay(np.full(SHAPE, 40.0))
    magnitude[3:, 5] = 0
    magnitude[:, 6] = 0
    magnitude[1, 7] = np.nan
    magnitude[0, 8] = np.inf
    found = fit_loglinear(magnitude, TIMES, np.ones(SHAPE, bool), LoglinearParameters())
    assert np.isfinite(found).all()
    assert found[[0, 5, 7, 8]] == pytest.approx(40, abs=0.01)
    assert not found[6].any()


def test_a_voxel_without_a_decay_stays_alone():
    """One fit that leaves the range of floats must not spoil the noise estimate of all."""
    magnitude = rician(decay(np.full(SHAPE, 40.0)), 1.0)
    magnitude[:, 0, 0, 0] = (1e-20, 1e6, 0, 0, 0)
    magnitude[:, 0, 0, 1] = (1e6, 1e-20, 1e-30, 1e-30, 1e-30)
    found = fit_loglinear(magnitude, TIMES, np.ones(SHAPE, bool), LoglinearParameters())
    assert np.isfinite(found).all()
    assert np.median(found) == pytest.approx(40, abs=0.1)


def test_agrees_with_non_linear_least_squares():
    rates = np.random.default_rng(1).uniform(10, 60, SHAPE)
    sigma = 10.0
    magnitude = rician(decay(rates), sigma, seed=2)
    found = fit_loglinear(magnitude, TIMES, np.ones(SHAPE, bool), LoglinearParameters())
    for voxel in [(0, 0, 0), (3, 7, 11), (12, 20, 4), (25, 2, 19), (29, 29, 29)]:
        fitted, _ = curve_fit(
            lambda time, amplitude, rate: amplitude * np.exp(-rate * time),
            TIMES,
            magnitude[:, *voxel],
            p0=(1000, 30),
        )
        bound = cramer_rao_bound(rates[voxel], TIMES, sigma)
        assert found[voxel] == pytest.approx(fitted[1], abs=bound)


def test_values_stay_in_range():
    magnitude = decay(np.full(SHAPE, 2000.0))
    magnitude[:, 0] = magnitude[::-1, 1]
    found = fit_loglinear(magnitude, TIMES, np.ones(SHAPE, bool), LoglinearParameters(largest=300))
    assert found[1:].max() == 300
    assert not found[0].any()


def test_single_echo_is_refused_with_a_remedy():
    with pytest.raises(InputError, match="at least two echoes"):
        fit_loglinear(np.ones((1, *SHAPE)), TIMES[:1], np.ones(SHAPE, bool), LoglinearParameters())
