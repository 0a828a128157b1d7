"""The whole path from a head with skull and neck to labels on an oblique GRE grid."""

import tempfile
from pathlib import Path

import numpy as np
import pytest
from heads import COARSE, CORTEX, SUBCORTEX, Head, dice, reference, scans

from qsmiron import template
from qsmiron.masks.gre import GreMaskParameters, mask_from_template
from qsmiron.registration.labels import carry_labels
from qsmiron.registration.scan import RegistrationParameters, register_scan
from qsmiron.registration.tissues import tissue_labels
from qsmiron.volumes import read_volume


def _register(head: Head, size: float, parameters: RegistrationParameters):
    t1w, gre, where = scans(head, size)
    return where, gre, register_scan(t1w, [gre], reference(), parameters)


def test_labels_land_where_they_belong_at_low_resolution(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    head = Head(7, rotation=(14, -9, 11), shift=(6, -8, 10), scale=(1.05, 0.96, 1.02))
    where, gre, scan = _register(head, 4.0, RegistrationParameters(**COARSE))
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    truth, labels = head.labels(where), carry_labels(scan.coordinates, atlas)
    assert dice(truth, labels, SUBCORTEX).mean() > 0.8
    assert dice(truth, labels, CORTEX).mean() > 0.78
    mask = mask_from_template(
        gre, scan.coordinates, read_volume(template.template_t1w()), GreMaskParameters()
    )
    brain = head.brain_mask(where)
    assert 2 * (mask & brain).sum() / (mask.sum() + brain.sum()) > 0.95
    assert scan.quality["registration_similarity"] > 0.85
    assert scan.quality["jacobian_min"] > 0
    assert "failed" not in scan.quality
    assert abs(scan.quality["translation"] - np.sqrt(9 + 4 + 2.25)) < 2
    np.testing.assert_allclose(scan.gre_to_t1w[:3, :3], np.eye(3), atol=0.02)

    assert scan.tissues.shape == (*gre.data.shape, 3)
    total = scan.tissues.sum(axis=-1)
    assert total.min() >= 0 and total.max() < 1 + 1e-4
    tissue = tissue_labels(scan.tissues)
    assert dice(head.tissue_classes(where), tissue, [1, 2]).min() > 0.7
    assert not list(Path(tmp_path).iterdir())  # nothing of ants is left behind


@pytest.mark.nightly
def test_dice_at_two_millimetres_and_the_same_again():
    head = Head(8, rotation=(-20, 8, 15), shift=(-8, 10, -12), scale=(0.95, 0.97, 0.95))
    where, _, scan = _register(head, 2.0, RegistrationParameters())
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    truth, labels = head.labels(where), carry_labels(scan.coordinates, atlas)
    assert dice(truth, labels, SUBCORTEX).mean() > 0.88
    assert dice(truth, labels, CORTEX).mean() > 0.85
    assert dice(head.tissue_classes(where), tissue_labels(scan.tissues), [1, 2]).min() > 0.8
    assert scan.quality["jacobian_min"] > 0
    assert abs(scan.quality["translation"] - np.sqrt(9 + 4 + 2.25)) < 0.8
    same = Head(8, rotation=(-20, 8, 15), shift=(-8, 10, -12), scale=(0.95, 0.97, 0.95))
    _, _, again = _register(same, 2.0, RegistrationParameters())
    assert np.array_equal(scan.coordinates, again.coordinates)
    assert np.array_equal(scan.tissues, again.tissues)
