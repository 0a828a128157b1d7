"""The group_tests, correlations and null_rates tables as a whole."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from tables_of_tests import correlation_table, group_test_table, null_rate_table

from qsmiron.statistics.cells import cell_matrices
from qsmiron.statistics.covariates import covariate_matrix
from qsmiron.statistics.effect_sizes import cliffs_delta, hedges_g
from qsmiron.statistics.settings import Statistics
from qsmiron.tables import TABLES

pytestmark = pytest.mark.filterwarnings("error")
LEVELS = ("fast", "slow")
QUICK = Statistics(permutations=99)


def cohort(regions, clinical, names=("age", "sex")):
    (cells,) = cell_matrices(regions)
    return cells, covariate_matrix(clinical, names, cells.participants, "p.tsv")


def run_tests(regions, clinical, names=("age", "sex"), settings=QUICK):
    cells, covariates = cohort(regions, clinical, names)
    return group_test_table(
        cells, "progression", LEVELS, clinical["progression"], covariates, settings
    )


def run_correlations(regions, clinical, score="alsfrs_r", names=("age", "sex")):
    cells, covariates = cohort(regions, clinical, names)
    return correlation_table(cells, score, clinical[score], covariates, QUICK)


def one(table, arm, metric="chi_mean", index=1):
    rows = table[(table["arm"] == arm) & (table["metric"] == metric) & (table["index"] == index)]
    assert len(rows) == 1
    return rows.iloc[0]


def value_of(regions, metric="chi_mean", index=1):
    chosen = regions[(regions["metric"] == metric) & (regions["index"] == index)]
    return chosen.set_index("participant_id")["value"]


def test_group_tests_has_a_row_per_arm_and_cell(make_regions, make_clinical):
    table = run_tests(make_regions(), make_clinical())
    assert set(table.columns) <= set(TABLES["group_tests"])
    assert len(table) == 2 * 9 * 5
    assert not table.duplicated(["arm", "index", "metric"]).any()
    assert set(table["arm"] + " " + table["test"]) == {
        "replication mann_whitney",
        "rigorous rank_ancova",
    }
    tested = table["metric"] != "iron_line"
    assert table.loc[tested, ["p", "q", "effect", "hedges_g"]].notna().all(axis=None)
    assert table.loc[tested, "reason"].isna().all()
    rigorous = table["arm"] == "rigorous"
    assert (table.loc[rigorous, "covariates"] == "age,sex").all()
    assert table.loc[~rigorous, ["covariates", "p_perm", "df"]].isna().all(axis=None)
    assert (table.loc[rigorous & tested, "df"] == 34).all()


def test_a_row_is_what_scipy_says(make_regions, make_clinical):
    regions, clinical = make_regions(), make_clinical()
    row = one(run_tests(regions, clinical), "replication")
    values = value_of(regions)
    fast = values[clinical["progression"] == "fast"]
    slow = values[clinical["progression"] == "slow"]
    u, p = stats.mannwhitneyu(fast, slow, method="exact")
    assert (row["n_1"], row["n_2"]) == (16, 22)
    assert row["statistic"] == u
    assert row["p"] == pytest.approx(p, rel=1e-10)
    assert row["median_1"] == pytest.approx(fast.median())
    assert row["median_2"] == pytest.approx(slow.median())
    assert row["effect"] == pytest.approx(2 * u / (16 * 22) - 1)


def test_rigorous_effect_sizes_are_those_of_residuals(make_regions, make_clinical):
    regions, clinical = make_regions(), make_clinical()
    row = one(run_tests(regions, clinical), "rigorous")
    values = value_of(regions)[clinical.index].to_numpy()
    design = np.column_stack([np.ones(38), clinical["age"], clinical["sex"] == "M"])
    residuals = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
    first = (clinical["progression"] == "fast").to_numpy()
    assert row["effect"] == pytest.approx(cliffs_delta(residuals[:, None], first)[0])
    assert row["hedges_g"] == pytest.approx(hedges_g(residuals[:, None], first)[0])


def test_a_planted_effect_has_its_sign_everywhere(make_regions, make_clinical):
    regions, clinical = make_regions(), make_clinical()
    higher = regions["participant_id"].map(clinical["progression"] == "slow")
    regions["value"] += 3.0 * higher
    table = run_tests(regions, clinical)
    tested = table[table["metric"] != "iron_line"]
    assert (tested["effect"] < 0).all()
    assert (tested["hedges_g"] < 0).all()
    assert (tested.loc[tested["arm"] == "rigorous", "statistic"] < 0).all()
    assert (tested.loc[tested["arm"] == "replication", "statistic"] < 16 * 22 / 2).all()


def test_iron_line_has_the_test_of_the_mean_and_says_so(make_regions, make_clinical):
    tests = run_tests(make_regions(), make_clinical())
    correlations = run_correlations(make_regions(), make_clinical())
    for table, same in (
        (tests, ["statistic", "p", "p_perm", "p_maxt", "q", "effect", "ci_low", "hedges_g"]),
        (correlations, ["rho", "p", "p_perm", "p_maxt", "q", "ci_high"]),
    ):
        for arm in ("replication", "rigorous"):
            line, mean = one(table, arm, "iron_line"), one(table, arm, "chi_mean")
            assert line["reason"] == "the test of chi_mean in other units"
            pd.testing.assert_series_equal(
                line[same].astype(float), mean[same].astype(float), check_names=False
            )


def test_iron_from_elsewhere_that_is_no_copy_is_not_called_one(make_regions, make_clinical):
    regions = make_regions()
    other = (regions["metric"] == "iron_line") & (regions["index"] == 1)
    regions.loc[other, "value"] = np.random.default_rng(3).normal(size=other.sum())
    table = run_tests(regions, make_clinical())
    for arm in ("replication", "rigorous"):
        assert pd.isna(one(table, arm, "iron_line")["reason"])
        assert one(table, arm, "iron_line", 2)["reason"] == "the test of chi_mean in other units"


def test_q_is_per_arm_and_metric(make_regions, make_clinical):
    table = run_tests(make_regions(n_regions=8), make_clinical())
    for _, part in table[table["metric"] != "iron_line"].groupby(["arm", "metric"]):
        np.testing.assert_allclose(part["q"], stats.false_discovery_control(part["p"]))


def test_results_of_a_cell_do_not_depend_on_the_others(make_regions, make_clinical):
    regions, clinical = make_regions(), make_clinical()
    whole = run_tests(regions, clinical)
    part = run_tests(regions[regions["index"] == 2], clinical)
    for arm in ("replication", "rigorous"):
        pd.testing.assert_series_equal(
            one(whole, arm, index=2).drop(["q", "p_maxt"]),
            one(part, arm, index=2).drop(["q", "p_maxt"]),
            check_names=False,
        )


def test_missing_values_drop_the_subject_from_that_cell_only(make_regions, make_clinical):
    regions, clinical = make_regions(), make_clinical()
    fast = clinical.index[clinical["progression"] == "fast"]
    cell = (regions["metric"] == "chi_mean") & (regions["index"] == 2)
    regions.loc[cell & (regions["participant_id"] == fast[0]), "value"] = np.nan
    clinical.loc[fast[1], "age"] = np.nan
    clinical.loc[fast[2], "progression"] = None
    table = run_tests(regions, clinical)
    expected = {("replication", 1): 15, ("replication", 2): 14, ("rigorous", 1): 14}
    expected["rigorous", 2] = 13
    for (arm, index), n in expected.items():
        row = one(table, arm, index=index)
        assert (row["n_1"], row["n_2"]) == (n, 22)
        assert np.isfinite(row["p"])
    complete = clinical.dropna(subset=["age", "progression"])
    kept = regions[regions["participant_id"].isin(complete.index)]
    again = run_tests(kept, complete)
    for metric in ("statistic", "p", "effect", "hedges_g"):
        assert one(again, "rigorous")[metric] == pytest.approx(one(table, "rigorous")[metric])


def test_participants_without_images_do_not_matter(make_regions, make_clinical):
    clinical = make_clinical()
    regions = make_regions(n=30)
    table = run_tests(regions, clinical)
    row = one(table, "replication")
    assert row["n_1"] + row["n_2"] == 30
    pd.testing.assert_frame_equal(table, run_tests(regions, clinical.iloc[:30]))


def degenerate(regions, clinical):
    """Cells of region 1: constant, without values, a copy of age; region 2 lacks one group."""
    for metric, change in (
        ("chi_mean", lambda who: 0.5),
        ("chi_sd", lambda who: np.nan),
        ("chi_median", lambda who: clinical.loc[who, "age"] * 0.01),
    ):
        cell = (regions["metric"] == metric) & (regions["index"] == 1)
        regions.loc[cell, "value"] = regions.loc[cell, "participant_id"].map(change)
    fast = clinical.index[clinical["progression"] == "fast"][2:]
    cell = (regions["metric"] == "chi_mean") & (regions["index"] == 2)
    regions.loc[cell & regions["participant_id"].isin(fast), "value"] = np.nan
    return regions


def test_degenerate_cells_give_a_reason(make_regions, make_clinical):
    clinical = make_clinical()
    regions = degenerate(make_regions(), clinical)
    table = run_tests(regions, clinical)
    for arm in ("replication", "rigorous"):
        constant = one(table, arm)
        assert constant["reason"] == "constant metric"
        assert constant["median_1"] == 0.5
        assert pd.isna(constant[["statistic", "p", "p_perm", "q", "effect", "hedges_g"]]).all()
        absent = one(table, arm, "chi_sd")
        assert absent["n_1"] == absent["n_2"] == 0
        assert absent["reason"] == "nobody has all the values needed"
        small = one(table, arm, index=2)
        assert small["n_1"] == 2
        assert "fewer than 3" in small["reason"]
        assert np.isfinite(one(table, arm, index=3)["q"])
    assert np.isfinite(one(table, "replication", "chi_median")["p"])
    copy = one(table, "rigorous", "chi_median")
    assert copy["reason"] == "no variation left after the covariates"
    assert pd.isna(copy[["p", "p_perm", "effect"]]).all()


def test_covariates_that_say_who_is_in_which_group(make_regions, make_clinical):
    clinical = make_clinical()
    clinical["sex"] = np.where(clinical["progression"] == "fast", "M", "F")
    row = one(run_tests(make_regions(), clinical), "rigorous")
    assert row["reason"] == "the group is collinear with the covariates in these subjects"
    assert np.isfinite(one(run_tests(make_regions(), clinical), "replication")["p"])


def test_a_covariate_that_is_constant_where_values_exist(make_regions, make_clinical):
    clinical = make_clinical()
    regions = make_regions()
    women = clinical.index[clinical["sex"] == "F"]
    cell = (regions["metric"] == "chi_mean") & (regions["index"] == 1)
    regions.loc[cell & regions["participant_id"].isin(women), "value"] = np.nan
    row = one(run_tests(regions, clinical), "rigorous")
    assert row["reason"] == "covariates are constant or collinear in these subjects"
    assert np.isfinite(one(run_tests(regions, clinical), "rigorous", index=2)["p"])


@pytest.mark.parametrize("n", [1, 2, 4, 6])
def test_tiny_cohorts_have_rows_and_reasons(make_regions, make_clinical, n):
    clinical = make_clinical(n=40).iloc[:n]
    table = run_tests(make_regions(n=n), clinical)
    assert len(table) == 90
    rows = table[(table["arm"] == "rigorous") & table["p"].isna()]
    assert rows["reason"].notna().all()
    correlations = run_correlations(make_regions(n=n), clinical)
    rows = correlations[correlations["p"].isna()]
    assert rows["reason"].notna().all()


def test_without_covariates(make_regions, make_clinical):
    table = run_tests(make_regions(), make_clinical(), names=())
    row = one(table, "rigorous")
    assert row["df"] == 36
    assert row["effect"] == pytest.approx(one(table, "replication")["effect"])
    assert pd.isna(row["covariates"])


def test_the_seed_decides_what_is_drawn_and_nothing_else(make_regions, make_clinical):
    regions, clinical = make_regions(), make_clinical()
    first = run_tests(regions, clinical, settings=Statistics(permutations=99, seed=1))
    again = run_tests(regions, clinical, settings=Statistics(permutations=99, seed=1))
    other = run_tests(regions, clinical, settings=Statistics(permutations=99, seed=2))
    pd.testing.assert_frame_equal(first, again)
    drawn = ["p_perm", "p_maxt", "ci_low", "ci_high"]
    for column in drawn:
        assert not first[column].equals(other[column])
    pd.testing.assert_frame_equal(first.drop(columns=drawn), other.drop(columns=drawn))


def test_correlations_rows_and_missing_scores(make_regions, make_clinical):
    regions, clinical = make_regions(), make_clinical()
    clinical.iloc[[3, 4], clinical.columns.get_loc("alsfrs_r")] = np.nan
    clinical.iloc[5, clinical.columns.get_loc("age")] = np.nan
    table = run_correlations(regions, clinical)
    assert set(table.columns) <= set(TABLES["correlations"])
    assert len(table) == 2 * 9 * 5
    row = one(table, "replication")
    rho, p = stats.spearmanr(value_of(regions), clinical["alsfrs_r"], nan_policy="omit")
    assert (row["n"], row["df"]) == (36, 34)
    assert row["rho"] == pytest.approx(rho, abs=1e-10)
    assert row["p"] == pytest.approx(p, rel=1e-8)
    row = one(table, "rigorous")
    assert (row["n"], row["df"], row["method"]) == (35, 31, "partial_spearman")
    assert 0 < row["p_perm"] <= 1


def test_correlations_that_cannot_be(make_regions, make_clinical):
    clinical = make_clinical()
    regions = degenerate(make_regions(), clinical)
    table = run_correlations(regions, clinical)
    assert one(table, "replication")["reason"] == "constant metric"
    assert "nobody has" in one(table, "replication", "chi_sd")["reason"]
    assert "no variation left" in one(table, "rigorous", "chi_median")["reason"]
    clinical["alsfrs_r"] = 40.0
    reasons = run_correlations(make_regions(), clinical)["reason"]
    assert (reasons == "constant score").all()
    clinical["alsfrs_r"] = clinical["age"] * 2
    row = one(run_correlations(make_regions(), clinical), "rigorous")
    assert row["reason"] == "the score is collinear with the covariates in these subjects"


def test_null_rates_are_nominal_on_correlated_regions(make_regions, make_clinical):
    clinical = make_clinical()
    cells, covariates = cohort(make_regions(n_regions=40, correlation=0.5), clinical)
    settings = Statistics(null_permutations=1000)
    table = null_rate_table(
        cells, "progression", LEVELS, clinical["progression"], covariates, settings
    )
    assert set(table.columns) <= set(TABLES["null_rates"])
    assert len(table) == 2 * 8
    assert (table["n_cells"] == 40).all()
    # Exact p of 16 against 22 steps over .05 at .0480; ties make the whole-number metric cautious.
    smooth = table[table["metric"] != "deposit_volume"]
    assert (smooth["rate_low"] <= 0.05).all()
    assert (smooth["rate_high"] >= 0.048).all()
    assert table["rate"].between(0.03, 0.065).all()
    # With a correlation of .5 the interval must be far wider than of independent cells.
    binomial = 2 * 2.58 * np.sqrt(0.05 * 0.95 / (1000 * 40))
    assert ((smooth["rate_high"] - smooth["rate_low"]) > 1.5 * binomial).all()


def test_null_rates_count_what_the_tests_say(make_regions, make_clinical):
    """One shuffled labelling at a time, through the tables of tests."""
    clinical = make_clinical()
    regions = make_regions(n_regions=4)
    regions.loc[(regions["index"] == 2) & (regions["participant_id"] == "sub-03"), "value"] = np.nan
    regions.loc[regions["index"] == 4, "value"] = 1.0
    cells, covariates = cohort(regions, clinical)
    settings = Statistics(permutations=0, null_permutations=20, alpha=0.3)
    rates = null_rate_table(
        cells, "progression", LEVELS, clinical["progression"], covariates, settings
    )
    assert (rates["n_cells"] == 3).all()
    positives = dict.fromkeys(zip(rates["arm"], rates["metric"], strict=True), 0)
    keys = np.random.default_rng(settings.seed).random((20, 38))
    for index, dropped in ((1, None), (2, 2), (3, None)):
        rows = np.array([row for row in range(38) if row != dropped])
        part = regions[
            (regions["index"] == index) & regions["participant_id"].isin(clinical.index[rows])
        ]
        for key in keys:
            shuffled = clinical.iloc[rows].copy()
            # the order of the whole, whose cycles skip whom is dropped
            order = np.argsort(key)
            chosen = [order[order[row]] if order[row] == dropped else order[row] for row in rows]
            shuffled["progression"] = clinical["progression"].to_numpy()[chosen]
            tests = run_tests(part, shuffled, settings=settings)
            for arm, metric in positives:
                positives[arm, metric] += one(tests, arm, metric, index)["p"] <= settings.alpha
    counted = [positives[key] / 60 for key in zip(rates["arm"], rates["metric"], strict=True)]
    np.testing.assert_allclose(rates["rate"], counted)


def test_null_rates_of_a_cohort_too_small_to_test(make_regions, make_clinical):
    clinical = make_clinical(n=4)
    cells, covariates = cohort(make_regions(n=4), clinical)
    table = null_rate_table(
        cells, "progression", LEVELS, clinical["progression"], covariates, Statistics()
    )
    assert len(table) == 16
    assert (table["n_cells"] == 0).all()
    assert table["rate"].isna().all()


def test_false_positives_over_null_cohorts(make_clinical):
    """Fresh cohorts, covariates related to outcome and group: nominal for the rigorous arm.

    The cells of one table are independent cohorts here, since each draws its own outcome.
    """
    from qsmiron.statistics.linear import nuisance_space
    from qsmiron.statistics.permutation import Permutations, permutation_p
    from qsmiron.statistics.rank_ancova import rank_ancova

    rng = np.random.default_rng(11)
    age = rng.normal(58, 10, 38)
    first = stats.rankdata(age + rng.normal(0, 12, 38)) > 22  # the first group is older
    outcomes = rng.normal(size=(38, 2000)) + 0.08 * age[:, None]
    nuisance = nuisance_space(age[:, None])
    test = rank_ancova(outcomes, first, nuisance)
    p = permutation_p(test, nuisance.basis, Permutations(1, 499, 38), np.arange(38))
    # Binomial 99.9 % bounds of 2,000 cells at .05 (the permutations are shared, hence not tighter).
    half = 3.3 * np.sqrt(0.05 * 0.95 / 2000)
    assert abs((p <= 0.05).mean() - 0.05) < half
    assert abs((test.p <= 0.05).mean() - 0.05) < half
    assert (stats.mannwhitneyu(outcomes[first], outcomes[~first]).pvalue <= 0.05).mean() > 0.15
