"""What docs/inputs.md advises works as it says."""

from __future__ import annotations

import re
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bids_trees import AFFINE, edit_sidecar, make_tree, megre

from qsmiron.acquisition import PHASE_UNITS
from qsmiron.dicom.mapping import read_mapping
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


def test_the_mapping_of_dicom_folders(tmp_path):
    (mapping,) = re.findall(r"```tsv\n(.*?)```", TEXT, re.S)
    (tmp_path / "mapping.tsv").write_text(mapping)
    for name in ("2024_0113", "2024_0117/study2"):
        (tmp_path / name).mkdir(parents=True)
    one, other = read_mapping(tmp_path / "mapping.tsv", tmp_path)
    assert one.gre.matches({"SeriesDescription": "T2s GRE QSM 0.9iso"})
    assert other.gre.numbers == {5, 6}
    assert (one.target, other.target) == ("sub-01", "sub-02")


def test_every_unit_is_described():
    assert all(f"| `{unit}` |" in TEXT for unit in PHASE_UNITS)
