"""R2 of a spin echo that was measured on another grid, after the head had moved."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import numpy as np
import pytest
from heads import Head, grid, points
from scipy import ndimage

from qsmiron.volumes import read_json, read_volume, write_volume

TIMES = (0.012, 0.024, 0.036, 0.048)
RATES = np.array([0.0, 11.0, 14.0, 3.0])
"""R2 (1/s) of grey matter, white matter and fluid."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray, np.ndarray]:
    """A GRE of 4 mm and a spin echo of 3 × 3 × 5 mm that lies 4 mm and 3 degrees from it.

    Also true R2 on the grid of the GRE, and the brain there.
    """
    folder = tmp_path_factory.mktemp("session")
    head = Head(seed=3, displacement=2.0)
    shape, affine = grid(4.0, (176, 208, 176))
    where = points(shape, affine)
    brain, classes = head.brain_mask(where), head.tissue_classes(where)
    write_volume(folder / "mask.nii.gz", brain.astype(np.uint8), affine)
    for echo, time in enumerate((0.005, 0.012), start=1):
        gre = head.magnitude(where) * np.exp(-20 * time).astype(np.float32)
        write_volume(folder / f"gre-{echo}.nii.gz", gre, affine, {"EchoTime": time})

    moved, spin_affine = grid((3.0, 3.0, 5.0), (192, 216, 180), rotation=(3, 0, 0))
    there = points(moved, spin_affine)
    rates = RATES[head.tissue_classes(there)]
    first = head.magnitude(there, noise=0.0)
    spin_affine[:3, 3] += (4.0, 0, 0)
    for echo, time in enumerate(TIMES, start=1):
        image = (first * np.exp(-time * rates)).astype(np.float32)
        write_volume(folder / f"spin-{echo}.nii.gz", image, spin_affine, {"EchoTime": time})
    return folder, RATES[classes], brain


def inner_white(truth: np.ndarray) -> np.ndarray:
    """White matter whose neighbours are white matter too (bool)."""
    return ndimage.binary_erosion(truth == RATES[2])


def run(folder: Path, output: str, spin: str = "spin") -> np.ndarray:
    files = [[str(folder / f"{name}-{n}.nii.gz") for n in range(1, last + 1)]
             for name, last in ((spin, 4), ("gre", 2))]  # fmt: skip
    import_module("map_r2").main(
        ["--spin-echo", *files[0], "--magnitude", *files[1], "--mask", str(folder / "mask.nii.gz"),
         "--r2", str(folder / output), "--threads", "2"]
    )  # fmt: skip
    return read_volume(folder / output, finite=False).data


def test_it_lands_on_the_tissue_of_the_gre(session: tuple[Path, np.ndarray, np.ndarray]) -> None:
    folder, truth, brain = session
    found = run(folder, "r2.nii.gz")
    assert not found[~brain].any()
    white = inner_white(truth)
    assert np.abs(found - truth)[white].mean() < 0.2
    assert np.nanmean(np.abs(found - truth)[brain]) < 1.5
    sidecar = read_json(folder / "r2.json")
    assert sidecar["Units"] == "1/s"
    # GRE points lie 4 mm to the left of the spin echo's
    shift = np.array(sidecar["GREToSpinEcho"]) @ [0, -18, 5, 1] - [0, -18, 5, 1]
    np.testing.assert_allclose(shift[:3], [4, 0, 0], atol=0.5)


def test_beyond_the_spin_echo_r2_is_not_known(
    session: tuple[Path, np.ndarray, np.ndarray], capsys: pytest.CaptureFixture[str]
) -> None:
    folder, truth, brain = session
    for echo in range(1, 5):
        volume = read_volume(folder / f"spin-{echo}.nii.gz")
        slab, affine = volume.data[:, :, 9:], volume.affine.copy()
        affine[:3, 3] += 9 * affine[:3, 2]
        sidecar = read_json(folder / f"spin-{echo}.json")
        write_volume(folder / f"slab-{echo}.nii.gz", slab, affine, sidecar)
    found = run(folder, "short.nii.gz", "slab")
    unknown = np.isnan(found) & brain
    assert 0.02 < unknown.sum() / brain.sum() < 0.5
    assert np.nanmean(np.abs(found - truth)[inner_white(truth)]) < 0.2
    assert "does not reach" in capsys.readouterr().out
