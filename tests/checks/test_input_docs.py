"""The conversions that docs/inputs.md advises give what the check accepts."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bids_trees import AFFINE, edit_sidecar, make_tree, megre

from qsmiron.acquisition import PHASE_UNITS
from qsmiron.checks import check_inputs
from qsmiron.echoes import read_magnitude, read_phase

TEXT = (Path(__file__).parents[2] / "docs/inputs.md").read_text()


@pytest.fixture(scope="module")
def advised() -> dict:
    names: dict = {}
    for block in re.findall(r"```python\n(.*?)```", TEXT, re.S):
        exec(block, names)
    return names


@pytest.fixture
def root(tmp_path):
    return make_tree(tmp_path / "bids", n_subjects=1)


def stack(root, part: str) -> np.ndarray:
    paths = [megre(root, "01", echo, part) for echo in (1, 2, 3)]
    return (read_phase(paths) if part == "phase" else read_magnitude(paths)).data


def test_echoes_of_one_file(root, advised):
    for part in ("mag", "phase"):
        before = stack(root, part)
        images = [nib.load(megre(root, "01", echo, part)) for echo in (1, 2, 3)]
        whole = np.stack([np.asarray(image.dataobj) for image in images], axis=-1)
        path = root / f"sub-01/anat/sub-01_part-{part}_MEGRE.nii.gz"
        nib.save(nib.Nifti1Image(whole, AFFINE), path)
        megre(root, "01", 1, part, "json").rename(path.with_name(f"sub-01_part-{part}_MEGRE.json"))
        for echo in (1, 2, 3):
            megre(root, "01", echo, part).unlink()
        advised["split_echoes"](path, (0.005, 0.01, 0.015))
        path.unlink()
        np.testing.assert_array_equal(stack(root, part), before)
    assert check_inputs(root, None, {}) == []


def test_real_and_imaginary_parts(root, advised):
    magnitude, phase = stack(root, "mag"), stack(root, "phase")
    anat = root / "sub-01/anat"
    for echo in (1, 2, 3):
        signal = magnitude[echo - 1] * np.exp(1j * phase[echo - 1])
        files = [anat / f"sub-01_echo-{echo}_part-{part}_MEGRE.nii.gz" for part in ("real", "imag")]
        for path, data in zip(files, (signal.real, signal.imag), strict=True):
            nib.save(nib.Nifti1Image(data.astype(np.float32), AFFINE), path)
        megre(root, "01", echo, "mag", "json").rename(
            anat / f"sub-01_echo-{echo}_part-real_MEGRE.json"
        )
        for part in ("mag", "phase"):
            megre(root, "01", echo, part).unlink()
        advised["combine_parts"](*files)
        for path in files:
            path.unlink()
    assert [p for p in check_inputs(root, None, {}) if p.severity == "error"] == []
    np.testing.assert_allclose(stack(root, "mag"), magnitude, atol=1e-3)
    error = np.angle(np.exp(1j * (stack(root, "phase") - phase)))[magnitude > 1]
    np.testing.assert_allclose(error, 0, atol=1e-4)


def test_alternating_slices(root, advised):
    path = megre(root, "01", 1, "phase")
    before = stack(root, "phase")[0]
    turned = np.angle(np.exp(1j * (before + np.pi * (np.arange(5) % 2))))
    nib.save(nib.Nifti1Image(turned.astype(np.float32), AFFINE), path)
    edit_sidecar(megre(root, "01", 1, "phase", "json"), Units="rad")
    advised["undo_alternation"](path)
    error = np.angle(np.exp(1j * (stack(root, "phase")[0] - before)))
    np.testing.assert_allclose(error, 0, atol=1e-5)


def test_every_unit_is_described():
    assert all(f"| `{unit}` |" in TEXT for unit in PHASE_UNITS)
