from functools import lru_cache

import numpy as np
import pytest
from background.ball_brain import CUBES, GEOMETRIES, OBLIQUE, UPRIGHT, ball_brain

from qsmiron.background.joint_tv import (
    JointTvTissueParameters,
    chi_with_tissue,
)
from qsmiron.inversion.single_step import SingleStepParameters, single_step
from qsmiron.inversion.tv import TvParameters, total_variation

NOISE_PPM = 0.001


def invert(brain, field, threads=1, magnitude=None, direction=None, **parameters):
    return single_step(
        field,
        brain.mask,
        brain.voxel_size,
        brain.direction if direction is None else direction,
        SingleStepParameters(**parameters),
        threads,
        magnitude,
    )


@lru_cache
def inverted(voxel_size=CUBES, direction=UPRIGHT):
    brain = ball_brain(voxel_size, direction)
    return invert(brain, brain.total(NOISE_PPM))


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_parts_come_back_from_the_total_field(voxel_size, direction):
    """Their means, to 6 ppb, with a background ten times as strong as the local field."""
    brain = ball_brain(voxel_size, direction)
    field = brain.total(NOISE_PPM)
    assert brain.background[brain.mask].std() > 9 * brain.local[brain.mask].std()
    chi = inverted(voxel_size, direction)
    slope, error = brain.regional(chi)
    assert 0.95 < slope < 1.05
    assert error < 6
    assert chi.dtype == np.float32
    assert not chi[~brain.mask].any()
    # An inversion that knows no background cannot do it.
    plain = total_variation(field, brain.mask, voxel_size, direction, TvParameters())
    assert brain.regional(plain)[1] > 10 * error


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES[1:])
def test_a_local_field_does_no_harm(voxel_size, direction):
    brain = ball_brain(voxel_size, direction)
    from_local = invert(brain, brain.total(NOISE_PPM) - brain.background)
    from_total = inverted(voxel_size, direction)
    (slope, error), (_, expected) = brain.regional(from_local), brain.regional(from_total)
    assert 0.95 < slope < 1.05
    assert error < expected + 0.3
    # voxel by voxel it is another minimum: the penalty of edges is not convex
    assert 1000 * np.std((from_local - from_total)[brain.mask]) < 5


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES[1:])
def test_a_local_field_does_no_harm_to_any_voxel_while_edges_keep_their_penalty(
    voxel_size, direction
):
    """Then there is one minimum only."""
    brain = ball_brain(voxel_size, direction)
    total = brain.total(NOISE_PPM)
    from_total, from_local = (
        invert(brain, field, reweighted_at=()) for field in (total, total - brain.background)
    )
    assert 1000 * np.std((from_local - from_total)[brain.mask]) < 3


def test_it_is_the_chi_of_the_joint_estimate():
    brain = ball_brain()
    field = brain.total(NOISE_PPM)
    joint = chi_with_tissue(field, brain.mask, CUBES, UPRIGHT, JointTvTissueParameters())
    assert np.array_equal(inverted(), joint)


def test_magnitude_is_not_used():
    brain = ball_brain()
    nothing = np.zeros(brain.mask.shape, np.float32)
    assert np.array_equal(invert(brain, brain.total(NOISE_PPM), magnitude=nothing), inverted())


def test_wrong_direction_is_worse():
    brain = ball_brain(CUBES, OBLIQUE)
    slope, _ = brain.regional(invert(brain, brain.total(NOISE_PPM), direction=(1.0, 0.0, 0.0)))
    assert slope < 0.5


def test_threads_do_not_change_a_bit():
    brain = ball_brain(CUBES, OBLIQUE)
    two = invert(brain, brain.total(NOISE_PPM), threads=2)
    assert np.array_equal(two, inverted(CUBES, OBLIQUE))
