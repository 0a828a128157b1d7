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
    """50 1/s leaves less signal at 96 ms than there is noise, and a plain line loses a fifth."""
    echoes = rician(decay(np.full(SHAPE, 50.0), TIMES), 20.0)
    found = fit_r2(echoes, TIMES, ALL, SpinEchoParameters())
    line = np.polyfit(TIMES[1:], np.log(echoes[1:].reshape(7, -1)), 1)[0]
    assert np.median(-line) < 42
    assert np.median(found) == pytest.approx(50, rel=0.06)


def test_three_echoes_must_be_left():
    echoes = decay(np.full(SHAPE, 12.0), TIMES[:3])
    with pytest.raises(InputError, match="3 echoes, of which the first 1 are left out"):
        fit_r2(echoes, TIMES[:3], ALL, SpinEchoParameters())
    found = fit_r2(echoes, TIMES[:3], ALL, SpinEchoParameters(skipped_echoes=0))
    np.testing.assert_allclose(found, 12, rtol=1e-3)
