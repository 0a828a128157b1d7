"""An image in another storage order keeps each voxel's value and place, and can be turned back."""

from __future__ import annotations

from itertools import permutations, product

import nibabel as nib
import numpy as np
import pytest
from nibabel.eulerangles import euler2mat
from nibabel.orientations import aff2axcodes, axcodes2ornt, inv_ornt_aff, ornt_transform

from qsmiron.acquisition import b0_direction
from qsmiron.b0 import direction_field, direction_of_job
from qsmiron.errors import InputError
from qsmiron.spaces import grid_points
from qsmiron.storage_order import (
    as_stored,
    direction_as_stored,
    nearest_to_ras,
    turned,
    turned_direction,
)
from qsmiron.volumes import Volume

SHAPE = (3, 4, 5)
ORDERS = [
    "".join(signs)
    for axes in permutations(("RL", "AP", "SI"))
    for signs in product(*axes)
]  # fmt: skip
OBLIQUE = np.array([[2, 0.1, 0, -31], [-0.1, 1.5, 0.2, 20], [0, -0.2, 3, -40], [0, 0, 0, 1]])


def stored(codes: str) -> Volume:
    """An image whose values are the places of its voxels."""
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
    shape = np.array(SHAPE)
    shape[turn[:, 0].astype(int)] = SHAPE
    affine = OBLIQUE @ inv_ornt_aff(turn, SHAPE)
    assert "".join(aff2axcodes(affine)) == codes
    return Volume(grid_points(tuple(shape), affine) @ [1, 1e3, 1e6], affine)


@pytest.mark.parametrize("codes", ORDERS)
def test_every_order_is_turned_and_turned_back(codes):
    image = stored(codes)
    ras, turn = nearest_to_ras(image)
    expected = stored("RAS")
    np.testing.assert_allclose(ras.affine, expected.affine, atol=1e-9)
    np.testing.assert_allclose(ras.data, expected.data, rtol=1e-6)
    np.testing.assert_array_equal(as_stored(ras.data, turn), image.data)
    vectors = np.stack([image.data, -image.data])  # echoes come first, vectors last
    for one, sign in zip(turned(vectors, turn), (1, -1), strict=True):
        np.testing.assert_array_equal(one, sign * ras.data)
    back = as_stored(np.stack([ras.data, -ras.data], axis=-1), turn)
    np.testing.assert_array_equal(back, np.moveaxis(vectors, 0, -1))


@pytest.mark.parametrize("order", ["C", "F"])
def test_sums_run_in_the_same_order(order):
    image = stored("PSL")
    data = np.asarray(image.data, order=order)
    ras, turn = nearest_to_ras(Volume(data, image.affine))
    assert ras.data.flags[f"{order}_CONTIGUOUS"]
    assert as_stored(ras.data, turn).flags[f"{order}_CONTIGUOUS"]


def test_an_image_in_ras_is_left_as_it_is():
    image = stored("RAS")
    ras, turn = nearest_to_ras(image)
    assert np.shares_memory(ras.data, image.data)
    assert np.shares_memory(as_stored(ras.data, turn), image.data)


@pytest.mark.parametrize("codes", ORDERS)
def test_a_direction_turns_with_the_axes(codes):
    """B0 along the axes as stored is that of the turned image, and back."""
    image = stored(codes)
    ras, turn = nearest_to_ras(image)
    there = turned_direction(b0_direction(image.affine), turn)
    np.testing.assert_allclose(there, b0_direction(ras.affine), atol=1e-12)
    np.testing.assert_allclose(direction_as_stored(there, turn), b0_direction(image.affine))
    np.testing.assert_allclose(
        direction_of_job(ras, turn, 3 * b0_direction(image.affine)), there, atol=1e-12
    )


@pytest.mark.parametrize("codes", ["RAS", "LPS", "PIR"])
def test_b0_by_the_qform_of_the_raw_image(codes, tmp_path):
    """The sform was realigned; the scanner's qform tells where B0 is along the same axes."""
    image = stored(codes)
    tilt = np.eye(4)
    tilt[:3, :3] = euler2mat(x=np.deg2rad(20))
    raw = nib.Nifti1Image(image.data.astype(np.float32), tilt @ image.affine)
    raw.set_qform(image.affine, 1)
    nib.save(raw, tmp_path / "raw.nii")
    realigned, turn = nearest_to_ras(Volume(image.data, tilt @ image.affine))
    found = direction_of_job(realigned, turn, qform_of=tmp_path / "raw.nii")
    back = direction_as_stored(found, turn)
    np.testing.assert_allclose(back, b0_direction(raw.get_qform()), atol=1e-5)
    assert direction_field(found, turn)["B0Direction"] == pytest.approx(back, abs=1e-6)
    raw.set_qform(None, 0)
    nib.save(raw, tmp_path / "raw.nii")
    with pytest.raises(InputError, match="qform_code is 0"):
        direction_of_job(realigned, turn, qform_of=tmp_path / "raw.nii")


@pytest.mark.parametrize("direction", [(0, 0, 0), (0, np.nan, 1), (np.inf, 0, 1)])
def test_a_direction_that_is_none_is_refused(direction):
    ras, turn = nearest_to_ras(stored("RAS"))
    with pytest.raises(InputError, match="--b0-direction"):
        direction_of_job(ras, turn, direction)
