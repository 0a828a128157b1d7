import numpy as np
import pytest
from background.ball_brain import (
    BRICKS,
    CUBES,
    GEOMETRIES,
    OBLIQUE,
    SMALL_MASKS,
    UPRIGHT,
    ball_brain,
    distance,
    outer_field,
    positions,
    sphere_field,
)

from qsmiron.background.pdf import (
    PdfParameters,
    background_field,
    projection_onto_dipole_fields,
)


def remove(field, mask, voxel_size=CUBES, direction=UPRIGHT, threads=1, **parameters):
    return projection_onto_dipole_fields(
        field, mask, voxel_size, direction, PdfParameters(**parameters), threads
    )


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_background_of_outer_sources_is_removed(voxel_size, direction):
    """To 1.5 % of its spread: sources within 24 mm make up for those beyond and for the shim."""
    brain = ball_brain(voxel_size, direction)
    rest, inside = remove(brain.background, brain.mask, voxel_size, direction)
    assert np.std(rest[inside]) < 0.015 * brain.background[inside].std()
    assert abs(rest[inside].mean()) < 1e-4


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_local_field_survives_away_from_the_edge(voxel_size, direction):
    brain = ball_brain(voxel_size, direction)
    found, _ = remove(brain.total(), brain.mask, voxel_size, direction)
    deep = brain.depth > 12
    assert brain.error(found, deep) < 0.25 * brain.local[deep].std()
    assert brain.slope(found, deep) == pytest.approx(1, abs=0.07)


def test_field_of_a_ball_in_the_middle_survives():
    """A closed form: 0.1 ppm, 8 mm wide; its field has no part that sources outside can make."""
    points = positions((37, 37, 37), CUBES)
    mask = distance(points, (0, 0, 0)) < 32
    local = sphere_field(points, (0, 0, 0), 8, 0.1, UPRIGHT)
    found, _ = remove(local + outer_field(points, UPRIGHT), mask)
    near = mask & (distance(points, (0, 0, 0)) < 16)
    assert np.polyfit(local[near], found[near], 1)[0] == pytest.approx(1, abs=0.02)
    assert np.std((found - local)[near]) < 0.05 * local[near].std()


def test_wrong_direction_is_worse():
    """Only slightly, since any harmonic field is that of some dipoles outside."""
    brain = ball_brain(CUBES, OBLIQUE)
    right, wrong = (
        brain.error(remove(brain.total(), brain.mask, CUBES, direction)[0])
        for direction in (OBLIQUE, (1.0, 0.0, 0.0))
    )
    assert right < wrong


def test_length_of_the_direction_does_not_matter():
    brain = ball_brain(BRICKS, OBLIQUE)
    one, other = (
        remove(brain.total(), brain.mask, BRICKS, factor * np.array(OBLIQUE))[0]
        for factor in (1, 3)
    )
    assert other == pytest.approx(one, abs=1e-4)


def test_only_the_mask_and_what_is_in_it_count():
    """Not a bit of more image around it, and nothing of what stands there."""
    brain = ball_brain()
    field = brain.total()
    found, inside = remove(field, brain.mask)
    surroundings = np.pad(np.where(brain.mask, field, np.nan), 3, constant_values=np.inf)
    wider, wider_inside = remove(surroundings, np.pad(brain.mask, 3))
    middle = (slice(3, -3),) * 3
    assert np.array_equal(wider[middle], found)
    assert np.array_equal(wider_inside[middle], inside)
    assert np.isfinite(wider).all()


def test_result_is_what_it_says():
    brain = ball_brain()
    field = brain.total().astype(float)
    found, inside = remove(field, brain.mask)
    assert found.dtype == np.float32
    assert inside is not brain.mask
    assert np.array_equal(inside, brain.mask)
    assert not found[~inside].any()
    background = background_field(field, brain.mask, CUBES, UPRIGHT, PdfParameters())
    assert background.dtype == np.float32
    assert not background[~inside].any()
    assert (background + found)[inside] == pytest.approx(field[inside], abs=1e-6)


def test_constant_offset_is_removed():
    """3 ppm, as by a wrong receiver frequency, resolved to 2e-7 ppm in single precision."""
    brain = ball_brain()
    found, _ = remove(brain.total(), brain.mask)
    shifted, _ = remove(brain.total() + np.float32(3), brain.mask)
    assert np.std((shifted - found)[brain.mask]) < 1e-5
    assert shifted == pytest.approx(found, abs=1e-4)
    rest, _ = remove(np.full(brain.mask.shape, 0.1, np.float32), brain.mask)
    assert np.abs(rest).max() < 1e-6


def test_is_nearly_linear():
    """Not quite after a fixed number of steps: the local field hardly acts on what is removed."""
    brain = ball_brain()
    whole, local = (remove(field, brain.mask)[0] for field in (brain.total(), brain.local))
    rest, _ = remove(brain.background, brain.mask)
    assert whole - local == pytest.approx(rest, abs=0.01)
    assert np.std((whole - local)[brain.mask]) < 0.001
    doubled, _ = remove(2 * brain.total(), brain.mask)
    assert np.array_equal(doubled, 2 * whole)


def test_more_steps_leave_less_of_the_background():
    brain = ball_brain()
    rests = [
        np.std(remove(brain.background, brain.mask, **steps)[0][brain.mask])
        for steps in (
            {"coarse_iterations": 0, "iterations": 0},
            {"coarse_iterations": 40, "iterations": 0},
            {"coarse_iterations": 40, "iterations": 15},
            {"coarse_iterations": 40, "iterations": 60},
        )
    ]
    assert rests == sorted(rests, reverse=True)
    assert rests[0] == pytest.approx(brain.background[brain.mask].std(), rel=1e-4)
    assert rests[3] < 0.005 * rests[0]


def test_threads_do_not_change_a_bit():
    brain = ball_brain(BRICKS, OBLIQUE)
    one, two = (
        remove(brain.total(0.001), brain.mask, BRICKS, OBLIQUE, threads)[0] for threads in (1, 2)
    )
    assert np.array_equal(one, two)


def test_mask_may_touch_the_edge_of_the_image():
    """A half ball cut by a face: sources may still lie beyond that face."""
    brain = ball_brain()
    half = (slice(18, None), slice(None), slice(None))
    field, mask = brain.background[half], brain.mask[half]
    assert mask[0].any()
    rest, inside = remove(field, mask)
    assert np.array_equal(inside, mask)
    assert np.std(rest[inside]) < 0.015 * field[inside].std()
    everywhere = np.ones((16, 18, 20), bool)
    rest, _ = remove(outer_field(positions((16, 18, 20), CUBES), UPRIGHT), everywhere)
    assert np.isfinite(rest).all()


@pytest.mark.parametrize("mask", SMALL_MASKS)
@pytest.mark.parametrize("kind", ["outer", "linear", "noise"])
def test_small_masks_leave_no_more_than_there_was(mask, kind):
    """Few voxels are fitted to rounding after few steps; more steps must do no harm."""
    points = positions(mask.shape, CUBES)
    field = {
        "outer": outer_field(points, OBLIQUE),
        "linear": 0.01 * points[0] + 0.1,
        "noise": np.random.default_rng(0).normal(scale=0.01, size=mask.shape),
    }[kind]
    rest, inside = remove(field.astype(np.float32), mask, CUBES, OBLIQUE)
    assert np.array_equal(inside, mask)
    assert np.std(rest[mask]) <= np.std(field[mask]) + 1e-6
