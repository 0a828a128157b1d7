"""Quality of a scan: the numbers of a made-up one, and each flag."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from nibabel.eulerangles import euler2mat

from qsmiron.quality import QualityParameters, ScanRecord, obliquity, quality_row
from qsmiron.tables import TABLES

GOOD = {"pallidum": 0.13, "putamen": 0.06, "caudate": 0.05, "thalamus": 0.01}


def regions(values: dict[str, float], coverage: float = 0.9) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "region": name,
                "hemisphere": side,
                "metric": metric,
                "value": value,
                "coverage": coverage,
            }
            for name, value in values.items()
            for side in "LR"
            for metric in ("chi_mean", "chi_sd")
        ]
    )


@pytest.fixture
def scan() -> ScanRecord:
    brain = np.zeros((80, 80, 80), bool)
    brain[10:70, 10:70, 10:60] = True  # 180,000 voxels of 8 mm³: 1440 mL
    reliable = brain.copy()
    reliable[10:16] = False  # a tenth
    return ScanRecord(
        participant_id="sub-01",
        session=None,
        desc="main",
        n_echoes=5,
        field_strength=3.0,
        grid=np.diag([2.0, 2.0, 2.0, 1.0]),
        brain=brain,
        reliable=reliable,
        reference={"ReferenceMean": 0.001, "ReferenceSD": 0.02, "ReferenceVolume": 1296.0},
        registration={
            "registration_similarity": 0.93,
            "gre_similarity": 0.6,
            "jacobian_min": 0.4,
            "jacobian_max": 2.0,
            "translation": 2.0,
            "brain_in_gre": 1.0,
        },
        regions=regions(GOOD),
    )


def test_a_good_scan_has_its_numbers_and_no_flag(scan: ScanRecord) -> None:
    row = quality_row(scan, QualityParameters())
    assert set(row) == set(TABLES["quality"])
    assert row["brain_volume"] == pytest.approx(1440)
    assert row["reliable_fraction"] == pytest.approx(0.9)
    assert row["obliquity"] == pytest.approx(0, abs=1e-6)
    assert row["n_regions"] == 8
    assert row["min_coverage"] == 0.9
    assert row["pallidum_chi"] == pytest.approx(0.13)
    assert row["used"] == "yes"
    assert np.isnan(row["flags"])


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"registration": {}}, "no T1w"),
        ({"regions": regions({**GOOD, "pallidum": -0.1})}, "sign of the phase"),
        ({"regions": regions({**GOOD, "thalamus": 0.08})}, "thalamus 80 ppb"),
        ({"regions": regions(GOOD, coverage=0.3)}, "coverage below 0.5: L pallidum"),
        ({"reliable": np.zeros((80, 80, 80), bool)}, "covers 0%"),
        ({"grid": np.diag([1.0, 1.0, 1.0, 1.0])}, "brain volume 180 mL"),
    ],
)
def test_what_deserves_a_look_is_flagged(scan: ScanRecord, change: dict, flag: str) -> None:
    assert flag in quality_row(replace(scan, **change), QualityParameters())["flags"]


@pytest.mark.parametrize(
    ("key", "value", "flag"),
    [
        ("registration_similarity", 0.4, "T1w and template agree poorly"),
        ("registration_similarity", float("nan"), "T1w and template agree poorly"),
        ("gre_similarity", 0.05, "T1w and GRE agree poorly"),
        ("jacobian_min", -0.1, "folds"),
        ("brain_in_gre", 0.8, "80%"),
        ("translation", 25.0, "25 mm apart"),
    ],
)
def test_a_bad_registration_is_flagged(scan: ScanRecord, key: str, value: float, flag: str) -> None:
    changed = replace(scan, registration={**scan.registration, key: value})
    assert flag in quality_row(changed, QualityParameters())["flags"]


def test_a_scan_without_regions_is_not_used(scan: ScanRecord) -> None:
    empty = regions(GOOD)
    empty["value"] = np.nan
    row = quality_row(replace(scan, regions=empty), QualityParameters())
    assert row["used"] == "no"
    assert row["n_regions"] == 0


def test_obliquity_is_the_tilt_of_the_slices() -> None:
    affine = np.eye(4)
    affine[:3, :3] = euler2mat(x=np.radians(12)) @ np.diag([1.0, 1.0, 3.0])
    assert obliquity(affine) == pytest.approx(12, abs=1e-6)
