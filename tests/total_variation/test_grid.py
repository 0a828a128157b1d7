import numpy as np
import pytest
from total_variation.double_precision import dipole_spectrum, filtered

from qsmiron.total_variation.grid import DipoleGrid

B = (0.0, 0.0, 1.0)
OBLIQUE = (0.2, -0.4, 0.9)


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def ellipsoid(shape):
    axes = np.meshgrid(*((np.arange(n) - (n - 1) / 2) / (0.4 * n) for n in shape), indexing="ij")
    return sum(axis**2 for axis in axes) < 1


def faces(shape):
    """A mask that touches all six faces of the image."""
    mask = ellipsoid(shape)
    for axis, n in enumerate(shape):
        middle = [m // 2 for m in shape]
        for middle[axis] in range(n):
            mask[tuple(middle)] = True
    return mask


def lone_voxel(shape):
    mask = np.zeros(shape, bool)
    mask[2, 0, shape[2] - 1] = True
    return mask


@pytest.mark.parametrize("shape", [(16, 20, 12), (17, 11, 13), (5, 4, 3)])
@pytest.mark.parametrize("make", [ellipsoid, faces, lone_voxel])
def test_to_the_padded_grid_and_back(shape, make):
    mask, data = make(shape), random(shape)
    grid = DipoleGrid(mask, (1.0, 1.2, 2.0), B, margin=6)
    padded = grid.embed(data)
    assert padded.shape == grid.shape
    assert padded.dtype == np.float32
    assert np.array_equal(grid.extract(padded), np.where(mask, data, 0))
    assert np.array_equal(padded[grid.inside], data[mask])
    assert not padded[~grid.inside].any()
    assert grid.inside.sum() == mask.sum()


def test_what_is_outside_the_mask_does_no_harm():
    mask, data = ellipsoid((12, 12, 12)), random((12, 12, 12))
    grid = DipoleGrid(mask, (1, 1, 1), B, margin=4)
    spoilt = np.where(mask, data, np.nan)
    assert np.array_equal(grid.embed(spoilt), grid.embed(data))
    padded = grid.embed(data)
    padded[~grid.inside] = np.nan
    assert np.array_equal(grid.extract(padded), np.where(mask, data, 0))


@pytest.mark.parametrize("margin", [0, 5.0, 24.0])
@pytest.mark.parametrize("voxel_size", [(1, 1, 1), (0.7, 1.1, 3.0)])
def test_margin_lies_between_the_brain_and_its_copy(margin, voxel_size):
    mask = faces((15, 9, 11))
    grid = DipoleGrid(mask, voxel_size, B, margin=margin)
    for axis, edge in enumerate(voxel_size):
        empty = grid.shape[axis] - mask.shape[axis]
        assert empty * edge >= margin - 1e-9
        # Not much more than asked for either: up to an even, quickly transformed length.
        assert empty <= np.ceil(margin / edge) + 3
        assert grid.shape[axis] % 2 == 0


def test_only_the_box_around_the_mask_counts():
    """More of the image around it changes nothing at all."""
    mask, data = ellipsoid((14, 12, 13)), random((14, 12, 13))
    one = DipoleGrid(mask, (1, 1, 1), OBLIQUE, margin=4)
    other = DipoleGrid(np.pad(mask, 5), (1, 1, 1), OBLIQUE, margin=4)
    assert one.shape == other.shape
    assert np.array_equal(one.embed(data), other.embed(np.pad(data, 5)))


@pytest.mark.parametrize("direction", [B, OBLIQUE])
@pytest.mark.parametrize("voxel_size", [(1, 1, 1), (0.8, 1.0, 2.1)])
@pytest.mark.parametrize("shape", [(18, 16, 14), (13, 17, 9)])
def test_dipole_operator_is_that_of_a_whole_transform(shape, voxel_size, direction):
    """χ of size 1 ppm on an odd or even crop; to 5e-7 ppm."""
    grid = DipoleGrid(faces(shape), voxel_size, direction, margin=5)
    chi = grid.embed(random(shape))
    truth = filtered(chi, dipole_spectrum(grid.shape, voxel_size, direction))
    assert grid.field(chi) == pytest.approx(truth, abs=5e-7)


def test_dipole_operator_is_its_own_adjoint():
    grid = DipoleGrid(ellipsoid((13, 12, 11)), (1, 1, 2), OBLIQUE, margin=3)
    one, other = random(grid.shape), random(grid.shape, 1)
    left = np.vdot(grid.field(one).astype(float), other)
    assert np.vdot(one.astype(float), grid.field(other)) == pytest.approx(left, abs=1e-4)


def test_threads_do_not_change_a_bit():
    mask = ellipsoid((33, 29, 31))
    chi = random(mask.shape)
    fields = []
    for threads in (1, 2):
        grid = DipoleGrid(mask, (1, 1, 1), OBLIQUE, threads, margin=8)
        fields.append(grid.field(grid.embed(chi)))
    assert np.array_equal(*fields)
