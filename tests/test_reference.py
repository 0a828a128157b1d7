"""What χ is relative to: by construction, in the sidecar, and where it cannot be had."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from bids_trees import make_tree

from qsmiron.bids import Scan, find_scans
from qsmiron.config import Atlas, Reconstruction, load_config, variant
from qsmiron.errors import InputError
from qsmiron.masks.csf import CsfParameters
from qsmiron.reference import (
    brain_tissue,
    fluid_tissue,
    labelled_tissue,
    measure_reference,
    region_indices,
    subtract_reference,
    untouched,
)
from qsmiron.results import Results
from qsmiron.study.cohort import Cohort
from qsmiron.study.label_sources import LabelSources
from qsmiron.study.variant_inputs import VariantInputs
from qsmiron.volumes import read_json, read_volume, write_volume

SHAPE, SIZE = (40, 44, 30), (2.0, 2.0, 3.0)
GRID = np.diag([*SIZE, 1.0])
VOXEL_ML = 0.012
FLUID_CHI, THALAMUS_CHI, TISSUE_CHI = 0.019, 0.02, -0.01


@pytest.fixture
def scan(tmp_path):
    """A brain of three tissues, of known χ, with its masks, R2*, magnitude and labels in files."""
    x, y, z = np.meshgrid(
        *((np.arange(n) - n / 2) * s for n, s in zip(SHAPE, SIZE, strict=True)), indexing="ij"
    )
    brain = (x / 36) ** 2 + (y / 40) ** 2 + (z / 40) ** 2 < 1
    fluid = (abs(x) < 6) & (abs(y) < 12) & (abs(z) < 8)
    left = np.linalg.norm([x + 18, y, z], axis=0) < 6
    right = np.linalg.norm([x - 18, y, z], axis=0) < 6
    reliable = brain & (y < 8)
    chi = np.where(fluid, FLUID_CHI, TISSUE_CHI)
    chi = np.where(left | right, THALAMUS_CHI, chi).astype(np.float32)
    labels = np.where(left, 10, np.where(right, 49, 0))
    data = {
        "chi": chi,
        "mask": brain,
        "reliable": reliable,
        "r2star": np.where(fluid, 2.0, 20.0) * brain,
        "magnitude": np.where(brain, 300.0, 2.0),
        "labels": labels.astype(np.int16),
    }
    for name, array in data.items():
        write_volume(tmp_path / f"{name}.nii.gz", array, GRID)
    (tmp_path / "labels.tsv").write_text(
        "index\tname\themisphere\n10\tthalamus\tL\n49\tthalamus\tR\n12\tputamen\tL\n"
    )
    return SimpleNamespace(folder=tmp_path, fluid=fluid, thalamus=left | right, **data)


def refer(scan, *options: str, **files: str) -> tuple[np.ndarray, dict]:
    """Run the script; the map and its sidecar."""
    given = {"chi": "chi", "mask": "mask", "reliable-mask": "reliable"} | files
    arguments = [
        item
        for key, name in given.items()
        for item in (f"--{key}", str(scan.folder / (name if "." in name else f"{name}.nii.gz")))
    ]
    output = scan.folder / "Chimap.nii.gz"
    import_module("reference_chi").main([*arguments, "--output", str(output), *options])
    return read_volume(output).data, read_json(scan.folder / "Chimap.json")


FLUID = {"r2star": "r2star", "magnitude": "magnitude"}
LABELS = {"labels": "labels", "label-table": "labels.tsv"}


def check(scan, found: np.ndarray, sidecar: dict, inside: np.ndarray) -> None:
    """Everything that the sidecar says, against the values in ``inside``."""
    values = scan.chi[inside]
    assert sidecar["ReferenceMean"] == pytest.approx(values.mean(dtype=float), abs=1e-8)
    assert sidecar["ReferenceSD"] == pytest.approx(values.std(dtype=float), abs=1e-8)
    assert sidecar["ReferenceVolume"] == pytest.approx(inside.sum() * VOXEL_ML)
    assert sidecar["ReferenceFraction"] == pytest.approx(inside.sum() / scan.mask.sum())
    assert not found[~scan.reliable].any()
    expected = scan.chi - values.mean(dtype=float)
    assert found[scan.reliable] == pytest.approx(expected[scan.reliable], abs=1e-7)


def test_brain_is_the_default(scan):
    found, sidecar = refer(scan)
    assert sidecar["ReferenceRegion"] == "brain"
    assert sidecar["EstimationReference"] == "mean of the brain inside the reliable mask"
    check(scan, found, sidecar, scan.mask & scan.reliable)
    assert found[scan.reliable].mean(dtype=float) == pytest.approx(0, abs=1e-8)


def test_fluid(scan):
    found, sidecar = refer(scan, "--region", "csf", **FLUID)
    assert sidecar["ReferenceRegion"] == "csf"
    assert "cerebrospinal fluid of the ventricles" in sidecar["EstimationReference"]
    check(scan, found, sidecar, scan.fluid & scan.reliable)
    assert sidecar["ReferenceMean"] == pytest.approx(FLUID_CHI, abs=1e-7)
    assert found[scan.fluid & scan.reliable] == pytest.approx(0, abs=1e-7)


def test_a_region_of_an_atlas_on_both_sides(scan):
    found, sidecar = refer(scan, "--region", "thalamus", **LABELS)
    assert sidecar["ReferenceRegion"] == "thalamus"
    assert "thalamus (label 10, 49 of labels.nii.gz)" in sidecar["EstimationReference"]
    check(scan, found, sidecar, scan.thalamus & scan.reliable)
    assert sidecar["ReferenceMean"] == pytest.approx(THALAMUS_CHI, abs=1e-7)


def test_none_leaves_the_map_and_measures_the_brain(scan):
    found, sidecar = refer(scan, "--region", "none")
    assert sidecar["EstimationReference"] == sidecar["ReferenceRegion"] == "none"
    assert np.array_equal(found[scan.reliable], scan.chi[scan.reliable])
    values = scan.chi[scan.mask & scan.reliable]
    assert sidecar["ReferenceMean"] == pytest.approx(values.mean(dtype=float), abs=1e-8)


@pytest.mark.parametrize(
    ("options", "files", "said"),
    [
        (["--region", "liver"], {}, "'liver'; expected brain, csf, none, or a region's name"),
        (["--region", "thalmus"], LABELS, "such as thalamus"),
        (["--region", "putamen"], LABELS, "reference region putamen: found no voxel"),
        (["--region", "csf"], {}, "at least two echoes"),
        (["--region", "csf"], FLUID | {"r2star": "hot"}, "found no voxels of it"),
        (["--region", "csf"], FLUID | {"reliable-mask": "thin"}, "expected at least 50"),
        (["--region", "thalamus"], {"labels": "labels"}, "--label-table"),
        (["--region", "thalamus"], LABELS | {"labels": "small"}, "the grid"),
        (["--region", "csf"], FLUID | {"r2star": "small"}, "the grid"),
        ([], {"reliable-mask": "outside"}, "reference region brain: found no voxel"),
        ([], {"mask": "empty"}, "an empty mask"),
        ([], {"chi": "broken"}, "NaN or infinite"),
        (["--region", "csf"], FLUID | {"r2star": "broken"}, "NaN or infinite"),
        (["--region", "csf"], FLUID | {"magnitude": "broken"}, "NaN or infinite"),
    ],
)
def test_what_cannot_be_had_is_explained(scan, capsys, options, files, said):
    broken = scan.chi.copy()
    broken[20, 20, 15] = np.nan
    thin = scan.reliable.copy()
    thin[:, :, 15:] = thin[:, :, :14] = False
    thin[scan.fluid & (np.arange(SHAPE[0]) > 20)[:, None, None]] = False
    for name, data in {
        "hot": scan.r2star + 30,
        "thin": thin,
        "small": np.ones((5, 5, 5)),
        "outside": ~scan.mask,
        "empty": np.zeros(SHAPE),
        "broken": broken,
    }.items():
        write_volume(scan.folder / f"{name}.nii.gz", data, GRID)
    with pytest.raises(SystemExit):
        refer(scan, *options, **files)
    assert said in capsys.readouterr().err
    assert not (scan.folder / "Chimap.nii.gz").exists()


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_no_silent_nan_in_the_mean(scan, value):
    tissue = brain_tissue(scan.mask)
    chi = scan.chi.copy()
    chi[0, 0, 0] = value  # outside: no matter
    measured = measure_reference(chi, tissue, scan.mask, scan.reliable, SIZE)
    assert np.isfinite(measured.mean)
    assert np.isfinite(subtract_reference(chi, scan.reliable, measured.mean)).all()
    chi[20, 20, 15] = value
    with pytest.raises(InputError, match="1 voxels that are NaN or infinite"):
        measure_reference(chi, tissue, scan.mask, scan.reliable, SIZE)
    with pytest.raises(InputError, match="NaN"):
        subtract_reference(chi, scan.reliable, 0.0)


def test_every_tissue_says_what_it_is(scan):
    tissues = [
        brain_tissue(scan.mask),
        untouched(scan.mask),
        fluid_tissue(scan.r2star, scan.magnitude, scan.mask, SIZE, CsfParameters()),
        labelled_tissue(scan.labels, [10, 49], "thalamus", "dseg.nii.gz"),
    ]
    assert [tissue.region for tissue in tissues] == ["brain", "none", "csf", "thalamus"]
    assert len({tissue.words for tissue in tissues}) == 4
    assert np.array_equal(tissues[2].inside, scan.fluid)
    assert np.array_equal(tissues[3].inside, scan.thalamus)


def test_a_region_has_its_labels():
    names = {1: "caudate", 2: "putamen", 3: "caudate"}
    assert region_indices(names, "caudate", "DK.tsv") == [1, 3]
    with pytest.raises(InputError, match=r"'pallidum'.*DK\.tsv, such as caudate"):
        region_indices(names, "pallidum", "DK.tsv")


# --- the configuration, and what a job is given --------------------------------------------------


def cohort_of(scans: list[Scan], variants: list[str]) -> Cohort:
    sources = LabelSources({"DK": Atlas(label_table="DK.tsv")}, scans, "raw", Path())
    return Cohort(scans, Results("out"), variants, sources)


def chain(**reference: str) -> Reconstruction:
    config = load_config({"atlases": {}, "reconstruction": {"reference": reference}})
    return variant(config, "main")


@pytest.fixture
def cohort(tmp_path: Path) -> Cohort:
    raw = make_tree(tmp_path / "raw", 2)
    return cohort_of(find_scans(raw), ["main"])


@pytest.fixture
def label_table(tmp_path: Path) -> str:
    path = tmp_path / "labels.tsv"
    path.write_text("index\tname\n1\tthalamus\n2\tcaudate\n")
    return str(path)


@pytest.mark.parametrize("region", ["brain", "csf", "none"])
def test_a_region_without_an_atlas(region):
    assert chain(region=region).reference.needs_fluid is (region == "csf")
    assert json.loads(chain(region=region).model_dump_json())["reference"]["region"] == region


def test_an_atlas_tells_its_fluid_from_ours():
    assert chain(region="csf", atlas="aseg").reference.needs_fluid is False


def test_a_region_without_its_atlas_is_refused():
    with pytest.raises(InputError, match=r"reconstruction\.reference.*thalamus.*atlas"):
        chain(region="thalamus")


def test_a_job_is_given_what_its_reference_takes(cohort: Cohort, label_table: str) -> None:
    job = SimpleNamespace(folder="sub-01", entities="sub-01", desc="main")

    def given(**reference: str) -> list[str]:
        inputs = VariantInputs(
            cohort, lambda desc: chain(**reference), "raw", lambda _: label_table
        )
        return [
            *inputs.reference_r2star(job),
            *(Path(name).name for name in inputs.reference_magnitude(job)),
            *inputs.reference_labels(job),
            *inputs.reference_label_table(job),
        ]

    assert given(region="brain") == given(region="none") == []
    assert given(region="csf") == [
        "out/sub-01/anat/sub-01_desc-main_R2starmap.nii.gz",
        "sub-01_echo-1_part-mag_MEGRE.nii.gz",
    ]
    assert given(region="thalamus", atlas="DK") == [
        "out/sub-01/anat/sub-01_atlas-DK_dseg.nii.gz",
        label_table,
    ]


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"region": "thalamus", "atlas": "other"}, "'other'; expected one of DK"),
        ({"region": "thalmus", "atlas": "DK"}, r"labels\.tsv, such as thalamus"),
    ],
)
def test_an_unknown_atlas_or_region_stops_the_run_at_once(cohort, label_table, reference, said):
    with pytest.raises(InputError, match=said):
        VariantInputs(cohort, lambda desc: chain(**reference), "raw", lambda _: label_table)


def test_scans_that_lack_what_a_reference_takes_stop_the_run(tmp_path, label_table):
    raw = make_tree(tmp_path / "raw", 2, n_echoes=1)
    (raw / "sub-02/anat/sub-02_T1w.nii.gz").unlink()
    cohort = cohort_of(find_scans(raw), ["main", "fluid", "nucleus"])
    chains = {
        "main": chain(),
        "fluid": chain(region="csf"),
        "nucleus": chain(region="thalamus", atlas="DK"),
    }
    with pytest.raises(InputError) as stopped:
        VariantInputs(cohort, chains.__getitem__, raw, lambda _: label_table)
    assert [problem.found for problem in stopped.value.problems] == [
        "sub-01, sub-01, of a single echo",
        "sub-02, sub-02, of a single echo",
        "sub-02, sub-02, without a T1w and so without labels",
    ]
