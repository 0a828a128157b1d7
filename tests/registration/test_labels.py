"""Carried labels: an atlas, an atlas of another template, the subject's own segmentation."""

import json
from itertools import product
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from heads import grid, points, rotation_matrix

from carry_labels import main
from qsmiron.regions.label_table import N_BEYOND_DESCRIPTION, read_label_table
from qsmiron.registration.coordinates import write_coordinates
from qsmiron.registration.labels import carry_labels, compact, label_fractions
from qsmiron.registration.rigid_map import write_rigid_map
from qsmiron.registration.routes import CoordinateRoute, RigidRoute
from qsmiron.spaces import look_up
from qsmiron.volumes import Volume, read_volume, write_volume

ATLASES = Path(__file__).parents[2] / "config/atlases"
DK, APARC_ASEG = ATLASES / "DesikanKilliany.tsv", ATLASES / "aparc+aseg.tsv"
FREESURFERS = {1: 1001, 34: 1035, 35: 10, 39: 26, 42: 2001, 75: 2035, 76: 49, 80: 58, 83: 16}
NEITHER = (2, 41, 4, 43, 24, 77, 1000)
CENTRE = (0, 0, 0)
MOTION = np.eye(4)
MOTION[:3, :3] = rotation_matrix((4, -3, 6))
MOTION[:3, 3] = 2, -3, 1.5


def a_brain(affine=None, shape=(18, 22, 20)):
    """Blocks of labels, left ones at negative RAS x; on a RAS grid of 2 mm if none is given."""
    if affine is None:
        affine = np.diag([2.0, 2, 2, 1])
        affine[:3, 3] = -17, -21, -19
    x, y, z = np.moveaxis(points(shape, affine), -1, 0)
    sides = ([1, 34, 35, 39, 0], [42, 75, 76, 80, 0])
    block = (np.floor((y + 40) / 5.3) + 2 * np.floor((z + 40) / 4.7)).astype(int) % 5
    labels = np.where(x < 0, np.array(sides[0])[block], np.array(sides[1])[block])
    labels[np.abs(x) < 3] = 83
    labels[x**2 + y**2 + z**2 > 16**2] = 0
    return Volume(labels, affine)


def freesurfers(brain, seed=0):
    """The same in FreeSurfer's numbers, with white matter and ventricles where there is none."""
    numbers = np.zeros(84, int)
    for ours, theirs in FREESURFERS.items():
        numbers[ours] = theirs
    other = np.random.default_rng(seed).choice([0, *NEITHER], brain.data.shape)
    return Volume(np.where(brain.data > 0, numbers[brain.data], other), brain.affine)


def reoriented(volume, axes, padding=0):
    """The same image with other array axes, in a larger box: as FreeSurfer conforms images."""
    data = np.pad(volume.data, padding)
    affine = volume.affine.copy()
    affine[:3, 3] -= affine[:3, :3] @ np.full(3, padding)
    image = nib.Nifti1Image(data.astype(np.int16), affine)
    turn = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(affine), nib.orientations.axcodes2ornt(axes)
    )
    turned = image.as_reoriented(turn)
    return Volume(np.asarray(turned.dataobj), turned.affine)


def save_mgz(path, volume):
    nib.save(nib.MGHImage(volume.data.astype(np.int32), volume.affine), path)
    return path


@pytest.fixture
def run(tmp_path):
    """Run the script on files in a folder; labels, weights and the sidecar."""

    def run(**options):
        options = {"label-table": DK, "labels": tmp_path / "out_dseg.nii.gz", **options}
        main([part for key, value in options.items() for part in (f"--{key}", str(value))])
        labels = read_volume(options["labels"], np.int32)
        sidecar = json.loads((tmp_path / "out_dseg.json").read_text())
        weights = read_volume(options["weights"]).data if "weights" in options else None
        return labels, weights, sidecar

    return run


def magnitude(tmp_path, shape, affine):
    path = tmp_path / "magnitude.nii.gz"
    write_volume(path, np.ones(shape, np.float32), affine)
    return path


def test_an_atlas(tmp_path, run):
    brain = a_brain()
    write_volume(tmp_path / "DK.nii.gz", brain.data.astype(np.int16), brain.affine)
    shape, affine = grid((2.2, 2.2, 3), (34, 40, 36), (5, -8, 12), CENTRE)
    write_coordinates(tmp_path / "xyz.nii.gz", points(shape, affine), affine)
    labels, weights, sidecar = run(
        coordinates=tmp_path / "xyz.nii.gz",
        atlas=tmp_path / "DK.nii.gz",
        weights=tmp_path / "weights.nii.gz",
    )
    expected = carry_labels(points(shape, affine).round(2), brain)
    assert set(np.unique(expected)) == {0, *FREESURFERS}
    np.testing.assert_array_equal(labels.data, expected)
    assert sidecar == {
        "Description": "Atlas labels, nearest neighbour",
        "LabelsSource": "atlas",
        "Atlas": "DK.nii.gz",
        "n_beyond": N_BEYOND_DESCRIPTION,
    }
    assert read_label_table(tmp_path / "out_dseg.tsv") == read_label_table(DK)
    assert nib.load(tmp_path / "out_dseg.nii.gz").get_data_dtype() == np.int16
    np.testing.assert_array_equal(weights > 0, weights * (labels.data > 0) > 0)


@pytest.mark.parametrize("axes", ["RAS", "LIA"])
@pytest.mark.parametrize("storage", ["RAS", "LAS", "RPI", "oblique"])
def test_own_segmentation_equals_the_same_labels_given_as_an_atlas(tmp_path, run, axes, storage):
    brain = a_brain()
    seg = save_mgz(tmp_path / "aparc+aseg.mgz", reoriented(freesurfers(brain), axes, padding=4))
    if storage == "oblique":
        shape, affine = grid((1.7, 2.1, 2.6), (34, 40, 36), (11, -8, 23), CENTRE)
    else:
        scan = reoriented(Volume(np.zeros((21, 20, 23)), brain.affine), storage)
        shape, affine = scan.data.shape, scan.affine
    where = points(shape, affine)
    expected = look_up(brain.data, brain.affine, where, order=0)
    labels, weights, sidecar = run(
        segmentation=seg,
        space="GRE",
        magnitude=magnitude(tmp_path, shape, affine),
        **{"colour-table": APARC_ASEG, "weights": tmp_path / "weights.nii.gz"},
    )
    np.testing.assert_array_equal(labels.data, expected)
    np.testing.assert_allclose(labels.affine, affine, atol=1e-4)
    left, right = np.isin(labels.data, (1, 34, 35, 39)), np.isin(labels.data, (42, 75, 76, 80))
    assert left.sum() > 300 and right.sum() > 300
    assert where[left][:, 0].max() < 0 < where[right][:, 0].min()
    assert sidecar["LabelsSource"] == "segmentation"
    assert sidecar["Segmentation"] == "aparc+aseg.mgz"
    assert sidecar["ColourTable"] == "aparc+aseg.tsv"
    if storage != "oblique":
        np.testing.assert_array_equal(weights, labels.data > 0)
    else:
        assert 0.4 < weights[labels.data > 0].mean() < 0.95


def test_a_segmentation_of_the_t1w_goes_through_the_rigid_map(tmp_path, run):
    brain = a_brain()
    save_mgz(tmp_path / "seg.mgz", reoriented(freesurfers(brain), "LIA", padding=3))
    shape, affine = grid((2, 2, 2.5), (34, 40, 36), (3, 0, 4), CENTRE)
    there = points(shape, affine) @ MOTION[:3, :3].T + MOTION[:3, 3]
    expected = look_up(brain.data, brain.affine, there, order=0)
    write_rigid_map(tmp_path / "rigid.json", MOTION)
    options = {
        "segmentation": tmp_path / "seg.mgz",
        "magnitude": magnitude(tmp_path, shape, affine),
        "gre-to-t1w": tmp_path / "rigid.json",
        "colour-table": APARC_ASEG,
    }
    labels, _, _ = run(space="T1w", **options)
    np.testing.assert_array_equal(labels.data, expected)
    elsewhere, _, _ = run(space="GRE", **options)
    assert (elsewhere.data != expected).mean() > 0.05


def test_grids_half_a_voxel_apart_do_not_depend_on_storage(tmp_path):
    fine = np.diag([1.0, 1, 1, 1])
    fine[:3, 3] = -17.5, -20.5, -18.5
    brain = a_brain(fine, (36, 42, 38))
    shape, affine = (16, 18, 17), np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = -16, -18, -16
    turned = rotation_matrix((13, 7, -9))
    for matrix in (np.eye(4), np.block([[turned, np.ones((3, 1))], [np.zeros(3), np.ones(1)]])):
        moved = np.linalg.inv(matrix) @ affine
        found = [
            carry_labels(RigidRoute(shape, moved, matrix).centres(), reoriented(brain, axes))
            for axes in ("RAS", "LIA", "PSR")
        ]
        np.testing.assert_array_equal(found[0], found[1])
        np.testing.assert_array_equal(found[0], found[2])


def test_without_a_colour_table(tmp_path, run, capsys):
    brain = a_brain()
    write_volume(tmp_path / "seg.nii.gz", brain.data.astype(np.int16), brain.affine)
    options = {
        "space": "GRE",
        "magnitude": magnitude(tmp_path, brain.data.shape, brain.affine),
        "segmentation": tmp_path / "seg.nii.gz",
    }
    labels, _, sidecar = run(**options)
    np.testing.assert_array_equal(labels.data, brain.data)
    assert "ColourTable" not in sidecar
    save_mgz(tmp_path / "seg.mgz", freesurfers(brain))
    with pytest.raises(SystemExit):
        run(**{**options, "segmentation": tmp_path / "seg.mgz"})
    assert "labels that the label table lacks: 1000, 1001, 1035, 2001, 2035;" in one_error(capsys)


def one_error(capsys):
    text = capsys.readouterr().err
    assert text.startswith("error: ") and "Traceback" not in text
    return text


def test_regions_without_a_number_are_warned_of(tmp_path, run, capsys):
    brain = a_brain()
    lines = APARC_ASEG.read_text().splitlines(keepends=True)
    (tmp_path / "few.tsv").write_text("".join(line for line in lines if "Amygdala" not in line))
    save_mgz(tmp_path / "seg.mgz", freesurfers(brain))
    run(
        segmentation=tmp_path / "seg.mgz",
        space="GRE",
        magnitude=magnitude(tmp_path, brain.data.shape, brain.affine),
        **{"colour-table": tmp_path / "few.tsv"},
    )
    warning = capsys.readouterr().err
    assert warning.startswith("warning: ")
    assert "few.tsv: no number for the regions amygdala (L), amygdala (R)\n" in warning


def test_an_atlas_of_another_template(tmp_path, run):
    """The other template is turned, scaled and shifted by a known map; so is its atlas."""
    onward = np.eye(4)
    onward[:3, :3] = rotation_matrix((5, 9, -14)) * [1.1, 0.9, 1.05]
    onward[:3, 3] = 30, -12, 7
    brain = a_brain()
    other_shape, other_affine = grid(1, (60, 64, 60), (0, 0, 0), onward[:3, 3])
    inverse = np.linalg.inv(onward)
    home = points(other_shape, other_affine) @ inverse[:3, :3].T + inverse[:3, 3]
    atlas = Volume(look_up(brain.data, brain.affine, home, order=0), other_affine)
    write_volume(tmp_path / "other.nii.gz", atlas.data.astype(np.int16), atlas.affine)
    map_shape, map_affine = grid(3, (39, 45, 42), (0, 0, 0), CENTRE)
    there = points(map_shape, map_affine) @ onward[:3, :3].T + onward[:3, 3]
    write_coordinates(tmp_path / "map.nii.gz", there, map_affine)
    shape, affine = grid((2, 2.2, 2.4), (34, 40, 36), (3, 0, 4), CENTRE)
    write_coordinates(tmp_path / "xyz.nii.gz", points(shape, affine), affine)
    labels, weights, sidecar = run(
        coordinates=tmp_path / "xyz.nii.gz",
        atlas=tmp_path / "other.nii.gz",
        weights=tmp_path / "weights.nii.gz",
        **{"template-map": tmp_path / "map.nii.gz"},
    )
    direct = points(shape, affine) @ onward[:3, :3].T + onward[:3, 3]
    expected = look_up(atlas.data, atlas.affine, direct, order=0)
    assert (expected > 0).sum() > 1000
    assert (labels.data == expected)[expected > 0].mean() > 0.99
    assert sidecar["TemplateMap"] == "map.nii.gz"
    exact = brute_force(expected, affine, onward, atlas)
    assert (np.abs(weights - exact) <= 0.126)[(labels.data == expected)].mean() > 0.99


def test_points_outside_the_map_between_templates_are_background():
    atlas = Volume(np.full((9, 9, 9), 5), np.eye(4))
    onward = Volume(np.full((3, 3, 3, 3), 4, np.float32), np.diag([2.0, 2, 2, 1]))
    where = np.array([[0, 0, 0], [4, 4, 4], [-0.1, 0, 0], [0, 4.1, 0], [327, 327, 327]])
    route = CoordinateRoute(where[:, None, None].astype(np.float32), onward)
    labels = carry_labels(route.centres(), atlas)
    np.testing.assert_array_equal(labels.ravel(), [5, 5, 0, 0, 0])
    fractions = label_fractions(labels, route, atlas)
    assert (fractions[labels == 0] == 0).all()
    assert fractions.ravel()[0] == 1


def test_coordinates_out_of_range_are_background():
    brain = a_brain()
    where = np.array([[[[0, 0, 0]]], [[[0, 0, 400]]], [[[-1e5, 0, 0]]]], np.float32)
    labels = carry_labels(where, brain)
    assert (labels.ravel() > 0).tolist() == [True, False, False]


def brute_force(labels, affine, matrix, image):
    """The fraction of each labelled voxel in its label, one point after the other."""
    fractions = np.zeros(labels.shape)
    inverse = np.linalg.inv(image.affine) @ matrix @ affine
    for voxel in np.argwhere(labels):
        for offset in product((-0.25, 0.25), repeat=3):
            index = inverse @ [*(voxel + offset), 1]
            near = np.floor(index[:3] + 0.5).astype(int)
            if (near >= 0).all() and (near < image.data.shape).all():
                fractions[tuple(voxel)] += (image.data[tuple(near)] == labels[tuple(voxel)]) / 8
    return fractions


@pytest.mark.parametrize("chunk", [2**18, 100])
def test_weights_against_a_loop(monkeypatch, chunk):
    monkeypatch.setattr("qsmiron.registration.labels._CHUNK", chunk)
    brain = a_brain()
    shape, affine = grid((2.3, 2.9, 2.1), (30, 30, 30), (9, -7, 31), CENTRE)
    there = (points(shape, affine) @ MOTION[:3, :3].T + MOTION[:3, 3]).astype(np.float32)
    rigid, by_map = RigidRoute(shape, affine, MOTION), CoordinateRoute(there)
    labels = carry_labels(rigid.centres(), brain)
    expected = brute_force(labels, affine, MOTION, brain)
    assert len(np.unique(expected)) == 9
    found = label_fractions(labels, rigid, brain)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)
    # the map of a rigid motion is linear: exact between voxel centres, clamped beyond the last
    inside = np.zeros(shape, bool)
    inside[1:-1, 1:-1, 1:-1] = True
    labels = carry_labels(there, brain)
    np.testing.assert_array_equal(
        label_fractions(labels, by_map, brain)[inside],
        brute_force(labels, affine, MOTION, brain)[inside],
    )


def test_the_coordinate_map_is_clamped_at_its_edge():
    where = np.arange(3, dtype=np.float32)[:, None, None, None] * [10, 0, 0]
    route = CoordinateRoute(where.astype(np.float32))
    found = route.between(np.array([[-0.25, 0, 0], [0.25, 0.25, -0.25], [2.25, 0, 0]]))
    np.testing.assert_allclose(found, [[0, 0, 0], [2.5, 0, 0], [20, 0, 0]], atol=1e-5)


def test_labels_too_large_for_int16():
    assert compact(np.array([0, 2035])).dtype == np.int16
    assert compact(np.array([0, 40000])).tolist() == [0, 40000]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--atlas a", "missing with labels of an atlas: --coordinates"),
        ("", "missing with labels of an atlas: --coordinates, --atlas"),
        (
            "--coordinates c --atlas a --space GRE --colour-table t",
            "out of place with labels of an atlas: --space, --colour-table",
        ),
        ("--segmentation s", "missing with labels of a segmentation: --space, --magnitude"),
        (
            "--segmentation s --magnitude m --space T1w",
            "missing with labels of a segmentation: --gre-to-t1w",
        ),
        (
            "--segmentation s --magnitude m --space GRE --atlas a --template-map t",
            "out of place with labels of a segmentation: --atlas, --template-map",
        ),
        ("--segmentation s --magnitude m --space MNI", "invalid choice: 'MNI'"),
    ],
)
def test_options_that_do_not_go_together(capsys, options, message):
    with pytest.raises(SystemExit):
        main([*options.split(), "--label-table", "t", "--labels", "l"])
    assert message in capsys.readouterr().err


def test_a_segmentation_beside_the_scan(tmp_path, run, capsys):
    brain = a_brain()
    save_mgz(tmp_path / "seg.mgz", freesurfers(brain))
    away = brain.affine.copy()
    away[:3, 3] += 500
    with pytest.raises(SystemExit):
        run(
            segmentation=tmp_path / "seg.mgz",
            space="GRE",
            magnitude=magnitude(tmp_path, (5, 5, 5), away),
            **{"colour-table": APARC_ASEG},
        )
    assert "no labelled voxel in the field of view of" in one_error(capsys)
    assert not (tmp_path / "out_dseg.nii.gz").exists()


def test_a_map_between_templates_needs_three_coordinates(tmp_path, run, capsys):
    brain = a_brain()
    write_volume(tmp_path / "DK.nii.gz", brain.data.astype(np.int16), brain.affine)
    write_coordinates(tmp_path / "xyz.nii.gz", points((4, 4, 4), np.eye(4)), np.eye(4))
    write_volume(tmp_path / "map.nii.gz", np.zeros((3, 3, 3, 2), np.float32), np.eye(4))
    options = {"coordinates": tmp_path / "xyz.nii.gz", "atlas": tmp_path / "DK.nii.gz"}
    with pytest.raises(SystemExit):
        run(**options, **{"template-map": tmp_path / "map.nii.gz"})
    assert "map.nii.gz: found an image of shape (3, 3, 3, 2); expected three" in one_error(capsys)


def test_an_atlas_with_another_label_table(tmp_path, run, capsys):
    write_volume(tmp_path / "a.nii.gz", np.full((3, 3, 3), 999, np.int16), np.eye(4))
    write_coordinates(tmp_path / "xyz.nii.gz", points((4, 4, 4), np.eye(4)), np.eye(4))
    with pytest.raises(SystemExit):
        run(coordinates=tmp_path / "xyz.nii.gz", atlas=tmp_path / "a.nii.gz")
    assert "none of the 1 labels" in one_error(capsys)
