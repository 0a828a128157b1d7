"""Holes, against scipy's own."""

import numpy as np
import pytest
from scipy import ndimage

from qsmiron.masks.holes import filled


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.7, 0.8, 1.0])
def test_what_scipy_fills(share):
    mask = np.random.default_rng(3).random((14, 11, 17)) < share
    assert np.array_equal(filled(mask), ndimage.binary_fill_holes(mask))
    if 0.5 < share < 1:
        assert filled(mask).sum() > mask.sum()


def test_what_touches_the_border_is_outside():
    mask = np.zeros((7, 7, 7), bool)
    mask[1:6, 1:6, 1:6] = True
    mask[3, 3, 2:5] = False
    assert filled(mask).sum() == 125
    mask[3, 3, 5] = False  # open to the outside now
    assert np.array_equal(filled(mask), mask)
