import numpy as np
import pytest
from background.dipole_head import ANISOTROPIC, ISOTROPIC, B, positions, rms
from scipy import ndimage, sparse
from scipy.sparse.linalg import spsolve

from qsmiron.background.lbv import LbvParameters, laplacian_boundary_value
from qsmiron.errors import InputError


def test_background_of_outer_dipoles_is_removed(head):
    """To 1.5 % of its spread; what is left comes from the stencil next to the sources."""
    voxel_size, mask, _, _, background = head
    rest, inside = laplacian_boundary_value(background, mask, voxel_size, B, LbvParameters())
    assert rms(rest[inside]) < 0.015 * background[inside].std()


@pytest.mark.parametrize("voxel_size", [ISOTROPIC, ANISOTROPIC, (1.0, 2.0, 5.0)])
def test_harmonic_polynomials_are_removed_exactly(voxel_size):
    """The stencil is exact up to the third degree, however the voxels are shaped."""
    x, y, z = positions([int(72 / edge) for edge in voxel_size], voxel_size)
    mask = x**2 + y**2 + z**2 < 32**2
    field = 3 + 0.02 * x - 0.01 * z + 1e-3 * (x**2 - z**2) + 1e-3 * x * y + 2e-5 * x * y * z
    rest, inside = laplacian_boundary_value(
        field.astype(np.float32), mask, voxel_size, B, LbvParameters()
    )
    assert np.abs(rest[inside]).max() < 1e-4 * field[inside].std()


def test_field_of_a_sphere_amid_the_brain():
    """Its dipole field loses exactly the harmonic function that equals it on the brain's edge."""
    x, y, z = positions((60, 60, 60), (1, 1, 1))
    r = np.sqrt(x**2 + y**2 + z**2)
    edge, size, chi = 28.0, 6.0, 0.1
    angular = 3 * z**2 - r**2
    outside_sphere = chi / 3 * (size / np.maximum(r, size)) ** 3 * angular / np.maximum(r, 1) ** 2
    field = np.where(r > size, outside_sphere, 0)
    # The outermost voxel centres of the mask lie half an edge inside it, on average.
    truth = field - chi / 3 * size**3 * angular / (edge - 0.5) ** 5
    found, inside = laplacian_boundary_value(
        field.astype(np.float32), r < edge, (1, 1, 1), B, LbvParameters()
    )
    assert rms((found - truth)[inside]) < 0.01 * rms(truth[inside])


def test_local_field_survives(head):
    voxel_size, mask, r, local, background = head
    found, inside = laplacian_boundary_value(
        local + background, mask, voxel_size, B, LbvParameters()
    )
    core = inside & (r < 30)
    truth = local[core] - local[core].mean()
    error = found[core] - found[core].mean() - truth
    assert rms(error) / rms(truth) < 0.06
    assert np.polyfit(truth, found[core], 1)[0] == pytest.approx(1, abs=0.02)


def lumpy_mask(shape):
    """A blob with holes, loose voxels and thin necks, up to the faces of the grid."""
    noise = ndimage.gaussian_filter(np.random.default_rng(4).normal(size=shape), 1.5)
    mask = noise > -0.6 * noise.std()
    mask[tuple(n // 2 for n in shape)] = False
    return mask


@pytest.mark.parametrize("voxel_size", [(1.0, 1.0, 1.0), (0.7, 1.0, 2.5)])
def test_agrees_with_a_direct_solution(voxel_size):
    mask = lumpy_mask((22, 19, 16))
    field = np.random.default_rng(2).normal(size=mask.shape).astype(np.float32)
    found, inside = laplacian_boundary_value(field, mask, voxel_size, B, LbvParameters())

    number = np.full(mask.shape, -1)
    number[inside] = np.arange(inside.sum())
    matrix = sparse.lil_array((inside.sum(), inside.sum()))
    right = np.zeros(inside.sum())
    for voxel in np.argwhere(inside):
        row = number[tuple(voxel)]
        for axis in range(3):
            for step in (-1, 1):
                other = voxel.copy()
                other[axis] += step
                weight = 1 / voxel_size[axis] ** 2
                matrix[row, row] += weight
                right[row] += weight * (float(field[tuple(voxel)]) - field[tuple(other)])
                if inside[tuple(other)]:
                    matrix[row, number[tuple(other)]] -= weight
    truth = spsolve(matrix.tocsc(), right)
    assert rms(found[inside] - truth) < 5e-5 * rms(truth)


@pytest.mark.parametrize("peel", [1, 3])
def test_mask_loses_its_layers(head, peel):
    voxel_size, mask, r, local, _ = head
    found, inside = laplacian_boundary_value(local, mask, voxel_size, B, LbvParameters(peel=peel))
    assert not (inside & ~mask).any()
    assert inside[r < 42 - (peel + 1) * max(voxel_size)].all()
    assert not inside[r > 42 - peel * min(voxel_size) / 2].any()
    assert found.dtype == np.float32
    assert inside.dtype == bool
    assert not found[~inside].any()


def test_peeled_layers_may_hold_anything_but_the_innermost(head):
    voxel_size, mask, _, local, background = head
    field = local + background
    parameters = LbvParameters(peel=2)
    spoilt = np.where(ndimage.binary_erosion(mask), field, np.float32(1e3))
    truth, _ = laplacian_boundary_value(field, mask, voxel_size, B, parameters)
    found, _ = laplacian_boundary_value(spoilt, mask, voxel_size, B, parameters)
    assert np.array_equal(found, truth)


def test_padding_of_the_grid_and_values_outside_change_nothing(head):
    voxel_size, mask, _, local, background = head
    field = local + background
    found, inside = laplacian_boundary_value(field, mask, voxel_size, B, LbvParameters())
    beyond = np.pad(np.where(mask, field, np.nan), 5, constant_values=np.nan)
    wider, wider_inside = laplacian_boundary_value(
        beyond, np.pad(mask, 5), voxel_size, B, LbvParameters()
    )
    assert np.array_equal(wider, np.pad(found, 5))
    assert np.array_equal(wider_inside, np.pad(inside, 5))


def test_image_edge_counts_as_edge_of_the_mask(head):
    voxel_size, mask, _, local, background = head
    cut = (slice(None), slice(None), slice(mask.shape[2] // 2, None))
    whole = np.zeros_like(mask)
    whole[cut] = mask[cut]
    field = local + background
    found, inside = laplacian_boundary_value(field[cut], mask[cut], voxel_size, B, LbvParameters())
    truth, truth_inside = laplacian_boundary_value(field, whole, voxel_size, B, LbvParameters())
    assert np.array_equal(found, truth[cut])
    assert np.array_equal(inside, truth_inside[cut])
    assert not inside[..., 0].any()
    rest, _ = laplacian_boundary_value(background[cut], mask[cut], voxel_size, B, LbvParameters())
    assert rms(rest[inside]) < 0.015 * background[cut][inside].std()


def test_memory_order_and_threads_do_not_change_a_bit(head):
    voxel_size, mask, _, local, background = head
    field = local + background
    one, _ = laplacian_boundary_value(field, mask, voxel_size, B, LbvParameters(), threads=1)
    two, _ = laplacian_boundary_value(
        np.asfortranarray(field), np.asfortranarray(mask), voxel_size, B, LbvParameters(), threads=2
    )
    assert np.array_equal(one, two)


def test_field_of_zeros_stays_zero():
    mask = np.pad(np.ones((8, 8, 8), bool), 2)
    found, inside = laplacian_boundary_value(
        np.zeros(mask.shape), mask, ISOTROPIC, B, LbvParameters()
    )
    assert inside.any()
    assert not found.any()


@pytest.mark.parametrize(("thickness", "peel"), [(0, 1), (2, 1), (6, 3)])
def test_thin_mask_is_refused(thickness, peel):
    mask = np.zeros((20, 20, 20), bool)
    mask[5 : 5 + thickness] = True
    with pytest.raises(InputError, match="thick enough for the Laplacian"):
        laplacian_boundary_value(
            np.zeros(mask.shape, np.float32), mask, ISOTROPIC, B, LbvParameters(peel=peel)
        )
