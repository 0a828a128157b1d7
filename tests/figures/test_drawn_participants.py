"""Whom the figures of every patient show: the chosen session, and whoever was measured."""

import json

import made_up_results as made_up
import pandas as pd
import pytest
from matplotlib import pyplot as plt

import draw_correlations
import draw_group_distributions
import draw_quantiles

SCRIPTS = {
    "distributions": (draw_group_distributions, "distributions_figure", "--regions"),
    "quantiles": (draw_quantiles, "quantiles_figure", "--quantiles"),
    "correlations": (draw_correlations, "correlations_figure", "--regions"),
}


def measurements(script):
    table = made_up.quantiles() if script == "quantiles" else made_up.regions()
    return table.assign(session=None), "chi" if script == "quantiles" else "value"


@pytest.fixture
def drawn(tmp_path, monkeypatch):
    """Runs a script; the table of values and the groups or scores that its figure is given."""

    def run(name, table, clinical, **statistics):
        script, figure_function, option = SCRIPTS[name]
        given = []

        def figure(*arguments):
            given.extend(arguments)
            return plt.figure(), "title", "caption"

        monkeypatch.setattr(script, figure_function, figure)
        table.to_csv(tmp_path / "values.tsv", sep="\t", index=False, na_rep="n/a")
        (tmp_path / "clinical.tsv").write_text(clinical)
        config = {"contrasts": made_up.CONTRASTS, "scores": ["alsfrs_r"], "statistics": statistics}
        (tmp_path / "config.json").write_text(json.dumps(config))
        results, tests, question = (
            (made_up.correlations(), "--correlations", ["--score", "alsfrs_r"])
            if name == "correlations"
            else (made_up.group_tests(), "--group-tests", ["--contrast", "progression"])
        )
        results.to_csv(tmp_path / "tests.tsv", sep="\t", index=False, na_rep="n/a")
        script.main(
            [option, str(tmp_path / "values.tsv"), tests, str(tmp_path / "tests.tsv"),
             "--participants", str(tmp_path / "clinical.tsv"),
             "--config", str(tmp_path / "config.json"), *question,
             "--output", str(tmp_path / "figure.png")]
        )  # fmt: skip
        return given[0], given[2]

    return run


def clinical(change=lambda table: table):
    table = change(made_up.participants().copy())
    return table.to_csv(sep="\t", index=False, na_rep="n/a")


def people(shown):
    """Of groups (level → participants) or of scores."""
    if isinstance(shown, pd.Series):
        return set(shown.dropna().index)
    return {who for members in shown.values() for who in members}


@pytest.mark.parametrize("name", SCRIPTS)
def test_only_the_chosen_session_is_drawn(name, drawn):
    table, value = measurements(name)
    later = table.assign(session="02", **{value: 2 * table[value]})
    both = pd.concat([later, table.assign(session="01")])
    shown, _ = drawn(name, both, clinical(), session="01")
    assert set(shown["session"]) == {"01"}
    assert shown[value].sum() == pytest.approx(table[value].sum())


@pytest.mark.parametrize("name", SCRIPTS)
def test_who_was_not_measured_is_not_counted(name, drawn):
    table, _ = measurements(name)
    everybody = people(drawn(name, table, clinical())[1])
    without = table[table["participant_id"] != "sub-01"]
    assert people(drawn(name, without, clinical())[1]) == everybody - {"sub-01"}


@pytest.mark.parametrize("name", SCRIPTS)
def test_the_clinical_table_is_read_as_the_statistics_do(name, drawn):
    table, _ = measurements(name)
    everybody = people(drawn(name, table, clinical())[1])

    def bare(clinical):
        column = "alsfrs_r" if name == "correlations" else "progression"
        clinical[column] = clinical[column].astype(object)
        clinical.loc[clinical["participant_id"] == "sub-02", column] = ""
        clinical.loc[clinical["participant_id"] == "sub-03", column] = "NA"
        return clinical.assign(participant_id=clinical["participant_id"].str.removeprefix("sub-"))

    shown = people(drawn(name, table, clinical(bare))[1])
    assert shown == everybody - {"sub-02", "sub-03"}
