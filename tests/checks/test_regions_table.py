"""What is found in a regions table that is given in place of images."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from qsmiron.checks import regions_table
from qsmiron.checks.regions_table import check_regions_table
from qsmiron.errors import Problem
from qsmiron.regions.metrics import METRICS
from qsmiron.tables import TABLES

REGIONS = [(1, "putamen", "L"), (2, "putamen", "R"), (3, "brainstem", "B")]


@pytest.fixture
def table() -> pd.DataFrame:
    """Text of a table without a fault: three participants, three regions, every metric."""
    rows = [
        (f"sub-0{who}", "n/a", "main", "DK", "atlas", str(index), region, hemisphere, name,
         metric.family, "0.01", metric.unit, "9", "1")
        for who in (1, 2, 3)
        for index, region, hemisphere in REGIONS
        for name, metric in METRICS.items()
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=list(TABLES["regions"]), dtype=object)


@pytest.fixture
def check(tmp_path: Path):
    def found(table: pd.DataFrame, **more) -> list[Problem]:
        path = tmp_path / "regions.tsv"
        table.to_csv(path, sep="\t", index=False)
        return check_regions_table(path, **more)

    return found


def test_a_table_of_the_workflow_has_no_problem(table, check):
    known = ["sub-01", "sub-02", "sub-03"]
    assert check(table, known=known, wanted=["01", "sub-02", "03"], excluded=["sub-09"]) == []
    table["index"] += ".0"
    table.loc[3, "value"] = "n/a"
    table.loc[4, "value"] = "-1e-3"
    assert check(table) == []


@pytest.mark.parametrize(
    ("column", "text", "expected", "severity"),
    [
        ("value", "0,01", "decimal point", "error"),
        ("value", "see notes", "decimal point", "error"),
        ("value", "", "decimal point", "error"),
        ("value", "inf", "finite", "warning"),
        ("index", "n/a", "whole", "error"),
        ("index", "label-16", "whole", "error"),
        ("index", "1.5", "whole", "error"),
        ("region", "n/a", "name of the region", "error"),
        ("hemisphere", "left", "L, R, or B", "error"),
        ("hemisphere", "n/a", "L, R, or B", "error"),
        ("metric", "n/a", "name of the metric", "error"),
        ("metric", "T2prime", "chi_mean", "warning"),
        ("family", "n/a", "susceptibility", "error"),
        ("family", "iron_deposits", "susceptibility", "error"),
        ("unit", "ppb", "ppm", "error"),
        ("unit", "n/a", "ppm", "warning"),
        ("participant_id", "n/a", "participant's id", "error"),
        ("participant_id", "sub-77", "clinical table", "error"),
    ],
)
def test_a_wrong_cell_is_named_with_its_line(table, check, column, text, expected, severity):
    at = 4 * len(METRICS)  # the second participant's second region: chi_mean
    assert table.loc[at, "metric"] == "chi_mean"
    table.loc[at, column] = text
    known = [f"sub-0{who}" for who in (1, 2, 3)]
    problems = [one for one in check(table, known=known) if f"column {column}" in one.where]
    assert [one.severity for one in problems] == [severity]
    assert (text or "''") in problems[0].found or column == "participant_id"
    assert expected in problems[0].expected
    if text != "sub-77":
        assert f"line {at + 2}," in problems[0].where


def test_every_problem_is_found_at_once_and_named_once(table, check, monkeypatch):
    monkeypatch.setattr(regions_table, "_ROWS_AT_ONCE", 7)  # whatever the pieces are
    table["value"] = table["value"].str.replace(".", ",")
    table["hemisphere"] = table["hemisphere"].replace({"L": "left"})
    table["unit"] = table["unit"].replace({"ppm": "ppb"})
    problems = check(table)
    where = [one.where.rpartition(", ")[2] for one in problems]
    n_ppm = sum(metric.unit == "ppm" for metric in METRICS.values())
    assert where.count("column value") == where.count("column hemisphere") == 1
    assert where.count("column unit") == n_ppm
    assert len(problems) == 2 + n_ppm
    assert f"and {len(table) - 1:,} more" in problems[0].found


def test_an_index_and_a_region_belong_together(table, check):
    who = table["participant_id"] == "sub-02"
    renamed = table.copy()
    renamed.loc[who & (table["index"] == "3"), "region"] = "Brainstem"
    (problem,) = check(renamed)
    assert "index 3" in problem.where and "brainstem B, Brainstem B" in problem.found
    numbered = table.copy()
    numbered.loc[who & (table["index"] == "3"), "index"] = "16"
    (problem,) = check(numbered)
    assert "brainstem B" in problem.where and "3, 16" in problem.found
    # of two atlases each has its own numbers
    numbered.loc[who, "atlas"] = "AAL"
    assert check(numbered) == []


def test_labels_are_no_numbers(table, check):
    table["participant_id"] = table["participant_id"].str.removeprefix("sub-")
    table["session"] = "01"
    assert check(table, known=["01", "02", "03"], session="01") == []
    (problem,) = check(table, known=["1", "02", "03"], session="ses-01")
    assert problem.found.startswith("01,")
    (problem,) = check(table, session="2")
    assert "session 2" in problem.found


def test_several_sessions_need_no_choice(table, check):
    table["session"] = ["a", "b", "c"] * (len(table) // 3)
    assert check(table) == []
    assert check(table, session="b") == []


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "not a table"),
        (b"\x1f\x8b\x08\x00rest", "not a table"),
        ("participant_id\tvalue\n".encode("utf-16"), "not a table"),
        (b"participant_id;value\nsub-01;1\n", "none of the columns"),
        (b"participant_id\tvalue\nsub-01\t1\n", "no column session, desc"),
        ("\t".join(TABLES["regions"]).encode() + b"\n", "no rows"),
        (b"\t".join([b"a"] * 3) + b"\n1\t2\t3\n1\t2\t3\t4\t5\n", "none of the columns"),
        ("\t".join(TABLES["regions"]).encode() + b'\n"sub-01\t1\n', "not a table"),
    ],
)
def test_what_is_no_such_table_is_one_problem(tmp_path, content, found):
    path = tmp_path / "regions.tsv"
    path.write_bytes(content)
    (problem,) = check_regions_table(path)
    assert problem.where.startswith(str(path)) and found in problem.found
    (problem,) = check_regions_table(tmp_path / "nowhere.tsv")
    assert problem.found == "no such file"


def test_a_compressed_table_is_read_by_its_ending(table, tmp_path):
    path = tmp_path / "regions.tsv.gz"
    table.to_csv(path, sep="\t", index=False)
    assert check_regions_table(path) == []
    path.write_bytes(path.read_bytes()[:40])
    (problem,) = check_regions_table(path)
    assert "not a table" in problem.found
    path.write_text("no gzip")
    (problem,) = check_regions_table(path)
    assert "not a table" in problem.found


def test_the_documented_table_is_the_one_that_is_checked():
    text = (Path(__file__).parents[2] / "docs/inputs.md").read_text()
    section = text.partition("## A table of region values")[2].partition("\n## ")[0]
    assert all(f"`{name}`" in section for name in TABLES["regions"])
    documented, family = {}, ""
    for line in section.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 3 and cells[1].startswith("`"):
            family = cells[0].strip("`") or family
            documented |= {name.strip(" `"): (family, cells[2]) for name in cells[1].split(",")}
    assert documented == METRICS
