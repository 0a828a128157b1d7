"""R2* and R2 that cannot be used are refused in words, or counted."""

import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.sources.rates import Mended, usable_r2, usable_r2star

SHAPE = (10, 10, 10)
MASK = np.ones(SHAPE, bool)
R2STAR = np.full(SHAPE, 20.0, np.float32)
R2 = np.full(SHAPE, 12.0, np.float32)


def test_good_maps_are_left_alone():
    r2star, mended = usable_r2star(R2STAR, MASK, "r2star.nii.gz")
    r2, mended = usable_r2(R2, r2star, MASK, "r2.nii.gz", mended)
    np.testing.assert_array_equal(r2star, R2STAR)
    np.testing.assert_array_equal(r2, R2)
    assert mended == Mended()
    assert mended.remarks(1000) == []


def test_single_voxels_are_mended_and_counted():
    r2star, r2 = R2STAR.copy(), R2.copy()
    r2star[0, 0, :3] = -1
    r2star[1, 0, :2] = np.nan
    r2[2, 0, :4] = 25
    r2[3, 0, 0] = -2
    r2[4, 0, :5] = np.inf
    rates, mended = usable_r2star(r2star, MASK, "r2star.nii.gz")
    slow, mended = usable_r2(r2, rates, MASK, "r2.nii.gz", mended)
    assert vars(mended) == {
        "r2star_unknown": 2, "r2star_negative": 3, "r2_unknown": 5, "r2_negative": 1,
        "r2_above_r2star": 4 + 3,
    }  # fmt: skip
    assert (rates[0, 0, :3] == 0).all()
    assert np.isnan(rates[1, 0, :2]).all()
    assert (slow[2, 0, :4] == 20).all()
    assert slow[3, 0, 0] == 0
    assert np.isnan(slow[4, 0, :5]).all()
    assert "3 of 1000 voxels have R2* below 0: set to 0" in mended.remarks(1000)


@pytest.mark.parametrize(
    ("r2star", "words"),
    [
        (0 * R2STAR, "a single echo has no R2"),
        (np.full(SHAPE, np.nan), "a single echo has no R2"),
        (50 * R2STAR / 20 * 2, "For T2\\* in ms give 1000/T2"),
        (R2STAR / 1000, "1/ms is to be multiplied by 1000"),
    ],
)
def test_r2star_of_another_kind_is_refused(r2star, words):
    with pytest.raises(InputError, match=words):
        usable_r2star(r2star.astype(np.float32), MASK, "r2star.nii.gz")


@pytest.mark.parametrize(
    ("r2", "words"),
    [
        (np.full(SHAPE, 80.0), "For T2 in ms give 1000/T2"),
        (np.full(SHAPE, 0.08), "for T2 in s give 1/T2"),
        (np.full(SHAPE, 0.012), "1/ms is to be multiplied by 1000"),
        (np.full(SHAPE, 30.0), "R2 above R2\\* in 100% of the mask"),
        (np.full(SHAPE, np.nan), "no finite value"),
        (np.zeros(SHAPE), "Check that the map lies where the mask does"),
    ],
)
def test_r2_of_another_kind_is_refused(r2, words):
    with pytest.raises(InputError, match=words):
        usable_r2(r2.astype(np.float32), R2STAR, MASK, "r2.nii.gz", Mended())
