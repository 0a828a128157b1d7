"""χ and R2* of one run, given to another as ready maps, from files to report."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from end_to_end.small_cohort import Run
from end_to_end.tiny_study import tiny_study

pytestmark = pytest.mark.end_to_end

N = 2
OF_PHASE = ("paramagnetic", "diamagnetic")
CELL = ["participant_id", "atlas", "index", "region", "hemisphere", "metric"]
MAPS = {"chi": "../maps/{entities}*_Chimap.nii.gz", "r2star": "../maps/{entities}_R2starmap.nii.gz"}


def table(run: Run, name: str) -> pd.DataFrame:
    return pd.read_csv(run.results / "group" / f"{name}.tsv", sep="\t")


@pytest.fixture(scope="module")
def from_phase(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = tiny_study(tmp_path_factory.mktemp("phase"), participants=N)
    run.snakemake()
    return run


def given(
    first: Run,
    folder: Path,
    magnitude: bool = True,
    change: Callable[[Path], None] | None = None,
    **maps: Any,
) -> Run:
    """A study of the first one's maps, without its phase."""
    for name in ("raw", "labels", "participants.tsv", "regions.tsv"):
        source = first.folder / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    for path in folder.glob("raw/sub-*/anat/*_MEGRE.*"):
        if "part-phase" in path.name or not magnitude:
            path.unlink()
    (folder / "maps").mkdir()
    for path in first.results.glob("sub-*/anat/*_desc-main_*map.*"):
        if "_label-" not in path.name:
            name = path.name.replace("_desc-main_R2", "_R2")
            shutil.copy(path, folder / "maps" / name)
    if change:
        change(folder / "maps")
    return Run(folder, {**first.settings, "maps": MAPS | maps})


@pytest.fixture(scope="module")
def from_maps(from_phase: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = given(from_phase, tmp_path_factory.mktemp("maps"))
    run.snakemake()
    return run


def regions(run: Run) -> pd.Series:
    rows = table(run, "regions")
    rows = rows[~rows["family"].isin(OF_PHASE)]
    return rows.set_index(CELL)["value"].sort_index()


def test_the_same_maps_give_the_same_tables(from_phase: Run, from_maps: Run) -> None:
    expected, found = regions(from_phase), regions(from_maps)
    assert expected.notna().sum() > 50
    pd.testing.assert_series_equal(found, expected, rtol=0, atol=1e-6)
    for name in ("group_tests", "thresholds", "calibration"):
        first, second = table(from_phase, name), table(from_maps, name)
        if "family" in first:
            first, second = (rows[~rows["family"].isin(OF_PHASE)] for rows in (first, second))
        pd.testing.assert_frame_equal(
            second.reset_index(drop=True), first.reset_index(drop=True), rtol=1e-6, atol=1e-6
        )


def test_what_takes_the_phase_is_missing_and_said(from_maps: Run) -> None:
    quality = table(from_maps, "quality")
    assert (quality["chi_source"] == "ready map").all()
    assert quality[["field_noise", "alternating_slope", "reference_mean"]].isna().all(axis=None)
    sources = table(from_maps, "regions").query("family in @OF_PHASE")
    assert len(sources) and sources["value"].isna().all()
    jobs = {path.parent.name for path in from_maps.results.glob("benchmarks/*/**/*.tsv")}
    assert not jobs & {"map_field", "invert_dipole", "map_r2star", "separate_sources"}
    sidecar = json.loads(
        (from_maps.results / "sub-01/anat/sub-01_desc-main_Chimap.json").read_text()
    )
    assert sidecar["ReferenceRegion"] == "brain"
    assert sidecar["EstimationAlgorithm"]["ready_map"] == "sub-01_desc-main_Chimap.nii.gz"
    methods = (from_maps.results / "methods.md").read_text()
    assert "**Ready maps.** χ and R2* of all participants" in methods
    assert "**Reconstruction.**" not in methods
    assert (from_maps.results / "report.html").stat().st_size > 10_000


def test_a_replaced_map_repeats_its_scan_and_the_group_results(from_maps: Run) -> None:
    path = from_maps.folder / "maps/sub-01_desc-main_Chimap.nii.gz"
    before = path.read_bytes()
    image = nib.load(path)
    nib.save(nib.Nifti1Image(1.1 * image.get_fdata(dtype=np.float32), image.affine), path)
    jobs = from_maps.would_run()
    path.write_bytes(before)
    of_scan = ("take_chi", "reference_chi", "measure_regions", "draw_subject", "mask_brain")
    assert {rule: jobs.get(rule) for rule in of_scan} == dict.fromkeys(of_scan, 1)
    assert {"test_groups", "gather_quality", "write_report", "gather_regions"} <= set(jobs)
    assert not {"register_subject", "label_tissues", "map_field"} & set(jobs)


def in_ppb(folder: Path) -> None:
    for path in folder.glob("*_Chimap.nii.gz"):
        image = nib.load(path)
        data = image.get_fdata(dtype=np.float32)
        nib.save(nib.Nifti1Image(np.where(data == 0, np.nan, 1000 * data), image.affine), path)
        path.with_name(path.name.replace(".nii.gz", ".json")).unlink()


def test_a_map_alone_in_ppb_and_unreferenced_will_do(from_phase: Run, tmp_path: Path) -> None:
    """Neither magnitude nor T1w nor sidecar; the brain's mean was and is the reference."""
    run = given(from_phase, tmp_path, magnitude=False, change=in_ppb, units="ppb", r2star=None)
    run.snakemake()
    expected = regions(from_phase)
    of_chi = expected[expected.index.get_level_values("metric").str.startswith("chi_")]
    found = regions(run)[of_chi.index]
    pd.testing.assert_series_equal(found, of_chi, rtol=0, atol=2e-4)
    assert regions(run).xs("r2star_mean", level="metric").isna().all()


def test_maps_that_cannot_be_are_one_message(from_phase: Run, tmp_path: Path) -> None:
    run = given(from_phase, tmp_path, change=in_ppb, units="ppm")
    finished = run.snakemake(check=False)
    assert finished.returncode != 0
    assert "It looks like ppb" in " ".join(finished.stderr.split())
    assert "Traceback" not in finished.stderr
    assert not (run.results / "work").exists() or not list(run.results.glob("work/sub-*"))
