"""The choice of how a brain is found in a magnitude alone; deepbet itself is not needed."""

from __future__ import annotations

import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace

import nibabel as nib
import numpy as np
import pytest

from qsmiron.config import load_config, variant
from qsmiron.errors import InputError
from qsmiron.masks import EXTRACTORS
from qsmiron.masks.deepbet import mask_by_deepbet
from qsmiron.masks.gre import GreMaskParameters
from qsmiron.methods import get_method
from qsmiron.volumes import Volume, read_json, read_volume, write_volume

SHAPE = (12, 14, 10)
GRID = np.diag([2.0, 2.0, 3.0, 1.0])


def magnitude() -> Volume:
    return Volume(np.random.default_rng(0).uniform(1, 300, SHAPE).astype(np.float32), GRID)


@pytest.fixture
def deepbet(monkeypatch):
    """A module with the one call that is used; it takes half the maximum for the brain."""
    settings: dict[str, object] = {}

    class BrainExtraction:
        def __init__(self, no_gpu=False):
            settings["no_gpu"] = no_gpu

        def run(self, image):
            assert isinstance(image, nib.Nifti1Image)
            if settings.get("fails"):
                raise settings["fails"]
            data = np.asarray(image.dataobj)
            mask = (data > settings.get("threshold", 150)).astype(np.uint8)
            return image, nib.Nifti1Image(mask, image.affine), float(mask.sum())

    module = ModuleType("deepbet")
    module.BrainExtraction = BrainExtraction
    monkeypatch.setitem(sys.modules, "deepbet", module)
    return SimpleNamespace(settings=settings)


@pytest.mark.parametrize("name", list(EXTRACTORS))
def test_every_extractor_can_be_chosen(name):
    model, extract = get_method(EXTRACTORS, name).load()
    assert model is GreMaskParameters
    assert callable(extract)
    config = load_config({"atlases": {}, "reconstruction": {"mask": {"extractor": name}}})
    assert variant(config, "main").mask.extractor_module.startswith("qsmiron.masks.")


def test_another_is_refused():
    with pytest.raises(InputError, match=r"mask\.extractor.*'bet'"):
        load_config({"atlases": {}, "reconstruction": {"mask": {"extractor": "bet"}}})


def test_the_mask_is_the_networks(deepbet):
    image = magnitude()
    found = mask_by_deepbet(image, GreMaskParameters())
    assert found.dtype == bool
    assert np.array_equal(found, image.data > 150)
    assert deepbet.settings["no_gpu"] is True


def test_the_script_uses_it_without_coordinates(deepbet, tmp_path):
    image = magnitude()
    write_volume(tmp_path / "magnitude.nii.gz", image.data, GRID)
    import_module("mask_brain").main(
        ["--magnitude", str(tmp_path / "magnitude.nii.gz"), "--extractor", "deepbet",
         "--mask", str(tmp_path / "mask.nii.gz")]
    )  # fmt: skip
    found = read_volume(tmp_path / "mask.nii.gz").data
    assert 0 < found.mean() < 1
    assert read_json(tmp_path / "mask.json")["Description"] == "magnitude alone, by deepbet"


@pytest.mark.parametrize(
    "change",
    [
        {"fails": AssertionError("Not enough foreground to calculate bounding box")},
        {"fails": ValueError("attempt to get argmax of an empty sequence")},
        {"threshold": 1000},
    ],
)
def test_nothing_found_is_an_error_for_the_user(deepbet, change):
    deepbet.settings.update(change)
    with pytest.raises(InputError, match="no brain"):
        mask_by_deepbet(magnitude(), GreMaskParameters())


def test_without_the_package_the_remedy_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "deepbet", None)
    with pytest.raises(InputError, match="pip install deepbet"):
        mask_by_deepbet(magnitude(), GreMaskParameters())
