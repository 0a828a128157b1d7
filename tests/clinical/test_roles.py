"""Patients and controls in the input check."""

from pathlib import Path

import pytest

from qsmiron.clinical import check_clinical
from qsmiron.errors import Problem

ROLES = {"column": "diagnosis", "patients": ["ALS"], "controls": ["HC"]}


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rows = ["participant_id\tage\tdiagnosis\tprogression\tecas_total"]
    for i in range(8):
        rows.append(f"sub-{i:02d}\t{50 + i}\tALS\t{'fast' if i % 2 else 'slow'}\t{90 + i}")
    rows += [f"sub-{i:02d}\t{50 + i}\tHC\tn/a\tn/a" for i in range(8, 14)]
    path = tmp_path / "participants.tsv"
    path.write_text("\n".join(rows) + "\n")
    return path


def found(path: Path, **design: object) -> list[Problem]:
    return check_clinical(
        path, None, design.pop("contrasts", {}), ["ecas_total"], ["age"], **design
    )


def words(problems: list[Problem]) -> str:
    return "\n".join(map(str, problems))


def test_controls_lack_no_score_of_the_patients(table: Path) -> None:
    assert "6 of 14 values missing" in words(found(table))
    assert "missing" not in words(found(table, roles=ROLES))
    asked = found(table, roles=ROLES, scores_of={"ecas_total": "everybody"})
    assert "6 of 14 values missing" in words(asked)


def test_a_contrast_of_a_level_and_the_controls(table: Path) -> None:
    contrasts = {"c": {"column": "progression", "levels": ["fast", "HC"]}}
    assert "which no participant has" in words(found(table, contrasts=contrasts))
    told = found(table, contrasts=contrasts, roles=ROLES)
    assert not [one for one in told if one.severity == "error"]


def test_what_looks_like_controls_is_told(table: Path) -> None:
    (told,) = [one for one in found(table) if "looks like controls" in str(one)]
    assert told.severity == "warning"
    assert "roles: {column: diagnosis, patients: [ALS], controls: [HC]}" in str(told)
    assert "looks like" not in words(found(table, roles=ROLES))


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"column": "group"}, "roles.column"),
        ({**ROLES, "controls": ["healthy"]}, "healthy, which no participant has"),
    ],
)
def test_roles_that_the_table_lacks(table: Path, roles: dict, message: str) -> None:
    problems = found(table, roles=roles)
    assert message in words([one for one in problems if one.severity == "error"])


def test_who_is_neither_is_told(table: Path) -> None:
    table.write_text(table.read_text() + "sub-20\t60\tPLS\tfast\t99\n")
    (told,) = [one for one in found(table, roles=ROLES) if "neither" in str(one)]
    assert told.severity == "warning" and "sub-20" in str(told)


def test_columns_and_levels_of_models_and_sites(table: Path) -> None:
    models = {
        "three": {"column": "progression", "levels": ["fast", "slow", "HC"]},
        "four": {"column": "progression", "levels": ["fast", "slow", "medium"]},
        "x": {"contrast": "c", "by": "ages"},
    }
    told = found(table, models=models, roles=ROLES, statistics={"variance_groups": "site"})
    errors = words([one for one in told if one.severity == "error"])
    assert "models.three" not in errors
    assert "medium, which no participant has" in errors
    assert "models.x" in errors and "'age'" in errors
    assert "statistics.variance_groups" in errors
    lacking = found(table, statistics={"exchangeability_blocks": "progression"})
    assert "6 participants without a value" in words(lacking)


def test_controls_left_out_of_a_contrast_of_the_patients_are_no_warning(table: Path) -> None:
    contrasts = {"c": {"column": "progression", "levels": ["fast", "slow"]}}
    assert "left out" not in words(found(table, contrasts=contrasts, roles=ROLES))


def with_sites(table: Path, sites: str) -> None:
    header, *rows = table.read_text().splitlines()
    rows = [f"{row}\t{site}" for row, site in zip(rows, sites, strict=True)]
    table.write_text("\n".join([f"{header}\tsite", *rows]) + "\n")


def test_groups_at_different_sites_cannot_be_harmonised(table: Path) -> None:
    design = {
        "contrasts": {"c": {"column": "diagnosis", "levels": ["ALS", "HC"]}},
        "roles": ROLES,
        "statistics": {"harmonisation": "combat", "harmonisation_sites": "site"},
    }
    told = words(found(table, **design))
    assert "config, statistics.harmonisation_sites" in told
    with_sites(table, "aaaaaaaabbbbbb")
    (told,) = [one for one in found(table, **design) if "different sites" in str(one)]
    assert told.severity == "error" and "ALS and HC" in str(told)
    assert not found(table, **{**design, "statistics": {"harmonisation": "none"}})


def test_groups_that_share_a_site_can(table: Path) -> None:
    with_sites(table, "aaaaaaababbbbb")
    contrasts = {"c": {"column": "diagnosis", "levels": ["ALS", "HC"]}}
    statistics = {"harmonisation": "combat", "harmonisation_sites": "site"}
    assert not found(table, contrasts=contrasts, roles=ROLES, statistics=statistics)
