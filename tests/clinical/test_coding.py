"""Numbers that are no amounts: codes of missing values, numbers of sites."""

from __future__ import annotations

import pytest
from bids_trees import row, write_rows

from qsmiron.clinical import check_clinical

USUAL = [41, 38, 44, 35, 29, 47, 33, 40, 36, 42, 31, 45]
SLOPES = {"x": {"derive": "kmeans_change", "baseline": "c", "followup": "d", "levels": ["f", "s"]}}


def warned(tmp_path, values, name="c", contrasts=None, **asked):
    """Warnings about twelve faultless rows with a further column (and d, which is above it)."""
    rows = [
        row(number) | {name: str(value), "d": str(50 + number)}
        for number, value in enumerate(values, start=1)
    ]
    path = write_rows(tmp_path / "c.tsv", rows, [*rows[0]])
    problems = check_clinical(path, None, contrasts or {}, **asked)
    assert {problem.severity for problem in problems} <= {"warning"}
    return [str(problem) for problem in problems if name in problem.where]


@pytest.mark.parametrize("code", [-99, 999, 9999, -1, 88, -9, 77])
@pytest.mark.parametrize(
    "asked", [{"scores": ["c"]}, {"covariates": ["c"]}, {"contrasts": SLOPES}], ids=str
)
def test_a_code_for_missing_is_told_of(tmp_path, code, asked):
    values = [*USUAL[:4], code, *USUAL[5:]]
    (text,) = warned(tmp_path, values, **asked)
    assert f"row 6 (sub-05), c: found {code}" in text
    assert "Write n/a if it stands for missing" in text


def test_a_value_far_from_the_others_is_told_of_in_a_score(tmp_path):
    (text,) = warned(tmp_path, [*USUAL[:-1], 4321], scores=["c"])
    assert "row 13 (sub-12)" in text
    assert "robust SD from the median" in text
    assert "if it was measured, leave it" in text


@pytest.mark.parametrize(
    "values",
    [
        USUAL,
        [97, 99, 88, 77, 95, 90, 84, 79, 86, 91, 70, 65],  # percent
        [-1, -0.5, 0.2, 1.4, -2, 0.1, 0.9, -0.4, 0.3, 1, -1.2, 0],  # z scores
        [1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3],  # a scale with few steps: no covariate
    ],
)
def test_scores_as_they_should_be(tmp_path, values):
    assert warned(tmp_path, values, scores=["c"]) == []


@pytest.mark.parametrize(
    ("name", "values", "told"),
    [
        ("site", [1, 2, 3] * 4, True),
        ("Scanner ID", list(range(1, 13)), True),
        ("q", [1, 2, 3, 4, 5, 6] * 2, True),
        ("q", [1, 2] * 6, False),  # slope and indicator are one
        ("site", [1, 2] * 6, False),
        ("q", USUAL, False),
        ("q", [1.5, 2, 3] * 4, False),
        ("kings_stage", [1, 2, 3] * 4, False),
        ("site", ["A", "B", "C"] * 4, False),
    ],
)
def test_numbers_that_may_be_categories(tmp_path, name, values, told):
    texts = warned(tmp_path, values, name, covariates=[name])
    assert [f"add categorical: [{name}]" in text for text in texts] == [True] * told
    declared = warned(tmp_path, values, name, covariates=[name], categorical=[name])
    assert not any("categorical" in text for text in declared)


@pytest.mark.parametrize("word", ["unknown", "?", "-9", "999"])
def test_a_category_that_may_mean_missing(tmp_path, word):
    (text,) = warned(tmp_path, [*"ABCABCABCAB", word], "city", covariates=["city"])
    assert f"row 13 (sub-12), city: found {word!r}" in text
    assert "n/a for a missing value" in text


def test_declared_categories_are_checked_as_their_names_would_be(tmp_path):
    """Collinearity: site numbers as categories against the same as text."""
    found = []
    for values in ([1, 2, 3] * 4, [*"ABC"] * 4):
        rows = [
            row(number) | {"site": str(value), "town": "xyz"[(number - 1) % 3]}
            for number, value in enumerate(values, start=1)
        ]
        path = write_rows(tmp_path / "c.tsv", rows, [*rows[0]])
        asked = {"covariates": ["age", "site", "town"], "categorical": ["site"]}
        found.append([problem.expected for problem in check_clinical(path, None, {}, **asked)])
    assert found[0] == found[1] != []
