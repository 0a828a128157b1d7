import numpy as np
import pytest
from scipy import ndimage

from qsmiron.spectral import convolve_dipole
from qsmiron.total_variation.noise import field_noise

SHAPE = (48, 50, 46)
SD = 0.002


def positions(shape=SHAPE):
    return np.meshgrid(*(np.arange(n) - n / 2 for n in shape), indexing="ij")


def ball(shape=SHAPE, radius=22):
    return sum(axis**2 for axis in positions(shape)) < radius**2


def white_noise(shape=SHAPE, seed=0):
    return np.random.default_rng(seed).normal(scale=SD, size=shape)


def smooth_anatomy():
    """Field (ppm) of round deposits with soft edges, two voxels wide."""
    chi = np.zeros(SHAPE)
    for centre, value in (((24, 25, 23), 120), ((14, 30, 20), -90), ((32, 18, 28), 180)):
        chi[centre] = value
    return convolve_dipole(ndimage.gaussian_filter(chi, 4.0), (1, 1, 1), (0, 0.3, 0.95))


def test_white_noise_of_known_strength():
    """44 000 voxels tell it to 1 %, eight fields of them better."""
    found = [field_noise(white_noise(seed=seed).astype(np.float32), ball()) for seed in range(8)]
    assert found == pytest.approx([SD] * 8, rel=0.03)
    assert np.mean(found) == pytest.approx(SD, rel=0.01)


def test_scales_with_the_field():
    noise, mask = white_noise().astype(np.float32), ball()
    assert field_noise(4 * noise, mask) == pytest.approx(4 * field_noise(noise, mask), rel=1e-6)


def test_blind_to_linear_and_quadratic_fields():
    """Up to single precision, 6e-8 of a ppm, and less since the differences are weighted down."""
    x, y, z = (axis / 20 for axis in positions())
    field = 0.3 * x - 0.2 * y + 0.1 * z + 0.2 * x**2 - 0.1 * y**2 + 0.3 * z**2 + x * y - y * z
    assert np.std(field[ball()]) > 0.3
    assert field_noise(field, ball()) < 2e-8


def test_blind_to_dipole_fields_of_smooth_chi():
    field, mask = smooth_anatomy(), ball()
    assert np.std(field[mask]) > 0.004
    assert field_noise(field, mask) < 1e-4 * np.std(field[mask])
    noise = white_noise(seed=5)
    assert field_noise(field + noise, mask) == pytest.approx(SD, rel=0.02)


def test_few_edges_hardly_count():
    """Anatomy with sharp edges, as strong as vessels: the median does not see them."""
    chi = np.zeros(SHAPE, np.float32)
    chi[20:30, 20:26, 18:29], chi[12:15, :, 22:25] = 0.1, 0.3
    field = convolve_dipole(chi, (1, 1, 1), (0, 0, 1)) + white_noise(seed=6)
    assert field_noise(field, ball()) == pytest.approx(SD, rel=0.05)


def test_what_is_outside_the_mask_does_not_count():
    mask = ball()
    noise = white_noise()
    elsewhere = np.where(mask, noise, 1e3 * noise)
    elsewhere[0, 0, 0] = np.nan
    assert field_noise(elsewhere, mask) == field_noise(noise, mask)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("slices", [1, 2, 3])
def test_thin_slabs(slices, axis):
    """An axis too short for a second difference is left out."""
    shape = [120, 120, 120]
    shape[axis] = slices
    noise = white_noise(shape)
    assert field_noise(noise, np.ones(shape, bool)) == pytest.approx(SD, rel=0.03)


def test_nowhere_thick_enough_is_no_noise():
    noise = white_noise()
    mask = np.zeros(SHAPE, bool)
    mask[10:40, 10:40, 20:22] = True
    assert field_noise(noise, mask) == 0
    assert field_noise(noise, np.zeros(SHAPE, bool)) == 0
