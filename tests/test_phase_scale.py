"""Wraps tell what one turn of a phase image is: wrong scales are refused, narrow phase is not."""

from __future__ import annotations

import json

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from qsmiron.echoes import read_phase
from qsmiron.errors import InputError
from qsmiron.phase_scale import check_turn, fills_its_range, lines_along, turn_of

SHAPE = (40, 44, 36)


def lines(image: np.ndarray) -> list[np.ndarray]:
    return [lines_along(image, axis) for axis in range(3)]


@pytest.fixture(scope="module")
def head() -> tuple[np.ndarray, np.ndarray]:
    """A wrapped phase (rad) with noise outside the head, and where the head is."""
    rng = np.random.default_rng(0)
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    inside = x**2 + y**2 + z**2 < 0.7
    phase = 5 * x * y + 6 * z + 2 * ndimage.gaussian_filter(rng.normal(size=SHAPE), 2)
    phase = np.where(inside, phase + 0.05 * rng.normal(size=SHAPE), rng.uniform(-4, 4, SHAPE) * 9)
    return np.angle(np.exp(1j * phase)), inside


@pytest.fixture(scope="module")
def smooth(head) -> np.ndarray:
    """A phase of the head that needs no unwrapping (rad)."""
    return ndimage.gaussian_filter(np.sin(head[0]), 3)


@pytest.mark.parametrize(
    ("encoding", "scale", "offset", "share", "words"),
    [
        ("siemens", 2048 / np.pi, 0, "0.5", "half of Siemens' scale"),
        ("siemens_unsigned", 1024 / np.pi, 1024, "0.5", "half of Siemens' scale"),
        ("siemens", 180 / np.pi, 0, "0.044", "degrees"),
        ("siemens", 990, 0, "0.76", "acquisition.phase_units: milliradian"),
        ("milliradian", 2048 / np.pi, 0, "0.65", "half of Siemens' scale"),
        ("rad", 0.5 / np.pi, 0, "0.16", "cycles"),
        ("rad", 0.5 / np.pi, 0.5, "0.16", "cycles"),
        ("rad", 1 / np.pi, 0, "0.32", "multiples of pi"),
        ("rad", 0.49 / np.pi, 0, "0.16", "multiply the values by 6.4"),
        ("rad", 1e-3, 0, "0.001", "multiply the values by 1000"),
    ],
)
@pytest.mark.parametrize("masked", [False, True])
def test_a_wrong_scale_is_refused(head, encoding, scale, offset, share, words, masked):
    phase, inside = head
    stored = phase * scale + offset
    if masked:
        stored = np.where(inside, stored, 0)
    with pytest.raises(InputError) as refused:
        check_turn(lines(stored), encoding, "phase.nii")
    text = str(refused.value)
    assert f"{encoding} values" in text
    assert f"Susceptibility would be {share}" in text
    assert words in text
    assert "acquisition.phase_units" in text


@pytest.mark.parametrize(
    ("encoding", "scale", "offset"),
    [
        ("siemens", 4096 / np.pi, 0),
        ("siemens_unsigned", 2048 / np.pi, 2048),
        ("milliradian", 1000, 0),
        ("rad", 1, 0),
        ("rad", 1, np.pi),
        ("rad", 0.97, 0),
    ],
)
@pytest.mark.parametrize("fill", [None, 0, "lowest"])
def test_the_right_scale_is_accepted(head, encoding, scale, offset, fill):
    phase, inside = head
    stored = phase * scale + offset
    if fill is not None:
        stored = np.where(inside, stored, stored.min() if fill == "lowest" else fill)
    check_turn(lines(stored), encoding, "phase.nii")


@pytest.mark.parametrize(
    "outside",
    [
        lambda rng: 0,
        lambda rng: -np.pi,
        lambda rng: rng.normal(0, 0.3, SHAPE),
        lambda rng: rng.uniform(-0.05, 0.05, SHAPE),
    ],
    ids=["zero", "the lowest phase", "normal noise", "little noise"],
)
def test_phase_that_is_narrow_by_right_is_accepted(head, smooth, outside):
    """A mask, a short echo time, a high-pass filter: no neighbours differ by the whole range."""
    rng = np.random.default_rng(1)
    narrow = np.where(head[1], smooth, outside(rng))
    assert turn_of(lines(narrow)) is None
    check_turn(lines(narrow), "rad", "phase.nii")


def test_a_few_odd_voxels_are_no_wraps(smooth):
    odd = smooth.copy()
    odd[20, 20, 18], odd[20, 20, 19] = 1.9, -1.9
    check_turn(lines(odd), "rad", "phase.nii")


def test_images_too_small_for_wraps_are_judged_by_their_ends():
    noise = np.random.default_rng(2).uniform(-900, 900, (6, 7, 5))
    assert turn_of(lines(noise)) is None
    noise.flat[:2] = -2048, 2047
    assert turn_of(lines(noise)) == (-2048, 2047)


@pytest.mark.parametrize("ripple", [0, 100, 400])
def test_a_magnitude_does_not_fill_its_range(head, ripple):
    """Nor that of a phantom with sharp edges; a phase stored from 0 does."""
    magnitude = np.where(head[1], 500 + ripple * np.cos(head[0]), 5)
    magnitude += np.random.default_rng(3).uniform(0, 5, SHAPE)
    assert not fills_its_range(lines(magnitude))
    assert fills_its_range(lines(head[0] + np.pi))


def test_a_later_echo_of_another_scale_is_refused_when_it_is_read(head, tmp_path):
    paths = []
    for echo, scale in enumerate((4096, 2048), start=1):
        stored = np.rint(head[0] / np.pi * scale).clip(-scale, scale - 1).astype(np.int16)
        paths.append(tmp_path / f"echo-{echo}.nii.gz")
        nib.save(nib.Nifti1Image(stored, np.eye(4)), paths[-1])
        sidecar = {"EchoTime": 0.005 * echo, "MagneticFieldStrength": 3}
        (tmp_path / f"echo-{echo}.json").write_text(json.dumps(sidecar))
    read_phase(paths[:1], "siemens")
    with pytest.raises(InputError, match=r"echo-2.*half of Siemens' scale"):
        read_phase(paths, "siemens")
