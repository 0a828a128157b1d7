"""Quality of a scan: the numbers of a made-up one, each flag, and volumes against the cohort."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from nibabel.eulerangles import euler2mat

import gather_quality
from qsmiron.failures import Failure, write_failure
from qsmiron.quality import (
    QualityParameters,
    ScanRecord,
    obliquity,
    quality_row,
    row_without_phase,
)
from qsmiron.results import Results
from qsmiron.tables import TABLES, read_table, write_table
from qsmiron.volume_outliers import volume_scores
from qsmiron.volumes import write_json, write_volume

COLUMNS = ["atlas", "labels_source", "region", "hemisphere", "metric", "value", "coverage"]
GOOD = {"pallidum": 0.13, "putamen": 0.06, "caudate": 0.05, "thalamus": 0.01}


def regions(
    values: dict[str, float], coverage: float = 0.9, atlas: str = "DK", source: str = "atlas"
) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {
                "atlas": atlas,
                "labels_source": source,
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


def region_voxels(n_scans: int, seed: int = 0, n_regions: int = 60) -> pd.DataFrame:
    """Volumes (mm³) that vary by 10 % between scans, apart from the size of the head."""
    rng = np.random.default_rng(seed)
    volume = np.linspace(500, 9000, n_regions) * rng.lognormal(0, 0.1, (n_scans, n_regions))
    volume *= rng.uniform(0.8, 1.25, (n_scans, 1))
    scan, region = np.indices(volume.shape).reshape(2, -1)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{number:02d}" for number in scan],
            "session": None,
            "desc": "main",
            "atlas": "DK",
            "labels_source": "atlas",
            "index": region + 1,
            "region": [f"region{number}" for number in region],
            "hemisphere": "L",
            "n_label": volume.ravel().round(),
            "volume": volume.ravel(),
        }
    )


def cell(table: pd.DataFrame, scan: int, region: int) -> pd.Series:
    return (table["participant_id"] == f"sub-{scan:02d}") & (table["index"] == region)


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
        noise=np.where(reliable, np.float32(0.002), np.float32(np.nan)),
        reference={"ReferenceMean": 0.001, "ReferenceSD": 0.02, "ReferenceVolume": 1296.0},
        registration={
            "registration_similarity": 0.93,
            "gre_similarity": 0.6,
            "gre_sharpness": 4.0,
            "brain_overlap": 0.97,
            "jacobian_min": 0.4,
            "jacobian_max": 2.0,
            "rotation": 1.5,
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
    assert row["field_noise"] == pytest.approx(0.002)
    assert row["n_regions"] == 8
    assert row["min_coverage"] == 0.9
    assert row["pallidum_chi"] == pytest.approx(0.13)
    assert (row["brain_overlap"], row["rotation"], row["translation"]) == (0.97, 1.5, 2.0)
    assert row["labels_source"] == "atlas"
    assert np.isnan(row["volume_outliers"]) and np.isnan(row["largest_volume_z"])
    assert row["used"] == "yes"
    assert np.isnan(row["flags"])


@pytest.mark.parametrize(
    ("change", "flag"),
    [
        ({"registration": {}, "regions": regions({"putamen": np.nan})}, "no T1w: no regions"),
        ({"registration": {}}, "no registration"),
        ({"regions": regions({**GOOD, "pallidum": -0.1})}, "pallidum -100 ppb (usual"),
        ({"regions": regions({**GOOD, "thalamus": 0.08})}, "thalamus 80 ppb"),
        ({"regions": regions(GOOD, coverage=0.3)}, "coverage below 0.5: L pallidum"),
        ({"reliable": np.zeros((80, 80, 80), bool)}, "covers 0%"),
        ({"grid": np.diag([1.0, 1.0, 1.0, 1.0])}, "brain volume 180 mL"),
        ({"n_echoes": 1}, "one echo: no R2*, no χ⁺ and χ⁻"),
        ({"n_echoes": 2}, "two echoes: no χ⁺ and χ⁻"),
    ],
)
def test_what_deserves_a_look_is_flagged(scan: ScanRecord, change: dict, flag: str) -> None:
    assert flag in quality_row(replace(scan, **change), QualityParameters())["flags"]


def alternation(slope: float, constant: float, readout: str = "monopolar") -> dict:
    parts = {"AlternatingPhaseSlope": slope, "AlternatingPhaseConstant": constant}
    return {"field_map": parts | {"Parameters": {"readout": readout}}}


@pytest.mark.parametrize(("slope", "constant"), [(0.8, 0.02), (0.05, 0.4)])
def test_an_undeclared_bipolar_readout_is_flagged_with_its_remedy(
    scan: ScanRecord, slope: float, constant: float
) -> None:
    row = quality_row(replace(scan, **alternation(slope, constant)), QualityParameters())
    assert (row["alternating_slope"], row["alternating_constant"]) == (slope, constant)
    assert f"disagree by {slope:.2f} rad across the brain and {constant:.2f} rad" in row["flags"]
    assert "reconstruction.field_map.parameters.readout: bipolar" in row["flags"]


def test_what_monopolar_echoes_disagree_by_is_not_flagged(scan: ScanRecord) -> None:
    row = quality_row(replace(scan, **alternation(0.1, 0.05)), QualityParameters())
    assert np.isnan(row["flags"])


def test_what_a_declared_readout_leaves_is_not_told_to_be_declared(scan: ScanRecord) -> None:
    row = quality_row(replace(scan, **alternation(0.5, 0.0, "bipolar")), QualityParameters())
    assert "though the readout is taken for bipolar" in row["flags"]
    assert "set reconstruction" not in row["flags"]


def test_obliquity_is_by_the_direction_of_b0_that_was_used(scan: ScanRecord) -> None:
    tilted = replace(scan, b0_direction=[0, np.sin(np.deg2rad(20)), np.cos(np.deg2rad(20))])
    assert quality_row(tilted, QualityParameters())["obliquity"] == pytest.approx(20, abs=1e-6)


def test_a_map_of_the_wrong_sign_is_flagged_with_its_remedy(scan: ScanRecord) -> None:
    inverted = regions({name: -value for name, value in GOOD.items()})
    flags = quality_row(replace(scan, regions=inverted), QualityParameters())["flags"]
    (flag,) = (flag for flag in flags.split("; ") if "wrong sign" in flag)
    assert "pallidum -130 ppb, putamen -60 ppb, caudate -50 ppb" in flag
    assert "turn that of reconstruction.field_map.parameters.phase_sign" in flag


@pytest.mark.parametrize("nucleus", ["pallidum", "putamen", "caudate"])
def test_one_negative_nucleus_is_no_wrong_sign(scan: ScanRecord, nucleus: str) -> None:
    record = replace(scan, regions=regions({**GOOD, nucleus: -0.05}))
    flags = quality_row(record, QualityParameters())["flags"]
    assert "wrong sign" not in flags
    assert f"{nucleus} -50 ppb" in flags


@pytest.mark.parametrize(
    ("key", "value", "flag"),
    [
        ("registration_similarity", 0.4, "T1w and template agree poorly"),
        ("registration_similarity", float("nan"), "T1w and template agree poorly"),
        ("gre_sharpness", 1.4, "T1w and GRE agree little better than 6 mm apart"),
        ("jacobian_min", -0.1, "folds"),
        ("brain_in_gre", 0.8, "80%"),
        ("translation", 25.0, "25 mm apart"),
        ("rotation", 14.0, "turned by 14 degrees"),
        ("brain_overlap", 0.8, "overlap poorly (Dice 0.80)"),
    ],
)
def test_a_bad_registration_is_flagged(scan: ScanRecord, key: str, value: float, flag: str) -> None:
    changed = replace(scan, registration={**scan.registration, key: value})
    assert flag in quality_row(changed, QualityParameters())["flags"]


@pytest.mark.parametrize(("folder", "session"), [("sub-07", None), ("sub-07/ses-2", "2")])
def test_a_scan_without_phase_is_not_used(folder: str, session: str | None) -> None:
    row = row_without_phase(folder, "main")
    assert set(row) <= set(TABLES["quality"])
    assert (row["participant_id"], row["session"], row["used"]) == ("sub-07", session, "no")
    assert row["flags"] == "no phase: left out"


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


def test_what_registration_did_not_measure_is_no_flag(scan: ScanRecord) -> None:
    measured = {"registration_similarity": 0.93, "gre_sharpness": 4.0, "brain_overlap": None}
    row = quality_row(replace(scan, registration=measured), QualityParameters())
    for key in ("brain_overlap", "rotation", "translation", "jacobian_min"):
        assert np.isnan(row[key])
    assert np.isnan(row["flags"])


def test_a_failed_registration_says_why(scan: ScanRecord) -> None:
    failed = {"failed": "the poses disagree;\nno brain"}
    record = replace(scan, registration=failed, regions=regions({}).reindex(columns=COLUMNS))
    row = quality_row(record, QualityParameters())
    assert set(row) == set(TABLES["quality"])
    assert row["flags"] == "registration failed: the poses disagree, no brain"
    assert (row["used"], row["n_regions"]) == ("no", 0)
    for key in ("registration_similarity", "gre_sharpness", "brain_overlap", "rotation",
                "translation", "jacobian_min", "jacobian_max", "min_coverage", "pallidum_chi",
                "volume_outliers", "largest_volume_z", "labels_source"):  # fmt: skip
        assert np.isnan(row[key]), key


def test_whole_tissues_are_no_regions(scan: ScanRecord) -> None:
    """Fluid lies where the reliable mask ends: its coverage would be flagged in every scan."""
    tissues = regions({"csf": 0.01}, coverage=0.2, atlas="tissues", source="tissues")
    record = replace(scan, regions=pd.concat([scan.regions, tissues], ignore_index=True))
    row = quality_row(record, QualityParameters())
    plain = quality_row(scan, QualityParameters())
    assert row["labels_source"] == "atlas"
    for key in ("n_regions", "min_coverage", "labels_source"):
        assert row[key] == plain[key]
    assert row["flags"] == plain["flags"] or np.isnan([row["flags"], plain["flags"]]).all()


def test_the_volumes_of_one_scan_are_flagged_largest_first(scan: ScanRecord) -> None:
    volumes = pd.DataFrame(
        {
            "region": ["pallidum", "putamen", "caudate", "insula"],
            "hemisphere": ["R", "L", "L", "L"],
            "z": [5.44, -7.06, 4.9, np.nan],
        }
    )
    row = quality_row(replace(scan, volumes=volumes), QualityParameters())
    assert row["flags"] == (
        "2 regions of unusual volume: L putamen (z = -7.1), R pallidum (z = 5.4)"
    )
    assert (row["volume_outliers"], row["largest_volume_z"]) == (2, -7.06)
    row = quality_row(replace(scan, volumes=volumes[1:]), QualityParameters())
    assert row["flags"] == "1 region of unusual volume: L putamen (z = -7.1)"
    row = quality_row(replace(scan, volumes=volumes[2:]), QualityParameters())
    assert (row["volume_outliers"], row["largest_volume_z"]) == (0, 4.9)
    assert np.isnan(row["flags"])


@pytest.mark.parametrize("factor", [0.0, 0.4, 2.5])
def test_exactly_the_planted_volume_stands_out(factor: float) -> None:
    table = region_voxels(20)
    table.loc[planted := cell(table, 7, 12), "volume"] *= factor
    z = volume_scores(table)["z"]
    assert (z.abs() > 5).equals(planted)
    assert (z[planted] < 0).all() == (factor < 1)


def test_the_z_of_a_volume_is_its_distance_in_robust_sds() -> None:
    volume = 1000 * np.exp([-0.2, -0.1, 0.0, 0.1, 0.6])
    volumes = np.stack([volume, 1e6 - volume], axis=1)
    table = region_voxels(5, n_regions=2).assign(volume=volumes.ravel())
    z = volume_scores(table).loc[table["index"] == 1, "z"]
    assert z.to_numpy() == pytest.approx(np.array([-2, -1, 0, 1, 6]) / 1.4826, abs=0.01)


def test_the_size_of_the_head_is_no_outlier() -> None:
    table = region_voxels(12, seed=1)
    before = volume_scores(table)["z"]
    table.loc[table["participant_id"] == "sub-03", "volume"] *= 1.8
    assert np.allclose(volume_scores(table)["z"], before)


def test_few_scans_without_a_fault_are_hardly_ever_flagged() -> None:
    flagged = [
        (volume_scores(region_voxels(8, seed))["z"].abs() > 5).groupby(np.repeat(range(8), 60))
        for seed in range(20)
    ]
    assert np.mean([scans.any().mean() for scans in flagged]) < 0.05


def test_volumes_are_compared_within_one_origin_of_at_least_five_scans() -> None:
    table = region_voxels(9)
    own = table["participant_id"].isin([f"sub-{scan:02d}" for scan in range(4)])
    table.loc[own, "labels_source"] = "segmentation"
    table.loc[own, "volume"] *= np.where(table.loc[own, "index"] % 2, 1, 3)
    z = volume_scores(table)["z"]
    assert z[own].isna().all()
    assert (z[~own].abs() < 5).all()
    assert volume_scores(region_voxels(4))["z"].isna().all()


def test_a_region_that_most_scans_lack_and_a_scan_without_labels_are_not_judged() -> None:
    table = region_voxels(9)
    table.loc[rare := (table["index"] == 3) & ~cell(table, 2, 3), "volume"] = 0.0
    table.loc[empty := table["participant_id"] == "sub-08", "volume"] = 0.0
    z = volume_scores(table)["z"]
    assert z[rare | cell(table, 2, 3) | empty].isna().all()
    assert z[~empty & (table["index"] != 3)].notna().all()


def test_the_table_of_a_cohort(tmp_path) -> None:
    """One scan with a planted volume, one whose registration failed, one without a T1w."""
    scans = [("sub-00", "A1"), ("sub-00", "02"), ("sub-01", "02"), ("sub-02", "02")]
    voxels = region_voxels(8).assign(session="02")
    voxels = voxels[~voxels["participant_id"].isin(["sub-01", "sub-02"])]
    voxels.loc[cell(voxels, 0, 12), "volume"] *= 0.3
    other = region_voxels(1, seed=3).assign(session="A1")
    write_table(pd.concat([voxels, other]), tmp_path / "region_voxels.tsv", "region_voxels")
    rows = regions(GOOD).assign(participant_id="sub-00", desc="main")
    cohort = pd.concat([rows.assign(session=session) for session in ("A1", "02")])
    write_table(cohort, tmp_path / "regions.tsv", "regions")
    sidecar = tmp_path / "echo.json"
    write_json(sidecar, {"MagneticFieldStrength": 3.0})
    mask, affine = np.ones((50, 50, 50), bool), np.diag([2.2, 2.2, 2.2, 1.0])
    names = []
    for subject, session in scans:
        folder, entities = f"{subject}/ses-{session}", f"{subject}_ses-{session}"
        paths = Results(str(tmp_path), folder, entities, "main")
        write_volume(paths.brain_mask, mask, affine)
        write_volume(paths.reliable_mask, mask, affine)
        measured = {"AlternatingPhaseSlope": 0.03, "AlternatingPhaseConstant": 0.01}
        noise = np.full(mask.shape, 1e-3, np.float32)
        write_volume(paths.field_noise, noise, affine, measured if session == "02" else None)
        write_volume(paths.chi, mask, affine, sidecar={"ReferenceMean": 0.0})
        if subject != "sub-02":
            failed = {"failed": "no overlap"} if subject == "sub-01" else None
            good = {"registration_similarity": 0.9, "gre_sharpness": 3.0, "rotation": 3.0}
            write_json(paths.registration_quality, failed or good)
        names.append(f"{folder}|{entities}|5|{sidecar}")
    arguments = ["--results", str(tmp_path), "--scans", *names, "--desc", "main",
                 "--regions", str(tmp_path / "regions.tsv")]  # fmt: skip

    compared = [*arguments, "--region-voxels", str(tmp_path / "region_voxels.tsv")]
    gather_quality.main([*compared, "--output", str(tmp_path / "quality.tsv")])
    table = read_table(tmp_path / "quality.tsv", "quality")
    assert list(zip(table["participant_id"], table["session"], strict=True)) == scans
    first, planted, failed, without = table.to_dict("records")
    assert pd.isna(first["flags"]) and first["volume_outliers"] == 0
    assert pd.isna(first["alternating_slope"]) and planted["alternating_slope"] == 0.03
    assert planted["flags"].startswith("1 region of unusual volume: L region11 (z = -")
    assert planted["volume_outliers"] == 1 and planted["largest_volume_z"] < -5
    assert failed["flags"] == "registration failed: no overlap" and failed["used"] == "no"
    assert without["flags"] == "no T1w: no regions" and without["used"] == "no"

    gather_quality.main([*arguments, "--output", str(tmp_path / "alone.tsv")])
    alone = read_table(tmp_path / "alone.tsv", "quality")
    assert alone["volume_outliers"].isna().all()
    assert alone["flags"].isna().sum() == 2

    reason = "error; of two parts"
    record = tmp_path / "failures/sub-09.json"
    failure = Failure("sub-09/ses-A1", "sub-09_ses-A1", "map_field", "a.log", reason, True)
    write_failure(record, failure)
    more = ["--failures", str(record), "--output", str(tmp_path / "more.tsv")]
    gather_quality.main([*compared, *more])
    more = read_table(tmp_path / "more.tsv", "quality")
    *others, last = more.to_dict("records")
    assert [row["flags"] for row in others[1:]] == list(table["flags"][1:])
    assert [row["brain_volume"] for row in others] == list(table["brain_volume"])
    assert (last["participant_id"], last["session"], last["desc"]) == ("sub-09", "A1", "main")
    assert last["flags"] == "map_field failed: error, of two parts (log: a.log)"
    assert last["used"] == "no" and pd.isna(last["n_echoes"]) and pd.isna(last["brain_volume"])
