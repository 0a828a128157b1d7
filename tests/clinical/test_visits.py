"""The table of visits: where values and times come from, and times that contradict each other."""

from __future__ import annotations

import pytest

from qsmiron.clinical.visits import check_scores, check_visits, read_visits


@pytest.fixture
def root(tmp_path):
    """Two participants; the first has two sessions, the second one."""
    (tmp_path / "participants.tsv").write_text("participant_id\tage\nsub-01\t60\nsub-02\t70\n")
    for who in ("sub-01", "sub-02"):
        (tmp_path / who).mkdir()
    sessions(tmp_path, "sub-01", "ses-1\t0\t40", "ses-2\t12.5\t35")
    sessions(tmp_path, "sub-02", "ses-1\t0\t44")
    return tmp_path


def sessions(root, who, *rows, columns="session_id\tmonths\talsfrs_r"):
    (root / who / f"{who}_sessions.tsv").write_text("\n".join([columns, *rows]) + "\n")


def told(root, **more):
    return [
        str(problem) for problem in check_visits(read_visits(root / "participants.tsv", **more))
    ]


def test_months_and_values_come_from_the_sessions(root):
    visits = read_visits(root / "participants.tsv")
    assert visits.timed == {"sub-01": {"1": 0, "2": 12.5}, "sub-02": {"1": 0}}
    assert visits.of["sub-01"]["2"].values["alsfrs_r"] == "35"
    assert visits.columns == ["months", "alsfrs_r"]
    assert check_visits(visits) == []
    assert visits.columns_of(["alsfrs_r"]) == {
        "sub-01": {"1": ["0", "40"], "2": ["12.5", "35"]}, "sub-02": {"1": ["0", "44"]},
    }  # fmt: skip


def test_a_phenotype_table_adds_its_columns_by_session(root):
    (root / "phenotype").mkdir()
    (root / "phenotype/ecas.tsv").write_text(
        "participant_id\tsession_id\tecas_total\talsfrs_r\nsub-01\tses-2\t99\t1\n"
    )
    visit = read_visits(root / "participants.tsv").of["sub-01"]["2"]
    assert visit.values["ecas_total"] == "99"
    # of a column of both, phenotype goes first, as it does without sessions
    assert visit.values["alsfrs_r"] == "1"
    assert visit.months == 12.5


@pytest.mark.parametrize("key", ["session_id", "session"])
def test_a_clinical_table_may_have_a_row_per_visit(tmp_path, key):
    (tmp_path / "clinic.tsv").write_text(
        f"participant_id\t{key}\tmonths\tage\nsub-01\t1\t0\t60\nsub-01\t2\t6\t60.5\n"
    )
    visits = read_visits(tmp_path / "clinic.tsv")
    assert visits.timed == {"sub-01": {"1": 0, "2": 6}}
    assert visits.columns == ["months", "age"]


def test_months_come_from_dates_and_no_date_travels(root):
    columns = "session_id\tacq_time\talsfrs_r"
    sessions(root, "sub-01", "ses-1\t2019-05-23T09:00:00\t40", "ses-2\t2020-05-22T15:00:00\t35",
             columns=columns)  # fmt: skip
    visits = read_visits(root / "participants.tsv")
    assert visits.timed["sub-01"]["2"] == pytest.approx(365.25 / (365.25 / 12))
    assert "acq_time" not in visits.columns
    assert "2019" not in str(visits.columns_of(["alsfrs_r"]))


def test_a_named_column_of_months_goes_before_the_others(root):
    columns = "session_id\tmonths\tvisit_month"
    sessions(root, "sub-01", "ses-1\t0\t0", "ses-2\t12\t9", columns=columns)
    assert read_visits(root / "participants.tsv", "visit_month").timed["sub-01"]["2"] == 9
    (text,) = told(root, months="month")
    assert "config, change.months: found 'month'" in text


@pytest.mark.parametrize(("age", "fits"), [("61", True), ("62", True), ("63", False), ("60", True),
                                           ("61.1", True), ("61.9", False)])  # fmt: skip
def test_ages_that_the_interval_contradicts_are_told(root, age, fits):
    first = "60" if "." not in age else "60.1"
    sessions(root, "sub-01", f"ses-1\t0\t{first}", f"ses-2\t12\t{age}",
             columns="session_id\tmonths\tage")  # fmt: skip
    found = told(root)
    assert not found if fits else len(found) == 1
    if not fits:
        assert "sub-01_sessions.tsv" in found[0] or "sub-*_sessions.tsv" in found[0]
        assert "row 3 (sub-01), age, session 2" in found[0]
        assert "since 12 months lie between" in found[0]


@pytest.mark.parametrize("months", ["twelve", "-3"])
def test_months_that_are_none_are_told(root, months):
    sessions(root, "sub-01", "ses-1\t0\t40", f"ses-2\t{months}\t35")
    assert "row 3 (sub-01), months, session 2" in told(root)[0]


def test_sessions_out_of_their_order_are_told(root):
    sessions(root, "sub-01", "ses-1\t12\t40", "ses-2\t0\t35")
    (text,) = told(root)
    assert "found 0 months, and 12 of session 1" in text


def test_a_date_that_is_none_is_told_without_it(root):
    sessions(root, "sub-01", "ses-1\t2019-05-23\t40", "ses-2\t23rd of May\t35",
             columns="session_id\tacq_time\talsfrs_r")  # fmt: skip
    (text,) = told(root)
    assert "YYYY-MM-DD" in text
    assert "23rd" not in text


def test_text_in_a_score_is_told(root):
    sessions(root, "sub-01", "ses-1\t0\t40", "ses-2\t12\t35,5")
    (problem,) = check_scores(read_visits(root / "participants.tsv"), ["alsfrs_r"])
    assert "row 3 (sub-01), alsfrs_r, session 2" in problem.where
    assert "35.5" in problem.remedy
