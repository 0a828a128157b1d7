"""The whole path from a head with skull and neck to labels on an oblique GRE grid."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from heads import CORTEX, SUBCORTEX, Head, dice, grid, points

from qsmiron import template
from qsmiron.masks.gre import GreMaskParameters, mask_from_template
from qsmiron.registration.labels import carry_labels
from qsmiron.registration.scan import RegistrationParameters, register_scan
from qsmiron.volumes import Volume, read_volume


def _register(head: Head, size: float, parameters: RegistrationParameters):
    shape, affine = grid(size, (200, 240, 250), (3, -2, 4), centre=(0, -18, -15))
    t1w = Volume(head.t1w(points(shape, affine)), affine)
    shape, affine = grid(size, (200, 224, 160), (10, 3, 0), centre=(0, -18, 10))
    where = points(shape, affine)
    # the GRE is scanned after the head moved by (3, -2, 1.5) mm
    moved = affine.copy()
    moved[:3, 3] += 3, -2, 1.5
    gre = Volume(head.magnitude(where), moved)
    brain = read_volume(template.template_t1w())
    coordinates, quality = register_scan(t1w, [gre], brain, parameters)
    return where, gre, coordinates, quality


def test_labels_land_where_they_belong_at_low_resolution(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    head = Head(7, rotation=(14, -9, 11), shift=(6, -8, 10), scale=(1.05, 0.96, 1.02))
    parameters = RegistrationParameters(
        template={
            "spacing": 4.0,
            "greedy": {
                "shrink": (2, 1),
                "iterations": (30, 12),
                "image_smoothing": (0.3, 0.0),
                "step_smoothing": (2.5, 2.0),
                "step": (0.7, 0.7),
            },
        },
    )
    where, gre, coordinates, quality = _register(head, 4.0, parameters)
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    truth, labels = head.labels(where), carry_labels(coordinates, atlas)
    assert dice(truth, labels, SUBCORTEX).mean() > 0.7
    assert dice(truth, labels, CORTEX).mean() > 0.6
    mask = mask_from_template(
        gre, coordinates, read_volume(template.template_t1w()), GreMaskParameters()
    )
    both = (mask & head.brain_mask(where)).sum()
    assert 2 * both / (mask.sum() + head.brain_mask(where).sum()) > 0.95
    assert quality["registration_similarity"] > 0.65
    assert quality["jacobian_min"] > 0
    assert abs(quality["translation"] - np.sqrt(9 + 4 + 2.25)) < 2
    assert not list(Path(tmp_path).iterdir())  # nothing of ants is left behind


@pytest.mark.slow
def test_dice_at_two_millimetres_and_the_same_again():
    head = Head(8, rotation=(-20, 8, 15), shift=(-8, 10, -12), scale=(0.95, 0.97, 0.95))
    where, _, coordinates, quality = _register(head, 2.0, RegistrationParameters())
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    truth, labels = head.labels(where), carry_labels(coordinates, atlas)
    assert dice(truth, labels, SUBCORTEX).mean() > 0.88
    assert dice(truth, labels, CORTEX).mean() > 0.85
    assert quality["jacobian_min"] > 0
    assert abs(quality["translation"] - np.sqrt(9 + 4 + 2.25)) < 0.8
    _, _, again, _ = _register(
        Head(8, rotation=(-20, 8, 15), shift=(-8, 10, -12), scale=(0.95, 0.97, 0.95)),
        2.0,
        RegistrationParameters(),
    )
    assert np.array_equal(coordinates, again)
