"""Another template: the map's inverse, the script, and labels through it."""

import json

import numpy as np
import pytest
from heads import COARSE, Head, grid, points, rotation_matrix

import register_template
from qsmiron import template
from qsmiron.registration.between_templates import invert
from qsmiron.registration.coordinates import TemplateMap, read_coordinates
from qsmiron.spaces import decimate
from qsmiron.volumes import read_json, read_volume, write_volume


@pytest.mark.parametrize("size", [2.5, 4.0])
def test_there_and_back_is_the_identity(size):
    shape, affine = grid(size, (190, 230, 200))
    where = points(shape, affine)
    head = Head(4, displacement=4)
    pose = np.eye(4)
    pose[:3, :3] = rotation_matrix((9, -6, 12)) * [1.05, 0.94, 1.02]
    pose[:3, 3] = 5, -7, 9
    displacement = (head.true_coordinates(where) - where).astype(np.float32)
    assert np.linalg.norm(displacement, axis=-1).max() > 10
    to_template = TemplateMap(displacement, affine, pose)
    asked = points(*grid(5, (150, 180, 150), (4, 5, -7))).astype(np.float32)
    found = invert(to_template, asked)
    assert np.linalg.norm(to_template(found) - asked, axis=-1).max() < 0.1
    # beyond the grid, the displacement of its edge
    beyond = asked + np.float32(150)
    assert np.linalg.norm(to_template(invert(to_template, beyond)) - beyond, axis=-1).max() < 0.1


@pytest.fixture
def small_template(tmp_path, monkeypatch):
    """The default template on a grid of 4 mm, for speed."""
    small = decimate(read_volume(template.template_t1w()), 4, 0.2)
    path = tmp_path / "default.nii.gz"
    write_volume(path, small.data, small.affine)
    monkeypatch.setattr(register_template, "template_t1w", lambda: path)
    return small


def _run(tmp_path, image, affine):
    write_volume(tmp_path / "other.nii.gz", image, affine)
    register_template.main(
        [
            *("--template", str(tmp_path / "other.nii.gz")),
            *("--template-map", str(tmp_path / "map.nii.gz")),
            *("--parameters", json.dumps(COARSE)),
        ]
    )
    return read_coordinates(tmp_path / "map.nii.gz")


def test_script_finds_every_voxel_in_the_other_template(tmp_path, small_template, capsys):
    head = Head(12, rotation=(6, -4, 3), shift=(-2, 5, -4), scale=(1.04, 0.97, 1.02))
    shape, affine = grid(4, (200, 240, 220), centre=(0, -18, -5))
    found = _run(tmp_path, head.t1w(points(shape, affine)), affine)
    assert found.data.shape == (*small_template.data.shape, 3)
    np.testing.assert_allclose(found.affine, small_template.affine, atol=1e-4)
    # the truth takes points of the other template to the default one
    here = points(small_template.data.shape, small_template.affine)
    error = np.linalg.norm(head.true_coordinates(found.data) - here, axis=-1)
    brain = small_template.data > 0
    assert np.median(error[brain]) < 2
    assert error[brain].mean() < 2.5
    sidecar = read_json(tmp_path / "map.json")
    assert sidecar["SpatialReference"] == "other.nii.gz, RAS"
    output = capsys.readouterr()
    fit = float(output.out.split()[-1])
    assert 0.5 < fit < 1
    # so coarse an image agrees less than templates should
    assert ("agrees poorly" in output.err) == (fit < register_template.POOR_FIT)


def test_an_image_of_nothing_is_refused(tmp_path, small_template, capsys):
    with pytest.raises(SystemExit):
        _run(tmp_path, np.zeros((40, 50, 40), np.float32), np.diag([4.0, 4, 4, 1]))
    assert "error: brain mask: found no bright tissue" in capsys.readouterr().err
    assert not (tmp_path / "map.nii.gz").exists()
