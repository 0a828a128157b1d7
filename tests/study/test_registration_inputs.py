"""Scans without a T1w: who is registered by R2* and χ, and what waits for what."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from study.conftest import add_visit

from qsmiron.study import Study, load_study
from qsmiron.study.registration_inputs import RegistrationInputs

HOME = Path(__file__).resolve().parents[2]
B = SimpleNamespace(folder="sub-B/ses-1", entities="sub-B_ses-1", desc="main", atlas="DK")
C = SimpleNamespace(folder="sub-C/ses-2", entities="sub-C_ses-2", desc="main", atlas="DK")


@pytest.fixture
def load(values: dict[str, Any], raw: Path) -> Any:
    settings = {**values, "bids_dir": str(raw), "results_dir": "out"}
    return lambda **changes: load_study(settings | {"registration": {}} | changes, HOME)


def test_only_a_scan_with_both_maps_does_without(load: Any, raw: Path) -> None:
    (raw / "sub-A/anat/sub-A_T1w.nii.gz").unlink()  # a single echo: no R2*
    study: Study = load()
    registration = RegistrationInputs(study.cohort)
    assert registration.without_t1w == re.escape("sub-B_ses-1")
    assert re.fullmatch(registration.by_own_t1w("any"), "sub-C_ses-2")
    assert not re.fullmatch(registration.by_own_t1w("any"), "sub-B_ses-1")
    labelled = study.cohort.every_scan_with_labels("{folder}", atlas="DK")
    assert labelled == ["sub-B/ses-1", "sub-C/ses-2"]
    assert study.cohort.origin(B) == "atlas_without_t1w"
    assert study.cohort.origin(C) == "atlas"
    tissues = SimpleNamespace(**vars(B) | {"atlas": "tissues"})
    assert study.cohort.origin(tissues) == "tissues_without_t1w"


def test_its_mask_and_reference_wait_for_no_registration(load: Any) -> None:
    study: Study = load()
    cohort, registration = study.cohort, RegistrationInputs(study.cohort)
    variants = cohort.variant_inputs(study)
    given = (variants.mask_coordinates, variants.mask_t1w, variants.mask_gre_to_t1w)
    assert [files(B) for files in given] == [[], [], []]
    assert all(files(C) for files in given)
    assert cohort.t1w(B) == [] and len(cohort.coordinates(B)) == 1
    assert registration.chi(B) == cohort.fill(study.paths.chi_unreferenced, cohort.scan(B), "main")


def test_another_visits_t1w_is_better(load: Any, raw: Path) -> None:
    add_visit(raw)
    study: Study = load()
    assert RegistrationInputs(study.cohort).without_t1w == "(?!)"
    assert study.cohort.origin(B) == "atlas"
