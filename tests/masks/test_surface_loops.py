"""The compiled loops, against scipy and against the same steps written plainly on whole arrays."""

import numpy as np
import pytest

from qsmiron.masks.surface_loops import interpolate, minimise
from qsmiron.spaces import look_up


@pytest.mark.parametrize("shape", [(7, 9, 8), (6, 1, 5), (1, 1, 1)])
def test_points_are_looked_up_as_scipy_does(shape):
    rng = np.random.default_rng(1)
    image = rng.random(shape).astype(np.float32)
    affine = np.array([[1.9, 0.1, 0.2, -5], [0, 2.1, 0.3, 2], [-0.1, 0, 1.5, 1], [0, 0, 0, 1]])
    inside = rng.uniform(-1, np.array(shape), (500, 3)) @ affine[:3, :3].T + affine[:3, 3]
    points = np.concatenate([inside, np.full((1, 3), np.nan)]).astype(np.float32)
    found = np.empty(len(points), np.float32)
    interpolate(image, np.linalg.inv(affine)[:3], points, found)
    expected = look_up(image, affine, points[:-1].astype(float))
    np.testing.assert_allclose(found[:-1], expected, atol=1e-5)
    assert found[-1] == 0
    if min(shape) > 1:
        assert (found > 0).sum() > 100


def plainly(inside, price, cost, free, iterations):
    u, ahead = inside.astype(float), inside.astype(float)
    dual = np.zeros((3, *u.shape))
    here = (slice(-1),) * 3
    for _ in range(iterations):
        for axis in range(3):
            dual[axis][here] += 0.05 * (np.roll(ahead, -1, axis) - ahead)[here]
        length = np.sqrt((dual**2).sum(axis=0))
        dual *= np.minimum(1, price / np.maximum(length, 1e-30))
        flow = sum(dual[axis] - np.roll(dual[axis], 1, axis) for axis in range(3))
        moves = free.copy()
        moves[0], moves[:, 0], moves[:, :, 0] = False, False, False
        new = np.where(moves, np.clip(u + 1.6 * (flow - cost), 0, 1), u)
        u, ahead = new, 2 * new - u
    return u


def test_only_edges_that_can_move_are_iterated_and_nothing_else_differs():
    rng = np.random.default_rng(2)
    shape = (13, 12, 11)
    inside = (rng.random(shape) < 0.5).astype(np.float32)
    price = rng.uniform(0.05, 1, shape).astype(np.float32)
    cost = rng.uniform(-0.4, 0.4, shape).astype(np.float32)
    free = rng.random(shape) < 0.6
    found = inside.copy()
    minimise(found, price, cost, free, 40)
    np.testing.assert_allclose(found, plainly(inside, price, cost, free, 40), atol=1e-4)
    assert np.array_equal(found[~free], inside[~free])
    assert (found[free] != inside[free]).mean() > 0.1


def test_the_cut_lies_where_it_is_cheap():
    inside = np.zeros((24, 8, 8), np.float32)
    inside[:6] = 1
    free = np.zeros(inside.shape, bool)
    free[3:21] = True
    price = np.ones(inside.shape, np.float32)
    price[14] = 0.05  # an edge from plane 14 to plane 15
    price[:, 0], price[:, :, 0] = 0, 0  # the first rows keep their value and hold nobody back
    minimise(inside, price, np.zeros_like(inside), free, 300)
    assert (inside[1:15, 1:-1, 1:-1] > 0.99).all()
    assert (inside[15:, 1:-1, 1:-1] < 0.01).all()
