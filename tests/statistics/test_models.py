"""More than two levels, trends and interactions, against statsmodels and against loops."""

import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import test_models as test_models_script
from qsmiron.statistics.linear import nuisance_space
from qsmiron.statistics.model_tests import term_test
from qsmiron.statistics.permutation import Permutations, permutation_p
from qsmiron.tables import TABLES, read_table, write_table

LEVELS = ("1", "2", "3")


@pytest.fixture
def clinical(make_clinical):
    table = make_clinical()
    rng = np.random.default_rng(3)
    table["stage"] = rng.integers(1, 4, 38).astype(float)
    table.loc["sub-07", "stage"] = np.nan
    table.loc["sub-09", "age"] = np.nan
    table.loc["sub-11", "stage"] = 4.0
    return table


@pytest.fixture
def study(tmp_path, make_regions, clinical):
    regions = make_regions(n_regions=3)
    regions.loc[5, "value"] = np.nan
    write_table(regions, tmp_path / "regions.tsv", "regions")
    clinical.to_csv(tmp_path / "clinical.tsv", sep="\t", na_rep="n/a")

    def run(models, **more):
        statistics = {"permutations": 199, "bootstrap": 0} | more
        config = {"models": models, "statistics": statistics}
        (tmp_path / "config.json").write_text(json.dumps(config))
        test_models_script.main(
            ["--regions", str(tmp_path / "regions.tsv"), "--config", str(tmp_path / "config.json"),
             "--participants", str(tmp_path / "clinical.tsv"), "--output", str(tmp_path / "o.tsv")]
        )  # fmt: skip
        return read_table(tmp_path / "o.tsv", "model_tests")

    run.regions, run.clinical = regions, clinical
    return run


STAGE = {"stage": {"column": "stage", "levels": [1, 2, 3], "ordered": True}}


def outcome_of(regions, index, metric="chi_sd"):
    rows = regions[(regions["metric"] == metric) & (regions["index"] == index)]
    return rows.set_index("participant_id")["value"]


def design_of(clinical, who):
    columns = {"age": clinical["age"], "sex": (clinical["sex"] == "M").astype(float)}
    return sm.add_constant(pd.DataFrame(columns).loc[who])


def test_omnibus_trend_and_pairs_are_those_of_statsmodels(study):
    table = study(STAGE)
    assert list(table.columns) == list(TABLES["model_tests"])
    assert table["term"].unique().tolist() == ["omnibus", "trend", "1 − 2", "1 − 3", "2 − 3"]
    clinical = study.clinical
    kept = clinical.index[clinical["stage"].isin([1, 2, 3]) & clinical["age"].notna()]
    for index in (1, 2, 3):
        values = outcome_of(study.regions, index)[kept].dropna()
        ranks = pd.Series(stats.rankdata(values), values.index)
        base = design_of(clinical, values.index)
        level = clinical.loc[values.index, "stage"]
        dummies = pd.DataFrame({f"s{k}": (level == k).astype(float) for k in (1, 2, 3)})
        full = sm.OLS(ranks, pd.concat([base, dummies[["s2", "s3"]]], axis=1)).fit()
        here = table[(table["metric"] == "chi_sd") & (table["index"] == index)].set_index("term")
        f = full.f_test("s2 = 0, s3 = 0")
        assert here.loc["omnibus", "statistic"] == pytest.approx(float(f.fvalue), rel=1e-6)
        assert here.loc["omnibus", "p"] == pytest.approx(float(f.pvalue), rel=1e-6)
        assert (here["n"] == len(values)).all()
        assert here.loc["omnibus", "df_1"] == 2 and here.loc["omnibus", "df_2"] == full.df_resid
        for term, contrast in (
            ("1 − 2", "-s2 = 0"),
            ("1 − 3", "-s3 = 0"),
            ("2 − 3", "s2 - s3 = 0"),
        ):
            t = full.t_test(contrast)
            assert here.loc[term, "statistic"] == pytest.approx(float(t.tvalue.item()), rel=1e-6)
            assert here.loc[term, "p"] == pytest.approx(float(t.pvalue), rel=1e-6)
        trend = sm.OLS(ranks, base.assign(stage=level)).fit()
        assert here.loc["trend", "statistic"] == pytest.approx(trend.tvalues["stage"], rel=1e-6)


def test_pairs_are_corrected_together_and_the_others_apart(study):
    table = study(STAGE)
    for _, part in table.groupby("metric"):
        pairs = part[part["term"].str.contains("−") & part["p"].notna()]
        np.testing.assert_allclose(pairs["q"], stats.false_discovery_control(pairs["p"]), rtol=1e-6)
        omnibus = part[(part["term"] == "omnibus") & part["p"].notna()]
        expected = stats.false_discovery_control(omnibus["p"])
        np.testing.assert_allclose(omnibus["q"], expected, rtol=1e-6)
        assert (pairs["p_maxt"] >= pairs["p_perm"] - 1e-9).all()


def test_the_permutation_of_an_omnibus_test_is_that_of_a_loop():
    rng = np.random.default_rng(2)
    level, covariates = rng.integers(0, 3, 24), rng.normal(size=(24, 2))
    outcomes = np.round(rng.normal(size=(24, 2)), 1)
    columns = np.column_stack([level == 1, level == 2]).astype(float)
    nuisance = nuisance_space(covariates)
    test = term_test(outcomes, columns, nuisance)
    permutations = Permutations(5, 50, 24)
    found = permutation_p(test, nuisance.basis, permutations, np.arange(24))
    (orders,) = permutations.orders(np.arange(24), 50)
    base = sm.add_constant(covariates)
    for cell, ranks in enumerate(stats.rankdata(outcomes, axis=0).T):
        reduced = sm.OLS(ranks, base).fit()

        def f_of(y):
            full = sm.OLS(y, np.column_stack([base, columns])).fit()
            return full.compare_f_test(sm.OLS(y, base).fit())[0]

        drawn = [f_of(reduced.fittedvalues + reduced.resid[np.argsort(o)]) for o in orders]
        observed = f_of(ranks)
        assert test.t[cell] == pytest.approx(observed, rel=1e-9)
        reached = (np.array(drawn) >= observed * (1 - 1e-9)).sum()
        assert found[cell] == pytest.approx((reached + 1) / 51)


def test_an_interaction_and_the_slopes_in_each_group(study):
    table = study({"x": {"contrast": "progression", "by": "age"}})
    names = ["progression × age", "age in fast", "age in slow"]
    assert table["term"].unique().tolist() == names
    assert set(table["covariates"]) == {"sex,age"}
    clinical = study.clinical
    values = outcome_of(study.regions, 2)[clinical.index[clinical["age"].notna()]].dropna()
    base = design_of(clinical, values.index)
    fast = (clinical.loc[values.index, "progression"] == "fast").astype(float)
    fit = sm.OLS(values, base.assign(fast=fast, product=fast * base["age"])).fit()
    here = table[(table["metric"] == "chi_sd") & (table["index"] == 2)].set_index("term")
    assert here.loc[names[0], "statistic"] == pytest.approx(fit.tvalues["product"], rel=1e-6)
    assert here.loc[names[0], "p"] == pytest.approx(fit.pvalues["product"], rel=1e-6)
    assert here.loc[names[0], "test"] == "t"
    slow = values[fast == 0]
    ranked = sm.OLS(stats.rankdata(slow), base.loc[slow.index]).fit()
    assert here.loc["age in slow", "statistic"] == pytest.approx(ranked.tvalues["age"], rel=1e-6)
    assert here.loc["age in slow", "n"] == len(slow)


def test_a_level_of_too_few_is_told(study):
    table = study({"s": {"column": "stage", "levels": [1, 2, 4]}})
    reasons = dict(zip(table["term"], table["reason"], strict=True))
    assert reasons["omnibus"] == reasons["1 − 4"] == "fewer than 3 subjects in a group"
    assert table[table["term"] == "1 − 2"]["p"].notna().all()


@pytest.mark.parametrize("term", ["omnibus", "pair"])
def test_the_level_holds(term):
    """Three groups of unequal size, two of them apart in the covariate."""
    rng = np.random.default_rng(12)
    level = np.repeat([0, 1, 2], [8, 12, 16])
    columns = np.column_stack([level == 1, level == 2]).astype(float)
    found = []
    for seed in range(250):
        age = rng.normal(size=36) + 0.5 * (level == 2)
        outcomes = age[:, None] + rng.normal(size=(36, 4))
        design = age[:, None]
        tested = columns
        if term == "pair":
            tested, design = columns[:, :1], np.column_stack([age, columns[:, 1]])
        nuisance = nuisance_space(design)
        test = term_test(outcomes, tested, nuisance)
        p = permutation_p(test, nuisance.basis, Permutations(seed, 99, 36), np.arange(36))
        found += [p <= 0.05, test.p <= 0.05]
    rates = np.array(found).reshape(250, 2, 4).mean(axis=(0, 2))
    low, high = stats.binom.ppf([0.0005, 0.9995], 1000, 0.05) / 1000
    assert (rates >= low).all() and (rates <= high).all()
