import numpy as np
import pytest
from inversion.ball_phantom import GEOMETRIES, OBLIQUE, ball_phantom

from qsmiron.inversion.tv import TvParameters, total_variation
from qsmiron.inversion.weak_harmonic import WeakHarmonicParameters, weak_harmonic

CUBE, UPRIGHT = (2, 2, 2), (0, 0, 1)
NOISE_PPM = 0.001
HARMONIC_PPM = 0.01


def invert(phantom, field, threads=1, magnitude=None, direction=None, **parameters):
    return weak_harmonic(
        field,
        phantom.mask,
        phantom.voxel_size,
        phantom.direction if direction is None else direction,
        WeakHarmonicParameters(**parameters),
        threads,
        magnitude,
    )


def noisy(phantom, *parts):
    noise = np.random.default_rng(0).normal(scale=NOISE_PPM, size=phantom.mask.shape)
    return sum(parts, phantom.field + noise).astype(np.float32)


def left_over(phantom):
    """What a background filter may leave: harmonic, smooth, with an SD of 10 ppb."""
    axes = (np.arange(n) * v for n, v in zip(phantom.mask.shape, phantom.voxel_size, strict=True))
    x, y, z = (axis - axis.mean() for axis in np.meshgrid(*axes, indexing="ij"))
    field = z**2 - x**2 + 0.5 * x * y - 0.3 * (x**2 - y**2) + 10 * y
    inside = field[phantom.mask]
    return HARMONIC_PPM * (field - inside.mean()) / inside.std()


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_regions_come_back_from_their_true_field(voxel_size, direction):
    phantom = ball_phantom(voxel_size, direction)
    chi = invert(phantom, noisy(phantom))
    slope, error = phantom.regional(chi)
    assert 0.88 < slope < 1.02
    assert error < 3
    assert phantom.error(chi) < 0.21
    assert chi.dtype == np.float32
    assert not chi[~phantom.mask].any()


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_what_is_left_of_the_background_does_not_end_in_chi(voxel_size, direction):
    """As it does without h: its error is beyond the spread of χ itself there."""
    phantom = ball_phantom(voxel_size, direction)
    field = noisy(phantom, left_over(phantom))
    chi = invert(phantom, field)
    plain = total_variation(field, phantom.mask, voxel_size, direction, TvParameters())
    assert phantom.error(plain) > 1.5
    assert phantom.error(chi) < 0.33
    assert phantom.error(chi) < 0.2 * phantom.error(plain)
    slope, error = phantom.regional(chi)
    assert 0.86 < slope < 1.02
    assert error < 3.5
    assert error < 0.4 * phantom.regional(plain)[1]


def test_weight_says_how_harmonic_h_has_to_be():
    """With next to none of it, h takes the field of all balls as well."""
    phantom = ball_phantom()
    field = noisy(phantom, left_over(phantom))
    slopes = [
        phantom.regional(invert(phantom, field, harmonic_weight=weight))[0]
        for weight in (1e-2, 1.0, 150.0)
    ]
    assert slopes == sorted(slopes)
    assert slopes[0] < 0.3
    assert slopes[2] > 0.9


def test_magnitude_keeps_bad_voxels_from_spreading():
    phantom = ball_phantom()
    bad = phantom.few_voxels()
    field = noisy(phantom, left_over(phantom))
    field[bad] += np.random.default_rng(1).normal(size=bad.sum())
    errors = [
        phantom.error(invert(phantom, field, magnitude=magnitude), phantom.mask & ~bad)
        for magnitude in (None, np.where(bad, 0.01, 1).astype(np.float32))
    ]
    assert errors[1] < 0.4
    assert errors[1] < 0.3 * errors[0]


def test_wrong_direction_is_worse():
    phantom = ball_phantom(CUBE, OBLIQUE)
    field = noisy(phantom)
    right, wrong = (
        phantom.regional(invert(phantom, field, direction=direction))[1]
        for direction in (OBLIQUE, UPRIGHT)
    )
    assert right < 0.5 * wrong


def test_only_the_mask_and_what_is_in_it_count():
    phantom = ball_phantom(CUBE, OBLIQUE)
    field = noisy(phantom)
    with np.errstate(invalid="ignore"):
        spoilt = invert(phantom, np.where(phantom.mask, field, np.nan).astype(np.float32))
    assert np.array_equal(spoilt, invert(phantom, field))


def test_threads_do_not_change_a_bit():
    phantom = ball_phantom(CUBE, OBLIQUE)
    field = noisy(phantom, left_over(phantom))
    one, two = (invert(phantom, field, threads, phantom.magnitude()) for threads in (1, 2))
    assert np.array_equal(one, two)
