"""Participants with several visits: their jobs, and that others have none of them."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from study.conftest import add_visit
from study.planning import planned

from qsmiron.study import Study, load_study
from qsmiron.study.registration_inputs import RegistrationInputs
from qsmiron.study.visit_inputs import VisitInputs

HOME = Path(__file__).resolve().parents[2]
EVERY = "any"


@pytest.fixture
def repeated(values: dict[str, Any], raw: Path) -> Study:
    """B has a first visit without T1w and a second with one."""
    add_visit(raw)
    return load_study({**values, "bids_dir": str(raw), "results_dir": "out"}, HOME)


def test_without_a_second_visit_nothing_is_different(study: Study, raw: Path) -> None:
    visits = VisitInputs(study.cohort)
    assert not visits.any
    assert visits.scans == "(?!)"
    registration = RegistrationInputs(study.cohort)
    assert registration.by_own_t1w(EVERY) == EVERY and registration.without_t1w == "(?!)"
    with planned(raw.parent, {"bids_dir": "raw", "results_dir": "out"}) as rules:
        assert not {"average_visits", "register_visit"} & {rule.name for rule in rules}


def test_a_second_visit_brings_the_rules_of_visits(raw: Path) -> None:
    add_visit(raw)
    with planned(raw.parent, {"bids_dir": "raw", "results_dir": "out"}) as rules:
        assert {"average_visits", "register_visit"} <= {rule.name for rule in rules}


def test_only_the_scans_of_that_participant_use_the_template_within(repeated: Study) -> None:
    visits = VisitInputs(repeated.cohort)
    assert re.fullmatch(visits.scans, "sub-B_ses-1") and re.fullmatch(visits.scans, "sub-B_ses-2")
    assert not re.fullmatch(visits.scans, "sub-C_ses-2")
    alone = RegistrationInputs(repeated.cohort).by_own_t1w(EVERY)
    assert re.fullmatch(alone, "sub-C_ses-2") and not re.fullmatch(alone, "sub-B_ses-1")


def test_a_visit_without_t1w_takes_the_others(repeated: Study, raw: Path) -> None:
    visits, cohort, paths = VisitInputs(repeated.cohort), repeated.cohort, repeated.paths
    one, two = (
        SimpleNamespace(folder=f"sub-B/ses-{n}", entities=f"sub-B_ses-{n}", desc="main", atlas="DK")
        for n in (1, 2)
    )
    t1w = f"{raw}/sub-B/ses-2/anat/sub-B_ses-2_T1w.nii.gz"
    assert visits.t1w(SimpleNamespace(subject="B")) == [t1w]
    assert visits.labels(SimpleNamespace(subject="B")) == ["2"]
    assert visits.own_t1w(one) == [] and visits.own_t1w(two) == [t1w]
    # in which its brain is looked for
    assert cohort.t1w(one) == ["out/work/visits/sub-B/sub-B_desc-mean_T1w.nii.gz"]
    assert cohort.t1w(two) == [t1w]
    assert len(cohort.labels(one, "DK")) == 1
    assert visits.of_head(one) == visits.of_head(two)
    every = cohort.every_registered_scan(paths.registration_quality)
    assert any("sub-B_ses-1" in path for path in every)
    # a visit that is left out lends nothing
    (raw / "sub-B/ses-2/anat/sub-B_ses-2_T1w.nii.gz").unlink()
    values = repeated.config.model_dump(mode="json") | {"bids_dir": str(raw)}
    values["statistics"].pop("session")
    alone = load_study(values, HOME)
    assert alone.cohort.t1w(one) == [] and not VisitInputs(alone.cohort).any


def test_the_demos_visits_are_sessions_with_a_baseline(values: dict[str, Any]) -> None:
    demo = {"participants": 2, "visits": 2}
    study = load_study({**values, "demo": demo, "results_dir": "out"}, HOME)
    folders = [scan.folder for scan in study.cohort.scans]
    assert folders == ["sub-01/ses-1", "sub-01/ses-2", "sub-02/ses-1", "sub-02/ses-2"]
    assert study.config.statistics.session == {"sub-01": "1", "sub-02": "1"}
    assert study.clinical_table.endswith("config/demo/visits/participants.tsv")
    assert study.clinical.score_values("alsfrs_r")["sub-01"][0] == "36"
    assert study.demo.visit("01", "2")["months_since_baseline"] == "7.6"
    assert [path.endswith("plan.tsv") for path in study.demo.planned_visits] == [True]


def test_a_demo_with_one_visit_has_no_sessions(values: dict[str, Any]) -> None:
    study = load_study({**values, "demo": {"participants": 2}, "results_dir": "out"}, HOME)
    assert [scan.folder for scan in study.cohort.scans] == ["sub-01", "sub-02"]
    assert study.config.statistics.session is None
    assert study.clinical_table.endswith("config/demo/participants.tsv")
    assert study.demo.planned_visits == [] and not VisitInputs(study.cohort).any
