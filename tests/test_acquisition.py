"""Direction of B0, echo times and phase scales: by declaration, contradictions refused."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform

from qsmiron import acquisition
from qsmiron.acquisition import b0_direction, phase_in_radians
from qsmiron.errors import InputError
from qsmiron.volumes import Volume

SIEMENS = {"Units": "arbitrary", "Manufacturer": "Siemens"}


def rotation(axis: int, degrees: float) -> np.ndarray:
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    matrix = np.eye(3)
    i, j = [k for k in range(3) if k != axis]
    matrix[i, i] = matrix[j, j] = c
    matrix[i, j], matrix[j, i] = -s, s
    return matrix


def affine(matrix: np.ndarray, voxel=(1.0, 1.0, 1.0)) -> np.ndarray:
    out = np.eye(4)
    out[:3, :3] = matrix @ np.diag(voxel)
    return out


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        ("RAS", (0, 0, 1)),
        ("LPS", (0, 0, 1)),
        ("LAS", (0, 0, 1)),
        ("RAI", (0, 0, -1)),
        ("RSA", (0, 1, 0)),
        ("ASL", (0, 1, 0)),
        ("SRP", (1, 0, 0)),
        ("PIR", (0, -1, 0)),
    ],
)
def test_b0_along_the_axis_that_is_superior(codes, expected):
    ras = nib.Nifti1Image(np.zeros((4, 5, 6), np.float32), np.diag([1.0, 2.0, 3.0, 1.0]))
    image = ras.as_reoriented(ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes)))
    assert "".join(nib.aff2axcodes(image.affine)) == codes
    np.testing.assert_allclose(b0_direction(image.affine), expected, atol=1e-12)


@pytest.mark.parametrize("degrees", [5, 20, 40])
@pytest.mark.parametrize("axis", [0, 1])
def test_b0_in_oblique_slices(axis, degrees):
    # Slices tilted by R: voxel axes are the columns of R, so B0 = Rᵀ z by projection on each.
    matrix = rotation(axis, degrees)
    direction = b0_direction(affine(matrix, (0.5, 1.0, 3.0)))
    np.testing.assert_allclose(direction, matrix.T @ [0, 0, 1], atol=1e-12)
    assert np.degrees(np.arccos(direction[2])) == pytest.approx(degrees, abs=1e-6)


def test_b0_in_doubly_oblique_slices_survives_a_nifti_round_trip_and_reorientation():
    matrix = rotation(0, 23) @ rotation(1, -14) @ rotation(2, 31)
    image = nib.Nifti1Image(np.zeros((3, 4, 5), np.float32), affine(matrix, (0.9, 0.9, 2.0)))
    image = nib.Nifti1Image.from_bytes(image.to_bytes())
    expected = matrix.T @ [0, 0, 1]
    np.testing.assert_allclose(b0_direction(image.affine), expected, atol=1e-6)
    # stored in another order, the same vector in the world
    change = np.array([[2, -1], [0, 1], [1, -1]])
    stored = image.affine @ inv_ornt_aff(change, (3, 4, 5))
    cosines = stored[:3, :3] / np.linalg.norm(stored[:3, :3], axis=0)
    np.testing.assert_allclose(cosines @ b0_direction(stored), [0, 0, 1], atol=1e-6)


def test_the_position_of_the_grid_does_not_matter():
    here = affine(rotation(0, 10))
    there = here.copy()
    there[:3, 3] = (-90, 12, 300)
    np.testing.assert_array_equal(b0_direction(here), b0_direction(there))


@pytest.mark.parametrize(
    "value", [None, "3", True, 0, -1, float("nan"), float("inf"), 10**400, [3]]
)
def test_numbers_that_are_none(value):
    with pytest.raises(InputError, match=r"x\.json, MagneticFieldStrength"):
        acquisition.field_strength({"MagneticFieldStrength": value}, "x.json")
    with pytest.raises(InputError, match="no such field"):
        acquisition.field_strength({}, "x.json")


def test_echo_time_is_in_seconds():
    assert acquisition.echo_time({"EchoTime": 0.0046}, "x") == 0.0046
    with pytest.raises(InputError, match="milliseconds"):
        acquisition.echo_time({"EchoTime": 4.6}, "x")


def test_echo_times_must_increase():
    acquisition.check_echo_times(np.array([0.004, 0.008]), "x")
    acquisition.check_echo_times(np.array([0.004]), "x")
    for times in ([0.004, 0.004], [0.008, 0.004]):
        with pytest.raises(InputError, match="increase"):
            acquisition.check_echo_times(np.array(times), "x")


def volume(*values: float) -> Volume:
    return Volume(np.array(values, np.float32).reshape(-1, 1, 1), np.eye(4))


@pytest.mark.parametrize(
    ("sidecar", "units", "stored", "radians"),
    [
        ({"Units": "rad"}, "declared", (-np.pi, 0, np.pi), (-np.pi, 0, np.pi)),
        ({"Units": " Radians "}, "declared", (-1, 0, 1), (-1, 0, 1)),
        (SIEMENS, "declared", (-4096, 0, 2048, 4092), (-np.pi, 0, np.pi / 2, 4092 / 4096 * np.pi)),
        ({}, "siemens_unsigned", (0, 2048, 3072), (-np.pi, 0, np.pi / 2)),
        ({}, "milliradian", (-3141, 0, 1571), (-3.141, 0, 1.571)),
        (SIEMENS, "milliradian", (-3141, 0, 3140), (-3.141, 0, 3.140)),
        (SIEMENS, "rad", (-3, 0, 3), (-3, 0, 3)),
    ],
)
def test_phase_scales(sidecar, units, stored, radians):
    result = phase_in_radians(volume(*stored), sidecar, units, "x")
    assert result.dtype == np.float32
    np.testing.assert_allclose(result.ravel(), radians, atol=2e-6)


@pytest.mark.parametrize("stored", [(-1900, 1900), (-10, 2900), (-3000, 50)])
def test_the_observed_range_never_sets_the_scale(stored):
    """A quiet image in which no voxel reaches ±π keeps the declared scale."""
    result = phase_in_radians(volume(*stored), SIEMENS, "declared", "x")
    np.testing.assert_allclose(result.ravel(), np.array(stored) * np.pi / 4096, atol=1e-6)


@pytest.mark.parametrize(
    ("sidecar", "units", "stored", "hint"),
    [
        ({"Units": "rad"}, "declared", (-4096, 4092), "siemens"),
        ({"Units": "rad"}, "declared", (-3142, 3140), "milliradian"),
        ({"Units": "rad"}, "declared", (0, 4095), "siemens_unsigned"),
        ({"Units": "rad"}, "declared", (-1, 2 * np.pi), "unwrapped phase"),
        ({"Units": "rad"}, "declared", (-40, 60), "unwrapped phase"),
        ({"Units": "rad"}, "declared", (-180, 179.9), "degrees"),
        (SIEMENS, "declared", (-3142, 3141), "phase_units: milliradian"),
        (SIEMENS, "declared", (-3.14, 3.14), "phase_units: rad"),
        (SIEMENS, "declared", (0, 4095), "siemens_unsigned"),
        (SIEMENS, "declared", (-32768, 32767), "phase_units"),
        ({}, "siemens_unsigned", (-4096, 4092), "siemens"),
        ({}, "milliradian", (-4096, 4092), "siemens"),
    ],
)
def test_values_that_contradict_their_declaration_are_refused(sidecar, units, stored, hint):
    with pytest.raises(InputError) as caught:
        phase_in_radians(volume(*stored), sidecar, units, "sub-01.nii.gz")
    text = str(caught.value)
    assert "sub-01.nii.gz" in text
    assert hint in text
    assert "acquisition.phase_units" in text or "give the wrapped phase" in text


def test_radians_from_0_to_two_pi_are_the_same_phase():
    wrapped = np.linspace(-3.1, 3.1, 50)
    stored = np.where(wrapped < 0, wrapped + 2 * np.pi, wrapped)
    result = phase_in_radians(volume(*stored), {"Units": "rad"}, "declared", "x")
    np.testing.assert_allclose(result.ravel(), wrapped, atol=1e-6)


def test_field_strength_follows_from_the_frequency_where_it_is_not_given():
    assert acquisition.field_strength({"ImagingFrequency": 127.732434}, "x") == 3
    assert acquisition.field_strength(
        {"ImagingFrequency": 123.2, "MagneticFieldStrength": 3}, "x"
    ) == 3  # fmt: skip
    with pytest.raises(InputError, match="ImagingFrequency"):
        acquisition.field_strength({"ImagingFrequency": "127 MHz"}, "x")


def test_a_sidecar_of_absurd_length_is_not_read(tmp_path):
    image = tmp_path / "sub-01_MEGRE.nii.gz"
    with image.with_name("sub-01_MEGRE.json").open("wb") as file:
        file.truncate(acquisition.LARGEST_SIDECAR_BYTES + 1)
    with pytest.raises(InputError, match="16 MiB"):
        acquisition.read_sidecar(image)


@pytest.mark.parametrize(
    "sidecar",
    [{}, {"Units": "arbitrary"}, {"Units": "arbitrary", "Manufacturer": "GE"}, {"Units": "Hz"}],
)
def test_a_declaration_that_says_too_little_is_refused(sidecar):
    with pytest.raises(InputError, match=r"acquisition\.phase_units"):
        phase_in_radians(volume(-1, 1), sidecar, "declared", "x")


def test_an_unknown_unit_in_the_config_is_refused():
    with pytest.raises(InputError, match="'degrees'"):
        phase_in_radians(volume(-1, 1), {}, "degrees", "x")
