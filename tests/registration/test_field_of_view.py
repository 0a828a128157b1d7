"""What lies beyond the field of view: slabs of a head against the whole of it."""

import numpy as np
import pytest
from heads import Head, grid, points, rotation_matrix

from qsmiron.regions.label_table import read_label_table, write_label_table
from qsmiron.registration.field_of_view import tissues_beyond, voxels_beyond
from qsmiron.registration.labels import carry_labels
from qsmiron.spaces import apply_affine
from qsmiron.template import desikan_killiany
from qsmiron.volumes import read_volume

WHOLE = (190, 230, 190)


@pytest.fixture(scope="module")
def atlas():
    return read_volume(desikan_killiany(), np.int32)


@pytest.fixture(scope="module")
def head(atlas):
    """Template coordinates and labels of a warped, tilted head that lies wholly in view."""
    subject = Head(seed=3, rotation=(6, -3, 5), scale=(1.05, 0.96, 1.02))
    shape, affine = grid((2.0, 2.0, 3.0), WHOLE, (12, 0, 4))
    coordinates = subject.true_coordinates(points(shape, affine)).astype(np.float32)
    return coordinates, carry_labels(coordinates, atlas)


def counts(labels):
    return np.bincount(labels.ravel(), minlength=84)[1:84]


def beyond(labels, coordinates, atlas):
    found = voxels_beyond(labels, coordinates, atlas)
    return np.array([found.get(label, 0) for label in range(1, 84)])


def test_nothing_lies_beyond_a_whole_head(head, atlas):
    coordinates, labels = head
    assert voxels_beyond(labels, coordinates, atlas) == {}


@pytest.mark.parametrize(
    ("box", "usual"),
    [
        ((slice(None), slice(None), slice(20, 40)), 0.05),
        ((slice(None), slice(None), slice(28, 33)), 0.1),
        ((slice(47, None), slice(None), slice(None)), 0.05),
        ((slice(None), slice(30, 75), slice(18, 38)), 0.05),
        ((slice(30, 60), slice(40, 80), slice(24, 44)), 0.05),
    ],
    ids=["60 mm", "15 mm", "half a head", "slab and short rows", "a box"],
)
@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1)])
def test_a_slab_and_what_lies_beyond_it_are_the_whole(head, atlas, box, usual, order):
    coordinates, labels = (each[box] for each in head)
    coordinates = np.transpose(coordinates, (*order, 3))
    labels = np.transpose(labels, order)
    whole, seen = counts(head[1]), counts(labels)
    found = seen + beyond(labels, coordinates, atlas)
    # a region that is partly seen is known to a few per cent of its voxels, by the head's warp
    partly = (seen > 0.02 * whole) & (seen < whole)
    assert partly.sum() > 10
    wrong = np.abs(found - whole)[partly] / whole[partly]
    assert wrong.max() < 0.25
    assert wrong.mean() < usual
    # one wholly in view has nothing beyond
    inside = seen == whole
    assert (found[inside] - whole[inside]).max(initial=0) <= 2


def test_a_rigid_route_is_exact(atlas):
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_matrix((10, -20, 5))
    shape, affine = grid(3.0, (210, 240, 210))
    where = apply_affine(matrix, points(shape, affine))
    labels = carry_labels(where, atlas)
    slab = slice(30, 40)
    found = counts(labels[:, slab]) + beyond(labels[:, slab], where[:, slab], atlas)
    np.testing.assert_array_equal(found, counts(labels))


def test_without_a_label_in_view_nothing_is_known(head, atlas):
    coordinates, _ = head
    nowhere = np.zeros(coordinates.shape[:3], int)
    assert voxels_beyond(nowhere, coordinates, atlas) == {}


def test_tissues_beyond_in_voxels_of_the_scan():
    classes = np.repeat([0, 1, 2, 3], 8).reshape(4, 4, 2)
    covered = np.zeros(classes.shape, bool)
    covered[2] = True
    fine, coarse = np.eye(4), np.diag([-2.0, 1, 2, 1])
    assert tissues_beyond(classes, covered, fine, coarse) == {"1": 2, "3": 2}


def test_the_label_table_beside_the_labels(tmp_path):
    source, copy = tmp_path / "atlas.tsv", tmp_path / "dseg.tsv"
    source.write_text("index\tname\tmembers\n5\tL_a\n7\tR_a\tn/a\n9\tboth\t5,7\n")
    write_label_table(copy, source, {5: 12})
    assert copy.read_text() == (
        "index\tname\tmembers\tn_beyond\n5\tL_a\t\t12\n7\tR_a\tn/a\t0\n9\tboth\t5,7\t0\n"
    )
    table = read_label_table(copy)
    assert [label.n_beyond for label in table] == [12, 0, 0]
    assert table[2].members == (5, 7)
    write_label_table(source, copy, {7: 3})
    assert [label.n_beyond for label in read_label_table(source)] == [0, 3, 0]
