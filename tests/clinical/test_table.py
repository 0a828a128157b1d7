"""The clinical table: what is read, and what is found wrong with it."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from bids_trees import row, write_rows
from fuzzing import TRIES, damaged

import qsmiron
from qsmiron.clinical import check_clinical, clinical_values, read_clinical
from qsmiron.errors import InputError

CONTRASTS = {
    "progression": {"column": "progression", "levels": ["fast", "slow"]},
    "phenotype": {"column": "phenotype", "levels": ["UMN+", "other"]},
}


def table(tmp_path: Path, *changed: dict[str, str], n: int = 9) -> Path:
    """Nine faultless rows, of which the first are changed."""
    rows = [row(i + 1, **(changed[i] if i < len(changed) else {})) for i in range(n)]
    return write_rows(tmp_path / "participants.tsv", rows)


def texts(problems, severity=None) -> list[str]:
    return [str(p) for p in problems if severity in (None, p.severity)]


@pytest.mark.parametrize(("months", "told"), [("400", True), ("30", False)])
def test_a_covariate_with_a_far_outlier_is_told(tmp_path, months, told):
    usual = [{"months_since_onset": str(10 + i), "delta_fs": "n/a"} for i in range(9)]
    usual[3]["months_since_onset"] = months
    path = table(tmp_path, *usual)
    found = texts(check_clinical(path, None, {}, [], ["age", "months_since_onset"]), "warning")
    assert len(found) == told
    if told:
        for word in ("row 5 (sub-04)", "months_since_onset", "400", "robust SD from the median 15",
                     "logarithm or rank"):  # fmt: skip
            assert word in found[0]
    # a score is ranked
    assert not texts(check_clinical(path, None, {}, ["months_since_onset"], ["age"]), "warning")


def test_a_good_table_has_no_problem(tmp_path):
    problems = check_clinical(
        table(tmp_path), None, CONTRASTS, ["alsfrs_r", "umn_score", "ecas_total"], ["age", "sex"]
    )
    assert problems == []


def test_bom_crlf_blanks_missing_prefix_and_missing_values(tmp_path):
    path = tmp_path / "clinical.tsv"
    path.write_bytes(
        b"\xef\xbb\xbfparticipant_id\tage\tsite\r\n01\t 61.5 \tA\r\nsub-02\tN/A\t\r\n"
        b"\r\nsub-03\t70\tB\t\r\n"
    )
    clinical = read_clinical(path)
    assert list(clinical.index) == ["sub-01", "sub-02", "sub-03"]
    assert clinical.index.name == "participant_id"
    np.testing.assert_array_equal(clinical["age"], [61.5, np.nan, 70.0])
    assert clinical["site"].tolist()[::2] == ["A", "B"]
    assert clinical["site"].isna().tolist() == [False, True, False]
    assert clinical_values(path)["sub-02"] == {"age": "n/a", "site": "n/a"}
    assert check_clinical(path) == []


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_quotes_of_r_and_line_ends(tmp_path, end):
    lines = ['"participant_id"\t"age"\t"note"', '"sub-01"\t61\t"said \\"no\\""', '02\tNA\t5" off']
    path = tmp_path / "clinical.tsv"
    path.write_bytes(end.join(lines).encode())
    assert check_clinical(path) == []
    assert clinical_values(path) == {
        "sub-01": {"age": "61", "note": 'said "no"'},
        "sub-02": {"age": "n/a", "note": '5" off'},
    }


def test_letters_blanks_and_signs_are_read_as_they_are_meant(tmp_path):
    path = tmp_path / "clinical.tsv"
    header = "participant_id\u200b\tre\u0301gion\tz"
    path.write_text(f"{header}\n01\tKo\u0308ln\u00a0\t\u22121.5\n02\tK\u00f6ln\t\uff15\n")
    clinical = read_clinical(path)
    assert clinical["r\u00e9gion"].tolist() == ["K\u00f6ln"] * 2
    assert clinical["z"].tolist() == [-1.5, 5]


def test_levels_as_numbers_are_those_of_the_table(tmp_path):
    rows = [row(n) | {"arm": str(1 + n % 2)} for n in range(1, 9)]
    path = write_rows(tmp_path / "c.tsv", rows, [*rows[0]])
    for levels in ([1, 2], ["1", "2"], [1.0, "02"]):
        assert check_clinical(path, None, {"arm": {"column": "arm", "levels": levels}}) == []


def test_text_columns_stay_text(tmp_path):
    path = write_rows(
        tmp_path / "c.tsv", [row(1) | {"site": "01"}], ["participant_id", "age", "site"]
    )
    assert read_clinical(path)["site"].tolist() == [1.0]
    assert read_clinical(path, text=["site"])["site"].tolist() == ["01"]


def test_values_are_read_without_pandas_or_numpy():
    library = str(Path(qsmiron.__file__).parent.parent)
    code = (
        f"import sys; sys.path.insert(0, {library!r}); import qsmiron.clinical; "
        "assert not {'pandas', 'numpy', 'nibabel', 'pydantic'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    ("column", "value", "allowed"),
    [
        ("age", "17", "18 to 100 years"),
        ("age", "580", "18 to 100 years"),
        ("sex", "X", "one of M, F, O, male, female, other"),
        ("months_since_onset", "0", "above 0 months"),
        ("alsfrs_r", "49", "0 to 48 points"),
        ("alsfrs_r", "-1", "0 to 48 points"),
        ("alsfrs_r", "1e999", "0 to 48 points"),
        ("delta_fs", "-0.2", "0 points per month or more"),
        ("umn_score", "33", "0 to 32 points"),
        ("ecas_total", "137", "0 to 136 points"),
        ("ecas_als_specific", "101", "0 to 100 points"),
        ("ecas_nonspecific", "37", "0 to 36 points"),
        ("kings_stage", "0", "1 to 5"),
        ("mitos_stage", "6", "0 to 5"),
        ("ALSFRS-R", "50", "0 to 48 points"),
        ("ECAS", "200", "0 to 136 points"),
    ],
)
def test_out_of_range_is_an_error_with_row_column_value_and_range(tmp_path, column, value, allowed):
    rows = [{"participant_id": "sub-01"}, {"participant_id": "sub-02", column: value}]
    path = write_rows(tmp_path / "c.tsv", rows, ["participant_id", column])
    (problem,) = check_clinical(path)
    assert problem.severity == "error"
    assert problem.where == f"{path}, row 3 (sub-02), {column}"
    assert value in problem.found
    assert allowed in problem.expected
    assert problem.remedy


@pytest.mark.parametrize("value", ["0", "48"])
def test_limits_themselves_are_allowed(tmp_path, value):
    rows = [{"participant_id": "sub-01", "alsfrs_r": value}]
    assert (
        check_clinical(write_rows(tmp_path / "c.tsv", rows, ["participant_id", "alsfrs_r"])) == []
    )


def test_another_range_may_be_given(tmp_path):
    path = table(tmp_path, {"umn_score": "17"})
    (problem,) = check_clinical(path, ranges={"umn_score": (0, 16)})
    assert "17, outside 0 to 16" in problem.found
    assert "clinical_ranges" in problem.remedy
    assert "clinical_ranges" not in str(check_clinical(table(tmp_path, {"umn_score": "99"})))


@pytest.mark.parametrize("value", ["forty", "12 points", "1_000", "0x10", "infinity", "-", "?"])
def test_text_in_a_column_of_numbers(tmp_path, value):
    path = table(tmp_path, {"umn_score": value})
    (problem,) = check_clinical(path)
    assert problem.severity == "error"
    assert "row 2 (sub-01), umn_score" in problem.where
    assert repr(value) in problem.found
    assert "n/a" in problem.remedy
    with pytest.raises(InputError, match="row 2"):
        read_clinical(path)


def test_decimal_comma_is_told_from_other_text(tmp_path):
    path = table(tmp_path, {"age": "61,5"}, {"site_score": "1"})
    (problem,) = check_clinical(path)
    assert "61.5" in problem.remedy


def test_decimal_comma_in_an_unknown_score(tmp_path):
    rows = [{"participant_id": f"sub-{i}", "nfl": v} for i, v in enumerate(["1.5", "2,5", "3.1"])]
    path = write_rows(tmp_path / "c.tsv", rows, ["participant_id", "nfl"])
    (problem,) = check_clinical(path, scores=["nfl"])
    assert "row 3" in problem.where
    assert "2.5" in problem.remedy


def test_duplicates_and_case_variants(tmp_path):
    rows = [row(1), row(2), row(1), {**row(2), "participant_id": "02"}]
    rows += [{**row(3), "participant_id": p} for p in ("sub-a1", "sub-A1", "Sub-03")]
    path = write_rows(tmp_path / "c.tsv", rows)
    found = texts(check_clinical(path))
    assert any("row 4" in t and "row 2" in t for t in found)
    assert any("row 5" in t and "row 3" in t for t in found)
    assert any("row 7" in t and "sub-a1" in t for t in found)
    assert any("row 8" in t and "'Sub-03'" in t for t in found)
    with pytest.raises(InputError) as caught:
        read_clinical(path)
    assert len(caught.value.problems) == 4
    assert clinical_values(path)["sub-01"]["age"] == "51"


@pytest.mark.parametrize("name", ["sub-01;touch x", "a_b", "../x", "n/a", ""])
def test_unusable_participant_ids(tmp_path, name):
    path = table(tmp_path, {"participant_id": name})
    assert any("row 2, participant_id" in t for t in texts(check_clinical(path), "error"))


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "empty file"),
        (b"participant_id\tage\n", "no row"),
        (b"id\tage\n01\t50\n", "participant_id"),
        (b"participant_id,age\n01,50\n", "commas"),
        (b"participant_id;age\n01;50\n", "semicolons"),
        (b"participant_id\tage\tage\n01\t50\t51\n", "named twice: age"),
        (b"participant_id\t\tage\n01\t50\t51\n", "no name"),
        ("participant_id\tage\n01\t50\n".encode("utf-16"), "not UTF-8"),
        (b"PK\x03\x04\xff\xfe\x00binary", "not UTF-8"),
        (b"participant_id\tage\n01\t50\t7\n", "3 cells"),
        (b"participant_id\tage\n01\n", "1 cells"),
    ],
)
def test_faults_of_form(tmp_path, content, words):
    path = tmp_path / "c.tsv"
    path.write_bytes(content)
    assert any(words in t for t in texts(check_clinical(path), "error"))
    with pytest.raises(InputError):
        read_clinical(path)


def test_a_missing_table(tmp_path):
    (problem,) = check_clinical(tmp_path / "none.tsv")
    assert problem.found == "no such file"
    for read in (read_clinical, clinical_values):
        with pytest.raises(InputError, match=r"none\.tsv"):
            read(tmp_path / "none.tsv")


def test_columns_that_the_config_names_must_exist(tmp_path):
    contrasts = {"site": {"column": "centre", "levels": ["a", "b"]}}
    found = texts(check_clinical(table(tmp_path), None, contrasts, ["ALSFRS_R"], ["agee"]))
    assert len(found) == 3
    assert any("contrasts.site" in t and "'centre'" in t for t in found)
    assert any("'ALSFRS_R'" in t and "The table has 'alsfrs_r'" in t for t in found)
    assert any("covariates" in t and "The table has 'age'" in t for t in found)


def test_an_absent_level_lists_those_that_are_there(tmp_path):
    contrasts = {"p": {"column": "phenotype", "levels": ["UMN+", "LMN"]}}
    problems = check_clinical(table(tmp_path), None, contrasts)
    error = next(p for p in problems if p.severity == "error")
    assert error.where == "config, contrasts.p.levels"
    assert "'LMN'" in error.found
    assert "UMN+ (3), other (6)" in error.expected
    assert any("6 participants with 'other'" in t for t in texts(problems, "warning"))


def test_a_case_variant_of_a_level_is_an_error(tmp_path):
    (problem,) = check_clinical(table(tmp_path, {"progression": "Slow"}), None, CONTRASTS)
    assert problem.severity == "error"
    assert "'Slow' (sub-01)" in problem.found


def test_small_groups_and_missing_levels_are_warnings(tmp_path):
    changes = [{"progression": "n/a"}, {}, {}, {"progression": "slow"}, {"progression": "slow"}]
    path = table(tmp_path, *changes, n=6)
    found = texts(check_clinical(path, None, {"p": CONTRASTS["progression"]}))
    assert any("2 participants with 'fast'" in t and "at least 3" in t for t in found)
    assert any("1 of 6 values missing (sub-01)" in t and "n = 5" in t for t in found)
    assert all(p.severity == "warning" for p in check_clinical(path, None, CONTRASTS))


@pytest.mark.parametrize(
    ("contrast", "words"),
    [
        ({"column": "progression"}, "no levels"),
        ({"column": "progression", "levels": ["fast", "fast"]}, "levels"),
        ({"levels": ["fast", "slow"]}, "no column"),
        ({"derive": "guess", "levels": ["fast", "slow"]}, "'guess'"),
        ({"derive": "kmeans_change", "baseline": "alsfrs_r", "levels": ["f", "s"]}, "no followup"),
        ({"derive": "delta_fs_cut", "column": "dfs", "levels": ["f", "s"]}, "'delta_fs'"),
        ({"derive": "delta_fs_cut", "column": "delta_fs", "cut": "x", "levels": ["f", "s"]}, "cut"),
        ({"derive": "delta_fs_cut", "column": "delta_fs", "cut": 9, "levels": ["f", "s"]}, "above"),
        ("progression", "'progression'"),
    ],
)
def test_contrasts_that_cannot_be_tested(tmp_path, contrast, words):
    found = texts(check_clinical(table(tmp_path), None, {"p": contrast}), "error")
    assert len(found) == 1
    assert words in found[0]
    assert "contrasts.p" in found[0]


def test_derived_contrasts_that_work(tmp_path):
    rows = [row(n) | {"later": str(30 - n)} for n in range(1, 10)]
    columns = ["participant_id", "alsfrs_r", "later", "delta_fs"]
    path = write_rows(tmp_path / "c.tsv", rows, columns)
    contrasts = {
        "cut": {"derive": "delta_fs_cut", "column": "delta_fs", "cut": None, "levels": ["f", "s"]},
        "change": {
            "derive": "kmeans_change",
            "baseline": "alsfrs_r",
            "followup": "later",
            "levels": ["f", "s"],
        },
        "removed": None,
    }
    assert check_clinical(path, None, contrasts) == []


def test_unusual_and_contradictory_delta_fs_are_warnings(tmp_path):
    path = table(tmp_path, {"delta_fs": "6.1", "months_since_onset": "n/a"}, {"delta_fs": "3"}, {})
    problems = check_clinical(path)
    assert [p.severity for p in problems] == ["warning", "warning"]
    assert "6.1" in problems[0].found
    assert "sub-02 3, not 0.83" in problems[1].found


def test_missing_scores_are_counted(tmp_path):
    path = table(tmp_path, {"ecas_total": "n/a"}, {"ecas_total": ""}, {"age": "n/a"})
    problems = check_clinical(path, None, {}, ["ecas_total"], ["age", "sex"])
    assert {p.severity for p in problems} == {"warning"}
    assert "2 of 9 values missing (sub-01, sub-02)" in problems[0].found
    assert "n = 7" in problems[0].remedy
    assert "column age" in problems[1].where


def test_a_score_without_any_value_is_an_error_and_a_constant_one_a_warning(tmp_path):
    rows = [row(n, umn_score="n/a", ecas_total="99") for n in range(1, 6)]
    path = write_rows(tmp_path / "c.tsv", rows)
    problems = check_clinical(path, scores=["umn_score", "ecas_total"])
    assert [(p.severity, p.where.split()[-1]) for p in problems] == [
        ("error", "umn_score"),
        ("warning", "ecas_total"),
    ]


def test_only_the_participants_that_matter(tmp_path):
    path = table(tmp_path, {"age": "5"}, {"age": "6"})
    (problem,) = check_clinical(path, participants=["sub-02", "03", "sub-04"])
    assert "sub-02" in problem.where


def test_everything_is_found_at_once(tmp_path):
    path = table(
        tmp_path, {"age": "5"}, {"alsfrs_r": "4O"}, {"participant_id": "sub-02"}, {"sex": "W"}
    )
    problems = check_clinical(path, None, {"q": {"levels": [1]}}, ["nothing"])
    assert len([p for p in problems if p.severity == "error"]) == 6


@pytest.mark.fuzz
def test_random_damage_never_raises(tmp_path):
    rng = np.random.default_rng(1)
    good = table(tmp_path).read_bytes()
    path = tmp_path / "fuzz.tsv"
    for _ in range(TRIES):
        path.write_bytes(damaged(good, rng))
        check_clinical(path, None, CONTRASTS, ["alsfrs_r"], ["age", "sex"])
        for read in (read_clinical, clinical_values):
            with contextlib.suppress(InputError):
                read(path)
