import nibabel as nib
import numpy as np
import pytest
from heads import grid
from scipy.spatial.transform import Rotation

from qsmiron import spaces
from qsmiron.volumes import Volume


def test_grid_points_are_the_affine_of_the_indices():
    shape, affine = grid((2, 2.5, 3), (20, 25, 30), (10, -7, 20))
    points = spaces.grid_points(shape, affine)
    index = np.array([3, 7, 5])
    expected = nib.affines.apply_affine(affine, index)
    np.testing.assert_allclose(points[tuple(index)], expected, atol=1e-4)


def test_nearest_takes_the_voxel_whose_cell_holds_the_point():
    data = np.arange(24, dtype=np.int32).reshape(2, 3, 4)
    affine = np.diag([2.0, 2, 2, 1])
    points = np.array([[0.9, 3.1, 5.2], [1.1, -0.9, 0], [5, 0, 0], [-1.1, 0, 0]])
    found = spaces.look_up(data, affine, points, order=0)
    assert found.tolist() == [data[0, 2, 3], data[1, 0, 0], 0, 0]


def test_linear_look_up_is_exact_for_a_linear_image():
    shape, affine = grid(3, (30, 36, 33), (8, 5, -12))
    slope = np.array([0.3, -0.7, 0.2])
    data = (spaces.grid_points(shape, affine) @ slope).astype(np.float32)
    centre = affine[:3, :3] @ (np.array(shape) / 2 - 0.3) + affine[:3, 3]
    points = centre + np.random.default_rng(0).uniform(-5, 5, (40, 3))
    np.testing.assert_allclose(spaces.look_up(data, affine, points), points @ slope, atol=1e-3)


def test_decimated_and_resampled_images_stay_in_place():
    shape, affine = grid(1, (40, 44, 48), (5, 3, -4))
    points = spaces.grid_points(shape, affine)
    middle = points.reshape(-1, 3).mean(axis=0) + np.array([3, -2, 4])
    blob = np.exp(-(((points - middle) / 6) ** 2).sum(-1)).astype(np.float32)
    volume = Volume(blob, affine)
    coarse = spaces.decimate(volume, 4, 0.4)
    target_shape, target = spaces.boxed_grid(spaces.corners(shape, affine), 3.0, 2.0)
    again = Volume(spaces.resample(volume, target_shape, target), target)
    for image in (coarse, again):
        where = spaces.grid_points(image.data.shape, image.affine)
        centre = (where * image.data[..., None]).reshape(-1, 3).sum(0) / image.data.sum()
        np.testing.assert_allclose(centre, middle, atol=0.15)


@pytest.mark.parametrize("angle", [0.0, 7.5, 120.0])
def test_rigid_motion_gives_angle_and_length(angle):
    matrix = np.eye(4)
    matrix[:3, :3] = Rotation.from_rotvec(np.radians(angle) * np.array([0.6, 0, 0.8])).as_matrix()
    matrix[:3, 3] = 3, 4, 12
    np.testing.assert_allclose(spaces.rigid_motion(matrix), (angle, 13), atol=1e-6)


def test_bounding_box_keeps_within_the_grid():
    mask = np.zeros((10, 10, 10), bool)
    mask[3:5, 0, 9] = True
    assert spaces.bounding_box(mask, 2) == (slice(1, 7), slice(0, 3), slice(7, 10))
