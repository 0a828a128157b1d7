"""The table ``change`` from files: planted rates, sets, who leaves, and independent values."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pingouin
import pytest
import statsmodels.api as sm
from made_up_visits import MadeUp, write_study
from scipy import stats

import measure_rates
import test_change as test_change_script
from qsmiron.errors import InputError
from qsmiron.statistics.change.rates import rates_of
from qsmiron.statistics.change.repeatability import repeatability
from qsmiron.statistics.change.scans import read_change_inputs
from qsmiron.tables import TABLES, read_table, write_table

PLAN = MadeUp(rate_spread=1, n_visits=3)
PLANTED = {"amygdala-L": 10.0, "amygdala-R": 10.0}
"""ppb per year: 5 ppb in half a year."""
PUBLISHED = Path(__file__).parents[4] / "shared/data/pd_longitudinal"


def run(folder, part, output="change.tsv"):
    test_change_script.main(
        ["--regions", str(folder / "regions.tsv"), "--config", str(folder / "config.json"),
         "--participants", str(folder / "raw/participants.tsv"), "--part", part,
         "--output", str(folder / output)]
    )  # fmt: skip
    return read_table(folder / output, "change")


def inputs_of(folder):
    files = ("regions.tsv", "raw/participants.tsv", "config.json")
    return read_change_inputs(*(folder / name for name in files))


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """24 patients, three visits, drop-outs; planted in the amygdalae of 12. Eight regions."""
    folder = write_study(tmp_path_factory.mktemp("visits"), 5, PLAN, PLANTED)
    regions = read_table(folder / "regions.tsv", "regions")
    kept = regions["region"].isin(["amygdala", "hippocampus", "thalamus", "caudate"])
    write_table(regions[kept], folder / "regions.tsv", "regions")
    return folder


@pytest.fixture(scope="module")
def contrast(study):
    return run(study, "contrast-progression")


def of(table, region, term, hemisphere="L"):
    here = (table["region"] == region) & (table["hemisphere"] == hemisphere)
    (row,) = table[here & table["term"].str.startswith(term)].to_dict("records")
    return row


def test_a_planted_rate_comes_back_with_sign_and_interval(contrast):
    assert list(contrast.columns) == list(TABLES["change"])
    for side in "LR":
        row = of(contrast, "amygdala", "time ×", side)
        assert row["ci_low"] < 0.010 < row["ci_high"]
        assert row["effect"] > 0 and row["q"] < 0.05 and row["unit"] == "ppm/year"
        ranks = of(contrast, "amygdala", "rate:", side)
        assert ranks["effect"] > 0.5 and ranks["p_maxt"] < 0.05
    others = contrast[~contrast["region"].isin(["amygdala"])]
    assert (others["p_maxt"].dropna() > 0.05).all()


def test_group_rates_and_their_difference_are_one_model(contrast):
    fast, slow, both = (of(contrast, "thalamus", term)["effect"]
                        for term in ("time in fast", "time in slow", "time ×"))  # fmt: skip
    assert fast - slow == pytest.approx(both, rel=1e-6)


def test_q_is_over_the_regions_of_a_term(contrast):
    for _, part in contrast[contrast["p"].notna()].groupby(["test", "term"]):
        np.testing.assert_allclose(part["q"], stats.false_discovery_control(part["p"]), rtol=1e-5)


def test_scans_of_everybody_count_also_of_who_has_one(study):
    scans = inputs_of(study).scans[0]
    assert (scans.count == 1).any() and (scans.count == 3).any()
    table = run(study, "time")
    assert (table["n"] == 24).all()
    assert (table["n_scans"] == len(scans.time)).all()


def test_a_missing_value_costs_that_scan_alone(study, tmp_path):
    regions = read_table(study / "regions.tsv", "regions")
    here = regions["region"].eq("caudate") & regions["hemisphere"].eq("L")
    first = regions.index[here & regions["participant_id"].eq("sub-01")][0]
    regions.loc[first, "value"] = np.nan
    for name in ("raw", "config.json"):
        (tmp_path / name).symlink_to(study / name)
    write_table(regions, tmp_path / "regions.tsv", "regions")
    whole, less = (of(run(folder, "time"), "caudate", "time") for folder in (study, tmp_path))
    assert less["n_scans"] == whole["n_scans"] - 1


def test_a_rate_is_the_slope_of_its_visits(study):
    inputs = inputs_of(study)
    scans = inputs.scans[0]
    found = rates_of(scans, inputs.unit)
    for number in range(len(scans.people)):
        own = scans.person == number
        if own.sum() < 2:
            assert np.isnan(found.values[number]).all()
            continue
        years = scans.time[own] / 12
        expected = np.polyfit(years, scans.cells.values[own], 1)[0]
        np.testing.assert_allclose(found.values[number], expected, rtol=1e-9)
        spread = found.errors[number] * np.sqrt(np.square(years - years.mean()).sum())
        np.testing.assert_allclose(spread, found.errors[0] * _root_sum(scans, 0), rtol=1e-9)
    # the spread around all own lines, by a regression with a line for everybody
    several = np.isin(scans.person, np.flatnonzero(scans.count > 1))
    dummies = pd.get_dummies(scans.person[several]).to_numpy(float)
    design = np.column_stack([dummies, dummies * scans.time[several, None] / 12])
    fit = sm.OLS(scans.cells.values[several, 0], design).fit()
    assert found.errors[0, 0] * _root_sum(scans, 0) == pytest.approx(np.sqrt(fit.scale), rel=1e-9)


def _root_sum(scans, number):
    years = scans.time[scans.person == number] / 12
    return np.sqrt(np.square(years - years.mean()).sum())


def test_the_rates_have_a_table_of_their_own(study, tmp_path):
    measure_rates.main(
        ["--regions", str(study / "regions.tsv"), "--config", str(study / "config.json"),
         "--participants", str(study / "raw/participants.tsv"),
         "--output", str(tmp_path / "rates.tsv")]
    )  # fmt: skip
    table = read_table(tmp_path / "rates.tsv", "rates")
    scans = inputs_of(study).scans[0]
    assert len(table) == (scans.count > 1).sum() * 8
    assert set(table["unit"]) == {"ppm/year"}


def test_tests_of_rates_are_those_of_statsmodels(study):
    """Ranks of the rates on the change of the score, beside age and sex."""
    inputs = inputs_of(study)
    scans, table = inputs.scans[0], run(study, "score-alsfrs_r")
    rates = rates_of(scans, inputs.unit).values
    clinical = inputs.data.clinical.loc[scans.people]
    change = np.full(len(scans.people), np.nan)
    for number, (months, scores) in enumerate(inputs.values("alsfrs_r", scans)):
        if len(months) > 1:
            change[number] = np.polyfit(months / 12, scores, 1)[0]
    usable = np.isfinite(change) & np.isfinite(rates[:, 0])
    design = np.column_stack(
        [
            np.ones(usable.sum()),
            change[usable],
            clinical["age"][usable],
            clinical["sex"][usable] == "M",
        ]
    ).astype(float)
    for number, cell in scans.cells.index.iterrows():
        fit = sm.OLS(stats.rankdata(rates[usable, number]), design).fit()
        row = of(table, cell["region"], "rate ~", cell["hemisphere"])
        assert row["statistic"] == pytest.approx(fit.tvalues[1], rel=1e-5)
        assert row["p"] == pytest.approx(fit.pvalues[1], rel=1e-5)
        linear = sm.OLS(scans.baseline.values[usable, number], design).fit()
        row = of(table, cell["region"], "baseline ~ change", cell["hemisphere"])
        assert row["effect"] == pytest.approx(linear.params[1], rel=1e-5)
        assert row["se"] == pytest.approx(linear.bse[1], rel=1e-5)
        low, high = linear.conf_int()[1]
        assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high), rel=1e-5)


def test_who_leaves_is_compared_with_who_stays(study):
    inputs = inputs_of(study)
    scans = inputs.scans[0]
    table = run(study, "dropout")
    left = scans.count < 3
    assert (table["n_1"] == left.sum()).all() and (table["n_2"] == (~left).sum()).all()
    clinical = inputs.data.clinical.loc[scans.people]
    design = np.column_stack([np.ones(24), left, clinical["age"], clinical["sex"] == "M"])
    fit = sm.OLS(stats.rankdata(scans.baseline.values[:, 0]), design.astype(float)).fit()
    cell = scans.cells.index.iloc[0]
    row = of(table, cell["region"], "baseline:", cell["hemisphere"])
    assert row["p"] == pytest.approx(fit.pvalues[1], rel=1e-5)


def test_repeatability_is_that_of_pingouin():
    rng = np.random.default_rng(6)
    person = np.repeat(np.arange(15), 2)
    values = 3 * rng.normal(size=(15, 2))[person] + rng.normal(size=(30, 2))
    found = repeatability(values, person)
    for cell in range(2):
        table = pd.DataFrame({"who": person, "scan": np.tile([1, 2], 15), "value": values[:, cell]})
        theirs = pingouin.intraclass_corr(table, "who", "scan", "value").iloc[0]
        assert theirs["Type"] in ("ICC1", "ICC(1,1)")
        assert found.icc[cell] == pytest.approx(theirs["ICC"], rel=1e-9)
        interval = theirs[next(name for name in theirs.index if str(name).startswith("CI95"))]
        ours = [end[cell] for end in found.icc_interval]
        np.testing.assert_allclose(ours, interval, atol=0.0051)
        between = sm.OLS(values[:, cell], pd.get_dummies(person).to_numpy(float)).fit()
        assert found.sd[cell] == pytest.approx(np.sqrt(between.scale), rel=1e-9)


def test_repeats_are_those_that_the_config_names(study, tmp_path):
    settings = json.loads((study / "config.json").read_text())
    for name in ("raw", "regions.tsv"):
        (tmp_path / name).symlink_to(study / name)
    scans = inputs_of(study).scans[0]

    def repeats(**how):
        config = json.dumps(settings | {"change": {"repeats": how}})
        (tmp_path / "config.json").write_text(config)
        table = run(tmp_path, "repeats")
        assert len(table) == 3 * 8
        return table[table["term"] == "within_subject_sd"]

    first_two = repeats(sessions=["1", "2"])
    assert (first_two["n_scans"] == 2 * (scans.count > 1).sum()).all()
    # within SD 2 ppb, and a year apart rates of 1 ppb
    assert first_two["effect"].between(0.001, 0.008).all()
    few = repeats(sessions=["2", "3"], column="progression", levels=["fast"])
    assert (few["n"] < first_two["n"]).all()
    detectable = run(tmp_path, "repeats")
    sd = detectable[detectable["term"] == "within_subject_sd"]["effect"].to_numpy()
    least = detectable[detectable["term"] == "smallest_detectable_change"]["effect"].to_numpy()
    np.testing.assert_allclose(least, 1.96 * np.sqrt(2) * sd, rtol=1e-6)


def test_an_unknown_part_is_told(study):
    with pytest.raises(SystemExit):
        run(study, "nothing")


def test_visits_without_any_time_are_told(study, tmp_path):
    (tmp_path / "raw").mkdir()
    text = (study / "raw/participants.tsv").read_text()
    (tmp_path / "raw/participants.tsv").write_text(text)
    for name in ("regions.tsv", "config.json"):
        (tmp_path / name).symlink_to(study / name)
    with pytest.raises(InputError, match="no months since baseline of any scan"):
        inputs_of(tmp_path)


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="no published data beside the project")
def test_published_tables_come_out_of_the_script(tmp_path):
    """59 patients, two visits: the mixed models, and the baseline on the later cognitive score."""
    name = "ROIs_bilat_QSM_data_PD_v1+v3.csv"
    data = pd.read_csv(PUBLISHED / name)
    regions = [column.strip() for column in data.columns[-12:]]
    data.columns = [column.strip() for column in data.columns]
    table = data.melt(["Subject", "Timepoint"], regions, "region").rename(
        columns={"Subject": "participant_id", "Timepoint": "session"}
    )
    table = table.assign(
        desc="main", atlas="published", labels_source="atlas", hemisphere="B", unit="ppm",
        metric="chi_mean", family="susceptibility", index=table["region"].map(regions.index) + 1,
    )  # fmt: skip
    write_table(table, tmp_path / "regions.tsv", "regions")
    (tmp_path / "raw").mkdir()
    visits = data[["Subject", "Timepoint", "Sex", "fup interval", "CCog"]].assign(
        age=data["Age"] / 12
    )
    visits.columns = ["participant_id", "session_id", "sex", "months", "ccog", "age"]
    visits.to_csv(tmp_path / "raw/participants.tsv", sep="\t", index=False)
    settings = {
        "scores": ["ccog"], "contrasts": {}, "statistics": {"permutations": 0},
        "change": {"likelihood": "ml", "per": "month"},
    }  # fmt: skip
    (tmp_path / "config.json").write_text(json.dumps(settings))
    published = pd.read_csv(PUBLISHED / f"LMM.stats.{name}")
    found = run(tmp_path, "time")
    np.testing.assert_allclose(found["effect"], published["beta"], rtol=1e-6)
    np.testing.assert_allclose(found["p"], published["p-value"], atol=1e-4)
    np.testing.assert_allclose(found["q"], published["fdr p-value"], atol=5.1e-4)
    np.testing.assert_allclose(found["r2_marginal"], published["marginal R2"], atol=5.1e-4)
    np.testing.assert_allclose(found["r2_conditional"], published["conditional R2"], atol=5.1e-4)
    published = pd.read_csv(PUBLISHED / f"Lmdl.stats.V1.fup.CCog.{name}")
    found = run(tmp_path, "score-ccog")
    found = found[found["term"] == "baseline ~ ccog at the last visit"]
    np.testing.assert_allclose(found["effect"], published["beta"], atol=6e-5, rtol=6e-3)
    np.testing.assert_allclose(found["p"], published["p-value"], atol=1e-5)
    np.testing.assert_allclose(found["q"], published["fdr p-value"], atol=5.1e-5)
