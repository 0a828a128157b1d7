import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from tables_of_tests import group_test_table

from qsmiron.statistics.cells import cell_matrices
from qsmiron.statistics.covariates import covariate_matrix
from qsmiron.statistics.linear import nuisance_space
from qsmiron.statistics.partial_spearman import partial_spearman, ranked_nuisance
from qsmiron.statistics.permutation import Permutations, permutation_p, permuted_r_squared
from qsmiron.statistics.rank_ancova import rank_ancova
from qsmiron.statistics.settings import Statistics


def data(tied, n=38, m=6, seed=0):
    rng = np.random.default_rng(seed)
    covariates = np.column_stack([rng.normal(58, 10, n), rng.random(n) < 0.6]).astype(float)
    first = rng.random(n) < 0.42 + 0.01 * (covariates[:, 0] - 58)
    outcomes = rng.normal(size=(n, m)) + 0.04 * covariates[:, :1] + 0.5 * first[:, None]
    return (np.round(outcomes) if tied else outcomes), first, covariates


@pytest.mark.parametrize("tied", [False, True])
def test_rank_ancova_against_ols_on_ranks(tied):
    outcomes, first, covariates = data(tied)
    ours = rank_ancova(outcomes, first, nuisance_space(covariates))
    assert ours.df == 38 - 2 - 2
    for column in range(outcomes.shape[1]):
        ranks = stats.rankdata(outcomes[:, column])
        fit = sm.OLS(ranks, sm.add_constant(np.column_stack([first, covariates]))).fit()
        assert ours.t[column] == pytest.approx(fit.tvalues[1], abs=1e-9)
        assert ours.p[column] == pytest.approx(fit.pvalues[1], rel=1e-8)


def test_positive_t_means_first_level_above():
    outcomes, first, covariates = data(False)
    outcomes[first] += 5
    assert (rank_ancova(outcomes, first, nuisance_space(covariates)).t > 0).all()


def test_rank_ancova_without_covariates():
    outcomes, first, _ = data(False)
    ours = rank_ancova(outcomes, first, nuisance_space(np.zeros((38, 0))))
    ranks = stats.rankdata(outcomes, axis=0)
    theirs = stats.ttest_ind(ranks[first], ranks[~first])
    np.testing.assert_allclose(ours.t, theirs.statistic, rtol=1e-9)
    assert ours.df == 36


@pytest.mark.parametrize("tied", [False, True])
def test_partial_spearman_against_pingouin(tied):
    pingouin = pytest.importorskip("pingouin")
    outcomes, _, covariates = data(tied)
    rng = np.random.default_rng(9)
    score = np.round(outcomes.mean(axis=1) + rng.normal(size=38) * 0.7, 1)
    ours = partial_spearman(outcomes, score, ranked_nuisance(covariates))
    assert ours.df == 34
    for column in range(outcomes.shape[1]):
        frame = pd.DataFrame(
            {"x": score, "y": outcomes[:, column], "age": covariates[:, 0], "sex": covariates[:, 1]}
        )
        theirs = pingouin.partial_corr(frame, "x", "y", ["age", "sex"], method="spearman").iloc[0]
        assert ours.r[column] == pytest.approx(theirs["r"], abs=1e-9)
        p = theirs["p_val"] if "p_val" in theirs else theirs["p-val"]
        assert ours.p[column] == pytest.approx(p, rel=1e-7)


@pytest.mark.parametrize("tied", [False, True])
def test_freedman_lane_against_a_loop(tied):
    outcomes, first, covariates = data(tied, n=20, m=3)
    nuisance = nuisance_space(covariates)
    ours = rank_ancova(outcomes, first, nuisance)
    permutations = Permutations(seed=4, count=150, n_subjects=20)
    rows = np.arange(20)
    squared = np.concatenate(list(permuted_r_squared(ours, nuisance.basis, permutations, rows)))
    (orders,) = permutations.orders(rows, 150)
    reduced = sm.add_constant(covariates)
    full = np.column_stack([reduced, first])
    exceed = np.zeros(3)
    for column in range(3):
        ranks = stats.rankdata(outcomes[:, column])
        fit = sm.OLS(ranks, reduced).fit()
        observed = abs(sm.OLS(ranks, full).fit().tvalues[-1])
        for number, order in enumerate(orders):
            # The regressors are taken in permuted order, hence the outcome in the inverse one.
            permuted = fit.fittedvalues + fit.resid[np.argsort(order)]
            t = sm.OLS(permuted, full).fit().tvalues[-1]
            assert squared[number, column] == pytest.approx(t**2 / (t**2 + ours.df), abs=1e-10)
            exceed[column] += abs(t) >= observed - 1e-9
    p = permutation_p(ours, nuisance.basis, permutations, rows)
    np.testing.assert_allclose(p, (exceed + 1) / 151)


def test_permutation_p_agrees_with_the_parametric_p():
    outcomes, first, covariates = data(False, m=40)
    nuisance = nuisance_space(covariates)
    test = rank_ancova(outcomes, first, nuisance)
    p = permutation_p(test, nuisance.basis, Permutations(1, 4000, 38), np.arange(38))
    # Monte-Carlo error is at most .008 (one SD); the t approximation on ranks adds about .005.
    assert np.abs(p - test.p).max() < 0.035
    assert p.min() >= 1 / 4001


def test_permutations_do_not_depend_on_chunks_or_neighbours():
    permutations = Permutations(seed=1, count=50, n_subjects=12)
    rows = np.array([0, 2, 3, 7, 11])
    whole = np.concatenate(list(permutations.orders(rows, 50)))
    pieces = np.concatenate(list(permutations.orders(rows, 7)))
    np.testing.assert_array_equal(whole, pieces)
    assert (np.sort(whole, axis=1) == np.arange(5)).all()
    # The subset's order is that of the whole, whose cycles skip the others.
    full = np.concatenate(list(permutations.orders(np.arange(12), 50)))
    for order, subset in zip(full, whole, strict=True):
        for row, chosen in zip(rows, subset, strict=True):
            following = order[row]
            while following not in rows:
                following = order[following]
            assert rows[chosen] == following
    turned = np.concatenate(list(permutations.orders(rows[::-1], 50)))
    np.testing.assert_array_equal(turned[:, ::-1], 4 - whole)


def test_orders_of_a_subset_are_uniform():
    rows = np.array([0, 3, 4, 6])
    orders = np.concatenate(list(Permutations(1, 24_000, 7).orders(rows, 5000)))
    _, counts = np.unique(orders, axis=0, return_counts=True)
    assert len(counts) == 24
    assert stats.chisquare(counts).pvalue > 0.001


def test_most_of_a_subset_is_ordered_as_in_the_whole():
    rows = np.arange(2, 40)
    permutations = Permutations(1, 200, 40)
    (subset,), (whole,) = (
        list(permutations.orders(chosen, 200)) for chosen in (rows, np.arange(40))
    )
    # all but those who would get the value of one of the two outside
    assert ((rows[subset] != whole[:, 2:]).sum(axis=1) <= 2).all()


def test_no_permutations_no_p():
    outcomes, first, covariates = data(False)
    nuisance = nuisance_space(covariates)
    test = rank_ancova(outcomes, first, nuisance)
    p = permutation_p(test, nuisance.basis, Permutations(1, 0, 38), np.arange(38))
    assert np.isnan(p).all()


def adjusted_for_site(cells, clinical):
    """Rigorous rows of mean χ by progression, adjusted for age and site."""
    covariates = covariate_matrix(clinical, ("age", "site"), cells.participants, "p")
    group, settings = clinical["progression"], Statistics(permutations=0)
    table = group_test_table(cells, "c", ("fast", "slow"), group, covariates, settings)
    return table[(table["arm"] == "rigorous") & (table["metric"] == "chi_mean")]


@pytest.mark.parametrize("absent", ["a", "b", "c"])
def test_a_level_that_nobody_tested_has_takes_no_part(absent, make_regions, make_clinical):
    clinical, regions = make_clinical(n=20), make_regions(n=20, n_regions=2)
    rng = np.random.default_rng(0)
    clinical["site"] = rng.choice(list("abcd"), 20)
    only = clinical["site"] == absent
    assert only.any()
    clinical.loc[only, "progression"] = None
    (cells,) = cell_matrices(regions)
    rows = adjusted_for_site(cells, clinical)
    tested = clinical[~only]
    design = pd.get_dummies(tested[["age", "site"]], drop_first=True).astype(float)
    design.insert(0, "group", (tested["progression"] == "fast").astype(float))
    for _, row in rows.iterrows():
        (column,) = np.flatnonzero(
            (cells.index["index"] == row["index"]) & (cells.index["metric"] == "chi_mean")
        )
        outcome = pd.Series(cells.values[:, column], cells.participants)[tested.index]
        fit = sm.OLS(stats.rankdata(outcome), sm.add_constant(design)).fit()
        assert row["df"] == fit.df_resid
        assert row["statistic"] == pytest.approx(fit.tvalues["group"], rel=1e-9)
        assert row["p"] == pytest.approx(fit.pvalues["group"], rel=1e-8)


def test_one_level_left_is_constant(make_regions, make_clinical):
    clinical = make_clinical(n=20)
    # the only patient of site b has no group
    clinical["site"] = ["b", *["a"] * 19]
    clinical.loc["sub-01", "progression"] = None
    (cells,) = cell_matrices(make_regions(n=20, n_regions=2))
    assert set(adjusted_for_site(cells, clinical)["reason"]) == {
        "covariates are constant or collinear in these subjects"
    }


def test_an_order_that_the_covariates_explain_wholly_has_no_correlation():
    # a binary outcome, reordered, can be the binary covariate itself
    sex = np.repeat([0.0, 1.0], 4)[:, None]
    first = np.array([1, 0, 1, 0, 1, 0, 1, 0], dtype=bool)
    outcomes = np.column_stack([[1, 1, 0, 0, 1, 0, 0, 1.0], np.arange(8.0) ** 1.5 % 3])
    nuisance = nuisance_space(sex)
    test = rank_ancova(outcomes, first, nuisance)
    permutations = Permutations(seed=1, count=2000, n_subjects=8)
    rows = np.arange(8)
    (squared,) = permuted_r_squared(test, nuisance.basis, permutations, rows)
    assert squared.max() <= 1 + 1e-12
    e = test.outcome_residuals[:, 0]
    (orders,) = permutations.orders(rows, 2000)
    explained = [np.abs(nuisance.residuals(e[np.argsort(order)])).max() < 1e-9 for order in orders]
    assert 10 < sum(explained) < 200  # 2 of 70
    assert not squared[explained, 0].any()
