"""The same case stored in other orders, or turned in the scanner: the same labels and tables."""

from pathlib import Path

import numpy as np
import pytest
from heads import COARSE, CORTEX, SUBCORTEX, Head, dice, reference, rotation_matrix, scans, stored

import measure_regions
from qsmiron import template
from qsmiron.registration.labels import carry_labels
from qsmiron.registration.scan import RegistrationParameters, register_scan
from qsmiron.spaces import grid_points
from qsmiron.storage_order import as_stored, nearest_to_ras
from qsmiron.tables import read_table
from qsmiron.volumes import Volume, read_volume, write_volume

TABLE = Path(__file__).parents[2] / "config/atlases/DesikanKilliany.tsv"
LEFT = [*range(1, 42)]
FEW_STARTS = {"rotations": (0.0,), "rises": (0.0, 30.0), "advances": (0.0,)}


def a_scan(size):
    """T1w, GRE, true labels; a head that is not symmetric, and turned."""
    head = Head(9, rotation=(8, -5, 6), shift=(3, -4, 5))
    t1w, gre, where = scans(head, size)
    return stored(t1w, "RAS"), stored(gre, "RAS"), head.labels(where)


def labelled(t1w, gre, parameters):
    scan = register_scan(t1w, [gre], reference(), parameters)
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    return carry_labels(scan.coordinates, atlas), scan


def measured(folder, chi, labels):
    """The tables of regions and voxels, by the script, from files."""
    folder.mkdir()
    write_volume(folder / "chi.nii.gz", chi.data, chi.affine)
    write_volume(folder / "dseg.nii.gz", labels.astype(np.int16), chi.affine)
    measure_regions.main(
        [
            *("--chi", str(folder / "chi.nii.gz"), "--labels", str(folder / "dseg.nii.gz")),
            *("--label-table", str(TABLE), "--participant", "sub-01", "--age", "58"),
            *("--regions", str(folder / "r.tsv"), "--voxels", str(folder / "v.tsv")),
        ]
    )
    return read_table(folder / "r.tsv", "regions"), (folder / "v.tsv").read_text()


COARSELY = RegistrationParameters(template={**COARSE["template"], "pose": FEW_STARTS})


@pytest.fixture(scope="module")
def as_ras(tmp_path_factory):
    """Images, χ, labels, registration and tables of the case stored as RAS."""
    t1w, gre, truth = a_scan(4.0)
    noise = np.random.default_rng(0).normal(0, 0.05, gre.data.shape)
    chi = Volume(noise.astype(np.float32), gre.affine)
    labels, scan = labelled(t1w, gre, COARSELY)
    assert dice(truth, labels, SUBCORTEX).mean() > 0.7
    assert set(np.unique(labels)) == set(range(84))
    tables = measured(tmp_path_factory.mktemp("RAS") / "tables", chi, labels)
    return t1w, gre, chi, labels, scan, tables


@pytest.mark.parametrize(
    ("axes", "of_t1w"),
    [
        ("RPI", "LAS"),  # T1w and GRE of a session need not be stored alike
        pytest.param("LAS", "LAS", marks=pytest.mark.slow),
        pytest.param("LPS", "LPS", marks=pytest.mark.slow),
        pytest.param("RPI", "RPI", marks=pytest.mark.slow),
        pytest.param("PIR", "RAS", marks=pytest.mark.slow),
    ],
)
def test_storage_orders_give_the_same_labels_and_tables(tmp_path, as_ras, axes, of_t1w):
    t1w, gre, chi, expected, first, tables = as_ras
    turned = stored(gre, axes)
    labels, scan = labelled(stored(t1w, of_t1w), turned, COARSELY)

    def back(data):
        return stored(Volume(data, turned.affine), "RAS")

    np.testing.assert_allclose(back(labels).affine, gre.affine, atol=1e-4)
    np.testing.assert_array_equal(back(labels).data, expected)
    for found, like in ((scan.coordinates, first.coordinates), (scan.tissues, first.tissues)):
        parts = [back(part).data for part in np.moveaxis(found, -1, 0)]
        np.testing.assert_array_equal(np.stack(parts, -1), like)
    np.testing.assert_array_equal(scan.gre_to_t1w, first.gre_to_t1w)
    assert scan.quality == first.quality
    regions, voxels = measured(tmp_path / "tables", stored(chi, axes), labels)
    assert regions.equals(tables[0])
    assert voxels == tables[1]


def test_left_is_where_the_patients_left_is(as_ras):
    _, gre, _, labels, _, _ = as_ras
    x = grid_points(gre.data.shape, gre.affine)[..., 0]
    for left, right in ((35, 76), (37, 78)):  # thalamus, putamen
        assert x[labels == left].mean() < -5 < 5 < x[labels == right].mean()


@pytest.mark.nightly
def test_a_case_that_is_mirrored_is_not_the_same():
    """The check above has teeth: flipped voxels under an unchanged affine swap the sides."""
    t1w, gre, truth = a_scan(4.0)
    mirrored = (Volume(image.data[::-1], image.affine) for image in (t1w, gre))
    labels, _ = labelled(*mirrored, RegistrationParameters())
    swapped = labels[::-1]
    assert dice(truth, swapped, SUBCORTEX).mean() < 0.1
    left = np.isin(truth, LEFT)
    assert (swapped > 0)[left].mean() > 0.8
    assert (swapped > 41)[left & (swapped > 0)].all()


@pytest.mark.nightly
def test_a_turned_patient_has_the_same_labels():
    """The same voxels, 12 degrees further in the scanner: only rounding may change a label."""
    t1w, gre, truth = a_scan(2.0)
    parameters = RegistrationParameters()
    expected, first = labelled(t1w, gre, parameters)
    turn = np.eye(4)
    turn[:3, :3] = rotation_matrix((0, 0, 12))
    turned = Volume(gre.data, turn @ gre.affine)
    found, scan = labelled(Volume(t1w.data, turn @ t1w.affine), turned, parameters)
    either = (found > 0) | (expected > 0)
    apart = np.linalg.norm(scan.coordinates - first.coordinates, axis=-1)[either]
    assert apart.max() < 0.05
    assert (found == expected)[either].mean() > 0.999
    same = dice(expected, found, [*CORTEX, *SUBCORTEX])
    assert same.min() > 0.99
    for regions in (CORTEX, SUBCORTEX):
        change = dice(truth, found, regions).mean() - dice(truth, expected, regions).mean()
        assert abs(change) < 0.01
    sides = np.isin(found, LEFT) & ~np.isin(expected, [0, *LEFT])
    assert sides.sum() < 0.001 * either.sum()
    where = grid_points(gre.data.shape, turned.affine)
    for one, other in ((35, 76), (37, 78)):
        assert where[found == one][:, 0].mean() < where[found == other][:, 0].mean() - 15


@pytest.mark.parametrize("axes", ["RAS", "LAS", "LPS", "RPI", "PIR", "SAL", "IPL"])
@pytest.mark.parametrize("oblique", [False, True])
def test_nearest_storage_order_and_back(axes, oblique):
    random = np.random.default_rng(0)
    affine = np.diag([1.5, 2, 2.5, 1])
    affine[:3, 3] = -20.25, 13.5, 4.125
    if oblique:
        affine[:3, :3] = rotation_matrix((12, -7, 9)) @ affine[:3, :3]
    image = Volume(random.random((4, 5, 6), np.float32), affine)
    other = stored(image, axes)
    found, turn = nearest_to_ras(other)
    np.testing.assert_array_equal(found.data, image.data)
    np.testing.assert_allclose(found.affine, affine, atol=6e-4)
    np.testing.assert_array_equal(as_stored(found.data, turn), other.data)
    four = as_stored(np.stack([found.data, -found.data], -1), turn)
    np.testing.assert_array_equal(four[..., 0], other.data)
    np.testing.assert_array_equal(four[..., 1], -other.data)
