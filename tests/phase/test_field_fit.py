import numpy as np
import pytest

from qsmiron.acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T
from qsmiron.phase.field_fit import fit_field

TIMES = np.array([4, 10, 16, 22, 28]) * 1e-3
B0 = 3.0
PER_PPM = 2 * np.pi * GYROMAGNETIC_RATIO_MHZ_PER_T * B0  # rad/s
SHAPE = (40, 40, 32)


def coordinates(shape=SHAPE):
    return np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")


def test_agrees_with_least_squares_in_double_precision():
    """Voxel by voxel, on phase of up to 60 rad with noise: within 1e-6 ppm."""
    rng = np.random.default_rng(4)
    shape = (6, 7, 5)
    magnitude = rng.uniform(0.1, 1, (5, *shape))
    field = rng.uniform(-2.5, 2.5, shape)
    phase = TIMES[:, None, None, None] * PER_PPM * field + rng.normal(0, 0.3, magnitude.shape)
    fitted, _ = fit_field(
        phase.astype(np.float32), magnitude.astype(np.float32), np.ones(shape, bool), TIMES, B0
    )
    for voxel in np.ndindex(shape):
        weights = magnitude[(slice(None), *voxel)]
        rate = np.linalg.lstsq(
            (weights * TIMES)[:, None], weights * phase[(slice(None), *voxel)], rcond=None
        )[0][0]
        assert fitted[voxel] == pytest.approx(rate / PER_PPM, abs=1e-6)


@pytest.mark.parametrize("echoes", [2, 3, 5])
def test_noise_is_that_of_repeats(echoes):
    x, y, z = coordinates()
    times = TIMES[:echoes]
    field = 0.3 * x + 0.1 * y * z
    magnitude = np.exp(-times[:, None, None, None] * 30) * (1.2 + x)
    rng = np.random.default_rng(1)
    phase = times[:, None, None, None] * PER_PPM * field
    phase = phase + 0.01 / magnitude * rng.normal(size=phase.shape)
    fitted, noise = fit_field(phase, magnitude, np.ones(SHAPE, bool), times, B0)
    standardised = (fitted - field) / noise
    assert standardised.std() == pytest.approx(1, abs=0.02)
    assert standardised[x > 0].std() == pytest.approx(1, abs=0.03)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_noise_of_a_single_echo(axis):
    """Judged along the axis with the smoothest phase, in slabs of one voxel too."""
    rng = np.random.default_rng(1)
    shape = np.roll((1, 150, 150), axis)
    position = coordinates(shape)[(axis + 1) % 3]
    field = 0.2 * position**2
    phase = 0.02 * PER_PPM * field + 0.05 * rng.normal(size=shape)
    fitted, noise = fit_field(
        phase[None], np.ones((1, *shape)), np.ones(shape, bool), TIMES[:1] * 5, B0
    )
    assert (fitted - field).std() / noise.mean() == pytest.approx(1, abs=0.03)


def test_voxels_without_signal_do_not_lower_the_noise():
    rng = np.random.default_rng(1)
    x, _, _ = coordinates()
    phase = TIMES[:, None, None, None] * PER_PPM * 0.1 * x
    phase = phase + 0.01 * rng.normal(size=phase.shape)
    magnitude = np.ones(phase.shape)
    magnitude[:, :24] = 0
    mask = np.ones(SHAPE, bool)
    fitted, noise = fit_field(phase, magnitude, mask, TIMES, B0)
    assert not fitted[:24].any()
    assert not noise[:24].any()
    expected = 0.01 / np.sqrt((TIMES**2).sum()) / PER_PPM
    assert noise[24:] == pytest.approx(expected, rel=0.02)
