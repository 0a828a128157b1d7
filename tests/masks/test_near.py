"""Distance to a mask against scipy's Euclidean distance transform."""

import numpy as np
import pytest
from scipy import ndimage

from qsmiron.masks.brain import near


@pytest.mark.parametrize("radius", [0.5, 1, 1.5, 2.2, 3, 5, 30])
def test_near_is_what_the_distance_transform_says(radius):
    mask = np.random.default_rng(0).random((20, 23, 17)) > 0.995
    assert mask.any()
    expected = ndimage.distance_transform_edt(~mask) <= radius
    np.testing.assert_array_equal(near(mask, radius), expected)


def test_near_nothing_is_nothing():
    assert not near(np.zeros((4, 5, 6), bool), 3).any()
