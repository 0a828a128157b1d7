import numpy as np
import pytest
from total_variation.double_precision import adjoint, gradient

from qsmiron.total_variation.loops import gradient_adjoint
from qsmiron.total_variation.shrinkage import GradientShrinkage, flat_weights
from qsmiron.total_variation.slabs import Slabs

SHAPE = (7, 6, 5)
THRESHOLDS = (0.3, 0.5, 0.1)


def random(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


class PlainShrinkage:
    """The same in double precision, with z by soft thresholding rather than by what clip leaves."""

    def __init__(self, thresholds, weights=1.0, relaxation=1.0):
        edges = [
            np.minimum(weights, np.roll(weights, -1, axis)) for axis in range(np.ndim(weights))
        ]
        self.limits = np.reshape(thresholds, (3, 1, 1, 1)) * (edges or 1)
        self.relaxation = relaxation
        self.dual = self.split = np.zeros((3, *SHAPE))

    def update(self, x):
        relaxed = self.relaxation * gradient(x.astype(float)) + (1 - self.relaxation) * self.split
        p = relaxed + self.dual
        self.split = np.sign(p) * np.maximum(np.abs(p) - self.limits, 0)
        self.dual = p - self.split
        return adjoint(self.split - self.dual)


@pytest.mark.parametrize("relaxation", [1.0, 1.7])
@pytest.mark.parametrize("weighted", [False, True])
def test_updates_are_those_of_plain_numpy(weighted, relaxation):
    """Several in a row, so that what is kept of the update before counts too."""
    weights = np.abs(random(*SHAPE, seed=9)) if weighted else 1.0
    shrinkage = GradientShrinkage(SHAPE, THRESHOLDS, relaxation=relaxation)
    if weighted:
        shrinkage.weights = weights
    plain = PlainShrinkage(THRESHOLDS, weights, relaxation)
    for step in range(5):
        x = random(*SHAPE, seed=step)
        expected = plain.update(x)
        assert shrinkage.update(x) == pytest.approx(expected, abs=1e-6 * np.abs(expected).max())


def test_thresholds_that_nothing_exceeds_leave_no_gradient():
    """z = 0 and u = ∇x: what the next x is drawn to is −∇ᵀ∇x."""
    x = random(*SHAPE)
    drawn = GradientShrinkage(SHAPE, (100, 100, 100)).update(x)
    assert drawn == pytest.approx(-adjoint(gradient(x)), abs=3e-6)


def test_weight_0_leaves_the_gradient_as_it_is():
    """At every call anew, since no dual is left behind."""
    shrinkage = GradientShrinkage(SHAPE, THRESHOLDS)
    shrinkage.weights = np.zeros(SHAPE, np.float32)
    for step in range(2):
        x = random(*SHAPE, seed=step)
        assert shrinkage.update(x) == pytest.approx(adjoint(gradient(x)), abs=3e-6)


def test_an_edge_counts_as_little_as_either_of_its_voxels():
    """The six differences to and from the one voxel of weight 0 escape shrinkage."""
    x = random(*SHAPE)
    shrinkage = GradientShrinkage(SHAPE, (100, 100, 100))
    shrinkage.weights = np.ones(SHAPE, np.float32)
    shrinkage.weights[3, 2, 4] = 0
    q = -gradient(x)
    for axis in range(3):
        before = np.array([3, 2, 4]) - np.eye(3, dtype=int)[axis]
        for start in ((3, 2, 4), before):
            q[(axis, *start)] *= -1
    assert shrinkage.update(x) == pytest.approx(adjoint(q), abs=3e-6)


def test_adjoint_is_that_of_the_gradient():
    """⟨∇x, q⟩ = ⟨x, ∇ᵀq⟩ for whatever q; about 600 terms of size 1 each."""
    x, q = random(*SHAPE), random(3, *SHAPE, seed=1)
    result = np.empty(SHAPE, np.float32)
    gradient_adjoint(0, len(x), q, result)
    left = np.vdot(gradient(x.astype(float)), q)
    assert np.vdot(x.astype(float), result) == pytest.approx(left, abs=1e-5)
    # Without shrinkage an update is ∇ᵀ∇x, the compiled gradient under the compiled adjoint.
    square = np.vdot(x.astype(float), GradientShrinkage(SHAPE, (0, 0, 0)).update(x))
    assert square == pytest.approx(np.square(gradient(x.astype(float))).sum(), rel=1e-6)


def test_threads_do_not_change_a_bit():
    """Seven planes on two and three threads: slabs of unequal height."""
    weights = np.abs(random(*SHAPE, seed=9))
    results = []
    for threads in (1, 2, 3):
        with Slabs(threads) as slabs:
            shrinkage = GradientShrinkage(SHAPE, THRESHOLDS, slabs)
            shrinkage.weights = weights
            results.append(
                [shrinkage.update(random(*SHAPE, seed=step)).copy() for step in range(3)]
            )
    assert np.array_equal(results[0], results[1])
    assert np.array_equal(results[0], results[2])


def test_more_threads_than_planes():
    x = random(2, 3, 4)
    with Slabs(3) as slabs:
        drawn = GradientShrinkage(x.shape, THRESHOLDS, slabs).update(x).copy()
    assert np.array_equal(drawn, GradientShrinkage(x.shape, THRESHOLDS).update(x))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_weights_of_a_ramp_and_of_a_step(axis):
    """Steps of 1, 2 and 10 times the median, shared by two voxels; the scale is 1.5 medians."""
    voxel_size = [1.0, 1.0, 1.0]
    voxel_size[axis] = 2.0
    slopes = np.full(20, 0.003)
    slopes[6], slopes[12] = 2 * 0.003, 10 * 0.003
    profile = np.cumsum(slopes * voxel_size[axis])
    x = np.moveaxis(np.broadcast_to(profile, (20, 20, 20)), 2, axis).astype(np.float32)
    inside = np.zeros((20, 20, 20), bool)
    inside[2:18, 2:18, 2:18] = True
    weights = np.moveaxis(flat_weights(x, inside, voxel_size), axis, 0)
    assert weights[3, 8, 8] == pytest.approx(9 / 13, abs=1e-3)
    # On either side of the place where the slope is added.
    assert weights[[5, 6], 8, 8] == pytest.approx(1 / 2, abs=1e-3)
    assert weights[[11, 12], 8, 8] == pytest.approx(9 / 130, abs=1e-3)
    assert (weights[0] == 1).all()  # outside
    assert (weights[19] == 1).all()  # outside, where the ramp wraps around


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_weights_go_by_the_gradient_per_mm(axis):
    """A ramp of one slope along each axis: wherever there are two, |∇x|² is twice the median."""
    voxel_size = [1.0, 2.5, 0.4]
    profile = np.clip(np.arange(20) - 12, 0, None) * voxel_size[axis]
    x = 0.003 * np.moveaxis(np.broadcast_to(profile, (20, 20, 20)), 2, axis)
    other = (axis + 1) % 3
    ramp = np.arange(20) * voxel_size[other]
    x = (x + 0.003 * np.moveaxis(np.broadcast_to(ramp, (20, 20, 20)), 2, other)).astype(np.float32)
    inside = np.zeros((20, 20, 20), bool)
    inside[2:18, 2:18, 2:18] = True
    weights = np.moveaxis(flat_weights(x, inside, voxel_size), axis, 0)
    assert weights[5, 8, 8] == pytest.approx(9 / 13, abs=1e-3)
    assert weights[15, 8, 8] == pytest.approx(9 / 17, abs=1e-3)


def test_weights_do_not_depend_on_units():
    """Those of χ in ppb instead of ppm, or of edges in cm, are the same."""
    x = random(9, 9, 9)
    inside = np.ones(x.shape, bool)
    weights = flat_weights(x, inside, (1, 2, 3))
    assert flat_weights(1000 * x, inside, (0.1, 0.2, 0.3)) == pytest.approx(weights, abs=1e-5)


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_mirrored_image_is_shrunk_like_the_image(axis):
    """What the next x is drawn to is mirrored too, of each of several updates."""
    inside = np.ones(SHAPE, bool)

    def drawn(turn):
        shrinkage = GradientShrinkage(SHAPE, THRESHOLDS)
        for step in range(3):
            x = np.ascontiguousarray(turn(random(*SHAPE, seed=step)))
            shrinkage.weights = flat_weights(x, inside, (1, 2, 3))
            yield turn(shrinkage.update(x)).copy()

    for one, mirrored in zip(drawn(lambda x: x), drawn(lambda x: np.flip(x, axis)), strict=True):
        assert mirrored == pytest.approx(one, abs=1e-5)


def test_constant_image_counts_fully():
    inside = np.ones(SHAPE, bool)
    weights = flat_weights(np.full(SHAPE, 0.1, np.float32), inside, (1, 1, 1))
    assert (weights == 1).all()
    assert weights.dtype == np.float32
