import nibabel as nib
import numpy as np
from heads import Head, grid, points, rotation_matrix
from scipy import ndimage

from qsmiron import template
from qsmiron.registration.coordinates import (
    NOWHERE_MM,
    TemplateMap,
    coarse_far_from,
    compose,
    is_registered,
    read_coordinates,
    write_coordinates,
)
from qsmiron.registration.itk_bridge import ants_session, matrix_of, to_itk, transform_of
from qsmiron.registration.labels import carry_labels
from qsmiron.spaces import apply_affine, look_up
from qsmiron.volumes import Volume, read_volume


def _a_map() -> TemplateMap:
    shape, affine = grid(4, (180, 220, 190))
    head = Head(4, displacement=3)
    here = points(shape, affine)
    displacement = (head.true_coordinates(here) - here).astype(np.float32)
    pose = np.eye(4)
    pose[:3, :3] = rotation_matrix((9, -6, 12)) * [1.05, 0.94, 1.02]
    pose[:3, 3] = 5, -7, 9
    return TemplateMap(displacement, affine, pose)


def _to_t1w() -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_matrix((-4, 3, 5))
    matrix[:3, 3] = 2, -3, 4
    return matrix


def test_map_agrees_with_itk_voxel_by_voxel():
    to_template, to_t1w = _a_map(), _to_t1w()
    shape, affine = grid((2.5, 2.5, 3), (180, 210, 150), (12, -5, 8))
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    ours = carry_labels(compose(shape, affine, to_t1w, to_template), atlas)
    with ants_session(1, 1) as (ants, folder):
        names = [str(folder / name) for name in ("affine.mat", "warp.nii.gz", "rigid.mat")]
        ants.write_transform(transform_of(ants, to_template.affine), names[0])
        ants.write_transform(transform_of(ants, to_t1w), names[2])
        lps = to_template.displacement * np.array([-1, -1, 1], np.float32)
        image = nib.Nifti1Image(lps[:, :, :, None, :], to_template.grid_affine)
        image.header.set_intent("vector")
        nib.save(image, names[1])
        reference = to_itk(ants, Volume(np.zeros(shape, np.float32), affine))
        moving = to_itk(ants, Volume(atlas.data.astype(np.float32), atlas.affine))
        # the first in the list moves the points first, as in fwdtransforms = [warp, affine]
        theirs = ants.apply_transforms(
            reference, moving, [names[2], names[1], names[0]], interpolator="nearestNeighbor"
        ).numpy()
    labelled = (ours > 0) | (theirs > 0)
    assert labelled.sum() > 30000
    assert (ours == theirs)[labelled].mean() >= 0.999


def test_matrices_survive_the_way_to_itk_and_back():
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_matrix((10, 20, -5)) * 1.1
    matrix[:3, 3] = 3, -4, 5
    with ants_session(1, 1) as (ants, folder):
        name = str(folder / "x.mat")
        ants.write_transform(transform_of(ants, matrix), name)
        back = matrix_of(ants.read_transform(name))
    np.testing.assert_allclose(back, matrix, atol=1e-5)


def test_file_keeps_a_hundredth_of_a_millimetre(tmp_path):
    shape, affine = grid(6, (180, 210, 150), (12, -5, 8))
    coordinates = compose(shape, affine, _to_t1w(), _a_map())
    path = tmp_path / "coordinates.nii.gz"
    write_coordinates(path, coordinates, affine)
    assert nib.load(path).get_data_dtype() == np.int16
    back = read_coordinates(path)
    np.testing.assert_allclose(back.data, coordinates, atol=0.0051)
    np.testing.assert_allclose(back.affine, affine, atol=1e-4)


def test_jacobian_of_a_linear_displacement():
    shape, affine = grid(3, (30, 30, 30))
    gradient = np.array([[0.1, 0.02, 0], [0, -0.05, 0.03], [0.04, 0, 0.2]])
    displacement = (points(shape, affine) @ gradient.T).astype(np.float32)
    found = TemplateMap(displacement, affine, np.diag([2.0, 2, 2, 1])).jacobian()
    np.testing.assert_allclose(found, np.linalg.det(np.eye(3) + gradient), atol=1e-4)


def test_no_displacement_is_the_affine_alone():
    shape, affine = grid(8, (80, 80, 80))
    pose = _to_t1w()
    still = TemplateMap(np.zeros((*shape, 3), np.float32), affine, pose)
    where = points((4, 4, 4), affine).astype(np.float32)
    np.testing.assert_allclose(still(where), apply_affine(pose, where), atol=1e-4)


def test_labels_do_not_depend_on_the_orientation_of_the_grid():
    """One case stored as RAS, LAS, LPS and PIR: the same label at the same place."""
    to_template, to_t1w = _a_map(), _to_t1w()
    shape, affine = grid((2.5, 3, 3.5), (170, 200, 150), (12, -5, 8))
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    expected = carry_labels(compose(shape, affine, to_t1w, to_template), atlas)
    assert set(range(1, 84)) <= set(np.unique(expected))
    original = nib.Nifti1Image(expected.astype(np.int16), affine)
    first = nib.orientations.io_orientation(affine)
    for axes in ("LAS", "LPS", "PIR"):
        turn = nib.orientations.ornt_transform(first, nib.orientations.axcodes2ornt(axes))
        turned = original.as_reoriented(turn)
        found = carry_labels(compose(turned.shape, turned.affine, to_t1w, to_template), atlas)
        assert (found == np.asarray(turned.dataobj)).mean() > 0.9999


def test_left_stays_left():
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    shape, affine = grid(3, (170, 200, 150))
    affine = affine @ np.diag([-1, 1, 1, 1.0])
    affine[0, 3] *= -1
    still = TemplateMap(np.zeros((4, 4, 4, 3), np.float32), np.diag([50.0, 50, 50, 1]), np.eye(4))
    labels = carry_labels(compose(shape, affine, np.eye(4), still), atlas)
    where = points(shape, affine)
    assert where[labels == 35][:, 0].max() < 0.1  # left thalamus, RAS x is negative
    assert where[labels == 76][:, 0].min() > -0.1


def test_far_from_the_brain_coordinates_are_coarse(tmp_path):
    shape, affine = grid((3, 3, 3.5), (240, 270, 230), (12, -5, 8))
    exact = compose(shape, affine, _to_t1w(), _a_map())
    t1w = read_volume(template.template_t1w())
    brain = Volume(t1w.data > 0, t1w.affine)
    coarse = coarse_far_from(brain, exact)
    # true distances (mm), from the template's voxels of 1 mm
    distance = ndimage.distance_transform_edt(~np.pad(brain.data, 40))
    corner = t1w.affine.copy()
    corner[:3, 3] -= corner[:3, :3] @ [40, 40, 40]
    away = look_up(distance.astype(np.float32), corner, exact, outside=999)
    changed = (coarse != exact).any(axis=-1)
    assert not changed[away < 15 - 7].any()  # half a block of 4 mm, twice
    assert changed[away > 15 + 7].all()
    assert np.abs(coarse - exact).max() <= 5.12 / 2 + 1e-4
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    np.testing.assert_array_equal(carry_labels(coarse, atlas), carry_labels(exact, atlas))
    for name, data in (("exact", exact), ("coarse", coarse)):
        write_coordinates(tmp_path / f"{name}.nii.gz", data, affine)
    sizes = [(tmp_path / f"{name}.nii.gz").stat().st_size for name in ("coarse", "exact")]
    assert sizes[0] < 0.6 * sizes[1]


def test_what_could_not_be_registered_stays_nowhere(tmp_path):
    nowhere = np.full((5, 6, 7, 3), NOWHERE_MM, np.float32)
    t1w = read_volume(template.template_t1w())
    coarse = coarse_far_from(Volume(t1w.data > 0, t1w.affine), nowhere)
    write_coordinates(tmp_path / "x.nii.gz", coarse, np.eye(4))
    assert not is_registered(read_coordinates(tmp_path / "x.nii.gz").data)


def test_own_grid_is_what_the_map_says_of_its_points():
    a_map = _a_map()
    here = points(a_map.displacement.shape[:3], a_map.grid_affine)
    np.testing.assert_allclose(a_map.of_own_grid(), a_map(here), atol=2e-4)
