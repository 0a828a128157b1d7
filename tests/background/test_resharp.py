from itertools import pairwise

import numpy as np
import pytest
from background.dipole_head import ISOTROPIC, B, positions, rms

from qsmiron.background.resharp import ResharpParameters, resharp
from qsmiron.errors import InputError


def lumpy_mask(shape, seed=0):
    """Two overlapping balls with a hole, off the centre of the grid and clear of its faces."""
    x, y, z = positions(shape, (1, 1, 1))
    mask = (np.linalg.norm([x + 1, y, z], axis=0) < 5.2) | (
        np.linalg.norm([x - 2, y - 1, z + 1], axis=0) < 4.3
    )
    mask[tuple(n // 2 + 2 for n in shape)] = False
    return mask


def test_background_of_outer_dipoles_is_removed(head):
    """To 1 % of its spread; what is left comes from a ball made of voxels."""
    voxel_size, mask, _, _, background = head
    rest, inside = resharp(background, mask, voxel_size, B, ResharpParameters())
    assert rms(rest[inside]) < 0.01 * background[inside].std()


def test_harmonic_polynomials_are_removed_exactly():
    """Their mean over a ball of cubic voxels is the value at its centre, up to the third degree."""
    x, y, z = positions((40, 40, 40), ISOTROPIC)
    mask = x**2 + y**2 + z**2 < 34**2
    field = 3 + 0.02 * x - 0.01 * z + 1e-3 * (x**2 - z**2) + 1e-3 * x * y + 2e-5 * x * y * z
    rest, inside = resharp(field.astype(np.float32), mask, ISOTROPIC, B, ResharpParameters())
    assert np.abs(rest[inside]).max() < 1e-4 * field[inside].std()


def test_local_field_survives(head):
    voxel_size, mask, r, local, background = head
    found, inside = resharp(local + background, mask, voxel_size, B, ResharpParameters())
    core = inside & (r < 30)
    truth = local[core] - local[core].mean()
    error = found[core] - found[core].mean() - truth
    assert rms(error) / rms(truth) < 0.12
    assert np.polyfit(truth, found[core], 1)[0] == pytest.approx(0.97, abs=0.03)


def explicit_filter(mask, voxel_size, radius):
    """Rows of M S as a dense matrix, one per voxel in whose ball no voxel is missing; and those."""
    voxels = np.argwhere(mask)
    number = {tuple(voxel): index for index, voxel in enumerate(voxels)}
    reach = [range(-int(radius / edge), int(radius / edge) + 1) for edge in voxel_size]
    ball = [
        offset
        for offset in np.array(np.meshgrid(*reach)).reshape(3, -1).T
        if np.linalg.norm(offset * np.array(voxel_size)) <= radius * (1 + 1e-6)
    ]
    rows, kept = [], np.zeros(mask.shape, bool)
    for voxel in voxels:
        columns = [number.get(tuple(voxel + offset)) for offset in ball]
        if None in columns:
            continue
        row = np.zeros(len(voxels))
        row[columns] = -1 / len(ball)
        row[number[tuple(voxel)]] += 1
        rows.append(row)
        kept[tuple(voxel)] = True
    return np.array(rows), kept


@pytest.mark.parametrize("voxel_size", [(1.0, 1.0, 1.0), (1.0, 1.2, 1.5)])
def test_agrees_with_a_dense_solution(voxel_size):
    """The minimiser has no energy outside the mask, so a matrix of its voxels says it all."""
    mask = lumpy_mask((18, 16, 17))
    field = np.random.default_rng(2).normal(size=mask.shape).astype(np.float32)
    parameters = ResharpParameters(radius=2.2, regularisation=1e-2, iterations=500, tolerance=1e-6)
    found, inside = resharp(field, mask, voxel_size, B, parameters)

    matrix, kept = explicit_filter(mask, voxel_size, 2.2)
    square = matrix.T @ matrix
    solution = np.linalg.solve(square + 1e-2 * np.eye(len(square)), square @ field[mask])
    truth = np.zeros(mask.shape)
    truth[mask] = solution
    assert np.array_equal(inside, kept)
    assert found[inside] == pytest.approx(truth[inside], abs=1e-4)


def test_mask_loses_the_radius_of_the_ball(head):
    voxel_size, mask, r, local, _ = head
    found, inside = resharp(local, mask, voxel_size, B, ResharpParameters())
    assert inside[r < 42 - 6 - np.linalg.norm(voxel_size)].all()
    assert not inside[r > 42 - 6 + np.linalg.norm(voxel_size)].any()
    assert found.dtype == np.float32
    assert inside.dtype == bool
    assert not found[~inside].any()


def test_ball_spans_at_least_a_voxel(head):
    voxel_size, mask, _, local, _ = head
    small = resharp(local, mask, voxel_size, B, ResharpParameters(radius=0.5))
    edge = resharp(local, mask, voxel_size, B, ResharpParameters(radius=max(voxel_size)))
    assert np.array_equal(small[0], edge[0])
    assert np.array_equal(small[1], edge[1])


def test_more_regularisation_gives_a_smaller_field(head):
    voxel_size, mask, _, local, _ = head
    norms = [
        rms(resharp(local, mask, voxel_size, B, ResharpParameters(regularisation=weight))[0])
        for weight in (1e-4, 1e-3, 1e-2, 1e-1)
    ]
    assert all(larger > smaller for larger, smaller in pairwise(norms))


def test_padding_of_the_grid_and_values_outside_change_nothing(head):
    voxel_size, mask, _, local, background = head
    field = local + background
    found, inside = resharp(field, mask, voxel_size, B, ResharpParameters())
    beyond = np.pad(np.where(mask, field, np.nan), 5, constant_values=np.nan)
    wider, wider_inside = resharp(beyond, np.pad(mask, 5), voxel_size, B, ResharpParameters())
    assert np.array_equal(wider, np.pad(found, 5))
    assert np.array_equal(wider_inside, np.pad(inside, 5))


def test_image_edge_counts_as_edge_of_the_mask(head):
    """A brain cut by the image loses the ball's radius there too, and nothing wraps around."""
    voxel_size, mask, _, local, background = head
    cut = (slice(None), slice(None), slice(mask.shape[2] // 2, None))
    whole = np.zeros_like(mask)
    whole[cut] = mask[cut]
    field = local + background
    found, inside = resharp(field[cut], mask[cut], voxel_size, B, ResharpParameters())
    truth, truth_inside = resharp(field, whole, voxel_size, B, ResharpParameters())
    assert np.array_equal(found, truth[cut])
    assert np.array_equal(inside, truth_inside[cut])
    assert not inside[..., : int(6 / voxel_size[2])].any()
    rest, _ = resharp(background[cut], mask[cut], voxel_size, B, ResharpParameters())
    assert rms(rest[inside]) < 0.015 * background[cut][inside].std()


def test_threads_do_not_change_a_bit(head):
    voxel_size, mask, _, local, background = head
    one, _ = resharp(local + background, mask, voxel_size, B, ResharpParameters(), threads=1)
    two, _ = resharp(local + background, mask, voxel_size, B, ResharpParameters(), threads=2)
    assert np.array_equal(one, two)


def test_field_of_zeros_stays_zero():
    mask = np.pad(np.ones((14, 14, 14), bool), 2)
    found, inside = resharp(np.zeros(mask.shape), mask, ISOTROPIC, B, ResharpParameters())
    assert inside.any()
    assert not found.any()


@pytest.mark.parametrize("thickness", [0, 1, 6])
def test_thin_mask_is_refused(thickness):
    mask = np.zeros((20, 20, 20), bool)
    mask[5 : 5 + thickness] = True
    with pytest.raises(InputError, match="thick enough for the ball"):
        resharp(np.zeros(mask.shape, np.float32), mask, ISOTROPIC, B, ResharpParameters())
