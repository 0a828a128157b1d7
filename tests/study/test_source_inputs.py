"""Which scans have iron apart from myelin, and what it is made from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qsmiron.errors import InputError
from qsmiron.study import load_study
from qsmiron.study.source_inputs import LEAST_ECHOES, SourceInputs

HOME = Path(__file__).resolve().parents[2]


def more_echoes(raw: Path) -> None:
    """A third echo of sub-B's first session, which had two."""
    for path in list((raw / "sub-B/ses-1/anat").glob("*echo-2*")):
        path.with_name(path.name.replace("echo-2", "echo-3")).write_bytes(path.read_bytes())


def inputs(values: dict[str, Any], raw: Path, **sources: Any) -> tuple[Any, SourceInputs]:
    chain = {**values["reconstruction"], "sources": {"method": "source_tv", **sources}}
    config = {**values, "bids_dir": str(raw), "results_dir": "out", "reconstruction": chain}
    study = load_study(config, HOME)
    return study, SourceInputs(study.cohort, study)


def job(desc: str = "main") -> Any:
    return SimpleNamespace(folder="sub-B/ses-1", entities="sub-B_ses-1", desc=desc, atlas="DK")


def test_it_takes_three_echoes(values: dict[str, Any], raw: Path) -> None:
    study, sources = inputs(values, raw)
    assert LEAST_ECHOES == 3
    assert sources.every_scan(study.paths.paramagnetic) == []
    assert sources.paramagnetic(job()) == []
    more_echoes(raw)
    study, sources = inputs(values, raw)
    expected = "out/sub-B/ses-1/anat/sub-B_ses-1_label-paramagnetic_desc-main_Chimap.nii.gz"
    assert sources.every_scan(study.paths.paramagnetic) == [expected]
    assert sources.paramagnetic(job()) == [expected]


def test_it_can_be_switched_off(values: dict[str, Any], raw: Path) -> None:
    more_echoes(raw)
    study, sources = inputs(values, raw, run=False)
    assert sources.every_scan(study.paths.diamagnetic) == []
    assert sources.diamagnetic(job()) == []


def test_a_branch_takes_the_sources_of_the_maps_and_separation_that_it_shares(
    values: dict[str, Any], raw: Path
) -> None:
    more_echoes(raw)
    study, sources = inputs(values, raw)
    shared = [branch for branch in study.cohort.branches if not branch.full]
    assert shared
    for branch in shared:
        assert sources.paramagnetic(job(branch.desc)) == sources.paramagnetic(job())
    made: dict[str, set[tuple[str, ...]]] = {}
    for branch in study.cohort.branches:
        (path,) = sources.paramagnetic(job(branch.desc))
        chain = branch.chain.model_dump_json(exclude={"reference"})
        made.setdefault(path, set()).add((chain,))
    # one file for each combination of maps (3 × 2) and separation (4), whatever the reference
    assert len(made) == 6 * 4
    assert all(len(chains) == 1 for chains in made.values())
    separations = [branch for branch in study.cohort.branches if branch.separation]
    assert len(separations) == 6 * 3 * 2  # and the region's voxels (2), but no reference
    r2star = {branch.desc for branch in separations if branch.chain.sources.method == "r2star"}
    assert {sources.options(desc)[1] for desc in r2star} == {"r2star"}


def test_an_r2_map_is_named_for_each_scan(values: dict[str, Any], raw: Path) -> None:
    more_echoes(raw)
    template = "derivatives/{folder}/{entities}_R2map.nii.gz"
    with pytest.raises(InputError, match=r"sub-B_ses-1_R2map.nii.gz: found no such file, the R2"):
        study, _ = inputs(values, raw, r2=template)
        study.cohort.variant_inputs(study)
    path = raw / "derivatives/sub-B/ses-1/sub-B_ses-1_R2map.nii.gz"
    path.parent.mkdir(parents=True)
    path.touch()
    study, sources = inputs(values, raw, r2=template)
    assert sources.r2(job()) == [str(path)]
    assert str(path) in study.named_files


def test_the_reference_is_not_made_again_for_another_separation(
    values: dict[str, Any], raw: Path
) -> None:
    first, _ = inputs(values, raw)
    other, _ = inputs(values, raw, method="r2star")
    assert first.settings.reference_options("main") == other.settings.reference_options("main")


def spin_echoes_of(raw: Path, count: int = 4, entities: str = "sub-B_ses-1") -> list[str]:
    anat = raw / "sub-B/ses-1/anat"
    paths = [anat / f"{entities}_echo-{n}_MESE.nii.gz" for n in range(1, count + 1)]
    for path in paths:
        path.write_bytes(b"")
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text("{}")
    return [str(path) for path in paths]


def test_r2_is_fitted_to_spin_echoes_where_asked(values: dict[str, Any], raw: Path) -> None:
    more_echoes(raw)
    files = spin_echoes_of(raw)
    _, sources = inputs(values, raw)
    assert sources.r2(job()) == []
    _, sources = inputs(values, raw, r2="MESE")
    assert sources.r2(job()) == ["out/sub-B/ses-1/anat/sub-B_ses-1_desc-main_R2map.nii.gz"]
    assert sources.spin_echo(job()) == files
    assert sources.spin_echo_sidecars(job()) == [f.replace(".nii.gz", ".json") for f in files]


def test_every_scan_needs_one_spin_echo(values: dict[str, Any], raw: Path) -> None:
    more_echoes(raw)
    with pytest.raises(InputError, match="no multi-echo spin echo for sub-B/ses-1"):
        inputs(values, raw, r2="MESE")
    spin_echoes_of(raw)
    spin_echoes_of(raw, entities="sub-B_ses-1_run-2")
    with pytest.raises(InputError, match=r"sub-B_ses-1, sub-B_ses-1_run-2"):
        inputs(values, raw, r2="MESE")
