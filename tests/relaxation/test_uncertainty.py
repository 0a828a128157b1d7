"""The error map of R2*, against its scatter over repetitions and the Cramér-Rao bound."""

import numpy as np
import pytest
from relaxation.decays import SHAPE, TIMES, cramer_rao_bound, decay, rician

from qsmiron.relaxation import METHODS
from qsmiron.relaxation.loglinear import LoglinearParameters, fit_loglinear
from qsmiron.relaxation.uncertainty import r2star_error, with_correction

MASK = np.ones(SHAPE, bool)


@pytest.mark.parametrize("rate", [5.0, 20.0, 60.0])
def test_it_is_the_bound_at_the_true_noise(rate):
    magnitude = rician(decay(np.full(SHAPE, rate)), sigma=10).astype(np.float32)
    found = fit_loglinear(magnitude, TIMES, MASK, LoglinearParameters())
    error = r2star_error(magnitude, TIMES, MASK, found)
    assert np.median(error) == pytest.approx(cramer_rao_bound(rate, TIMES, 10), rel=0.03)


@pytest.mark.parametrize("name", METHODS)
def test_fits_scatter_by_it(name):
    rates = np.broadcast_to(np.linspace(10, 50, SHAPE[2]), SHAPE)
    magnitude = rician(decay(rates), sigma=8).astype(np.float32)
    model, fit = METHODS[name].load()
    found = fit(magnitude, TIMES, MASK, model())
    error = r2star_error(magnitude, TIMES, MASK, found)
    score = (found - rates) / error
    assert score.std() == pytest.approx(1, abs=0.15)


def test_voxels_without_a_decay_say_so_and_none_is_outside():
    magnitude = rician(decay(np.full(SHAPE, 20.0)), sigma=10).astype(np.float32)
    magnitude[1:, 3, 3, 3] = 0
    mask = MASK.copy()
    mask[:2] = False
    error = r2star_error(magnitude, TIMES, mask, np.full(SHAPE, 20.0))
    assert error[3, 3, 3] > 100
    assert not error[:2].any()
    assert np.isfinite(error).all()


def test_a_correction_adds_doubt():
    error = with_correction(np.float32([3, 0]), np.float32([20, 20]), np.float32([36, 20]))
    np.testing.assert_allclose(error, [5, 0])
