"""Tables of the phenotype folder are part of the clinical table."""

from __future__ import annotations

import numpy as np
import pytest
from bids_trees import row, write_rows

from qsmiron.clinical import check_clinical, clinical_values, read_clinical


@pytest.fixture
def root(tmp_path):
    """A data set whose ECAS stands in a table of its own, in another order."""
    columns = ["participant_id", "age", "sex"]
    write_rows(tmp_path / "participants.tsv", [row(n) for n in range(1, 7)], columns)
    (tmp_path / "phenotype").mkdir()
    rows = [row(n) for n in (6, 2, 4, 3, 1)]
    write_rows(tmp_path / "phenotype/ecas.tsv", rows, ["participant_id", "ecas_total", "age"])
    return tmp_path


def problems(root, severity, **settings):
    found = check_clinical(root / "participants.tsv", **settings)
    return [str(p) for p in found if p.severity == severity]


def test_values_are_joined_by_participant(root):
    values = clinical_values(root / "participants.tsv")
    assert [values[f"sub-0{n}"]["ecas_total"] for n in range(1, 7)] == [
        *(row(n)["ecas_total"] for n in range(1, 5)),
        "n/a",
        row(6)["ecas_total"],
    ]
    table = read_clinical(root / "participants.tsv")
    assert list(table.columns) == ["age", "sex", "ecas_total"]
    assert np.isnan(table.loc["sub-05", "ecas_total"])
    found = problems(root, "warning", scores=["ecas_total"])
    assert len(found) == 1
    assert "phenotype/ecas.tsv, column ecas_total" in found[0]
    assert "(sub-05)" in found[0]


def test_a_column_of_both_is_that_of_participants(root):
    rows = [row(n) | {"age": "99"} for n in range(1, 7)]
    write_rows(root / "phenotype/ecas.tsv", rows, ["participant_id", "age"])
    assert read_clinical(root / "participants.tsv")["age"].tolist() == [51, 52, 53, 54, 55, 56]


def test_a_value_out_of_range_is_named_where_it_stands(root):
    rows = [row(6), row(2) | {"ecas_total": "140"}]
    write_rows(root / "phenotype/ecas.tsv", rows, ["participant_id", "ecas_total"])
    (text,) = problems(root, "error")
    assert f"{root}/phenotype/ecas.tsv, row 3 (sub-02), ecas_total" in text


def test_several_rows_of_a_session_have_no_single_value(root):
    rows = [row(n) | {"session_id": s} for n in (1, 2) for s in ("ses-1", "ses-1")] + [row(3)]
    columns = ["participant_id", "session_id", "ecas_total"]
    write_rows(root / "phenotype/ecas.tsv", rows, columns)
    assert problems(root, "error") == []
    (text,) = problems(root, "warning")
    assert "several rows for sub-01, sub-02" in text
    values = clinical_values(root / "participants.tsv")
    assert [values[f"sub-0{n}"]["ecas_total"] for n in (1, 2)] == ["n/a", "n/a"]
    assert values["sub-03"]["ecas_total"] == row(3)["ecas_total"]
    assert "session_id" not in values["sub-03"]


def test_a_broken_phenotype_table_is_passed_over(root):
    (root / "phenotype/mood.tsv").write_text("who,what\n1,2\n")
    (text,) = problems(root, "warning")
    assert "phenotype/mood.tsv, header" in text
    assert "It is passed over" in text
    assert read_clinical(root / "participants.tsv").shape == (6, 3)


def test_a_table_of_another_name_stands_alone(root):
    (root / "participants.tsv").rename(root / "clinic.tsv")
    assert "ecas_total" not in read_clinical(root / "clinic.tsv").columns


def sessions(root, who, *rows, columns="session_id\tacq_time\tumn_score"):
    (root / who).mkdir(exist_ok=True)
    (root / who / f"{who}_sessions.tsv").write_text("\n".join([columns, *rows]) + "\n")


def imaged(root, who, session):
    (root / who / f"ses-{session}" / "anat").mkdir(parents=True)


def test_the_session_with_images_counts(root):
    columns = ["participant_id", "session_id", "ecas_total"]
    rows = [{"participant_id": "sub-01", "session_id": f"ses-{s}", "ecas_total": f"{90 + s}"}
            for s in (1, 2)]  # fmt: skip
    write_rows(root / "phenotype/ecas.tsv", rows, columns)
    sessions(root, "sub-01", "ses-1\t2019-05-23\t4", "ses-2\t2019-11-20\t5")
    sessions(root, "sub-02", "ses-1\t2019-05-24\t7", columns="session_id\tacq_time\tbulbar_score")
    imaged(root, "sub-01", 2)
    values = clinical_values(root / "participants.tsv")
    assert values["sub-01"] | {"age": "", "sex": ""} == {
        "age": "", "sex": "", "ecas_total": "92", "umn_score": "5", "bulbar_score": "n/a",
    }  # fmt: skip
    assert (values["sub-02"]["umn_score"], values["sub-02"]["bulbar_score"]) == ("n/a", "7")
    assert problems(root, "warning") == []
    assert "acq_time" not in read_clinical(root / "participants.tsv").columns


@pytest.mark.parametrize("with_images", [(), (10, 9), (10,)])
def test_of_several_sessions_the_first_counts(root, with_images):
    sessions(root, "sub-01", "ses-10\tn/a\t4", "ses-9\tn/a\t5")
    for session in with_images:
        imaged(root, "sub-01", session)
    expected = "4" if with_images == (10,) else "5"
    assert clinical_values(root / "participants.tsv")["sub-01"]["umn_score"] == expected
    assert problems(root, "warning") == []


def test_of_a_table_with_a_row_per_visit_the_analysed_one_counts(root):
    columns = ["participant_id", "session_id", "umn_score", "acq_time"]
    rows = [
        {"participant_id": who, "session_id": f"ses-{s}", "umn_score": str(score), "acq_time": "x"}
        for who, s, score in (("sub-01", 1, 4), ("sub-01", 2, 5), ("sub-02", 2, 7))
    ]
    table = root / "visits.tsv"
    write_rows(table, rows, columns)

    def scores(*more):
        values = clinical_values(table, *more)
        return [values[who]["umn_score"] for who in ("sub-01", "sub-02")]

    assert scores() == ["4", "7"]
    assert scores("2") == ["5", "7"]
    assert scores(None, {"sub-01": {"2"}, "sub-02": {"2"}}) == ["5", "7"]
    assert scores(None, {"sub-01": {"1", "2"}, "sub-02": {"1"}}) == ["4", "n/a"]
    assert read_clinical(table).columns.tolist() == ["umn_score"]
    (text,) = [str(p) for p in check_clinical(table, measured={"sub-02": {"1"}})]
    assert "no row of sub-02 for session 1" in text


@pytest.mark.parametrize(("session", "score"), [("1", 4), ("2", 5)])
def test_of_several_sessions_with_images_the_analysed_one_counts(root, session, score):
    sessions(root, "sub-01", "ses-1\tn/a\t4", "ses-2\tn/a\t5")
    sessions(root, "sub-02", "ses-1\tn/a\t6")
    for number in (1, 2):
        imaged(root, "sub-01", number)
    table = root / "participants.tsv"
    assert clinical_values(table, session)["sub-01"]["umn_score"] == str(score)
    read = read_clinical(table, session=session)["umn_score"]
    assert read["sub-01"] == score
    assert read["sub-02"] == 6  # no session of theirs has images
    assert problems(root, "warning", session=session) == []


def test_a_row_of_another_session_than_the_images_does_not_count(root):
    sessions(root, "sub-01", "ses-1\tn/a\t4")
    imaged(root, "sub-01", 2)
    table = root / "participants.tsv"
    assert clinical_values(table)["sub-01"]["umn_score"] == "n/a"
    (text,) = problems(root, "warning")
    assert "a row of another session than the images for sub-01" in text
    imaged(root, "sub-01", 1)
    assert clinical_values(table)["sub-01"]["umn_score"] == "4"
    assert clinical_values(table, "2")["sub-01"]["umn_score"] == "n/a"


def test_a_value_of_a_session_is_named_where_it_stands(root):
    sessions(root, "sub-03", "ses-1\tn/a\t40")
    (text,) = problems(root, "error")
    assert f"{root}/sub-*/sub-*_sessions.tsv, row 2 (sub-03), umn_score: found 40" in text


def test_a_session_is_no_path(root):
    sessions(root, "sub-01", "ses-1/../../sub-02/ses-1\tn/a\t4", "ses-2\tn/a\t5")
    imaged(root, "sub-02", 1)
    imaged(root, "sub-01", 2)
    assert clinical_values(root / "participants.tsv")["sub-01"]["umn_score"] == "5"


def test_a_broken_table_of_sessions_is_passed_over(root):
    (root / "sub-01").mkdir()
    (root / "sub-01/sub-01_sessions.tsv").write_bytes(b"\xff\xfe")
    (root / "sub-01/sub-09_sessions.tsv").write_text("session_id\tx\nses-1\t1\n")
    (text,) = problems(root, "warning")
    assert "sub-01_sessions.tsv: found a file that is not UTF-8" in text
    assert read_clinical(root / "participants.tsv").shape == (6, 3)
