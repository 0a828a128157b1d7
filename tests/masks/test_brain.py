import numpy as np
import pytest
from heads import Head, grid, points

from qsmiron.errors import InputError
from qsmiron.masks.brain import (
    ExtractionParameters,
    extract_brain,
    otsu_threshold,
    refine_brain,
)
from qsmiron.masks.gre import GreMaskParameters, mask_from_magnitude, mask_from_template
from qsmiron.volumes import Volume


def _overlap(one: np.ndarray, two: np.ndarray) -> float:
    return float(2 * (one & two).sum() / (one.sum() + two.sum()))


@pytest.fixture(scope="module")
def case():
    head = Head(9, rotation=(12, -6, 9), scale=(1.04, 0.97, 1))
    shape, affine = grid(3, (204, 240, 240), (8, 3, 0), centre=(0, -18, -10))
    where = points(shape, affine)
    return head, where, affine, head.brain_mask(where)


def test_otsu_splits_two_classes():
    random = np.random.default_rng(0)
    image = np.concatenate([random.normal(2, 0.3, 4000), random.normal(8, 0.5, 2000)])
    assert 2.9 < otsu_threshold(image.reshape(20, 20, 15)) < 7


def test_t1w_with_skull_neck_eyes_and_strong_shading(case):
    head, where, affine, brain = case
    image = Volume(head.t1w(where, bias=0.5), affine)
    found = extract_brain(image, ExtractionParameters())
    assert _overlap(found, brain) > 0.96


def test_magnitude_alone(case):
    head, where, affine, brain = case
    image = Volume(head.magnitude(where, bias=0.5), affine)
    found = mask_from_magnitude(image, GreMaskParameters())
    # fluid around the brain is as bright as it, so the mask may be larger, but holds the brain
    assert found[brain].mean() > 0.98
    assert found.sum() < 1.3 * brain.sum()


def test_a_guess_is_moved_to_the_edge_of_the_tissue(case):
    head, where, _, brain = case
    shape, affine = grid(3, (204, 240, 240), centre=(0, -18, -10))
    where = points(shape, affine)
    brain = head.brain_mask(where)
    guess = np.roll(brain, 2, axis=1)  # 6 mm off
    image = Volume(head.t1w(where), affine)
    found = refine_brain(image, guess, 8.0, ExtractionParameters())
    assert _overlap(guess, brain) < 0.94
    assert _overlap(found, brain) > 0.97


@pytest.mark.parametrize("spacing", [2.0, 3.0, 4.0])
def test_a_thin_bridge_to_a_shell_is_cut_on_any_grid(spacing):
    shape = (np.array([200, 200, 200]) / spacing).astype(int)
    where = points(tuple(shape), np.diag([spacing, spacing, spacing, 1.0])) - 99
    radius = np.linalg.norm(where, axis=-1)
    ball, shell = radius < 60, (radius > 66) & (radius < 84)
    bridge = (np.abs(where[..., :2]).max(axis=-1) < 2.5) & (where[..., 2] > 0) & (radius < 84)
    image = Volume((ball | shell | bridge).astype(np.float32), np.diag([spacing] * 3 + [1.0]))
    found = refine_brain(image, ball, 20.0, ExtractionParameters(closing=0))
    assert _overlap(found, ball) > 0.98


def test_nothing_bright_is_an_error_for_the_user():
    speckle = (np.indices((30, 30, 30)).sum(axis=0) % 2).astype(np.float32)
    with pytest.raises(InputError, match="no bright tissue"):
        extract_brain(Volume(speckle, np.diag([3.0, 3, 3, 1])), ExtractionParameters())


def test_the_template_brain_is_cut_where_there_is_no_signal():
    shape, affine = (24, 24, 24), np.diag([4.0, 4, 4, 1])
    where = points(shape, affine)
    ball = np.linalg.norm(where - 46, axis=-1) < 34
    magnitude = np.full(shape, 100.0, np.float32)
    magnitude[:, :, :7] = 1  # a void at the surface
    magnitude[11:13, 11:13, 11:13] = 1  # and one inside
    found = mask_from_template(
        Volume(magnitude, affine),
        where,
        Volume(ball.astype(np.float32), affine),
        GreMaskParameters(),
    )
    expected = ball.copy()
    expected[:, :, :7] = False
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_voxel_that_is_not_finite_is_no_signal(case, value):
    head, where, affine, brain = case
    data = head.magnitude(where)
    data[0, 0, 0] = value
    image = Volume(data, affine)
    zeroed = data.copy()
    zeroed[0, 0, 0] = 0
    parameters = GreMaskParameters()
    expected = mask_from_magnitude(Volume(zeroed, affine), parameters)
    assert np.array_equal(mask_from_magnitude(image, parameters), expected)
    template = Volume(brain.astype(np.float32), affine)
    found = mask_from_template(image, where, template, parameters)
    assert _overlap(found, brain) > 0.98


@pytest.mark.parametrize("shift", [0, 1000])
def test_no_signal_where_the_brain_should_be_is_an_error_for_the_user(case, shift):
    _, where, affine, brain = case
    template = Volume(brain.astype(np.float32), affine)
    with pytest.raises(InputError, match="no signal"):
        mask_from_template(
            Volume(np.zeros(brain.shape, np.float32), affine),
            where + shift,
            template,
            GreMaskParameters(),
        )
