import nibabel as nib
import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.regions.label_table import Label
from qsmiron.regions.scan import read_scan
from qsmiron.regions.values import (
    RegionValues,
    Who,
    read_labels,
    read_values,
    sort_by_region,
    voxel_volume,
    write_values,
)
from qsmiron.volumes import read_volume

TABLE = [Label(3, "a", "L"), Label(12, "b", "R"), Label(2035, "absent", "B")]
INDEX = [label.index for label in TABLE]


def save(path, data, affine=None):
    nib.save(nib.Nifti1Image(data, np.eye(4) if affine is None else affine), path)
    return path


@pytest.fixture
def arrays():
    rng = np.random.default_rng(3)
    labels = rng.choice([0, 3, 12], size=(5, 6, 7))
    chi = rng.normal(0, 0.05, labels.shape).astype(np.float32)
    chi[rng.random(chi.shape) < 0.1] = 0
    return labels, chi, rng.random(labels.shape) < 0.7


def test_sorted_regions_against_a_search_per_label(arrays):
    labels, chi, measured = arrays
    regions = sort_by_region(labels, chi, measured, INDEX)
    for position, label in enumerate(INDEX):
        expected = np.sort(chi[(labels == label) & measured])
        np.testing.assert_array_equal(regions.of(position), expected)
        assert regions.n_voxels[position] == expected.size
        assert regions.n_label_voxels[position] == (labels == label).sum()
    assert regions.coverage[2] == 0
    assert regions.coverage[0] == (measured & (labels == 3)).sum() / (labels == 3).sum()


def test_label_outside_the_index_is_refused(arrays):
    labels, chi, measured = arrays
    for label in (1, 5, 9999):
        with pytest.raises(ValueError, match="not in the index"):
            sort_by_region(np.where(labels == 12, label, labels), chi, measured, INDEX)


def test_no_label_at_all():
    nothing = np.zeros((2, 2, 2), dtype=int)
    regions = sort_by_region(nothing, nothing * 1.0, nothing == 0, INDEX)
    assert regions.n_voxels.tolist() == [0, 0, 0]
    assert regions.coverage.tolist() == [0, 0, 0]


def test_npz_round_trip_plain_and_deterministic(arrays, tmp_path):
    regions = sort_by_region(*arrays, INDEX)
    scan = RegionValues(Who("sub-07", "2", "tv", "AAL", "own"), regions, 6.25)
    for name in ("one.npz", "two.npz"):
        write_values(tmp_path / name, scan)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.npz", "two.npz"]
    back = read_values(tmp_path / "one.npz", TABLE)
    assert back.who == scan.who
    assert back.voxel_volume == 6.25
    for position in range(3):
        np.testing.assert_array_equal(back.chi.of(position), regions.of(position))
    np.testing.assert_array_equal(back.chi.coverage, regions.coverage)
    with np.load(tmp_path / "one.npz", allow_pickle=False) as file:
        assert all(file[key].dtype.kind in "iufU" for key in file.files)
        np.testing.assert_array_equal(file["coverage"], regions.coverage)


def test_npz_of_others_is_refused(arrays, tmp_path):
    (tmp_path / "text.npz").write_text("no zip")
    np.savez(tmp_path / "other.npz", chi=np.zeros(3))
    np.save(tmp_path / "array.npy", np.zeros(3))
    for name in ("text.npz", "other.npz", "array.npy", "absent.npz"):
        with pytest.raises(InputError, match=name):
            read_values(tmp_path / name, TABLE)
    scan = RegionValues(Who("sub-07"), sort_by_region(*arrays, INDEX), 1.0)
    write_values(tmp_path / "scan.npz", scan)
    with pytest.raises(InputError, match="the 2 labels of the label table"):
        read_values(tmp_path / "scan.npz", TABLE[:2])


def test_label_image_is_checked(arrays, tmp_path):
    labels, chi, _ = arrays
    like = read_volume(save(tmp_path / "chi.nii", chi))
    for data, message in (
        (labels.astype(np.float32) + np.float32(0.5), "that are no label"),
        (-labels.astype(np.int16), "that are no label"),
        (np.where(labels == 12, 99, labels).astype(np.int16), "label table lacks: 99"),
        (labels[:4].astype(np.int16), "the grid"),
    ):
        path = save(tmp_path / "labels.nii", data)
        with pytest.raises(InputError, match=message):
            read_labels(path, like, TABLE)
    shifted = np.eye(4)
    shifted[0, 3] = 1
    path = save(tmp_path / "labels.nii", labels.astype(np.int16), shifted)
    with pytest.raises(InputError, match="the grid"):
        read_labels(path, like, TABLE)


def test_no_voxel_bears_the_label_of_a_composite(arrays, tmp_path):
    labels, chi, _ = arrays
    like = read_volume(save(tmp_path / "chi.nii", chi))
    path = save(tmp_path / "labels.nii", labels.astype(np.int16))
    table = [*TABLE, Label(3000, "both", "B", "", (3, 12))]
    np.testing.assert_array_equal(read_labels(path, like, table), labels)
    save(path, np.where(labels == 12, 3000, labels).astype(np.int16))
    with pytest.raises(InputError, match=r"the label of a composite: 3000; expected .* members"):
        read_labels(path, like, table)


def test_measured_voxels(arrays, tmp_path):
    labels, chi, mask = arrays
    chi = chi.copy()
    chi[labels == 3] = np.where(np.arange((labels == 3).sum()) % 4, chi[labels == 3], np.nan)
    r2star = np.full(chi.shape, 20, np.float32)
    r2star[:2] = np.inf
    files = {
        "chi": save(tmp_path / "chi.nii", chi),
        "labels": save(tmp_path / "labels.nii", labels.astype(np.int16)),
    }
    scan = read_scan(Who("sub-01"), table=TABLE, **files)
    whole = scan.chi
    assert scan.r2star is None
    n_label = [(labels == 3).sum(), (labels == 12).sum(), 0]
    assert whole.chi.n_label_voxels.tolist() == n_label
    assert whole.chi.n_voxels[0] == (np.isfinite(chi) & (labels == 3)).sum()
    assert whole.chi.n_voxels[1] == n_label[1], "a χ of 0 is a value"
    again = read_scan(
        Who("sub-01"),
        table=TABLE,
        mask=save(tmp_path / "mask.nii", mask.astype(np.uint8)),
        r2star=save(tmp_path / "r2star.nii", r2star),
        **files,
    )
    inside = mask & np.isfinite(chi)
    assert again.chi.chi.n_voxels[0] == (inside & (labels == 3)).sum()
    assert again.r2star.n_voxels[0] == (inside & np.isfinite(r2star) & (labels == 3)).sum()


def test_voxel_volume_of_an_oblique_grid():
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    affine = np.eye(4)
    affine[:3, :3] = turn @ np.diag([-1.0, 2.0, 2.5])
    assert voxel_volume(affine) == pytest.approx(5.0, rel=1e-12)


def test_values_read_region_by_region_are_those_read_at_once(arrays, tmp_path):
    regions = sort_by_region(*arrays, INDEX, minimum_coverage=0.5)
    write_values(tmp_path / "v.npz", RegionValues(Who("sub-07"), regions, 1.0))
    lazily = read_values(tmp_path / "v.npz", TABLE, lazily=True).chi
    for position in range(3):
        np.testing.assert_array_equal(lazily.of(position), regions.of(position))
        assert lazily.size_of(position) == regions.of(position).size


def test_values_that_cannot_be_read_in_parts_are_refused(arrays, tmp_path):
    path = tmp_path / "v.npz"
    write_values(path, RegionValues(Who("sub-07"), sort_by_region(*arrays, INDEX), 1.0))
    with np.load(path) as file:
        stored = dict(file)
    np.savez_compressed(path, **stored)
    read_values(path, TABLE)
    with pytest.raises(InputError, match="no region values"):
        read_values(path, TABLE, lazily=True)
    np.savez(path, **stored | {"chi": stored["chi"][:-1]})
    with pytest.raises(InputError, match="no region values"):
        read_values(path, TABLE, lazily=True)
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(InputError, match="no region values"):
        read_values(path, TABLE, lazily=True)
