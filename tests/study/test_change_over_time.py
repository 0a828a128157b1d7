"""Where a study has change over time to measure, and which jobs that takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from made_up_visits import MadeUp, write_study
from study.planning import planned

from qsmiron.columns import TABLES
from qsmiron.study import load_study
from qsmiron.tables import read_table, write_table

HOME = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path):
    return write_study(tmp_path / "study", 1, MadeUp(n=8, n_first=4, n_visits=2, dropout=0))


def study_of(folder, **more):
    shipped = yaml.safe_load((HOME / "config/config.yaml").read_text())
    values = json.loads((folder / "config.json").read_text())
    return load_study(shipped | values | more, HOME, underway=True)


def only_session(folder, label):
    regions = read_table(folder / "regions.tsv", "regions")
    kept = regions[regions["session"] == label] if label else regions.assign(session=None)
    write_table(
        kept.drop_duplicates(["participant_id", "index"]), folder / "regions.tsv", "regions"
    )


def problems(study, about):
    found = [str(problem) for problem in study.inspect_inputs().problems]
    return [text for text in found if about in text]


def test_the_parts_are_one_for_each_question(folder):
    study = study_of(folder, change={"repeats": {"within_months": 3}})
    assert study.change.parts == [
        "time", "contrast-progression", "score-alsfrs_r", "score-ecas_total",
        "predictor-delta_fs", "dropout", "repeats",
    ]  # fmt: skip
    assert "change" in study.gathered_tests.tables
    assert [one for one in study.inspect_inputs().problems if one.severity == "error"] == []


@pytest.mark.parametrize("label", ["1", "2", None])
def test_one_session_has_no_change(folder, label):
    only_session(folder, label)
    study = study_of(folder)
    assert study.change.parts == [] and study.change.results == []
    assert "change" not in study.gathered_tests.tables
    # scores are those of the session that was measured
    expected = {"1": 1, "2": 2, None: 1}[label]
    rows = (folder / "raw/sub-01/sub-01_sessions.tsv").read_text().splitlines()
    assert study.clinical.score_values("alsfrs_r")["sub-01"][0] == rows[expected].split("\t")[2]


def test_visits_without_times_are_told_and_cost_nothing_else(folder):
    for path in folder.glob("raw/sub-*/*.tsv"):
        rows = [line.split("\t") for line in path.read_text().splitlines()]
        path.write_text("\n".join("\t".join([row[0], *row[2:]]) for row in rows) + "\n")
    study = study_of(folder)
    assert study.change.parts == []
    (text,) = problems(study, "no months since baseline")
    assert "of every session" in text and "Change over time is not measured" in text


def test_what_contradicts_itself_in_the_visits_stops_the_run(folder):
    path = folder / "raw/sub-01/sub-01_sessions.tsv"
    path.write_text(path.read_text().replace("ses-1\t0\t", "ses-1\t50\t"))
    (problem,) = [
        one for one in study_of(folder).inspect_inputs().problems if one.severity == "error"
    ]
    assert problem.expected == "sessions in the order of time"


def test_a_job_reads_its_own_score_alone(folder):
    change = study_of(folder).change
    before = {part: json.dumps(change.values(part)) for part in change.parts}
    path = folder / "raw/sub-01/sub-01_sessions.tsv"
    lines = [line.split("\t") for line in path.read_text().splitlines()]
    lines[2][2] = "3"
    path.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    again = study_of(folder).change
    changed = [part for part in again.parts if json.dumps(again.values(part)) != before[part]]
    assert changed == ["score-alsfrs_r"]


def test_the_rules_are_those_of_the_parts(folder):
    values = json.loads((folder / "config.json").read_text())
    with planned(folder, values) as rules:
        (report,) = [rule for rule in rules if rule.name == "write_report"]
        inputs = list(map(str, report.input))
    assert sum("trajectories_" in path for path in inputs) == 2
    assert any(path.endswith("group/change.tsv") for path in inputs)
    only_session(folder, "1")
    with planned(folder, values) as rules:
        (report,) = [rule for rule in rules if rule.name == "write_report"]
        told = ("change.tsv", "/rates", "trajectories")
        assert not [path for path in map(str, report.input) if any(one in path for one in told)]


@pytest.mark.parametrize("how", ["none", "combat"])
def test_sites_are_harmonised_without_change_over_time_and_that_is_said(folder, how):
    table = folder / "raw/participants.tsv"
    header, *rows = table.read_text().splitlines()
    rows = [f"{row}\t{'AB'[number % 2]}" for number, row in enumerate(rows)]
    table.write_text("\n".join([f"{header}\tsite", *rows]) + "\n")
    study = study_of(folder, statistics={"harmonisation": how, "permutations": 19})
    found = problems(study, "Change over time is tested on values as they were measured")
    assert len(found) == (how == "combat")
    only_session(folder, "1")
    study = study_of(folder, statistics={"harmonisation": how, "permutations": 19})
    assert problems(study, "Change over time") == []


def test_a_study_of_one_session_asks_for_nothing_of_visits_and_has_no_column_of_them(folder):
    only_session(folder, None)
    values = json.loads((folder / "config.json").read_text())
    with planned(folder, values) as rules:
        names = {rule.name for rule in rules}
        wanted = [str(path) for rule in rules if rule.name == "all" for path in rule.input]
    assert "test_groups" in names and not names & {"average_visits", "register_visit"}
    assert wanted and not [path for path in wanted if "change" in path or "rates.tsv" in path]
    assert list(TABLES["regions"]) == [
        "participant_id", "session", "desc", "atlas", "labels_source", "index", "region",
        "hemisphere", "metric", "family", "value", "unit", "n_voxels", "coverage",
    ]  # fmt: skip
    of_change = {"n_scans", "random", "fit"}
    assert of_change <= set(TABLES["change"])
    for table in ("regions", "group_tests", "correlations"):
        assert not of_change & set(TABLES[table])
