"""A scan that cannot be registered is a result without regions, not the end of the run."""

import json
import tempfile
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from heads import COARSE, Head, grid, points, reference

from qsmiron import template
from qsmiron.registration.coordinates import NOWHERE_MM, is_registered, read_coordinates
from qsmiron.registration.labels import carry_labels
from qsmiron.registration.rigid_map import read_rigid_map
from qsmiron.registration.scan import RegistrationParameters, register_scan
from qsmiron.registration.tissues import tissue_labels
from qsmiron.spaces import corners
from qsmiron.volumes import Volume, read_json, read_volume, write_volume

SHAPE, AFFINE = grid(4, (200, 224, 160), (10, 3, 0), centre=(0, -18, 10))


@pytest.fixture(scope="module")
def magnitude():
    return Volume(Head(3).magnitude(points(SHAPE, AFFINE)), AFFINE)


@pytest.mark.parametrize(
    ("t1w", "reason"),
    [
        (np.zeros(SHAPE, np.float32), "T1w: found one value everywhere"),
        (np.full(SHAPE, 7, np.float32), "T1w: found one value everywhere"),
        (np.eye(SHAPE[0], dtype=np.float32)[:, :, None] * np.ones(SHAPE[2]), "no bright tissue"),
        (np.random.default_rng(1).random(SHAPE, np.float32), "T1w and template do not match"),
    ],
)
def test_without_a_head(magnitude, t1w, reason):
    parameters = RegistrationParameters(**COARSE)
    scan = register_scan(Volume(t1w, AFFINE), [magnitude], reference(), parameters)
    assert list(scan.quality) == ["failed"]
    assert reason in scan.quality["failed"] and "\n" not in scan.quality["failed"]
    assert (scan.coordinates == NOWHERE_MM).all()
    assert scan.coordinates.shape == scan.tissues.shape == (*SHAPE, 3)
    assert not is_registered(scan.coordinates)
    brain = reference().t1w
    box = corners(brain.data.shape, brain.affine)
    assert (box.min(axis=0) - 100 > NOWHERE_MM).all()
    np.testing.assert_allclose(scan.gre_to_t1w, np.eye(4), atol=1e-12)
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    assert not carry_labels(scan.coordinates, atlas).any()
    assert not scan.tissues.any() and not tissue_labels(scan.tissues).any()


def test_a_magnitude_of_nothing(magnitude):
    empty = Volume(np.zeros(SHAPE, np.float32), AFFINE)
    scan = register_scan(magnitude, [empty], reference(), RegistrationParameters())
    assert "GRE magnitude: found one value" in scan.quality["failed"]


def test_the_scripts_go_on(tmp_path, monkeypatch, capsys, magnitude):
    ants = tmp_path / "ants"
    ants.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(ants))
    write_volume(tmp_path / "T1w.nii.gz", np.zeros((50, 60, 50), np.float32), np.diag([4, 4, 4, 1]))
    write_volume(tmp_path / "magnitude.nii.gz", magnitude.data, AFFINE)
    outputs = {
        "coordinates": tmp_path / "coordinates.nii.gz",
        "gre-to-t1w": tmp_path / "rigid.json",
        "tissues": tmp_path / "tissues.nii.gz",
        "quality": tmp_path / "quality.json",
    }
    import_module("register_subject").main(
        [
            *("--t1w", str(tmp_path / "T1w.nii.gz")),
            *("--magnitude", str(tmp_path / "magnitude.nii.gz")),
            *("--parameters", json.dumps(COARSE)),
            *(part for key, path in outputs.items() for part in (f"--{key}", str(path))),
        ]
    )
    assert "warning: no registration: T1w: found one value" in capsys.readouterr().err
    assert not list(Path(ants).iterdir())
    coordinates = read_coordinates(outputs["coordinates"])
    assert coordinates.data.shape == (*SHAPE, 3)
    assert not is_registered(coordinates.data)
    np.testing.assert_array_equal(read_rigid_map(outputs["gre-to-t1w"]), np.eye(4))
    assert not read_volume(outputs["tissues"], dimensions=4).data.any()
    assert "T1w" in read_json(outputs["quality"])["failed"]

    for name, given in (("fallback", ["--coordinates", str(outputs["coordinates"])]), ("none", [])):
        import_module("mask_brain").main(
            [
                *("--magnitude", str(tmp_path / "magnitude.nii.gz"), *given),
                *("--mask", str(tmp_path / f"{name}.nii.gz")),
            ]
        )
        sidecar = read_json(tmp_path / f"{name}.json")
        assert sidecar["Description"] == "magnitude alone, by brightness"
    mask = read_volume(tmp_path / "fallback.nii.gz").data > 0
    assert np.array_equal(mask, read_volume(tmp_path / "none.nii.gz").data > 0)
    brain = Head(3).brain_mask(points(SHAPE, AFFINE))
    assert 2 * (mask & brain).sum() / (mask.sum() + brain.sum()) > 0.85

    (tmp_path / "atlas").mkdir()
    dk = Path(__file__).parents[2] / "config/atlases/DesikanKilliany.tsv"
    import_module("carry_labels").main(
        [
            *("--coordinates", str(outputs["coordinates"])),
            *("--atlas", str(template.desikan_killiany()), "--label-table", str(dk)),
            *("--labels", str(tmp_path / "atlas/dseg.nii.gz")),
        ]
    )
    assert not read_volume(tmp_path / "atlas/dseg.nii.gz").data.any()
