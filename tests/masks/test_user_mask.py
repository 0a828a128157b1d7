"""A mask that the user gives: its path in the configuration, its checks, its use."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from bids_trees import make_tree

from qsmiron.bids import Scan, find_scans
from qsmiron.config import Atlas, Reconstruction, load_config, variant
from qsmiron.errors import InputError
from qsmiron.masks.user import read_user_mask
from qsmiron.results import Results
from qsmiron.study.cohort import Cohort
from qsmiron.study.label_sources import LabelSources
from qsmiron.study.variant_inputs import VariantInputs
from qsmiron.volumes import Volume, read_json, read_volume, write_volume

GRID = np.diag([2.0, 2.0, 3.0, 1.0])
ATLAS = LabelSources({"DK": Atlas(label_table="DK.tsv")}, [], "raw", Path())
TEMPLATE = "derivatives/masks/{folder}/{entities}_mask.nii.gz"


@pytest.fixture
def magnitude(tmp_path):
    data = np.random.default_rng(0).uniform(100, 200, (12, 14, 10)).astype(np.float32)
    path = tmp_path / "sub-01_echo-1_part-mag_MEGRE.nii.gz"
    write_volume(path, data, GRID)
    return path


def saved(path: Path, data: np.ndarray, affine: np.ndarray = GRID) -> Path:
    write_volume(path, data.astype(np.float32), affine)
    return path


def box(value: float = 1.0) -> np.ndarray:
    mask = np.zeros((12, 14, 10))
    mask[3:9, 4:10, 2:8] = value
    return mask


@pytest.mark.parametrize("value", [1, 255])
def test_a_binary_mask_is_taken_as_it_is(tmp_path, magnitude, value):
    mask = saved(tmp_path / "mask.nii.gz", box(value))
    output = tmp_path / "out.nii.gz"
    import_module("mask_brain").main(
        ["--magnitude", str(magnitude), "--user-mask", str(mask), "--mask", str(output)]
    )
    assert np.array_equal(read_volume(output).data, box())
    assert read_json(tmp_path / "out.json")["Description"] == "given by the user: mask.nii.gz"


@pytest.mark.parametrize(
    ("data", "affine", "found"),
    [
        (box(0), GRID, "an empty mask"),
        (box() * np.linspace(0.1, 1, 10), GRID, "values"),
        (box() - 1, GRID, "an empty mask"),
        (box() + 1, GRID, "2 values"),
        (np.where(box() > 0, np.nan, 0), GRID, "NaN"),
        (box()[1:], GRID, "the grid"),
        (box(), np.diag([2.0, 2.0, 2.0, 1.0]), "the grid"),
    ],
)
def test_another_is_refused(tmp_path, data, affine, found):
    path = saved(tmp_path / "mask.nii.gz", data, affine)
    like = Volume(np.zeros((12, 14, 10), np.float32), GRID)
    with pytest.raises(InputError, match=rf"mask\.nii\.gz: found .*{found}"):
        read_user_mask(path, like)


def chain(**mask: str) -> Reconstruction:
    config = load_config({"atlases": {}, "reconstruction": {"mask": mask}})
    return variant(config, "main")


def test_a_template_is_filled_for_every_scan():
    scan = Scan("01", "2", "sub-01_ses-2", (), ())
    template = chain(user=TEMPLATE).mask.user
    expected = "raw/derivatives/masks/sub-01/ses-2/sub-01_ses-2_mask.nii.gz"
    assert scan.file(template, "raw") == Path(expected)
    absolute = chain(user="/masks/{subject}_{session}.nii").mask.user
    assert scan.file(absolute, "raw") == Path("/masks/01_2.nii")


@pytest.mark.parametrize(
    "template", ["{subjet}.nii", "{subject.nii", "{subject:03}.nii.gz", "masks/{subject}.txt"]
)
def test_a_template_is_checked_when_read(template):
    with pytest.raises(InputError, match=r"reconstruction\.mask\.user"):
        chain(user=template)


def test_a_kept_template_may_be_read_again():
    once = chain(user=TEMPLATE)
    assert "{" not in once.mask.user  # Snakemake would take it for a wildcard
    assert Reconstruction.model_validate(once.model_dump()) == once


def test_a_missing_mask_stops_the_run_at_once(tmp_path):
    raw = make_tree(tmp_path / "raw", 3)
    cohort = Cohort(find_scans(raw), Results("out"), ["main", "other"], ATLAS)
    own = chain(user=TEMPLATE)
    for subject in ("01", "03"):
        saved(raw / f"derivatives/masks/sub-{subject}/sub-{subject}_mask.nii.gz", box())
    with pytest.raises(InputError) as stopped:
        VariantInputs(cohort, lambda desc: own, raw, str)
    (problem,) = stopped.value.problems
    assert problem.where == str(raw / "derivatives/masks/sub-02/sub-02_mask.nii.gz")


def test_a_job_is_given_the_mask_in_place_of_coordinates(tmp_path):
    raw = make_tree(tmp_path / "raw", 1)
    mask = saved(raw / "derivatives/masks/sub-01/sub-01_mask.nii.gz", box())
    cohort = Cohort(find_scans(raw), Results("out"), ["own", "main"], ATLAS)
    chains = {"own": chain(user=TEMPLATE), "main": chain()}
    inputs = VariantInputs(cohort, chains.__getitem__, raw, str)
    own, main = (
        SimpleNamespace(folder="sub-01", entities="sub-01", desc=desc) for desc in ("own", "main")
    )
    assert inputs.user_mask(own) == [str(mask)]
    assert inputs.mask_coordinates(own) == []
    assert inputs.user_mask(main) == []
    assert inputs.mask_coordinates(main) == ["out/work/sub-01/sub-01_coordinates.nii.gz"]
