"""A study laid out from its configuration: scans, paths, slices and clinical values."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from study.conftest import add_visit

from qsmiron.checks.settings import check_settings
from qsmiron.clinical import read_clinical
from qsmiron.errors import InputError
from qsmiron.statistics.settings import read_study_design
from qsmiron.study import Study, load_study, memory, option, options

HOME = Path(__file__).resolve().parents[2]


def wildcards(folder: str, entities: str) -> Any:
    return SimpleNamespace(folder=folder, entities=entities, desc="main", atlas="DK")


def test_finds_scans_in_sessions_and_without(study: Study) -> None:
    assert [(scan.folder, scan.entities) for scan in study.cohort.scans] == [
        ("sub-A", "sub-A"),
        ("sub-B/ses-1", "sub-B_ses-1"),
        ("sub-C/ses-2", "sub-C_ses-2"),
    ]


def test_what_the_check_is_given_is_a_configuration(values: dict[str, Any], raw: Path) -> None:
    """Of any configuration, laid over the shipped one as the check does it."""
    shipped = copy.deepcopy(values)
    table = values["atlases"]["DK"]["label_table"]
    values["atlases"] = {"mine": {"image": str(raw / "mine.nii.gz"), "label_table": table}}
    values["contrasts"] = {"progression": {"derive": "kmeans_change"}}
    values["reconstruction"]["field_map"] = {"method": "laplacian"}
    values |= {"bids_dir": str(raw), "results_dir": "out", "categorical": ["progression"]}
    (raw / "mine.nii.gz").touch()
    study = load_study(values, HOME)
    settings = json.loads(json.dumps(study.checked_settings))
    assert settings["categorical"] == ["progression"]
    assert check_settings(settings, shipped) == (settings, [])
    assert "categorical" in study.settings.contrast_slice("progression")


@pytest.mark.parametrize(
    ("label", "words"),
    [("a", "'a' (there is 'A')"), ("77", "'77'")],
)
def test_a_label_of_nobody_is_named(
    values: dict[str, Any], raw: Path, label: str, words: str
) -> None:
    given = {**values, "bids_dir": str(raw), "results_dir": "out", "participant_label": [label]}
    with pytest.raises(InputError) as refused:
        load_study(given, HOME)
    assert f"config, participant_label: found {words}; expected a label" in str(refused.value)


SESSIONS = "session_id\tumn_score\nses-1\t4\nses-2\t5\n"


@pytest.mark.parametrize(
    ("chosen", "score", "scans"),
    [
        ({}, "4", 4),
        ({"session_label": ["2"]}, "5", 2),
        ({"statistics": {"session": "ses-1"}}, "4", 4),
        ({"statistics": {"session": {"B": "ses-2"}}}, "5", 4),
        ({"session_label": ["1", "2"], "statistics": {"session": "2"}}, "5", 3),
    ],
)
def test_the_analysed_session_brings_its_clinical_row(
    values: dict[str, Any], raw: Path, chosen: dict[str, Any], score: str, scans: int
) -> None:
    add_visit(raw)
    (raw / "sub-B/sub-B_sessions.tsv").write_text(SESSIONS)
    given = {**values, "bids_dir": str(raw), "results_dir": "out", "scores": ["umn_score"]}
    study = load_study({**given, **chosen}, HOME)
    assert len(study.cohort.scans) == scans
    assert study.clinical.score_values("umn_score")["sub-B"][0] == score
    # the jobs of the group results learn it from their slice of the configuration
    config = raw / "slice.json"
    config.write_text(study.settings.score_slice("umn_score"))
    session = read_study_design(config).statistics.session
    read = read_clinical(raw / "participants.tsv", ["umn_score"], session=session)["umn_score"]
    assert read.fillna("n/a")["sub-B"] == score
    assert study.checked_settings["statistics"]["session"] == session


@pytest.mark.parametrize(
    ("column", "first", "second", "baseline", "told"),
    [
        ("months_since_baseline", "6.5", "0", "2", 0),
        ("acq_time", "2021-03-01T10:00:00", "2020-11-30", "2", 0),
        ("acq_time", "2020-03-01", "n/a", "1", 1),
        ("acq_time", "01.12.2020", "01.03.2020", "1", 1),
    ],
)
def test_the_earliest_session_is_the_baseline(
    values: dict[str, Any],
    raw: Path,
    column: str,
    first: str,
    second: str,
    baseline: str,
    told: int,
) -> None:
    add_visit(raw)
    table = f"session_id\t{column}\nses-1\t{first}\nses-2\t{second}\n"
    (raw / "sub-B/sub-B_sessions.tsv").write_text(table)
    study = load_study({**values, "bids_dir": str(raw), "results_dir": "out"}, HOME)
    assert study.config.statistics.session == {"sub-B": baseline}
    warnings = [problem.expected for problem in study.left_out]
    assert sum("of every session" in expected for expected in warnings) == told
    regions = "participant_id\tsession\nsub-A\tn/a\nsub-B\t1\nsub-B\t2\nsub-C\t2\n"
    (raw / "regions.tsv").write_text(regions)
    given = {"analysis_only": True, "regions_table": str(raw / "regions.tsv")}
    table = {"clinical_table": str(raw / "participants.tsv"), "results_dir": "out"}
    of_table = load_study({**values, **given, **table}, HOME)
    assert of_table.config.statistics.session == {"sub-B": baseline}


def test_a_scan_without_t1w_gets_maps_but_no_regions(study: Study) -> None:
    cohort, paths = study.cohort, study.paths
    chi = cohort.every_scan(paths.chi)
    assert "out/sub-B/ses-1/anat/sub-B_ses-1_desc-main_Chimap.nii.gz" in chi
    assert len(chi) == 3
    assert len(cohort.every_scan_with_labels(paths.labels, atlas="DK")) == 2
    assert len(cohort.every_scan_with_labels(paths.labels)) == 4
    assert cohort.coordinates(wildcards("sub-B/ses-1", "sub-B_ses-1")) == []
    assert len(cohort.coordinates(wildcards("sub-C/ses-2", "sub-C_ses-2"))) == 1


def test_a_single_echo_has_no_r2star(study: Study) -> None:
    assert study.cohort.r2star(wildcards("sub-A", "sub-A")) == []
    assert len(study.cohort.every_scan_with_r2star(study.paths.r2star)) == 2


def test_the_tables_that_are_joined_are_checked_again_when_they_change(
    values: dict[str, Any], raw: Path
) -> None:
    (raw / "phenotype").mkdir()
    for name in ("phenotype/ecas.tsv", "sub-B/sub-B_sessions.tsv"):
        (raw / name).write_text("participant_id\tecas_total\n")
    config = {**values, "bids_dir": str(raw), "results_dir": "out"}
    expected = [f"{raw}/phenotype/ecas.tsv", f"{raw}/sub-B/sub-B_sessions.tsv"]
    assert load_study(config, HOME).tables_beside == expected
    other = {**config, "clinical_table": "config/demo/participants.tsv"}
    assert load_study(other, HOME).tables_beside == []


def test_a_scan_without_phase_is_left_out(values: dict[str, Any], raw: Path) -> None:
    for path in (raw / "sub-B/ses-1/anat").glob("*part-phase*"):
        path.unlink()
    config = {**values, "bids_dir": str(raw), "results_dir": "out"}
    study = load_study(config, HOME)
    assert [scan.folder for scan in study.cohort.scans] == ["sub-A", "sub-C/ses-2"]
    assert [scan.folder for scan in study.without_phase] == ["sub-B/ses-1"]
    assert not any("ses-1" in path for path in study.cohort.every_scan(study.paths.chi))
    for path in raw.rglob("*part-phase*"):
        path.unlink()
    with pytest.raises(InputError, match="no scan with phase images"):
        load_study(config, HOME)


def test_options_name_the_session_where_there_is_one(study: Study) -> None:
    assert study.cohort.who(wildcards("sub-A", "sub-A")) == ["--participant", "sub-A"]
    assert study.cohort.who(wildcards("sub-C/ses-2", "sub-C_ses-2")) == [
        "--participant",
        "sub-C",
        "--session",
        "2",
    ]


def test_age_is_empty_where_it_is_missing(study: Study) -> None:
    assert study.clinical.age("sub-A") == "60"
    assert study.clinical.age("sub-B/ses-1") == ""
    assert option("--age", "") == []
    assert option("--age", "60") == ["--age", "60"]


def test_a_contrast_sees_only_its_columns(study: Study) -> None:
    assert study.clinical.contrast_values("progression") == {
        "sub-A": ["fast", "60"],
        "sub-B": ["slow", "n/a"],
        "sub-C": ["slow", "n/a"],
    }


def test_the_shipped_design_is_fitted_to_the_table(study: Study) -> None:
    assert study.contrasts == ["progression"]
    assert study.scores == []
    assert study.config.covariates == ("age",)
    left_out = " ".join(str(problem) for problem in study.left_out)
    for name in ("phenotype", "alsfrs_r", "umn_score", "ecas_total", "sex"):
        assert name in left_out
    assert {problem.severity for problem in study.left_out} == {"warning"}


def test_what_a_user_declares_is_never_left_out(values: dict[str, Any], raw: Path) -> None:
    values["contrasts"]["site"] = {"column": "site", "levels": ["a", "b"]}
    values["scores"] = ["alsfrs_r"]
    study = load_study({**values, "bids_dir": str(raw)}, HOME)
    assert study.contrasts == ["progression", "site"]
    assert study.scores == ["alsfrs_r"]
    errors = " ".join(str(problem) for problem in study.inspect().errors)
    assert "site" in errors
    assert "alsfrs_r" in errors


def test_without_a_clinical_table_there_is_no_group(values: dict[str, Any], raw: Path) -> None:
    (raw / "participants.tsv").unlink()
    study = load_study({**values, "bids_dir": str(raw)}, HOME)
    assert not study.has_clinical
    assert study.contrasts == study.scores == []
    inspection = study.inspect()
    assert not any("participants.tsv" in problem.where for problem in inspection.errors)
    assert any("participants.tsv" in problem.where for problem in inspection.warnings)


def test_a_named_clinical_table_must_exist(values: dict[str, Any], raw: Path) -> None:
    values["clinical_table"] = str(raw / "scores.tsv")
    with pytest.raises(InputError, match=r"scores\.tsv"):
        load_study({**values, "bids_dir": str(raw)}, HOME)


def test_a_slice_holds_one_contrast_and_no_other_block(study: Study) -> None:
    blocks = json.loads(study.settings.contrast_slice("progression"))
    assert list(blocks["contrasts"]) == ["progression"]
    assert set(blocks) == {"contrasts", "covariates", "statistics"}


def test_variants_and_atlases_multiply_the_paths(values: dict[str, Any], raw: Path) -> None:
    values["variants"]["rts"] = {"inversion": {"method": "rts"}}
    values["atlases"]["other"] = {"image": "other.nii.gz", "label_table": "other.tsv"}
    study = load_study({**values, "bids_dir": str(raw)}, HOME)
    assert len(study.cohort.every_scan(study.paths.chi)) == 6
    n_atlases = 3  # Desikan-Killiany and the tissues are there already
    assert len(study.cohort.every_scan_with_labels(study.paths.labels)) == 2 * n_atlases
    assert len(study.cohort.every_scan_with_labels(study.paths.measured)) == 4 * n_atlases
    assert len(study.cohort.gathered("thresholds")) == 2 * n_atlases
    assert study.settings.step("rts", "inversion").method == "rts"
    codes = {
        study.settings.method_code("invert_dipole", desc, "inversion") for desc in ("main", "rts")
    }
    assert len(codes) == 2


def test_what_is_the_same_for_every_variant_is_no_function(
    values: dict[str, Any], raw: Path
) -> None:
    values["variants"]["rts"] = {"inversion": {"method": "rts"}}
    study = load_study({**values, "bids_dir": str(raw)}, HOME)
    settings, cohort = study.settings, study.cohort
    assert settings.of_desc(lambda desc: settings.method_options(desc, "r2star")) == [
        *("--method", "loglinear"),
        *("--parameters", "{}"),
    ]
    inverted = settings.of_desc(lambda desc: settings.method_options(desc, "inversion"))
    job = wildcards("sub-A", "sub-A")
    assert inverted(job)[:2] == ["--method", "tv"]
    job.desc = "rts"
    assert inverted(job)[:2] == ["--method", "rts"]
    assert cohort.where(settings.weighs_voxels, cohort.label_weights) == []
    of_rts = cohort.where(lambda desc: desc == "rts", cohort.label_weights)
    assert of_rts(wildcards("sub-A", "sub-A")) == []
    assert of_rts(job) == cohort.label_weights(job)


def test_options_bear_the_names_of_the_inputs_that_are_there() -> None:
    files = SimpleNamespace(r2star=["a.nii.gz"], gre_to_t1w=["b.json"], labels=[])
    assert options(files, "r2star", "labels", "gre_to_t1w") == [
        *("--r2star", "a.nii.gz"),
        *("--gre-to-t1w", "b.json"),
    ]


def test_the_demo_takes_the_first_of_the_plan(values: dict[str, Any]) -> None:
    values["demo"]["participants"] = 3
    values["exclude"] = ["sub-02"]
    study = load_study(values, HOME)
    assert [scan.participant_id for scan in study.cohort.scans] == ["sub-01", "sub-03"]
    assert study.checked_settings["participant_label"] == ["01", "03"]


@pytest.mark.parametrize("change", [{"bids_dir": "no/such"}, {"participant_label": ["nobody"]}])
def test_a_study_without_scans_is_refused(
    values: dict[str, Any], raw: Path, change: dict[str, Any]
) -> None:
    with pytest.raises(InputError, match="expected"):
        load_study({**values, "bids_dir": str(raw), **change}, HOME)


def test_memory_grows_with_input_and_attempt(tmp_path: Path) -> None:
    small, large = tmp_path / "small", tmp_path / "large"
    small.write_bytes(b"")
    with large.open("wb") as file:
        file.truncate(100 * 2**20)
    assert memory([small], 10) == 700
    assert memory([small, large], 10) == 1700
    assert memory([small, large], 10, attempt=2) == 3400
    assert memory([small, large], 10, attempt=2, at_least=1000) == 4000
