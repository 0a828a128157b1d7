"""χ in the template's space, for pictures: scattering, and the mean over participants."""

import json

import numpy as np
import pytest
from heads import rotation_matrix

import average_chi
import carry_chi
from qsmiron.registration import template_average
from qsmiron.registration.coordinates import NOWHERE_MM, write_coordinates
from qsmiron.registration.template_average import average, picture_grid, scatter
from qsmiron.spaces import apply_affine, grid_points
from qsmiron.template import template_t1w
from qsmiron.volumes import Volume, read_volume, write_volume

SHAPE = (31, 33, 29)
AFFINE = np.diag([2.0, 2, 2, 1])
AFFINE[:3, 3] = -30, -32, -28
SLOPES = np.array([0.3, -0.5, 0.8])


def scan(voxel_size, degrees=(5, -8, 12), extent=110):
    """Voxel centres (N, 3) of a turned scan around the grid, which then bends by up to 3 mm."""
    shape = tuple(round(extent / size) for size in voxel_size)
    affine = np.diag([*voxel_size, 1.0])
    affine[:3, :3] = rotation_matrix(degrees) @ affine[:3, :3]
    affine[:3, 3] = -affine[:3, :3] @ (np.array(shape) / 2)
    points = grid_points(shape, affine).reshape(-1, 3)
    return points + 3 * np.sin(points[:, [1, 2, 0]] / 25)


@pytest.mark.parametrize("voxel_size", [(0.8, 0.8, 0.8), (1, 1, 1), (2, 2, 2), (1, 1, 3)])
def test_a_linear_function_of_the_place_comes_back(voxel_size):
    points = scan(voxel_size)
    found = scatter(points @ SLOPES + 7, points, voxel_size, SHAPE, AFFINE)
    expected = grid_points(SHAPE, AFFINE) @ SLOPES + 7
    inside = (slice(4, -4),) * 3
    limit = 1e-3 if max(voxel_size) <= 1 else 8e-3  # of the range, where voxels are sparse
    assert np.abs(found - expected)[inside].max() < limit * np.ptp(expected)


@pytest.mark.parametrize("voxel_size", [(1, 1, 1), (2.5, 2.5, 2.5), (1, 1, 5)])
def test_a_constant_stays_constant_without_gaps(voxel_size):
    points = scan(voxel_size)
    found = scatter(np.full(len(points), 0.03), points, voxel_size, SHAPE, AFFINE)
    np.testing.assert_allclose(found, 0.03, rtol=1e-6)


def test_weights_fall_off_linearly_along_each_axis():
    points = np.array([[0.5, 0, 0], [-1.5, 0, 1.0]])
    found = scatter(np.array([1.0, 5.0]), points, (2, 2, 2), SHAPE, AFFINE)
    near, far = 0.75, 0.25 * 0.5
    origin = tuple(np.round(apply_affine(np.linalg.inv(AFFINE), np.zeros(3))).astype(int))
    assert found[origin] == pytest.approx((near + 5 * far) / (near + far), rel=1e-6)
    beside = (origin[0] + 1, *origin[1:])
    assert found[beside] == pytest.approx(1.0)
    assert np.isfinite(found).sum() == 5  # of voxels with a tenth of a filled one's weight


def test_what_lies_elsewhere_is_left_out():
    points = np.array([[1e4, 0, 0], [NOWHERE_MM] * 3, [0, 0, 0]])
    found = scatter(np.array([1.0, 1.0, 3.0]), points, (2, 2, 2), SHAPE, AFFINE)
    assert np.isfinite(found).sum() == 1
    assert np.nanmax(found) == pytest.approx(3.0)


def test_large_scans_go_in_parts(monkeypatch):
    points = scan((3, 3, 3))
    values = np.random.default_rng(1).normal(size=len(points))
    whole = scatter(values, points, (3, 3, 3), SHAPE, AFFINE)
    monkeypatch.setattr(template_average, "_CHUNK", 1000)
    np.testing.assert_allclose(scatter(values, points, (3, 3, 3), SHAPE, AFFINE), whole, rtol=1e-5)


def test_every_participant_counts_once():
    a, b, c = (np.full((2, 2, 2), value) for value in (1.0, 3.0, 8.0))
    mean, n = average([[a, b], [c]])
    np.testing.assert_allclose(mean, (2 + 8) / 2)
    assert (n == 2).all()


def test_a_point_that_fewer_than_half_have_is_empty():
    maps = [np.full((1, 1, 4), float(value)) for value in range(4)]
    for number, values in enumerate(maps):
        values[0, 0, 1 : 4 - number] = np.nan
    nowhere = np.full((1, 1, 4), np.nan)
    mean, n = average([[values] for values in (*maps, nowhere)])
    np.testing.assert_array_equal(n[0, 0], [4, 1, 2, 3])
    np.testing.assert_allclose(mean[0, 0], [1.5, np.nan, 2.5, 2.0])
    with pytest.raises(ValueError, match="no participants"):
        average([])


def test_maps_are_taken_one_participant_at_a_time():
    taken = []

    def maps(number):
        taken.append(number)
        yield np.ones((2, 2, 2))

    def participants():
        for number in range(5):
            assert taken == list(range(number))
            yield maps(number)

    assert average(participants())[1].max() == 5


def test_the_grid_holds_the_brain_and_lies_on_the_templates_voxels():
    template = read_volume(template_t1w())
    shape, affine = picture_grid(template)
    index = apply_affine(np.linalg.inv(template.affine), affine[:3, 3])
    np.testing.assert_allclose(index, np.round(index), atol=1e-6)
    brain = apply_affine(template.affine, np.argwhere(template.data > 0).astype(float))
    inside = apply_affine(np.linalg.inv(affine), brain)
    assert (inside >= 1).all()
    assert (inside <= np.array(shape) - 2).all()
    flipped = Volume(template.data[::-1], template.affine @ np.diag([-1.0, 1, 1, 1]))
    flipped.affine[:3, 3] = template.affine[:3, 3] + [template.data.shape[0] - 1, 0, 0]
    assert picture_grid(flipped)[0] == shape
    np.testing.assert_allclose(picture_grid(flipped)[1], affine)


def test_the_scripts_carry_and_average_what_is_reliable(tmp_path):
    affine = np.diag([2.0, 2, 2, 1])
    affine[:3, 3] = -90, -120, -70
    shape = (92, 110, 85)
    moved = {"sub-01": np.zeros(3), "sub-02_ses-1": np.array([0.6, 0, 0]),
             "sub-02_ses-2": np.array([0, -0.7, 0.4])}  # fmt: skip
    maps = []
    for name, shift in moved.items():
        places = grid_points(shape, affine) + shift
        factor = 3.0 if name == "sub-01" else 1.0
        chi = (factor * places @ SLOPES / 1000).astype(np.float32)
        mask = np.abs(places[..., 0]) < 40
        chi[~mask] = 99  # what is not reliable must not be seen
        files = {"chi": chi, "mask": mask}
        for kind, data in files.items():
            write_volume(tmp_path / f"{name}_{kind}.nii.gz", data, affine)
        write_coordinates(tmp_path / f"{name}_coordinates.nii.gz", places, affine)
        maps.append(str(tmp_path / f"{name}_templatechi.nii.gz"))
        options = [
            part
            for kind in ("chi", "mask", "coordinates")
            for part in (f"--{kind}", str(tmp_path / f"{name}_{kind}.nii.gz"))
        ]
        parts = {"paramagnetic": 2 * chi, "diamagnetic": -chi}
        for sign, part in parts.items():
            write_volume(tmp_path / f"{name}_{sign}.nii.gz", part, affine)
            options += [f"--template-{sign}", str(tmp_path / f"{name}_template{sign}.nii.gz")]
            if name != "sub-02_ses-2":
                options += [f"--{sign}", str(tmp_path / f"{name}_{sign}.nii.gz")]
        carry_chi.main([*options, "--template-chi", maps[-1]])
        carried = read_volume(maps[-1], finite=False).data
        for sign, factor in (("paramagnetic", 2), ("diamagnetic", -1)):
            source = read_volume(tmp_path / f"{name}_template{sign}.nii.gz", finite=False).data
            if name == "sub-02_ses-2":  # a scan that has none
                assert np.isnan(source).all()
            else:
                np.testing.assert_allclose(source, factor * carried, rtol=1e-5)
    mean_file, count_file = tmp_path / "mean.nii.gz", tmp_path / "n.nii.gz"
    average_chi.main(["--maps", *maps, "--mean", str(mean_file), "--count", str(count_file)])
    mean, count = read_volume(mean_file, finite=False), read_volume(count_file)
    places = grid_points(mean.data.shape, mean.affine)
    inside = (np.abs(places) < 34).all(axis=-1)
    expected = (3 + 1) / 2 * places[inside] @ SLOPES / 1000
    assert np.abs(mean.data[inside] - expected).max() < 1e-3  # of a range of some .2 ppm
    assert (count.data[inside] == 2).all()
    assert np.isnan(mean.data[np.abs(places[..., 0]) > 44]).all()
    about = json.loads((tmp_path / "mean.json").read_text())
    assert about["NumberOfParticipants"] == 2
    assert about["Units"] == "ppm"
