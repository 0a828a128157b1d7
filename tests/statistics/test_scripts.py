"""The scripts, through their command lines."""

import json

import numpy as np
import pandas as pd
import pytest

import assign_groups
import correlate_scores
import estimate_null_rates
import gather_tests
import test_groups as group_tests_script
from qsmiron.tables import TABLES, read_table, write_table

CONFIG = {
    "bids_dir": None,
    "contrasts": {
        "progression": {"column": "progression", "levels": ["fast", "slow"]},
        "speed": {"derive": "delta_fs_cut"},
    },
    "scores": ["alsfrs_r", "umn_score"],
    "covariates": ["age", "sex"],
    "statistics": {"permutations": 49, "bootstrap": 49, "null_permutations": 20},
    "iron": {"line_slope": 0.89},
}


@pytest.fixture
def study(tmp_path, make_regions, make_clinical):
    write_table(make_regions(n=20, n_regions=2), tmp_path / "regions.tsv", "regions")
    make_clinical(n=22).to_csv(tmp_path / "clinical.tsv", sep="\t", na_rep="n/a")
    (tmp_path / "config.yaml").write_text(json.dumps(CONFIG))
    return tmp_path


def arguments(study, output, *more):
    return [
        "--regions", str(study / "regions.tsv"), "--participants", str(study / "clinical.tsv"),
        "--config", str(study / "config.yaml"), "--output", str(study / output), *more,
    ]  # fmt: skip


def change_config(study, **blocks):
    (study / "config.yaml").write_text(json.dumps(CONFIG | blocks))


def fails(capsys, script, argv, *words):
    with pytest.raises(SystemExit) as stopped:
        script.main(argv)
    assert stopped.value.code == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert "Traceback" not in message
    for word in words:
        assert word in message


@pytest.fixture
def quantiles(study):
    """A quantiles table of the study's 20 subjects, two regions."""
    rng = np.random.default_rng(3)
    probabilities = np.round(np.arange(0.05, 1, 0.05), 2)
    who, region, step = np.indices((20, 2, 19)).reshape(3, -1)
    chi = rng.normal(0, 0.01, (20, 2))[who, region] + 0.03 * (probabilities[step] - 0.5)
    chi += rng.normal(0, 0.001, chi.shape)
    table = pd.DataFrame({"participant_id": np.char.mod("sub-%02d", who + 1), "session": np.nan,
                          "desc": "main", "atlas": "DK", "index": region + 1,
                          "region": "region0", "hemisphere": np.where(region, "R", "L"),
                          "probability": probabilities[step], "chi": chi})  # fmt: skip
    write_table(table, study / "quantiles.tsv", "quantiles")
    return study / "quantiles.tsv"


def test_numbers_declared_as_categories_are_those_written_as_text(study, quantiles):
    """In every test of groups and scores, and of their null rates."""
    clinical = pd.read_csv(study / "clinical.tsv", sep="\t", dtype=str)
    sites = np.random.default_rng(4).integers(0, 3, len(clinical))
    more = ["--quantiles", str(quantiles)]
    scripts = {
        "tests": (group_tests_script, "group_tests", more),
        "scores": (correlate_scores, "correlations", []),
        "rates": (estimate_null_rates, "null_rates", []),
    }
    found = {}
    for name, written in (("number", "0 9 10"), ("text", "A B C"), ("slope", "0 9 10")):
        clinical.assign(site=np.array(written.split())[sites]).to_csv(
            study / "clinical.tsv", sep="\t", index=False, na_rep="n/a"
        )
        declared = {"categorical": ["site"]} if name == "number" else {}
        change_config(study, covariates=["age", "site"], **declared)
        for key, (script, _, options) in scripts.items():
            script.main(arguments(study, f"{name}_{key}.tsv", *options))
        found[name] = {
            key: read_table(study / f"{name}_{key}.tsv", table)
            for key, (_, table, _) in scripts.items()
        }
    for key, table in found["text"].items():
        pd.testing.assert_frame_equal(found["number"][key], table, rtol=0, atol=1e-12)
    assert not found["slope"]["tests"]["p"].equals(found["text"]["tests"]["p"])


def test_quantiles_add_rows_and_change_none(study, quantiles):
    more = ["--quantiles", str(quantiles)]
    group_tests_script.main(arguments(study, "without.tsv"))
    group_tests_script.main(arguments(study, "with.tsv", *more))
    without = read_table(study / "without.tsv", "group_tests")
    table = read_table(study / "with.tsv", "group_tests")
    added = table["metric"].str.startswith("wasserstein")
    assert added.sum() == 2 * 2 * 2 * 2
    assert table.loc[added, ["p", "p_maxt", "q", "effect"]].notna().all(axis=None)
    pd.testing.assert_frame_equal(table[~added].reset_index(drop=True), without, check_dtype=False)
    for name in ("progression", "speed"):
        group_tests_script.main(arguments(study, f"{name}.tsv", "--contrast", name, *more))
    gather_tests.main(
        ["--name", "group_tests",
         "--tables", str(study / "progression.tsv"), str(study / "speed.tsv"),
         "--output", str(study / "gathered.tsv")]
    )  # fmt: skip
    assert (study / "gathered.tsv").read_text() == (study / "with.tsv").read_text()


def test_quantiles_of_unknown_participants(study, quantiles, capsys):
    text = quantiles.read_text().replace("sub-20", "sub-99")
    quantiles.write_text(text)
    argv = arguments(study, "out.tsv", "--quantiles", str(quantiles))
    fails(capsys, group_tests_script, argv, "clinical.tsv", "sub-99")
    assert not (study / "out.tsv").exists()


def test_groups_one_by_one_and_gathered_is_all_at_once(study):
    group_tests_script.main(arguments(study, "all.tsv"))
    for name in ("progression", "speed"):
        group_tests_script.main(arguments(study, f"{name}.tsv", "--contrast", name))
    gather_tests.main(
        ["--name", "group_tests",
         "--tables", str(study / "progression.tsv"), str(study / "speed.tsv"),
         "--output", str(study / "gathered.tsv")]
    )  # fmt: skip
    assert (study / "gathered.tsv").read_text() == (study / "all.tsv").read_text()
    table = read_table(study / "all.tsv", "group_tests")
    assert list(table.columns) == list(TABLES["group_tests"])
    assert len(table) == 2 * 2 * 9 * 2
    described = json.loads((study / "all.json").read_text())
    assert list(described) == list(TABLES["group_tests"])


def test_scores_one_by_one_and_gathered_is_all_at_once(study):
    correlate_scores.main(arguments(study, "all.tsv"))
    for name in ("alsfrs_r", "umn_score"):
        correlate_scores.main(arguments(study, f"{name}.tsv", "--score", name))
    gather_tests.main(
        ["--name", "correlations",
         "--tables", str(study / "alsfrs_r.tsv"), str(study / "umn_score.tsv"),
         "--output", str(study / "gathered.tsv")]
    )  # fmt: skip
    assert (study / "gathered.tsv").read_text() == (study / "all.tsv").read_text()
    assert list(read_table(study / "all.tsv").columns) == list(TABLES["correlations"])


def test_a_contrast_needs_only_its_own_columns(study):
    clinical = pd.read_csv(study / "clinical.tsv", sep="\t")
    columns = ["participant_id", "age", "sex", "progression"]
    clinical[columns].to_csv(study / "clinical.tsv", sep="\t", index=False)
    group_tests_script.main(arguments(study, "out.tsv", "--contrast", "progression"))
    assert len(read_table(study / "out.tsv", "group_tests")) == 36


def test_null_rates(study):
    estimate_null_rates.main(arguments(study, "null_rates.tsv"))
    table = read_table(study / "null_rates.tsv", "null_rates")
    assert list(table.columns) == list(TABLES["null_rates"])
    assert len(table) == 2 * 2 * 8
    assert (table["n_permutations"] == 20).all()


def test_variants_have_their_own_cells_and_correction(study, make_regions):
    both = pd.concat(
        [make_regions(n=20, n_regions=2), make_regions(n=20, n_regions=2, seed=5, desc="csf")]
    )
    group_tests_script.main(arguments(study, "main.tsv", "--contrast", "progression"))
    write_table(both, study / "regions.tsv", "regions")
    group_tests_script.main(arguments(study, "both.tsv", "--contrast", "progression"))
    table = read_table(study / "both.tsv", "group_tests")
    assert set(table["desc"]) == {"main", "csf"}
    alone = read_table(study / "main.tsv", "group_tests")
    pd.testing.assert_frame_equal(
        table[table["desc"] == "main"].reset_index(drop=True), alone, check_dtype=False
    )


def test_without_contrasts_or_scores_the_tables_are_empty(study):
    change_config(study, contrasts={}, scores=[])
    for script, name in (
        (group_tests_script, "group_tests"),
        (correlate_scores, "correlations"),
        (estimate_null_rates, "null_rates"),
    ):
        script.main(arguments(study, f"{name}.tsv"))
        assert len(read_table(study / f"{name}.tsv", name)) == 0
    gather_tests.main(["--name", "group_tests", "--output", str(study / "none.tsv")])
    assert len(read_table(study / "none.tsv", "group_tests")) == 0


def test_assign_groups_adds_derived_groups_and_describes_columns(study):
    (study / "clinical.json").write_text(
        json.dumps({"umn_score": {"Description": "Our own score", "Units": "points"}})
    )
    clinical = pd.read_csv(study / "clinical.tsv", sep="\t", dtype=str)
    clinical.loc[2, "delta_fs"] = "n/a"
    clinical.to_csv(study / "clinical.tsv", sep="\t", index=False)
    assign_groups.main(
        ["--participants", str(study / "clinical.tsv"), "--config", str(study / "config.yaml"),
         "--output", str(study / "out/participants.tsv")]
    )  # fmt: skip
    table = pd.read_csv(study / "out/participants.tsv", sep="\t", dtype=str, keep_default_na=False)
    assert list(table.columns) == [*clinical.columns, "group_speed"]
    for column in clinical.columns:
        for ours, theirs in zip(table[column], clinical[column], strict=True):
            assert ours == theirs or float(ours) == pytest.approx(float(theirs))
    assert table.loc[2, "group_speed"] == "n/a"
    speeds = pd.to_numeric(clinical["delta_fs"], errors="coerce")
    fast = speeds > speeds.median()
    assert (table.loc[fast, "group_speed"] == "fast").all()
    assert (table["group_speed"] == "fast").sum() == fast.sum()
    described = json.loads((study / "out/participants.json").read_text())
    assert list(described) == list(table.columns)
    assert described["umn_score"] == {"Description": "Our own score", "Units": "points"}
    assert "median" in described["group_speed"]["Description"]
    # The table with groups serves as a clinical table as well.
    group_tests_script.main(
        [*arguments(study, "a.tsv"), "--participants", str(study / "out/participants.tsv")]
    )
    group_tests_script.main(arguments(study, "b.tsv"))
    assert (study / "a.tsv").read_text() == (study / "b.tsv").read_text()


def test_unknown_level(study, capsys):
    contrast = {"progression": {"column": "progression", "levels": ["rapid", "slow"]}}
    change_config(study, contrasts=contrast)
    argv = arguments(study, "out.tsv")
    fails(capsys, group_tests_script, argv, "clinical.tsv", "rapid", "fast, slow")
    assert not (study / "out.tsv").exists()


def test_missing_columns(study, capsys):
    change_config(study, scores=["mood"])
    fails(capsys, correlate_scores, arguments(study, "out.tsv"), "no column mood", "umn_score")
    change_config(study, covariates=["height"])
    fails(capsys, group_tests_script, arguments(study, "out.tsv"), "no column height")
    (study / "regions.tsv").write_text("participant_id\tvalue\nsub-01\t1\n")
    fails(capsys, group_tests_script, arguments(study, "out.tsv"), "regions.tsv", "no column")


def test_a_score_that_is_text(study, capsys):
    change_config(study, scores=["progression"])
    fails(capsys, correlate_scores, arguments(study, "out.tsv"), "column progression", "numbers")


def test_unknown_contrast_score_and_key(study, capsys):
    argv = arguments(study, "out.tsv", "--contrast", "colour")
    fails(capsys, group_tests_script, argv, "colour", "progression, speed")
    argv = arguments(study, "out.tsv", "--score", "mood")
    fails(capsys, correlate_scores, argv, "mood", "alsfrs_r, umn_score")
    change_config(study, statistics={"permutation": 9})
    fails(capsys, group_tests_script, arguments(study, "out.tsv"), "statistics.permutation")


def test_measured_participants_without_a_clinical_row(study, capsys):
    lines = (study / "clinical.tsv").read_text().splitlines(keepends=True)
    (study / "clinical.tsv").write_text("".join(lines[:19]))
    fails(capsys, group_tests_script, arguments(study, "out.tsv"), "sub-19, sub-20")


def test_group_without_measured_members_is_a_reason(study):
    clinical = pd.read_csv(study / "clinical.tsv", sep="\t")
    clinical["progression"] = np.where(np.arange(22) < 20, "slow", "fast")
    clinical.to_csv(study / "clinical.tsv", sep="\t", index=False)
    group_tests_script.main(arguments(study, "out.tsv", "--contrast", "progression"))
    table = read_table(study / "out.tsv", "group_tests")
    assert (table["n_1"] == 0).all()
    assert table["reason"].str.contains("fewer than 3").all()
