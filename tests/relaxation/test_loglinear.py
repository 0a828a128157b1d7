import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.relaxation.loglinear import LoglinearParameters, fit_loglinear

TIMES = np.array([4, 10, 16, 22, 28]) * 1e-3
SHAPE = (30, 30, 30)


def decay(rates, times=TIMES, scale=1000.0):
    return scale * np.exp(-times[:, None, None, None] * rates)


def rician(signal, sigma, seed=0):
    rng = np.random.default_rng(seed)
    real = signal + sigma * rng.normal(size=signal.shape)
    return np.hypot(real, sigma * rng.normal(size=signal.shape))


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
    signal = 1000 * np.exp(-TIMES * rate)
    jacobian = np.stack([signal, -TIMES * signal])
    bound = np.sqrt(np.linalg.inv(jacobian @ jacobian.T / sigma**2)[1, 1])
    magnitude = rician(decay(np.full(SHAPE, rate)), sigma)
    found = fit_loglinear(magnitude, TIMES, np.ones(SHAPE, bool), LoglinearParameters())
    assert found.std() == pytest.approx(bound, rel=0.05)


def test_zeros_and_dead_voxels_give_finite_values():
    magnitude = decay(np.full(SHAPE, 40.0))
    magnitude[3:, 5] = 0
    magnitude[:, 6] = 0
    found = fit_loglinear(magnitude, TIMES, np.ones(SHAPE, bool), LoglinearParameters())
    assert np.isfinite(found).all()
    assert found[5] == pytest.approx(40, abs=0.01)
    assert not found[6].any()


def test_values_stay_in_range():
    magnitude = decay(np.full(SHAPE, 2000.0))
    magnitude[:, 0] = magnitude[::-1, 1]
    found = fit_loglinear(magnitude, TIMES, np.ones(SHAPE, bool), LoglinearParameters(largest=300))
    assert found[1:].max() == 300
    assert not found[0].any()


def test_single_echo_is_refused_with_a_remedy():
    with pytest.raises(InputError, match="at least two echoes"):
        fit_loglinear(np.ones((1, *SHAPE)), TIMES[:1], np.ones(SHAPE, bool), LoglinearParameters())
