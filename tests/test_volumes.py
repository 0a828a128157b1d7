"""Volumes: checked when read, whole when written, the same bytes for the same data."""

from __future__ import annotations

import gzip
import json

import nibabel as nib
import numpy as np
import pytest

from qsmiron import volumes
from qsmiron.errors import InputError
from qsmiron.volumes import Volume, atomic_path, read_json, read_mask, read_volume, write_volume

OBLIQUE = np.array(
    [[1.9, -0.1, 0.3, -20.0], [0.2, 1.8, -0.5, 7.0], [-0.3, 0.6, 2.4, 3.0], [0, 0, 0, 1.0]]
)


def rectangular(tilt: float = 0.3) -> np.ndarray:
    """An oblique affine that a qform can hold too: a rotation times voxel sizes."""
    c, s = np.cos(tilt), np.sin(tilt)
    out = np.eye(4)
    out[:3, :3] = np.array([[1, 0, 0], [0, c, -s], [0, s, c]]) @ np.diag([1.5, 1.0, 3.0])
    out[:3, 3] = (-20, 7, 3)
    return out


def noise(shape=(5, 6, 7), dtype=np.float32) -> np.ndarray:
    return np.random.default_rng(0).normal(size=shape).astype(dtype)


@pytest.mark.parametrize("ending", ["nii", "nii.gz"])
def test_round_trip(tmp_path, ending):
    path = tmp_path / "new" / f"x.{ending}"
    write_volume(path, noise(), rectangular(), {"Units": "ppm"})
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.data, noise())
    np.testing.assert_allclose(volume.affine, rectangular(), atol=1e-6)
    np.testing.assert_allclose(volume.voxel_size, (1.5, 1.0, 3.0), atol=1e-6)
    assert json.loads((tmp_path / "new" / "x.json").read_text()) == {"Units": "ppm"}
    header = nib.load(path).header
    assert (header["sform_code"], header["qform_code"]) == (1, 1)
    np.testing.assert_allclose(header.get_qform(), rectangular(), atol=1e-5)


def test_types(tmp_path):
    path = tmp_path / "x.nii.gz"
    for given, kept in ((np.float64, np.float32), (bool, np.uint8), (np.int16, np.int16)):
        write_volume(path, noise().astype(given), np.eye(4))
        assert nib.load(path).get_data_dtype() == kept


def test_scaling_of_the_file_is_honoured(tmp_path):
    image = nib.Nifti1Image(np.arange(-30, 30, dtype=np.int16).reshape(3, 4, 5), np.eye(4))
    image.header.set_slope_inter(0.25, -7.0)
    nib.save(image, tmp_path / "x.nii.gz")
    expected = np.arange(-30, 30).reshape(3, 4, 5) * 0.25 - 7.0
    np.testing.assert_array_equal(read_volume(tmp_path / "x.nii.gz").data, expected)


def test_orientation_as_stored(tmp_path):
    stored = np.diag([-1.0, 1.0, 2.0, 1.0])
    nib.save(nib.Nifti1Image(noise(), stored), tmp_path / "x.nii.gz")
    volume = read_volume(tmp_path / "x.nii.gz")
    np.testing.assert_array_equal(volume.data, noise())
    np.testing.assert_array_equal(volume.affine, stored)


def test_the_same_data_give_the_same_bytes(tmp_path):
    for name in ("a", "b"):
        write_volume(tmp_path / f"{name}.nii.gz", noise(), OBLIQUE, {"a": 1})
    assert (tmp_path / "a.nii.gz").read_bytes() == (tmp_path / "b.nii.gz").read_bytes()
    stamp = (tmp_path / "a.nii.gz").read_bytes()[4:8]
    assert stamp == bytes(4), "no time in the gzip header"


@pytest.mark.parametrize("keep", [0, 10, 400, -1000, -9, -1])
def test_truncated_files_are_refused(tmp_path, keep):
    whole = tmp_path / "whole.nii.gz"
    write_volume(whole, noise((20, 20, 20)), np.eye(4))
    path = tmp_path / "cut.nii.gz"
    path.write_bytes(whole.read_bytes()[:keep])
    with pytest.raises(InputError, match=r"cut\.nii\.gz"):
        read_volume(path)
    cut = tmp_path / "cut.nii"
    cut.write_bytes(gzip.decompress(whole.read_bytes())[:-40])
    with pytest.raises(InputError, match=r"cut\.nii"):
        read_volume(cut)


@pytest.mark.parametrize("position", [500, 9000, 20_000])
def test_a_flipped_bit_in_a_compressed_file_is_refused(tmp_path, position):
    path = tmp_path / "x.nii.gz"
    write_volume(path, noise((20, 20, 20)), np.eye(4))
    content = bytearray(path.read_bytes())
    content[position] ^= 4
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.nii\.gz"):
        read_volume(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_volume(tmp_path / "none.nii.gz")


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused_with_their_number(tmp_path, bad):
    data = noise()
    data[1, 2, 3] = data[0, 0, 0] = bad
    nib.save(nib.Nifti1Image(data, np.eye(4)), tmp_path / "x.nii.gz")
    with pytest.raises(InputError, match="2 voxels"):
        read_volume(tmp_path / "x.nii.gz")


def test_mgz(tmp_path):
    """FreeSurfer's format: big-endian, gzipped, its affine from direction cosines and centre."""
    labels = np.arange(210, dtype=np.int32).reshape(5, 6, 7)
    lia = np.array([[-1.0, 0, 0, 30], [0, 0, 1, -12], [0, -1, 0, 25], [0, 0, 0, 1]])
    path = tmp_path / "aparc+aseg.mgz"
    nib.save(nib.MGHImage(labels, lia), path)
    volume = read_volume(path, np.int32)
    np.testing.assert_array_equal(volume.data, labels)
    np.testing.assert_allclose(volume.affine, lia, atol=1e-5)
    whole = path.read_bytes()
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 4
    for broken in (whole[:-9], whole[: len(whole) // 2], bytes(flipped), b""):
        path.write_bytes(broken)
        with pytest.raises(InputError, match=r"aparc\+aseg\.mgz.*MGZ image"):
            read_volume(path)


def test_dimensions(tmp_path):
    for shape, good in (((4, 4, 4, 1), True), ((4, 4, 4, 2), False), ((4, 4), False)):
        nib.save(nib.Nifti1Image(np.zeros(shape, np.float32), np.eye(4)), tmp_path / "x.nii")
        if good:
            assert read_volume(tmp_path / "x.nii").data.shape == (4, 4, 4)
        else:
            with pytest.raises(InputError, match="dimensions"):
                read_volume(tmp_path / "x.nii")


def test_masks(tmp_path):
    path = tmp_path / "mask.nii.gz"
    data = np.zeros((4, 5, 6), bool)
    data[1:3] = True
    write_volume(path, data, np.eye(4))
    mask = read_mask(path, Volume(np.zeros((4, 5, 6)), np.eye(4)))
    assert mask.dtype == bool
    np.testing.assert_array_equal(mask, data)
    with pytest.raises(InputError, match=r"\(4, 5, 6\).*\(4, 5, 7\)"):
        read_mask(path, Volume(np.zeros((4, 5, 7)), np.eye(4)))
    with pytest.raises(InputError, match="the grid"):
        read_mask(path, Volume(np.zeros((4, 5, 6)), OBLIQUE))
    write_volume(path, data & False, np.eye(4))
    with pytest.raises(InputError, match="empty mask"):
        read_mask(path)


def test_a_grid_may_differ_by_the_rounding_of_a_header():
    near = np.eye(4)
    near[0, 3] += 0.005
    like = Volume(np.zeros((2, 2, 2)), np.eye(4))
    volumes.check_same_grid(Volume(np.zeros((2, 2, 2)), near), like, "x")
    near[0, 3] += 0.05
    with pytest.raises(InputError):
        volumes.check_same_grid(Volume(np.zeros((2, 2, 2)), near), like, "x")


def test_a_failure_leaves_the_old_file_and_nothing_else(tmp_path):
    path = tmp_path / "x.txt"
    path.write_text("old")

    def fail():
        with atomic_path(path) as temporary:
            temporary.write_text("half")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert [p.name for p in tmp_path.iterdir()] == ["x.txt"]
    assert path.read_text() == "old"


def test_a_failed_write_leaves_nothing(tmp_path, monkeypatch):
    def full(self, content):
        self.touch()
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    with pytest.raises(OSError, match="No space") as raised:
        write_volume(tmp_path / "x.nii.gz", noise(), np.eye(4))
    assert list(tmp_path.iterdir()) == []
    assert raised.value.filename == str(tmp_path / "x.nii.gz")


def test_an_error_of_another_file_keeps_its_name(tmp_path):
    with pytest.raises(FileNotFoundError) as raised, atomic_path(tmp_path / "x.txt"):
        (tmp_path / "absent.txt").read_text()
    assert raised.value.filename == str(tmp_path / "absent.txt")


def test_what_a_killed_process_left_of_the_same_file_goes(tmp_path):
    others = {".partial-12345678-a-x.txt", ".partial-x.txt", "x.txt.partial"}
    for name in {".partial-12345678-x.txt", ".partial-_bcdefgh-x.txt", *others}:
        (tmp_path / name).write_text("half")
    with atomic_path(tmp_path / "x.txt") as temporary:
        temporary.write_text("whole")
    assert {path.name for path in tmp_path.iterdir()} == {"x.txt", *others}


def test_a_file_appears_only_when_complete(tmp_path):
    path = tmp_path / "x.svg"
    with atomic_path(path) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.suffix == ".svg"
        assert not path.exists()
        temporary.write_text("new")
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o600 == 0o600
    assert len(list(tmp_path.iterdir())) == 1


def test_sidecar_paths():
    for image, sidecar in (("a.nii.gz", "a.json"), ("a.b.nii", "a.b.json"), ("t.tsv", "t.json")):
        assert volumes.sidecar_path(image).name == sidecar


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"[" * 100_000, b"9" * 5000])
def test_json_that_is_none(tmp_path, content):
    path = tmp_path / "x.json"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"x\.json"):
        read_json(path)


def test_json_may_start_with_a_byte_order_mark(tmp_path):
    (tmp_path / "x.json").write_bytes(b'\xef\xbb\xbf{"\xc3\xa9": 1}')
    assert read_json(tmp_path / "x.json") == {"é": 1}
    for absent in ("none.json", "."):
        with pytest.raises(InputError):
            read_json(tmp_path / absent)
