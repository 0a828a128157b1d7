"""Dephasing within voxels, against spins counted one by one."""

import numpy as np
import pytest
from relaxation.decays import TIMES

from qsmiron.acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T
from qsmiron.relaxation.field_gradient import (
    LEAST_SIGNAL,
    remaining_signal,
    rise_through_voxel,
    without_dephasing,
)
from qsmiron.relaxation.loglinear import LoglinearParameters, fit_loglinear

SHAPE = (8, 9, 10)
MASK = np.ones(SHAPE, bool)
SLOPES = (0.02, -0.05, 0.11)
"""ppm per voxel."""


def linear_field() -> np.ndarray:
    return sum(slope * axis for slope, axis in zip(SLOPES, np.indices(SHAPE), strict=True)).astype(
        np.float32
    )


def test_a_linear_field_rises_alike_everywhere():
    rises = rise_through_voxel(linear_field(), MASK)
    for rise, slope in zip(rises, SLOPES, strict=True):
        np.testing.assert_allclose(rise, slope, atol=1e-6)


def test_what_lies_outside_the_mask_is_not_seen():
    field, mask = linear_field(), MASK.copy()
    mask[4:] = False
    field[4:] = 1e3
    rises = rise_through_voxel(field, mask)
    np.testing.assert_allclose(rises[0][:4], SLOPES[0], atol=1e-6)
    assert not rises[0][4:].any()
    alone = np.zeros(SHAPE, bool)
    alone[3, 3, 3] = True
    assert not rise_through_voxel(field, alone).any()


@pytest.mark.parametrize("tesla", [1.5, 3.0])
def test_the_signal_left_is_that_of_many_spins(tesla):
    """Spins on a fine grid within the voxel, each with its own phase."""
    share = remaining_signal(linear_field(), MASK, tesla, TIMES)
    fine = (np.arange(400) + 0.5) / 400 - 0.5
    for echo, time in zip(share, TIMES, strict=True):
        turns = [time * GYROMAGNETIC_RATIO_MHZ_PER_T * tesla * slope * fine for slope in SLOPES]
        expected = np.prod([abs(np.exp(2j * np.pi * turn).mean()) for turn in turns])
        np.testing.assert_allclose(echo[2:-2, 2:-2, 2:-2], expected, rtol=1e-3)


def test_r2star_is_that_of_the_tissue_after_the_correction():
    share = remaining_signal(linear_field(), MASK, 3.0, TIMES)
    decay = 1000 * np.exp(-TIMES[:, None, None, None] * 20)
    magnitude = (decay * share).astype(np.float32)
    plain = fit_loglinear(magnitude, TIMES, MASK, LoglinearParameters())
    found = fit_loglinear(without_dephasing(magnitude, share), TIMES, MASK, LoglinearParameters())
    assert plain.min() > 23
    np.testing.assert_allclose(found, 20, rtol=1e-4)


def test_echoes_near_the_zero_of_the_sinc_are_no_signal():
    share = np.array([0.9, LEAST_SIGNAL + 0.01, LEAST_SIGNAL - 0.01, 0.0]).reshape(4, 1, 1, 1)
    found = without_dephasing(np.full((4, 1, 1, 1), 5.0), share).ravel()
    np.testing.assert_allclose(found, [5 / 0.9, 5 / (LEAST_SIGNAL + 0.01), 0, 0], rtol=1e-6)
