import numpy as np
import pytest
from heads import Head, grid, points
from pydantic import ValidationError

from qsmiron import template
from qsmiron.registration.deformable import GreedyParameters, register_greedy
from qsmiron.spaces import decimate, grid_points
from qsmiron.volumes import Volume, read_volume

SPACING = 4.0


@pytest.fixture(scope="module")
def pair():
    head = Head(5, displacement=3.5)
    shape, affine = grid(SPACING, (168, 204, 176))
    where = points(shape, affine)
    image = head.t1w(where, bias=0.2) * head.brain_mask(where)
    coarse = decimate(read_volume(template.template_t1w()), 4, 0.2)
    return head, Volume(image, affine), coarse


SCHEDULE = GreedyParameters(
    shrink=(2, 1),
    iterations=(30, 15),
    image_smoothing=(0.3, 0.0),
    step_smoothing=(2.5, 2.0),
    step=(0.7, 0.7),
)


def test_a_smooth_displacement_is_recovered(pair):
    head, image, coarse = pair
    found = register_greedy(image, coarse, np.eye(4), SCHEDULE)
    brain = image.data > 0
    where = grid_points(image.data.shape, image.affine)
    truth = head.true_coordinates(where)
    before = np.linalg.norm(where - truth, axis=-1)[brain].mean()
    after = np.linalg.norm(found(where) - truth, axis=-1)[brain].mean()
    assert before > 4.5
    assert after < 2.0
    assert found.jacobian()[brain].min() > 0.2
    again = register_greedy(image, coarse, np.eye(4), SCHEDULE)
    assert np.array_equal(found.displacement, again.displacement)


def test_equal_images_do_not_move(pair):
    coarse = pair[2]
    found = register_greedy(coarse, coarse, np.eye(4), SCHEDULE)
    moved = np.linalg.norm(found.displacement, axis=-1)[coarse.data > 0]
    assert moved.mean() < 0.1 * SPACING


def test_levels_need_one_value_each():
    with pytest.raises(ValidationError, match="every level"):
        GreedyParameters(iterations=(10, 5))
    assert GreedyParameters().coarse().shrink == GreedyParameters().shrink[:-1]
