from functools import lru_cache

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
    outer_field,
    positions,
)

from qsmiron.background.joint_tv import (
    JointTvParameters,
    JointTvTissueParameters,
    chi_with_tissue,
    joint_tv,
    joint_tv_tissue,
)
from qsmiron.background.none import NoneParameters, no_removal
from qsmiron.background.pdf import PdfParameters, projection_onto_dipole_fields
from qsmiron.background.smooth_chi import TissueParameters, smooth_chi
from qsmiron.background.vsharp import VsharpParameters, vsharp

METHODS = {
    "joint_tv": (joint_tv, JointTvParameters()),
    "joint_tv_tissue": (joint_tv_tissue, JointTvTissueParameters()),
    "pdf": (projection_onto_dipole_fields, PdfParameters()),
    "vsharp": (vsharp, VsharpParameters()),
}
JOINT = ("joint_tv", "joint_tv_tissue")
NOISE_PPM = 0.001


def remove(name, field, mask, voxel_size=CUBES, direction=UPRIGHT, threads=1):
    method, parameters = METHODS[name]
    return method(field, mask, voxel_size, direction, parameters, threads)


@lru_cache
def removed(name, voxel_size=CUBES, direction=UPRIGHT):
    """Local field and its mask from the brain's field with noise."""
    brain = ball_brain(voxel_size, direction)
    return remove(name, brain.total(NOISE_PPM), brain.mask, voxel_size, direction)


@lru_cache
def estimate(voxel_size=CUBES, direction=UPRIGHT):
    brain = ball_brain(voxel_size, direction)
    field, parameters = brain.total(NOISE_PPM), JointTvTissueParameters()
    return chi_with_tissue(field, brain.mask, voxel_size, direction, parameters)


@pytest.mark.parametrize("name", JOINT)
@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_local_field_is_nearer_the_truth_than_a_filter_gets(voxel_size, direction, name):
    """Less than half the error of PDF and a third of that of V-SHARP, 1 ppb of noise included."""
    brain = ball_brain(voxel_size, direction)
    found, inside = removed(name, voxel_size, direction)
    _, common = removed("vsharp", voxel_size, direction)
    assert common.sum() > 0.75 * inside.sum()
    error = brain.error(found, common)
    for other, factor in (("pdf", 0.5), ("vsharp", 0.3)):
        assert error < factor * brain.error(removed(other, voxel_size, direction)[0], common)
    assert error < 0.002
    # At the very surface too, where V-SHARP has nothing left.
    assert brain.error(found) < 0.0022
    assert 0.9 < brain.slope(found) < 1.05


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_chi_of_the_parts_comes_back(voxel_size, direction):
    """Nuclei, cortex and white matter, to 6 ppb; no contrast is shrunk."""
    slope, error_ppb = ball_brain(voxel_size, direction).regional(estimate(voxel_size, direction))
    assert 0.95 < slope < 1.05
    assert error_ppb < 6


@pytest.mark.parametrize("name", JOINT)
def test_mask_and_type_are_as_given(name):
    brain = ball_brain()
    found, inside = removed(name)
    assert inside is not brain.mask
    assert np.array_equal(inside, brain.mask)
    assert not found[~inside].any()
    assert found.dtype == np.float32


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_harmonic_field_leaves_no_local_field(voxel_size, direction):
    """Less than 1.2 % of its spread, be it of sources outside or a polynomial."""
    brain = ball_brain(voxel_size, direction)
    x, y, z = positions(brain.mask.shape, voxel_size)
    polynomial = 1e-4 * (2 * z**2 - x**2 - y**2 + x * y - y * z) - 0.002 * x + 0.1
    for field in (brain.background, polynomial):
        rest, inside = remove("joint_tv", field, brain.mask, voxel_size, direction)
        assert np.std(rest[inside]) < 0.012 * np.std(field[inside])


@pytest.mark.parametrize("name", JOINT)
def test_scale_of_the_field_hardly_matters(name):
    """Not exactly: steps are judged by the scale of contrast between tissues."""
    brain = ball_brain()
    one, inside = removed(name)
    two, _ = remove(name, 2 * brain.total(NOISE_PPM), brain.mask)
    assert np.polyfit(one[inside], two[inside], 1)[0] == pytest.approx(2, abs=0.08)
    assert np.std((two - 2 * one)[inside]) < 0.08 * np.std(2 * one[inside])


def test_constant_offset_does_not_matter():
    """3 ppm, as by a wrong receiver frequency, resolved to 2e-7 ppm in single precision."""
    brain = ball_brain()
    found, inside = removed("joint_tv")
    shifted, _ = remove("joint_tv", brain.total(NOISE_PPM) + np.float32(3), brain.mask)
    assert np.std((shifted - found)[inside]) < 1e-4


def test_noise_stays_in_the_local_field():
    """It is neither χ nor harmonic: what neither explains is handed on, to be weighed later."""
    brain = ball_brain()
    noise = np.random.default_rng(3).normal(scale=NOISE_PPM, size=brain.mask.shape)
    rest, inside = remove("joint_tv", noise.astype(np.float32), brain.mask)
    assert np.polyfit(noise[inside], rest[inside], 1)[0] > 0.75


def test_wrong_direction_is_worse():
    brain = ball_brain(CUBES, OBLIQUE)
    wrong, _ = remove("joint_tv", brain.total(NOISE_PPM), brain.mask, CUBES, (1.0, 0.0, 0.0))
    assert brain.error(removed("joint_tv", CUBES, OBLIQUE)[0]) < 0.5 * brain.error(wrong)


@pytest.mark.parametrize("name", JOINT)
def test_threads_do_not_change_a_bit(name):
    brain = ball_brain(BRICKS, OBLIQUE)
    two, _ = remove(name, brain.total(NOISE_PPM), brain.mask, BRICKS, OBLIQUE, threads=2)
    assert np.array_equal(two, removed(name, BRICKS, OBLIQUE)[0])


@pytest.mark.parametrize("name", JOINT)
def test_only_the_mask_and_what_is_in_it_count(name):
    """NaN and infinity around it do no harm, nor that it touches all six faces of the image."""
    brain = ball_brain(BRICKS, OBLIQUE)
    field = np.where(brain.mask, brain.total(NOISE_PPM), np.float32(np.nan))
    field[0, 0, 0] = np.inf
    spoilt, _ = remove(name, field, brain.mask, BRICKS, OBLIQUE)
    found, _ = removed(name, BRICKS, OBLIQUE)
    assert np.array_equal(spoilt, found)
    touching = np.ix_(*(brain.mask.any(axis=axes) for axes in ((1, 2), (0, 2), (0, 1))))
    mask = brain.mask[touching]
    assert all(
        face.any() for axis in range(3) for face in (mask.take(0, axis), mask.take(-1, axis))
    )
    cut, inside = remove(name, brain.total(NOISE_PPM)[touching], mask, BRICKS, OBLIQUE)
    assert np.array_equal(inside, mask)
    assert np.array_equal(cut, found[touching])


def test_smooth_part_is_taken_off_once_and_for_all():
    """The tissues of the χ that comes out are flat: less than 0.3 ppb is found in it."""
    brain = ball_brain(CUBES, OBLIQUE)
    chi = estimate(CUBES, OBLIQUE)
    rest = smooth_chi(chi, brain.mask, CUBES, OBLIQUE, TissueParameters())
    assert 1000 * np.std(rest[brain.mask]) < 0.3
    assert chi.dtype == np.float32
    assert not chi[~brain.mask].any()


def test_tissues_that_cannot_be_told_apart_change_nothing():
    brain = ball_brain()
    parameters = JointTvTissueParameters(tissue=TissueParameters(least_separation=1e4))
    found, _ = joint_tv_tissue(brain.total(NOISE_PPM), brain.mask, CUBES, UPRIGHT, parameters)
    assert np.array_equal(found, removed("joint_tv")[0])
    assert not np.array_equal(found, removed("joint_tv_tissue")[0])


@pytest.mark.parametrize("mask", SMALL_MASKS)
@pytest.mark.parametrize("kind", ["outer", "constant", "noise"])
def test_small_masks_leave_no_more_than_there_was(mask, kind):
    """A plane, a line or a voxel tells next to nothing, but that has to be a number."""
    field = {
        "outer": outer_field(positions(mask.shape, CUBES), OBLIQUE),
        "constant": np.full(mask.shape, 0.1),
        "noise": np.random.default_rng(0).normal(scale=0.01, size=mask.shape),
    }[kind]
    rest, inside = remove("joint_tv_tissue", field.astype(np.float32), mask, CUBES, OBLIQUE)
    assert np.array_equal(inside, mask)
    assert np.isfinite(rest).all()
    assert np.std(rest[mask]) <= np.std(field[mask]) + 1e-6


def test_no_removal_hands_on_the_field():
    brain = ball_brain()
    field = np.where(brain.mask, brain.total(NOISE_PPM), np.nan).astype(float)
    found, inside = no_removal(field, brain.mask, CUBES, UPRIGHT, NoneParameters())
    assert np.array_equal(found[inside], brain.total(NOISE_PPM)[brain.mask])
    assert not found[~inside].any()
    assert found.dtype == np.float32
    assert inside is not brain.mask
    assert np.array_equal(inside, brain.mask)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("name", JOINT)
def test_a_mirrored_head_has_the_mirrored_local_field(name, axis):
    """In an even box of unequal sides: what lies left is treated as what lies right."""
    brain = ball_brain(CUBES, OBLIQUE)
    field, mask = brain.total(NOISE_PPM), brain.mask.copy()
    # the box of the mask even along every axis, and the mask unlike its mirror image
    mask[:40:2, 30:] = False
    for along in range(3):
        planes = np.flatnonzero(mask.any(axis=tuple({0, 1, 2} - {along})))
        if len(planes) % 2:
            mask[(slice(None),) * along + (planes[-1],)] = False
    local, _ = remove(name, field, mask, CUBES, OBLIQUE)
    direction = np.array(OBLIQUE)
    direction[axis] *= -1
    mirrored, _ = remove(
        name, np.flip(field, axis).copy(), np.flip(mask, axis).copy(), CUBES, direction
    )
    difference = 1000 * (np.flip(mirrored, axis) - local)[mask]
    assert np.abs(difference).mean() < 0.05  # ppb: rounding, as conjugate gradients enlarge it
    assert np.abs(difference).max() < 1
