"""The scripts on headline findings, through their command lines."""

import json

import made_up_multiverse as made_up
import numpy as np
import pandas as pd
import pytest

import correlate_scores
import draw_specification_curves
import gather_tests
import leave_one_out
import test_groups as group_tests_script
import vary_choices
from qsmiron.tables import TABLES, read_table, write_table

CONFIG = {
    "contrasts": {"progression": {"column": "progression", "levels": ["fast", "slow"]}},
    "scores": ["alsfrs_r"],
    "covariates": ["age", "sex"],
    "statistics": {"permutations": 49, "bootstrap": 0, "null_permutations": 20},
}
ANALYSIS = {"covariates": [[], ["age"], ["age", "sex"]],
            "metrics": {"susceptibility": ["chi_median"], "distribution": ["chi_skewness"],
                        "iron_deposits": ["deposit_volume"]}}  # fmt: skip
CHOICES = {"main": {"reference": "brain", "regions": "as configured"},
           "mv1": {"reference": "csf", "regions": "as configured"}}  # fmt: skip
OUTCOMES = {"contrast": "progression", "score": "alsfrs_r"}


@pytest.fixture
def study(tmp_path, make_regions, make_clinical):
    """Regions of two variants, of which main counts, a branch, and the tests of both kinds."""
    main = make_regions(n=20, n_regions=3)
    other = make_regions(n=20, n_regions=3, seed=5, desc="other")
    write_table(pd.concat([other, main]), tmp_path / "regions.tsv", "regions")
    branch = make_regions(n=19, n_regions=3, seed=6, desc="mv1")
    write_table(branch, tmp_path / "mv1.tsv", "regions")
    make_clinical(n=22).to_csv(tmp_path / "clinical.tsv", sep="\t", na_rep="n/a")
    (tmp_path / "config.yaml").write_text(json.dumps(CONFIG))
    common = ["--regions", tmp_path / "regions.tsv", "--participants", tmp_path / "clinical.tsv",
              "--config", tmp_path / "config.yaml"]  # fmt: skip
    run(group_tests_script, *common, "--output", tmp_path / "contrast.tsv")
    run(correlate_scores, *common, "--output", tmp_path / "score.tsv")
    return tmp_path


def run(script, *argv):
    script.main([str(part) for part in argv])


def common(study, kind):
    return ["--tests", study / f"{kind}.tsv", "--participants", study / "clinical.tsv",
            "--config", study / "config.yaml", f"--{kind}", OUTCOMES[kind]]  # fmt: skip


def vary(study, kind="contrast", branches=("mv1.tsv",), tables=("rows.tsv", "curves.tsv"), more=()):
    regions = [study / name for name in ("regions.tsv", *branches)]
    run(vary_choices, "--regions", *regions, *common(study, kind),
        "--analysis", json.dumps(ANALYSIS), "--choices", json.dumps(CHOICES),
        "--multiverse", study / tables[0], "--curves", study / tables[1], *more)  # fmt: skip
    return (
        read_table(study / tables[0], "multiverse"),
        read_table(study / tables[1], "specification_curves"),
    )


def leave_out(study, kind="contrast", output="influence.tsv"):
    run(leave_one_out, "--regions", study / "regions.tsv", *common(study, kind),
        "--influence", study / output)  # fmt: skip
    return read_table(study / output, "influence")


def fails(capsys, call, *words):
    with pytest.raises(SystemExit) as stopped:
        call()
    assert stopped.value.code == 1
    message = capsys.readouterr().err
    assert message.startswith("error: ")
    assert "Traceback" not in message
    for word in words:
        assert word in message


def strongest(study, kind):
    """The primary cell of smallest p in the rigorous arm of the tests."""
    name = {"contrast": "group_tests", "score": "correlations"}[kind]
    tests = read_table(study / f"{kind}.tsv", name)
    primary = ["chi_mean", "chi_sd", "iron_line", "deposit_fraction"]
    tests = tests[(tests["arm"] == "rigorous") & (tests["desc"] == "main")]
    tests = tests[tests["metric"].isin(primary)]
    return tests.loc[tests["p"].idxmin()].rename({"rho": "effect"})


@pytest.mark.parametrize("kind", OUTCOMES)
def test_the_multiverse_of_an_outcome(study, kind):
    rows, curves = vary(study, kind)
    cell = strongest(study, kind)
    metrics = 1 + len(ANALYSIS["metrics"].get(cell["family"], []))
    assert len(curves) == 1
    assert len(rows) == 2 * metrics * 3
    assert list(rows["main"]) == ["yes"] + ["no"] * (len(rows) - 1)
    main = rows.iloc[0]
    for key in ("index", "region", "hemisphere", "family", "metric", "desc", "covariates"):
        assert main[key] == cell[key]
    for key in ("effect", "p"):
        assert main[key] == pytest.approx(cell[key], rel=1e-7)
        assert curves.loc[0, f"{key}_main"] == main[key]
    assert (rows["kind"] == kind).all()
    assert (rows["name"] == OUTCOMES[kind]).all()
    assert (rows["origin"] == "cohort").all()
    assert rows["reason"].isna().all()
    assert dict(rows.groupby("desc")["n"].first()) == {"main": 20, "mv1": 19}
    chosen = rows[["desc", "reference"]].drop_duplicates()
    assert chosen.to_numpy().tolist() == [["main", "brain"], ["mv1", "csf"]]
    assert rows["field_map"].isna().all()
    counted = rows[rows["counted"] == "yes"]
    assert set(counted["covariates"]) == {main["covariates"]}
    assert curves.loc[0, "n_specifications"] == len(rows) > len(counted)
    assert curves.loc[0, "n_tested"] == len(counted)
    assert curves.loc[0, "effect_median"] == pytest.approx(counted["effect"].median(), rel=1e-7)
    assert 0.02 <= curves.loc[0, "p_median"] <= 1
    described = json.loads((study / "curves.json").read_text())
    assert list(described) == list(TABLES["specification_curves"])


@pytest.mark.parametrize("kind", ["contrast", "score"])
def test_numbers_declared_as_categories_are_those_written_as_text(study, kind):
    clinical = pd.read_csv(study / "clinical.tsv", sep="\t", dtype=str)
    sites = np.random.default_rng(4).integers(0, 3, len(clinical))
    found = []
    for written, declared in (("0 9 10", ["site"]), ("A B C", [])):
        clinical.assign(site=np.array(written.split())[sites]).to_csv(
            study / "clinical.tsv", sep="\t", index=False, na_rep="n/a"
        )
        config = {**CONFIG, "covariates": ["age", "site"], "categorical": declared}
        (study / "config.yaml").write_text(json.dumps(config))
        found.append([*vary(study, kind), leave_out(study, kind)])
    for numbers, text in zip(*found, strict=True):
        pd.testing.assert_frame_equal(numbers, text, rtol=0, atol=1e-12)


def test_without_branches_only_the_analysis_varies(study):
    rows, _ = vary(study, branches=())
    assert set(rows["desc"]) == {"main"}
    assert set(rows["covariates"].fillna("none")) == {"age,sex", "age", "none"}


@pytest.mark.parametrize("kind", OUTCOMES)
def test_the_influence_of_every_patient(study, kind):
    rows = leave_out(study, kind)
    cell = strongest(study, kind)
    assert list(rows["participant_id"]) == [f"sub-{i:02d}" for i in range(1, 21)]
    assert (rows["metric"] == cell["metric"]).all()
    np.testing.assert_allclose(rows["effect"], cell["effect"], rtol=1e-7)
    np.testing.assert_allclose(rows["p"], cell["p"], rtol=1e-7)
    assert rows["effect_without"].nunique() > 5
    assert rows["p_without"].between(0, 1).all()


def test_tables_of_outcomes_are_gathered_in_order(study):
    for kind in OUTCOMES:
        leave_out(study, kind, f"{kind}_influence.tsv")
    paths = [study / f"{kind}_influence.tsv" for kind in OUTCOMES]
    run(gather_tests, "--name", "influence", "--tables", *paths, "--output", study / "all.tsv")
    table = read_table(study / "all.tsv", "influence")
    assert list(table["kind"]) == ["contrast"] * 20 + ["score"] * 20
    lines = [path.read_text().splitlines() for path in paths]
    assert (study / "all.tsv").read_text().splitlines() == lines[0] + lines[1][1:]


@pytest.mark.parametrize("name", gather_tests.NAMES)
def test_nothing_gathered_is_an_empty_table(study, name):
    write_table(pd.DataFrame(), study / "empty.tsv", name)
    for tables in ([], ["--tables", study / "empty.tsv"]):
        run(gather_tests, "--name", name, *tables, "--output", study / "none.tsv")
        table = read_table(study / "none.tsv", name)
        assert table.empty
        assert list(table.columns) == list(TABLES[name])


def test_the_figure_of_an_outcome(study):
    vary(study)
    run(draw_specification_curves, "--multiverse", study / "rows.tsv", "--curves",
        study / "curves.tsv", "--alpha", "0.05", "--output", study / "f.png")  # fmt: skip
    assert (study / "f.png").stat().st_size > 1000
    assert "Other choices" in (study / "f.svg").read_text()


def test_figures_of_made_up_and_of_empty_tables(tmp_path):
    group = made_up.write_tables(tmp_path) / "group"
    write_table(pd.DataFrame(), group / "no_rows.tsv", "multiverse")
    write_table(pd.DataFrame(), group / "no_curves.tsv", "specification_curves")
    for rows, curves in (("multiverse", "multiverse_curves"), ("no_rows", "no_curves")):
        output = tmp_path / f"{rows}.png"
        run(draw_specification_curves, "--multiverse", group / f"{rows}.tsv",
            "--curves", group / f"{curves}.tsv", "--output", output)  # fmt: skip
        assert output.exists()
        assert output.with_suffix(".svg").exists()


def test_an_outcome_without_tests_leaves_empty_tables(study):
    write_table(pd.DataFrame(), study / "contrast.tsv", "group_tests")
    rows, curves = vary(study)
    assert rows.empty
    assert curves.empty
    assert leave_out(study).empty


def given_table(study, make_regions, *parts):
    """A regions table from elsewhere and its tests: (desc, atlas, metrics) of each part."""
    tables = []
    for number, (desc, atlas, metrics) in enumerate(parts):
        table = make_regions(n=20, n_regions=3, seed=number, desc=desc).assign(atlas=atlas)
        tables.append(table[table["metric"].isin(metrics)])
    write_table(pd.concat(tables), study / "regions.tsv", "regions")
    run(group_tests_script, "--regions", study / "regions.tsv", *common(study, "contrast")[2:6],
        "--output", study / "contrast.tsv")  # fmt: skip


@pytest.mark.parametrize(
    ("parts", "prefer", "chosen"),
    [
        ([("a", "X", ["chi_mean"])], [], ("a", "X")),
        ([("a", "X", ["chi_mean"])], ["main", "DK"], ("a", "X")),
        # the configuration's own go before others
        ([("a", "X", ["chi_mean"]), ("main", "X", ["chi_mean"])], [], ("main", "X")),
        ([("a", "X", ["chi_mean"]), ("a", "Y", ["chi_sd"])], ["b", "Y", "X"], ("a", "Y")),
        ([("a", "X", ["chi_mean"]), ("b", "Y", ["chi_mean"])], ["b", "a", "X"], ("b", "Y")),
        # headlines are of primary metrics
        ([("main", "DK", ["r2star_mean"]), ("a", "X", ["chi_mean"])], [], ("a", "X")),
    ],
)
def test_a_table_of_another_atlas_has_its_headlines(study, make_regions, parts, prefer, chosen):
    given_table(study, make_regions, *parts)
    more = ["--prefer", *prefer] if prefer else []
    rows, curves = vary(study, branches=(), more=more)
    run(leave_one_out, "--regions", study / "regions.tsv", *common(study, "contrast"),
        "--influence", study / "i.tsv", *more)  # fmt: skip
    influence = read_table(study / "i.tsv", "influence")
    assert len(curves) == 1 and len(influence) == 20
    assert (rows.loc[0, "desc"], rows.loc[0, "atlas"]) == chosen
    assert set(influence["atlas"]) == {chosen[1]}


def test_a_table_without_primary_metrics_has_no_headlines(study, make_regions):
    given_table(study, make_regions, ("a", "X", ["chi_median"]))
    rows, curves = vary(study, branches=())
    assert rows.empty and curves.empty
    assert leave_out(study).empty


def test_a_branch_named_twice(study, capsys):
    fails(capsys, lambda: vary(study, branches=("mv1.tsv", "mv1.tsv")), "mv1.tsv", "desc", "once")
    fails(capsys, lambda: vary(study, branches=("regions.tsv",)), "regions.tsv", "once more")
    assert not (study / "rows.tsv").exists()


def test_a_branch_without_the_atlas(study, capsys):
    text = (study / "mv1.tsv").read_text().replace("\tDK\t", "\tAAL\t")
    (study / "mv1.tsv").write_text(text)
    fails(capsys, lambda: vary(study), "mv1.tsv", "no rows")


def test_a_branch_of_somebody_unknown(study, capsys):
    text = (study / "mv1.tsv").read_text().replace("sub-19", "sub-99")
    (study / "mv1.tsv").write_text(text)
    fails(capsys, lambda: vary(study), "clinical.tsv", "sub-99")


@pytest.mark.parametrize(
    ("more", "words"),
    [
        (["--desc", "nothing"], ["regions.tsv", "desc nothing", "main DK"]),
        (["--atlas", "AAL"], ["regions.tsv", "atlas AAL"]),
        (["--choices", "{"], ["--choices"]),
        (["--choices", '{"main": {"inversoin": "tv"}}'], ["--choices", "inversoin"]),
        (["--choices", '{"main": "tv"}'], ["--choices", "main"]),
        (["--analysis", '{"metrics": {"susceptibility": ["chi"]}}'], ["--analysis", "chi_median"]),
        (["--analysis", '{"metric": {}}'], ["--analysis", "metric"]),
        (["--analysis", '{"covariates": [["height"]]}'], ["clinical.tsv", "height"]),
    ],
)
def test_a_wrong_option_is_named(study, capsys, more, words):
    fails(capsys, lambda: vary(study, more=more), *words)
    assert not (study / "rows.tsv").exists()


def test_an_unknown_contrast_is_named(study, capsys):
    argv = ["--regions", study / "regions.tsv", *common(study, "contrast")[:-1], "speed",
            "--influence", study / "x.tsv"]  # fmt: skip
    fails(capsys, lambda: run(leave_one_out, *argv), "speed", "progression")


def test_a_missing_table_is_named(study, capsys):
    (study / "contrast.tsv").unlink()
    fails(capsys, lambda: vary(study), "contrast.tsv", "no such file")
    fails(capsys, lambda: leave_out(study), "contrast.tsv", "no such file")
