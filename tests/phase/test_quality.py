import numpy as np
import pytest

from qsmiron.phase.quality import QualityParameters, interior, reliable_mask, without_noise


def test_reliable_mask_fills_holes_and_drops_islands():
    mask = np.ones((30, 30, 30), bool)
    quality = np.zeros(mask.shape)
    quality[5:25, 5:25, 5:25] = 0.9
    quality[12:16, 12:16, 12:16] = 0.0  # a strong source
    quality[28, 28, 28] = 0.9
    reliable = reliable_mask(quality, mask, QualityParameters())
    assert reliable[13, 13, 13]
    assert not reliable[28, 28, 28]
    assert reliable.sum() == pytest.approx(20**3, rel=0.05)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("thickness", [1, 2])
def test_thin_slabs_are_treated_within_their_plane(axis, thickness):
    flat = np.zeros((30, 30))
    flat[5:25, 5:25] = 0.9
    flat[12:16, 12:16] = 0.0
    flat[28, 28] = 0.9
    quality = np.moveaxis(np.repeat(flat[..., None], thickness, -1), -1, axis)
    reliable = reliable_mask(quality, np.ones(quality.shape, bool), QualityParameters())
    assert np.take(reliable, 0, axis)[13, 13]
    assert not np.take(reliable, 0, axis)[28, 28]
    assert reliable.sum() == pytest.approx(thickness * 20**2, rel=0.05)


def test_nothing_reliable_gives_an_empty_mask():
    mask = np.ones((5, 5, 5), bool)
    assert not reliable_mask(np.zeros(mask.shape), mask, QualityParameters()).any()


def test_interior_has_all_its_neighbours():
    mask = np.ones((6, 5, 4), bool)
    mask[3, 2, 2] = False
    inner = interior(mask)
    assert not inner[0].any()
    assert not inner[3, 2, 1]
    assert inner[1, 2, 2]
    assert interior(np.ones((6, 5, 1), bool)).sum() == 4 * 3


def test_a_void_is_no_longer_reliable():
    reliable = np.ones((10, 10, 10), bool)
    reliable[0] = False
    noise = np.full(reliable.shape, 0.001, np.float32)
    noise[4:6, 4:6, 4:6] = 0.1  # 100 times the median: no signal
    noise[8, 8, 8] = 0.01  # a vein
    kept = without_noise(reliable, noise, QualityParameters())
    assert kept.sum() == reliable.sum() - 8
    assert kept[8, 8, 8]


def test_data_without_noise_lose_nothing():
    reliable = np.ones((4, 4, 4), bool)
    noise = np.zeros(reliable.shape, np.float32)
    assert without_noise(reliable, noise, QualityParameters()).all()
