"""What holds of every clinical table and every config, tried on many that nobody would write."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from bids_trees import COLUMNS, make_tree
from hypothesis import example, given
from hypothesis import strategies as st
from properties import json_values, often, read_or_refused

from qsmiron.acquisition import PHASE_UNITS
from qsmiron.checks import inspect_inputs
from qsmiron.clinical import check_clinical, clinical_values, read_clinical
from qsmiron.clinical.sheet import MISSING_SPELLINGS
from qsmiron.config_files import read_settings
from qsmiron.errors import InputError, Problem
from qsmiron.spelling import plain_text

pytestmark = pytest.mark.fuzz

DESIGN: dict[str, Any] = {
    "contrasts": {"progression": {"column": "progression", "levels": ["fast", "slow"]}},
    "scores": ["alsfrs_r"],
    "covariates": ["age", "sex"],
}

numbers = st.floats(0, 100).map(repr) | st.integers(0, 60).map(str)
awkward = st.sampled_from(
    ["", "n/a", "NaN", "inf", "1e999", "-0", "1,5", "0x10", "1_0", "٣", "50 ", '"', '"a\tb"', "\0",
     "=1+1", "sub-01", "SUB-01", "sub-1", "fast", "Fast", "M", "male"]
)  # fmt: skip
cells = numbers | awkward | st.text(max_size=8)
names = st.sampled_from([*COLUMNS, "Age", "ALSFRS-R", "session_id", "Date of birth"])
headers = st.lists(names | st.text(max_size=6), max_size=5).map(lambda n: ["participant_id", *n])
lines = st.lists(st.lists(cells, max_size=6), max_size=5)
encodings = st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])


@pytest.fixture(scope="module")
def table(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("clinical") / "participants.tsv"


@pytest.fixture
def root(tmp_path) -> Path:
    return make_tree(tmp_path / "bids", n_subjects=4, n_echoes=2)


def write(table: Path, columns: list[str], rows: list[list[str]]) -> Path:
    table.write_text("".join("\t".join(line) + "\n" for line in [columns, *rows]), newline="")
    return table


@often
@given(headers, lines, st.sampled_from("\t,; |"), st.sampled_from(["\n", "\r\n", "\r"]), encodings)
def test_any_table_is_read_or_refused(table, header, rows, delimiter, end, encoding):
    """And a table in which the check finds no error is read."""
    text = end.join(delimiter.join(line) for line in [header, *rows])
    table.write_bytes(text.encode(encoding, errors="replace"))
    problems = check_clinical(table, None, **DESIGN)
    assert all(isinstance(problem, Problem) for problem in problems)
    read = read_or_refused(lambda: read_clinical(table))
    read_or_refused(lambda: clinical_values(table))
    if not any(problem.severity == "error" for problem in problems):
        assert read is not None


beside = st.sampled_from(["phenotype/ecas.tsv", "sub-01/sub-01_sessions.tsv"])
keys = st.sampled_from(["participant_id", "session_id", "age", "umn_score", "ecas_total"])
visits = st.sampled_from(["ses-1", "ses-2", "2", "n/a", "", "ses-1/../..", "sub-01", "07", "sub-1"])


@often
@given(
    beside,
    st.lists(keys | st.text(max_size=6), max_size=4),
    st.lists(st.lists(visits | cells, max_size=5), max_size=5),
    st.sampled_from(["\n", "\r\n"]),
    st.sampled_from([None, "1", "2"]),
)
def test_any_table_beside_is_joined_or_passed_over(root, name, header, rows, end, session):
    """A table that may not be needed is never an error by its form, and invents no value."""
    for number in (1, 2):
        (root / f"sub-01/ses-{number}/anat").mkdir(parents=True, exist_ok=True)
    path = root / name
    path.parent.mkdir(exist_ok=True)
    text = end.join("\t".join(line) for line in [header, *rows])
    path.write_bytes(text.encode())
    table = root / "participants.tsv"
    problems = check_clinical(table, session=session)
    assert all(isinstance(problem, Problem) for problem in problems)
    values = clinical_values(table, session)
    assert set(values) == {"sub-01", "sub-02", "sub-03", "sub-04"}
    joined = {cell for one in values.values() for key, cell in one.items() if key not in COLUMNS}
    if '"' not in text:  # double quotes in quotes are one
        assert all(cell in plain_text(text) for cell in joined - {"n/a"})
    path.unlink()


settings_keys = st.sampled_from(
    ["contrasts", "scores", "covariates", "clinical_ranges", "participant_label", "session_label",
     "exclude", "acquisition", "statistics", "atlases"]
)  # fmt: skip
contrast = st.fixed_dictionaries(
    {},
    optional={
        key: json_values | st.sampled_from(["age", "progression", "delta_fs_cut", ["fast", "slow"]])
        for key in ("column", "levels", "derive", "cut", "baseline", "followup")
    },
)
HUGE_CUT = {"derive": "delta_fs_cut", "column": "age", "cut": 10**400, "levels": ["fast", "slow"]}
units = json_values | st.dictionaries(
    st.sampled_from(["sub-01", "sub-*", "*", "[", "[!]", "sub-01/ses-1"]) | st.text(max_size=5),
    json_values | st.sampled_from(PHASE_UNITS),
    max_size=3,
)
ranges = st.dictionaries(st.sampled_from(COLUMNS), json_values | st.lists(st.floats(), max_size=2))


@often
@given(
    st.dictionaries(settings_keys, json_values)
    | st.builds(lambda value: {"contrasts": {"x": value}}, contrast)
    | st.builds(lambda value: {"clinical_ranges": value}, ranges)
    | st.builds(lambda value: {"acquisition": {"phase_units_of": value}}, units)
    | st.builds(lambda value: {"statistics": {"session": value}}, json_values)
)
@example({"contrasts": {"x": {"derive": [], "levels": ["fast", "slow"]}}})
@example({"contrasts": {"x": HUGE_CUT}})
@example({"clinical_ranges": {"age": [0, 10**400]}})
def test_any_config_is_checked(root, config):
    """Against a sound data set."""
    assert all(isinstance(p, Problem) for p in inspect_inputs(root, None, config).problems)


@often
@given(st.text(max_size=30) | st.binary(max_size=30) | json_values.map(json.dumps))
@example("exclude: 2020-13-45")
@example("cut: " + 5000 * "1")
@example(5000 * "[")
def test_any_file_for_a_config_is_read_or_refused(tmp_path, content):
    path = tmp_path / "config.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    read = read_or_refused(lambda: read_settings(path))
    assert read is None or isinstance(read, dict)


@st.composite
def measured(draw: st.DrawFn) -> list[list[str]]:
    """Rows of participant_id, age and umn_score, values in range or missing."""
    labels = draw(st.lists(st.integers(1, 99), min_size=1, max_size=8, unique=True))
    value = st.floats(18, 32).map(repr) | st.integers(18, 32).map(str) | st.just("n/a")
    return [[f"sub-{label:02d}", draw(value), draw(value)] for label in labels]


MEASURED = ["participant_id", "age", "umn_score"]


@often
@given(measured(), st.randoms(use_true_random=False))
def test_order_and_dress_of_a_table_do_not_matter(table, rows, random):
    """Order of rows and columns, a byte-order mark, line ends, blanks, the prefix ``sub-``."""
    plain = read_clinical(write(table, MEASURED, rows))
    problems = check_clinical(table, None, {}, ["umn_score"], ["age"])
    places = random.sample(range(3), 3)
    shuffled = [[cells[place] for place in places] for cells in random.sample(rows, len(rows))]
    dressed = [[f" {cell.removeprefix('sub-')} " for cell in line] for line in shuffled]
    text = "\r\n".join("\t".join(line) for line in [[MEASURED[p] for p in places], *dressed])
    table.write_bytes(text.encode("utf-8-sig"))
    again = read_clinical(table)
    pd.testing.assert_frame_equal(again.loc[plain.index, plain.columns], plain)
    kinds = [
        Counter((problem.severity, problem.expected) for problem in found)
        for found in (problems, check_clinical(table, None, {}, ["umn_score"], ["age"]))
    ]
    assert kinds[0] == kinds[1]


@st.composite
def spelt(draw: st.DrawFn, spellings: frozenset[str] = MISSING_SPELLINGS) -> str:
    """A spelling of a missing value, in any case, with blanks around it."""
    text = draw(st.sampled_from(sorted(spellings)))
    cased = "".join(draw(st.sampled_from([c.lower(), c.upper()])) for c in text)
    blank = st.sampled_from(["", " ", "  "])
    return draw(blank) + cased + draw(blank)


@often
@given(measured(), spelt())
def test_every_spelling_of_a_missing_value_is_missing(table, rows, spelling):
    rows = [["sub-100", spelling, "20"], *rows]
    read = read_clinical(write(table, MEASURED, rows))
    assert np.isnan(read["age"].iloc[0])
    assert clinical_values(table)["sub-100"]["age"] == "n/a"
    assert read["umn_score"].iloc[0] == 20


@often
@given(measured(), st.integers(18, 31), st.integers(0, 999))
def test_a_decimal_comma_is_refused(table, rows, whole, fraction):
    """With its row and the number that is meant, and only that cell."""
    rows = [*rows, ["sub-100", f"{whole},{fraction}", "20"]]
    with pytest.raises(InputError) as refused:
        read_clinical(write(table, MEASURED, rows))
    (problem,) = refused.value.problems
    assert problem.where == f"{table}, row {len(rows) + 1} (sub-100), age"
    assert f"Write a decimal point: {whole}.{fraction}." in problem.remedy
    assert problem in check_clinical(table)


@often
@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=5))
def test_numbers_are_read_as_they_are_written(table, values):
    rows = [[f"sub-{number}", repr(value)] for number, value in enumerate(values)]
    read = read_clinical(write(table, ["participant_id", "volume"], rows))
    assert read["volume"].tolist() == values
