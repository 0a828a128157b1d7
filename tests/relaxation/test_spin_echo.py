"""R2 of multi-echo spin echoes."""

import numpy as np
import pytest
from relaxation.decays import SHAPE, decay, rician

from qsmiron.errors import InputError
from qsmiron.relaxation.spin_echo import SpinEchoParameters, fit_r2

TIMES = np.arange(1, 9) * 12e-3
ALL = np.ones(SHAPE, bool)


def test_a_first_echo_without_stimulated_echoes_does_not_matter():
    rates = np.random.default_rng(0).uniform(5, 40, SHAPE)
    echoes = decay(rates, TIMES)
    echoes[0] *= 0.85
    found = fit_r2(echoes, TIMES, ALL, SpinEchoParameters())
    np.testing.assert_allclose(found, rates, rtol=1e-3)
    with_it = fit_r2(echoes, TIMES, ALL, SpinEchoParameters(skipped_echoes=0))
    assert np.mean(with_it - rates) < -0.5


def test_the_floor_of_noise_is_none_of_the_decay():
    """40 1/s leaves 2 % of the signal at 96 ms, as much as the noise."""
    echoes = rician(decay(np.full(SHAPE, 40.0), TIMES), 20.0)
    found = fit_r2(echoes, TIMES, ALL, SpinEchoParameters())
    assert np.median(found) == pytest.approx(40, abs=0.8)


def test_three_echoes_must_be_left():
    echoes = decay(np.full(SHAPE, 12.0), TIMES[:3])
    with pytest.raises(InputError, match="3 echoes, of which the first 1 are left out"):
        fit_r2(echoes, TIMES[:3], ALL, SpinEchoParameters())
    found = fit_r2(echoes, TIMES[:3], ALL, SpinEchoParameters(skipped_echoes=0))
    np.testing.assert_allclose(found, 12, rtol=1e-3)
