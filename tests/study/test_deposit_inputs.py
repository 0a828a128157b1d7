"""What the jobs that count deposits are given, and where a branch's rows are found again."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qsmiron.errors import InputError
from qsmiron.study import Study, load_study
from qsmiron.study.deposit_inputs import DepositInputs

HOME = Path(__file__).resolve().parents[2]
OF_B = {"folder": "sub-C/ses-2", "entities": "sub-C_ses-2"}


@pytest.fixture
def both(values: dict[str, Any], raw: Path) -> Study:
    """Two variants; a branch with other deposits, and one of another inversion."""
    values["variants"]["rts"] = {"inversion": {"method": "rts"}}
    values["multiverse"] = {
        "reference": [],
        "regions": [],
        "iron": [{"deposit_percentile": 90}],
        "reconstruction": {"background_field": [], "inversion": [{"method": "tkd"}]},
    }
    return load_study({**values, "bids_dir": str(raw), "results_dir": "out"}, HOME)


def inputs(study: Study, **extent: str) -> dict[str, list[str]]:
    deposits = DepositInputs(study.cohort, study.settings, study.clinical)
    job = SimpleNamespace(**OF_B, **extent)
    names = ("values", "thresholds", "label_tables", "parameters")
    return {name: getattr(deposits, name)(job) for name in names}


def test_all_variants_and_atlases_of_a_scan_are_counted_together(both: Study) -> None:
    given = inputs(both)
    pairs = [(desc, atlas) for desc in ("main", "rts") for atlas in ("DK", "tissues")]
    stem = "out/work/sub-C/ses-2/sub-C_ses-2_desc-{}_atlas-{}_values.npz"
    assert given["values"] == [stem.format(*pair) for pair in pairs]
    stem = "out/work/group/desc-{}_atlas-{}_thresholds.tsv"
    assert given["thresholds"] == [stem.format(*pair) for pair in pairs]
    assert [Path(table).stem for table in given["label_tables"]] == [
        "DesikanKilliany",
        "Tissues",
    ] * 2
    assert {json.loads(text)["deposit_percentile"] for text in given["parameters"]} == {95}


def test_only_atlases_that_a_scan_has_labels_of_are_counted(
    values: dict[str, Any], raw: Path
) -> None:
    segmentation = {"segmentation": "own/{subject}.nii.gz", "segmentation_space": "GRE"}
    values["atlases"]["own"] = {"label_table": "config/atlases/Tissues.tsv", **segmentation}
    (raw / "own").mkdir()
    (raw / "own/B.nii.gz").touch()
    study = load_study({**values, "bids_dir": str(raw), "results_dir": "out"}, HOME)
    job = SimpleNamespace(folder="sub-B/ses-1", entities="sub-B_ses-1")  # without T1w
    found = DepositInputs(study.cohort, study.settings, study.clinical).values(job)
    assert [Path(path).name for path in found] == ["sub-B_ses-1_desc-main_atlas-own_values.npz"]


def test_branches_are_counted_apart_from_those_of_other_reconstructions(both: Study) -> None:
    small, full = inputs(both, extent="multiverse"), inputs(both, extent="full_multiverse")
    descs = {branch.desc: branch for branch in both.cohort.branches}
    for given, n in ((small, 1), (full, 2)):
        assert {len(files) for files in given.values()} == {n}
    for given, is_full in ((small, False), (full, True)):
        for path, text in zip(given["values"], given["parameters"], strict=True):
            branch = descs[path.split("_desc-")[1].split("_")[0]]
            assert branch.full is is_full
            assert path.endswith("_atlas-DK_values.npz")
            assert json.loads(text) == json.loads(branch.iron.model_dump_json())


def test_a_branch_is_gathered_from_its_own_metrics_and_the_shared_deposits(both: Study) -> None:
    for branch in both.cohort.branches:
        found = both.multiverse.gathered(branch.desc)
        measured = [path for path in found if path.endswith("_regions.tsv")]
        assert all(f"_desc-{branch.desc}_atlas-DK_" in path for path in measured)
        extent = "full_multiverse" if branch.full else "multiverse"
        assert [path for path in found if path not in measured] == [
            f"out/work/{extent}/sub-A/sub-A_deposits.tsv",
            f"out/work/{extent}/sub-C/ses-2/sub-C_ses-2_deposits.tsv",
        ]


def test_the_cohorts_regions_take_one_table_of_deposits_a_scan(both: Study) -> None:
    found = both.cohort.gathered("regions")
    assert [path for path in found if path.endswith("_deposits.tsv")] == [
        "out/work/sub-A/sub-A_deposits.tsv",
        "out/work/sub-C/ses-2/sub-C_ses-2_deposits.tsv",
    ]
    assert len(found) == 2 + 2 * 2 * 2


def test_thresholds_are_pooled_from_everybody_or_from_a_group(
    values: dict[str, Any], raw: Path
) -> None:
    def pooled(**iron: Any) -> list[str]:
        config = {**values, "bids_dir": str(raw), "results_dir": "out", "iron": iron}
        study = load_study(config, HOME)
        deposits = DepositInputs(study.cohort, study.settings, study.clinical)
        job = SimpleNamespace(desc="main", atlas="DK")
        return [Path(path).name.split("_")[0] for path in deposits.pooled(job)]

    assert pooled() == ["sub-A", "sub-C"]
    assert pooled(deposit_group={"column": "progression", "level": "slow"}) == ["sub-C"]
    with pytest.raises(InputError) as told:
        pooled(deposit_group={"column": "progression", "level": "Slow"})
    assert "iron.deposit_group" in str(told.value) and "fast, slow" in str(told.value)
    with pytest.raises(InputError, match="not there"):
        pooled(deposit_group={"column": "diagnosis", "level": "control"})
