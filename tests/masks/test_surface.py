"""The surface in the T1w, of heads whose brain is known and by maps that are wrong at its edge."""

import numpy as np
import pytest
from heads import Head, grid, points, reference
from scipy import ndimage

from qsmiron.errors import InputError
from qsmiron.masks.gre import GreMaskParameters, brain_of, mask_from_t1w
from qsmiron.masks.surface import SurfaceParameters, TemplateBrain
from qsmiron.spaces import look_up
from qsmiron.volumes import Volume


def _overlap(one: np.ndarray, two: np.ndarray) -> float:
    return float(2 * (one & two).sum() / (one.sum() + two.sum()))


@pytest.fixture(scope="module")
def template() -> TemplateBrain:
    parts = reference()
    return TemplateBrain(Volume(brain_of(parts.t1w), parts.t1w.affine), parts.grey, parts.white)


@pytest.fixture(scope="module")
def case():
    """T1w, where its voxels lie in the template, its brain, and the map stretched downwards."""
    head = Head(9, rotation=(6, -4, 5), scale=(1.04, 0.97, 1))
    shape, affine = grid(3, (204, 240, 240), centre=(0, -18, -10))
    where = points(shape, affine)
    brain = head.brain_mask(where)
    there = head.true_coordinates(where).astype(np.float32)
    depth = ndimage.distance_transform_edt(brain) * 3
    # as if muscle below the brain were brain: 12 mm near the surface, nothing deep inside
    below = np.clip((20 - there[..., 2]) / 40, 0, 1) * np.clip(1 - depth / 8, 0, 1)
    stretched = there.copy()
    stretched[..., 2] += 12 * below
    return Volume(head.t1w(where), affine), there, brain, stretched


def _mask(t1w: Volume, there: np.ndarray, template: TemplateBrain, **changed) -> np.ndarray:
    parameters = GreMaskParameters(surface=SurfaceParameters(spacing=3, **changed))
    coordinates = Volume(there, t1w.affine)
    return mask_from_t1w(t1w, t1w, np.eye(4), coordinates, template, parameters)


def test_the_true_map_gives_the_brain(case, template):
    t1w, there, brain, _ = case
    found = _mask(t1w, there, template)
    assert _overlap(found, brain) > 0.96
    assert found[ndimage.binary_erosion(brain, iterations=1)].mean() > 0.999


def test_a_map_stretched_over_muscle_takes_none_in(case, template):
    t1w, _, brain, stretched = case
    far = ndimage.distance_transform_edt(~brain) * 3 > 4
    inside = template.inside
    carried = look_up(inside.data.astype(np.float32), inside.affine, stretched) > 0.5
    found = _mask(t1w, stretched, template)
    assert (carried & far).sum() > 500
    assert (found & far).sum() < 0.15 * (carried & far).sum()
    assert _overlap(found, brain) > 0.95


def test_scale_and_storage_order_of_the_images_do_not_matter(case, template):
    t1w, there, _, _ = case
    first = _mask(t1w, there, template)
    assert np.array_equal(_mask(Volume(t1w.data * 8, t1w.affine), there, template), first)
    flip = np.diag([-1.0, 1, 1, 1])
    flip[0, 3] = t1w.data.shape[0] - 1
    turned = Volume(t1w.data[::-1].copy(), t1w.affine @ flip)
    assert np.array_equal(_mask(turned, there[::-1].copy(), template)[::-1], first)


def test_beyond_the_t1w_the_template_decides(case, template):
    t1w, there, brain, _ = case
    cut = t1w.data.shape[2] * 2 // 3
    low = Volume(t1w.data[:, :, :cut].copy(), t1w.affine)
    found = mask_from_t1w(
        t1w,
        low,
        np.eye(4),
        Volume(there, t1w.affine),
        template,
        GreMaskParameters(surface=SurfaceParameters(spacing=3)),
    )
    assert _overlap(found[:, :, cut:], brain[:, :, cut:]) > 0.93


def test_a_t1w_without_signal_is_an_error_for_the_user(case, template):
    t1w, there, _, _ = case
    with pytest.raises(InputError, match="no signal of the T1w"):
        mask_from_t1w(
            t1w,
            Volume(np.zeros_like(t1w.data), t1w.affine),
            np.eye(4),
            Volume(there, t1w.affine),
            template,
            GreMaskParameters(),
        )
