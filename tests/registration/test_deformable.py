import numpy as np
import pytest
from heads import Head, grid, points
from pydantic import ValidationError

from qsmiron import template
from qsmiron.registration.coordinates import TemplateMap
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
    total_smoothing=(0.7, 0.7),
    step=(0.7, 0.7),
)


def test_a_smooth_displacement_is_recovered(pair):
    head, image, coarse = pair
    found = register_greedy(image, coarse, np.eye(4), SCHEDULE)
    brain = image.data > 0
    assert _error(lambda where: where, head, image) > 4.5
    assert _error(found, head, image) < 2.0
    assert found.jacobian()[brain].min() > 0.2
    again = register_greedy(image, coarse, np.eye(4), SCHEDULE)
    assert np.array_equal(found.displacement, again.displacement)


def test_equal_images_do_not_move(pair):
    coarse = pair[2]
    found = register_greedy(coarse, coarse, np.eye(4), SCHEDULE)
    moved = np.linalg.norm(found.displacement, axis=-1)[coarse.data > 0]
    assert moved.mean() < 0.1 * SPACING


ONE_LEVEL = {
    "shrink": (1,),
    "image_smoothing": (0.0,),
    "step_smoothing": (2.0,),
    "step": (0.7,),
}


def _error(found, head, image):
    """Mean distance (mm) of found and true template coordinates in the brain."""
    where = grid_points(image.data.shape, image.affine)
    return np.linalg.norm(found(where) - head.true_coordinates(where), axis=-1)[
        image.data > 0
    ].mean()


def test_a_displacement_to_start_from_is_kept(pair):
    """Without an iteration: on its own grid to .001 mm, on another to .1 mm."""
    head, image, coarse = pair
    idle = GreedyParameters(iterations=(0,), total_smoothing=(0.7,), **ONE_LEVEL)
    pose = np.diag([1.02, 0.97, 1.01, 1])
    for size, tolerance in ((None, 1e-3), (3.0, 0.1)):
        shape, affine = image.data.shape, image.affine
        if size:
            shape, affine = grid(size, (184, 220, 192))
        where = points(shape, affine)
        displacement = (head.true_coordinates(where) - where).astype(np.float32)
        start = TemplateMap(displacement, affine, pose)
        found = register_greedy(image, coarse, start, idle)
        here = points(image.data.shape, image.affine).astype(np.float32)
        assert found.displacement.shape == (*image.data.shape, 3)
        apart = np.linalg.norm(found(here) - start(here), axis=-1)[image.data > 0]
        assert apart.max() < tolerance
        np.testing.assert_array_equal(found.affine, pose)


def test_going_on_from_a_map_improves_it(pair):
    """Half of the true displacement, then a few iterations: nearer to the truth, and < 2 mm."""
    head, image, coarse = pair
    where = points(image.data.shape, image.affine)
    half = TemplateMap(
        ((head.true_coordinates(where) - where) / 2).astype(np.float32), image.affine, np.eye(4)
    )
    further = GreedyParameters(iterations=(20,), total_smoothing=(0.7,), **ONE_LEVEL)
    before = _error(half, head, image)
    after = _error(register_greedy(image, coarse, half, further), head, image)
    assert before > 2.2
    assert after < 1.6


def test_smoothing_of_the_whole_displacement_makes_it_stiffer(pair):
    _, image, coarse = pair
    bends = []
    for stiffness in (0.0, 0.7, 1.5):
        parameters = GreedyParameters(iterations=(15,), total_smoothing=(stiffness,), **ONE_LEVEL)
        found = register_greedy(image, coarse, np.eye(4), parameters)
        bends.append(found.jacobian()[image.data > 0].std())
    assert bends[0] > 1.1 * bends[1] > 1.1 * bends[2] * 1.1


def test_steps_shrink_over_a_level(pair):
    """Two iterations: the second one moves at most a tenth of the first."""
    _, image, coarse = pair
    none = (0.0,)
    one, two = (
        register_greedy(
            image,
            coarse,
            np.eye(4),
            GreedyParameters(iterations=(count,), total_smoothing=none, **ONE_LEVEL),
        ).displacement
        for count in (1, 2)
    )
    assert np.linalg.norm(one, axis=-1).max() == pytest.approx(0.7 * SPACING, rel=1e-4)
    # u(x) ← s(x) + u(x + s(x)): the step and a little of the first displacement's slope
    assert np.linalg.norm(two - one, axis=-1).max() < 0.2 * 0.7 * SPACING


def test_levels_need_one_value_each():
    with pytest.raises(ValidationError, match="every level"):
        GreedyParameters(iterations=(10, 5))
    assert GreedyParameters().coarse().shrink == GreedyParameters().shrink[:-1]
