import nibabel as nib
import numpy as np
import pytest

from qsmiron.figures.slices import take, to_ras, voxel_edges, window
from qsmiron.spaces import bounding_box, crop
from qsmiron.volumes import Volume


@pytest.mark.parametrize("codes", ["RAS", "LPS", "ASR", "PIL"])
def test_left_is_left_whatever_the_order_of_the_file(codes):
    data = np.zeros((5, 6, 7), np.float32)
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    affine[:3, 3] = [-4, 5, 6]
    data[0, 3, 2] = 1  # the patient's left
    ornt = nib.orientations.ornt_transform(
        nib.io_orientation(affine), nib.orientations.axcodes2ornt(codes)
    )
    turned = Volume(
        nib.apply_orientation(data, ornt),
        affine @ nib.orientations.inv_ornt_aff(ornt, data.shape),
    )
    back = to_ras(turned)
    np.testing.assert_array_equal(back.data, data)
    np.testing.assert_allclose(back.affine, affine, atol=1e-12)
    picture = take(back.data, "axial", 2)
    assert picture.shape == (6, 5)
    assert picture[3, 0] == 1


def test_cropping_keeps_every_voxel_where_it_is():
    rng = np.random.default_rng(0)
    volume = Volume(
        rng.normal(size=(6, 7, 8)),
        np.array([[2, 0.1, 0, 5], [0, 1, 0.2, 6], [0, 0, 3, 7], [0, 0, 0, 1.0]]),
    )
    mask = np.zeros((6, 7, 8), bool)
    mask[3:5, 4, 2:6] = True
    box = bounding_box(mask, margin=1)
    part = crop(volume, box)
    assert part.data.shape == (4, 3, 6)
    start = [edge.start for edge in box]
    assert part.data[1, 1, 1] == volume.data[tuple(np.add(start, 1))]
    expected = volume.affine @ [*np.add(start, 1), 1]
    np.testing.assert_allclose(part.affine @ [1, 1, 1, 1], expected, atol=1e-12)


def test_edges_surround_each_label_exactly():
    labels = np.zeros((4, 5), int)
    labels[1:3, 2] = 7
    edges = voxel_edges(labels, across=2.0, up=3.0)
    assert edges.shape == (6, 2, 2)
    lengths = np.abs(np.diff(edges, axis=1)).sum()
    assert lengths == 4 * 3.0 + 2 * 2.0
    assert edges[..., 0].min() == 4.0
    assert edges[..., 0].max() == 6.0
    assert edges[..., 1].min() == 3.0
    assert edges[..., 1].max() == 9.0


def test_a_flat_picture_has_a_window():
    low, high = window(np.full(10, 3.0), 1, 99)
    assert high > low
