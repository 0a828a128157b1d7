"""Regional metrics of iron and myelin, against plain loops."""

import math
import statistics

import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.regions.deposits import IronParameters
from qsmiron.regions.label_table import Label
from qsmiron.regions.measure import measure
from qsmiron.regions.metrics import METRICS, SOURCE_FAMILIES
from qsmiron.regions.region_tables import region_rows
from qsmiron.regions.scan import read_scan
from qsmiron.regions.values import Who
from qsmiron.volumes import write_volume

SHAPE = (6, 7, 8)
TABLE = [Label(1, "caudate", "L"), Label(2, "putamen", "L"), Label(3, "thalamus", "L")]
SOURCE_METRICS = [name for name in METRICS if METRICS[name].family in SOURCE_FAMILIES]


@pytest.fixture
def images(tmp_path):
    """Files of a scan: two regions, one of them partly without sources, and a single voxel."""
    rng = np.random.default_rng(0)
    labels = np.zeros(SHAPE, np.int16)
    labels[:3], labels[3:5], labels[5, 0, 0] = 1, 2, 3
    positive = rng.uniform(0, 0.1, SHAPE).astype(np.float32)
    negative = -rng.uniform(0, 0.05, SHAPE).astype(np.float32)
    positive[3, 0] = np.nan
    files = {
        "labels": labels, "chi": np.nan_to_num(positive) + negative,
        "paramagnetic": positive, "diamagnetic": negative,
    }  # fmt: skip
    for name, data in files.items():
        write_volume(tmp_path / f"{name}.nii.gz", data, np.eye(4))
    return tmp_path, files


def scan_of(folder, with_sources=True):
    parts = tuple(folder / f"{name}.nii.gz" for name in ("paramagnetic", "diamagnetic"))
    return read_scan(
        Who("sub-01"), folder / "chi.nii.gz", folder / "labels.nii.gz", TABLE,
        sources=parts if with_sources else None,
    )  # fmt: skip


def test_every_metric_against_a_loop(images):
    folder, files = images
    scan = scan_of(folder)
    metrics, _ = measure(scan.chi, TABLE, IronParameters(), sources=scan.sources)
    for position, label in enumerate(TABLE):
        for prefix, part in (("chi_para", "paramagnetic"), ("chi_dia", "diamagnetic")):
            values = [
                float(files[part][voxel])
                for voxel in np.ndindex(SHAPE)
                if files["labels"][voxel] == label.index
                and math.isfinite(files["paramagnetic"][voxel])
            ]
            truth = {
                f"{prefix}_mean": statistics.fmean(values),
                f"{prefix}_median": statistics.median(values),
                f"{prefix}_sd": statistics.stdev(values) if len(values) > 1 else math.nan,
            }
            for name, value in truth.items():
                np.testing.assert_allclose(metrics[name][position], value, rtol=1e-6)


def test_rows_count_the_voxels_that_have_sources(images):
    folder, files = images
    scan = scan_of(folder)
    metrics, _ = measure(scan.chi, TABLE, IronParameters(), sources=scan.sources)
    rows = region_rows(scan.chi.who, TABLE, metrics, scan.chi.chi, None, scan.sources)
    rows = rows[rows["region"] == "putamen"].set_index("metric")
    all_voxels = int((files["labels"] == 2).sum())
    assert rows.loc["chi_mean", "n_voxels"] == all_voxels
    assert set(rows.loc[SOURCE_METRICS, "n_voxels"]) == {all_voxels - SHAPE[2]}
    assert rows.loc["chi_dia_mean", "value"] < 0 < rows.loc["chi_para_mean", "value"]


def test_without_sources_all_is_missing(images):
    scan = scan_of(images[0], with_sources=False)
    assert scan.sources is None
    metrics, _ = measure(scan.chi, TABLE, IronParameters())
    assert all(np.isnan(metrics[name]).all() for name in SOURCE_METRICS)
    rows = region_rows(scan.chi.who, TABLE, metrics, scan.chi.chi)
    assert (rows.loc[rows["metric"].isin(SOURCE_METRICS), "n_voxels"] == 0).all()


def test_sources_on_another_grid_are_refused(images):
    folder, files = images
    write_volume(folder / "diamagnetic.nii.gz", files["diamagnetic"], 2 * np.eye(4))
    with pytest.raises(InputError, match="diamagnetic"):
        scan_of(folder)
