"""What docs/inputs.md advises works as it says."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bids_trees import AFFINE, edit_sidecar, make_tree, megre

from qsmiron.acquisition import PHASE_UNITS
from qsmiron.echoes import read_phase

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


def test_alternating_slices(root, advised):
    path = megre(root, "01", 1, "phase")
    before = read_phase([path]).data[0]
    turned = np.angle(np.exp(1j * (before + np.pi * (np.arange(5) % 2))))
    nib.save(nib.Nifti1Image(turned.astype(np.float32), AFFINE), path)
    edit_sidecar(megre(root, "01", 1, "phase", "json"), Units="rad")
    advised["undo_alternation"](path)
    error = np.angle(np.exp(1j * (read_phase([path]).data[0] - before)))
    np.testing.assert_allclose(error, 0, atol=1e-5)


def test_every_unit_is_described():
    assert all(f"| `{unit}` |" in TEXT for unit in PHASE_UNITS)
