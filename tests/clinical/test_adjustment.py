"""Covariates that cannot adjust: found in the table, as the tests themselves would find it."""

from __future__ import annotations

import contextlib

import numpy as np
import pandas as pd
import pytest
from bids_trees import row, write_rows

from qsmiron.clinical import check_clinical, read_clinical
from qsmiron.errors import InputError
from qsmiron.statistics.covariates import covariate_matrix

CONTRASTS = {"p": {"column": "progression", "levels": ["fast", "slow"]}}


def table(tmp_path, n=12, **columns):
    """Twelve faultless rows with further columns, each a function of the number."""
    rows = [row(i) | {name: str(f(i)) for name, f in columns.items()} for i in range(1, n + 1)]
    return write_rows(tmp_path / "c.tsv", rows, [*rows[0]])


def found(path, covariates, contrasts=None, scores=(), severity=None):
    problems = check_clinical(path, None, contrasts or {}, scores, covariates)
    return [str(p) for p in problems if severity in (None, p.severity)]


def test_a_covariate_that_follows_from_others_is_an_error(tmp_path):
    path = table(tmp_path, months_of_age=lambda i: 12 * (50 + i) + 3)
    (text,) = found(path, ["age", "sex", "months_of_age"], severity="error")
    assert "column months_of_age" in text
    assert "follows from age, sex[M]" in text
    assert "Take months_of_age out of covariates" in text


def test_sites_that_make_up_the_sexes(tmp_path):
    path = table(tmp_path, site=lambda i: ("A", "B")[i // 2 % 2])
    (text,) = found(path, ["sex", "site"], severity="error")
    assert "site[B]" in text


def test_a_contrast_that_the_covariates_determine(tmp_path):
    path = table(tmp_path, site=lambda i: f"s{i % 2}")
    (text,) = found(path, ["age", "site"], CONTRASTS)
    assert "contrasts.p" in text
    assert "the rigorous arm of p will be n/a" in text


def test_a_score_that_the_covariates_determine(tmp_path):
    path = table(tmp_path, twice=lambda i: 2 * (50 + i))
    (text,) = found(path, ["age"], scores=["twice"])
    assert "column twice" in text


def test_more_covariates_than_participants_can_bear(tmp_path):
    path = table(tmp_path, n=6, **{f"c{k}": lambda i, k=k: (i * (k + 3)) ** 2 % 17 for k in (1, 2)})
    (text,) = found(path, ["age", "sex", "c1", "c2"])
    assert "6 participants with all covariates, which make 4 columns" in text
    assert "at least 7" in text


def test_a_group_that_is_small_where_covariates_are_missing(tmp_path):
    path = table(tmp_path, n=9, lesion=lambda i: "n/a" if i in (2, 4) else i * i)
    texts = found(path, ["lesion"], CONTRASTS)
    assert any("2 of 4 participants with 'fast' have all covariates (lesion)" in t for t in texts)


def test_two_spellings_of_one_category(tmp_path):
    path = table(tmp_path, sex=lambda i: ("M", "F", "male", "F")[i % 4])
    (text,) = found(path, ["age", "sex"])
    assert "'male' (3 times) beside 'M'" in text or "'M' (3 times) beside 'male'" in text
    assert found(path, ["age"]) == [], "nothing adjusts for it"


@pytest.mark.parametrize("seed", range(40))
def test_check_and_tests_agree_on_what_is_collinear(tmp_path, seed):
    """Elimination on text against the singular values that the tests go by."""
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 15))
    number = rng.normal(60, 8, n).round(1)
    site = rng.choice(["A", "B", "C"], n)
    columns = {
        "x": number,
        "y": rng.normal(0, 1, n).round(3),
        "site": site,
        "z": (2.5 * number - 40).round(3) if rng.random() < 0.5 else rng.normal(0, 1e6, n),
        "w": np.where(site == "B", 3.0, 1.0) if rng.random() < 0.5 else rng.integers(0, 3, n),
    }
    frame = pd.DataFrame({"participant_id": [f"sub-{i}" for i in range(n)], **columns})
    frame.loc[rng.integers(0, n), "x"] = np.nan
    path = tmp_path / "c.tsv"
    frame.to_csv(path, sep="\t", index=False, na_rep="n/a")
    names = list(rng.permutation(list(columns)))
    said = any("follows from" in text for text in found(path, names, severity="error"))
    refused = False
    clinical = read_clinical(path)
    with contextlib.suppress(InputError):
        refused = True
        covariate_matrix(clinical, tuple(names), clinical.index, str(path))
        refused = False
    assert said == refused
