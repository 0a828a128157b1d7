"""Maps in the template's space, through transforms whose inverse is known."""

from __future__ import annotations

import numpy as np
import pytest

import carry_map
import carry_mask
import invert_registration
import share_mask
from qsmiron.registration.coordinates import NOWHERE_MM, write_coordinates
from qsmiron.registration.inverse import carry_map as carried
from qsmiron.registration.inverse import invert_coordinates, is_somewhere
from qsmiron.spaces import apply_affine, grid_points
from qsmiron.volumes import Volume, read_volume, write_volume

TEMPLATE_AFFINE = np.array([[2.0, 0, 0, -30], [0, 2, 0, -34], [0, 0, 2, -26], [0, 0, 0, 1]])
SHAPE = (31, 35, 27)
AROUND = np.linalg.norm(grid_points(SHAPE, TEMPLATE_AFFINE) / [24, 28, 20], axis=-1)
TEMPLATE = Volume((AROUND < 1).astype(np.float32), TEMPLATE_AFFINE)


def to_template(points: np.ndarray) -> np.ndarray:
    """Scanner → template: turned by 10 degrees, larger by 5 %, and bent by up to 3 mm."""
    angle = np.radians(10)
    turn = 1.05 * np.array(
        [[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]]
    )
    bent = points + 3 * np.sin(points[..., ::-1] / 25)
    return bent @ turn.T + [4.0, -3.0, 2.0]


GRE_AFFINE = np.array([[-1.5, 0, 0, 48], [0, 1.5, 0, -51], [0, 0, 2, -44], [0, 0, 0, 1]])
GRE_POINTS = grid_points((64, 68, 44), GRE_AFFINE).astype(float)
COORDINATES = Volume(to_template(GRE_POINTS).astype(np.float32), GRE_AFFINE)
RAMP = (GRE_POINTS @ [0.5, -0.3, 0.2]).astype(np.float32)
"""Trilinear interpolation is exact on it."""


def test_the_inverse_takes_each_point_back() -> None:
    points = invert_coordinates(COORDINATES, TEMPLATE)
    inside = TEMPLATE.data > 0
    assert is_somewhere(points)[inside].all()
    assert not is_somewhere(points)[~inside].any()
    there = to_template(points[inside].astype(float))
    wanted = grid_points(SHAPE, TEMPLATE_AFFINE)[inside]
    # trilinear interpolation of the bend, with steps of 2 mm, is 0.01 mm off at most
    assert np.abs(there - wanted).max() < 0.06


def test_a_map_is_carried_by_one_interpolation() -> None:
    points = invert_coordinates(COORDINATES, TEMPLATE)
    inside = TEMPLATE.data > 0
    found = carried(Volume(RAMP, GRE_AFFINE), np.ones(RAMP.shape, bool), points, inside)
    expected = points[inside] @ [0.5, -0.3, 0.2]
    np.testing.assert_allclose(found[inside], expected, atol=1e-3)
    assert (found[~inside] == 0).all()


def test_zeros_outside_the_mask_do_not_dilute_the_edge() -> None:
    points = invert_coordinates(COORDINATES, TEMPLATE)
    mask = np.linalg.norm(GRE_POINTS, axis=-1) < 14
    image = Volume(np.where(mask, 0.07, 0).astype(np.float32), GRE_AFFINE)
    found = carried(image, mask, points, TEMPLATE.data > 0)
    assert found[found != 0] == pytest.approx(0.07, abs=1e-6)


def test_what_the_scan_does_not_cover_has_no_place() -> None:
    half = Volume(COORDINATES.data[:, :, :22], GRE_AFFINE)
    points = invert_coordinates(half, TEMPLATE)
    inside = TEMPLATE.data > 0
    share = is_somewhere(points)[inside].mean()
    assert 0.3 < share < 0.7
    kept = points[is_somewhere(points)]
    assert np.abs(to_template(kept.astype(float)) - grid_points(SHAPE, TEMPLATE_AFFINE)[
        is_somewhere(points)]).max() < 0.5  # fmt: skip
    nowhere = Volume(np.full_like(COORDINATES.data, NOWHERE_MM), GRE_AFFINE)
    assert not is_somewhere(invert_coordinates(nowhere, TEMPLATE)).any()


def test_the_scripts_on_the_shipped_template(tmp_path, monkeypatch) -> None:
    """A scan that lies in the template as it is, moved by 5 mm: the known transform."""
    shape, affine = (50, 60, 50), np.diag([4.0, 4.0, 4.0, 1.0])
    affine[:3, 3] = [-98, -134, -72]
    points = grid_points(shape, affine)
    move = np.eye(4)
    move[:3, 3] = [5, 0, 0]
    files = {n: str(tmp_path / f"{n}.nii.gz") for n in ("c", "i", "chi", "m", "tm", "out", "all")}
    write_coordinates(files["c"], apply_affine(move, points), affine)
    chi = (points @ np.float32([1e-3, 2e-3, -1e-3])).astype(np.float32)
    write_volume(files["chi"], chi, affine)
    write_volume(files["m"], np.ones(shape, bool), affine)
    invert_registration.main(["--coordinates", files["c"], "--inverse", files["i"]])
    carry_mask.main(["--mask", files["m"], "--inverse", files["i"], "--target-mask", files["tm"]])
    arguments = ["--map", files["chi"], "--mask", files["m"], "--inverse", files["i"],
                 "--target-mask", files["tm"], "--target-map", files["out"]]  # fmt: skip
    carry_map.main(arguments)
    share_mask.main(["--masks", files["tm"], files["tm"], "--output", files["all"]])
    found, mask = read_volume(files["out"]), read_volume(files["tm"]).data > 0
    assert found.voxel_size == (1, 1, 1)
    assert mask.sum() > 1e6
    assert (read_volume(files["all"]).data > 0).sum() == mask.sum()
    template = grid_points(found.data.shape, found.affine)[mask]
    expected = (template - [5, 0, 0]) @ [1e-3, 2e-3, -1e-3]
    # coordinates are stored in steps of 0.01 mm
    np.testing.assert_allclose(found.data[mask], expected, atol=5e-5)
    first = (tmp_path / "out.nii.gz").read_bytes()
    carry_map.main(arguments)
    assert (tmp_path / "out.nii.gz").read_bytes() == first
