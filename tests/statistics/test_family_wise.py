"""Family-wise p against a plain loop over permutations, and against what a user would expect."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from tables_of_tests import correlation_table, group_test_table

from qsmiron.statistics.cells import cell_matrices
from qsmiron.statistics.covariates import covariate_matrix
from qsmiron.statistics.family_wise import FamilyWise
from qsmiron.statistics.linear import nuisance_space
from qsmiron.statistics.permutation import Permutations, permutation_p
from qsmiron.statistics.rank_ancova import rank_ancova
from qsmiron.statistics.settings import Statistics

COUNT = 120


def cohort(tied, n=16, m=4, seed=0):
    rng = np.random.default_rng(seed)
    covariates = np.column_stack([rng.normal(size=n), rng.permutation(n) < n // 2])
    first = rng.permutation(n) < n // 2
    outcomes = rng.normal(size=(n, m)) + 0.5 * first[:, None]
    return (np.round(outcomes) if tied else outcomes), first, covariates


def loop_statistics(outcome, first, covariates, permutations, rows):
    """|t| observed and of every permutation, by fitting the full model each time."""
    reduced = sm.add_constant(covariates)
    full = np.column_stack([reduced, first])
    ranks = stats.rankdata(outcome)
    fit = sm.OLS(ranks, reduced).fit()
    ts = [abs(sm.OLS(ranks, full).fit().tvalues[-1])]
    for chunk in permutations.orders(rows, permutations.count):
        for order in chunk:
            permuted = fit.fittedvalues + fit.resid[np.argsort(order)]
            ts.append(abs(sm.OLS(permuted, full).fit().tvalues[-1]))
    return np.array(ts)


@pytest.mark.parametrize("tied", [False, True])
def test_max_t_against_a_loop(tied):
    outcomes, first, covariates = cohort(tied)
    sets = np.array(["a", "b", "a", "a"])
    rows = np.arange(16)
    permutations = Permutations(seed=3, count=COUNT, n_subjects=16)
    nuisance = nuisance_space(covariates)
    test = rank_ancova(outcomes, first, nuisance)
    families = FamilyWise(sets, COUNT)
    permutation_p(test, nuisance.basis, permutations, rows, families.watch(np.arange(4), test))
    t = np.column_stack(
        [loop_statistics(outcomes[:, c], first, covariates, permutations, rows) for c in range(4)]
    )
    for label in "ab":
        members = np.flatnonzero(sets == label)
        largest = t[1:, members].max(axis=1)
        expected = [((largest >= t[0, c] - 1e-9).sum() + 1) / (COUNT + 1) for c in members]
        np.testing.assert_allclose(families.p()[members], expected)


def test_max_t_against_nilearn():
    permuted_ols = pytest.importorskip("nilearn.mass_univariate").permuted_ols
    outcomes, first, covariates = cohort(False, n=38, m=12)
    nuisance = nuisance_space(covariates)
    test = rank_ancova(outcomes, first, nuisance)
    families = FamilyWise(np.full(12, "a"), 4000)
    permutation_p(
        test, nuisance.basis, Permutations(1, 4000, 38), np.arange(38),
        families.watch(np.arange(12), test),
    )  # fmt: skip
    theirs = permuted_ols(
        first.astype(float)[:, None], stats.rankdata(outcomes, axis=0), covariates,
        n_perm=4000, random_state=0, output_type="dict",
    )  # fmt: skip
    np.testing.assert_allclose(test.t, theirs["t"][0], atol=1e-8)
    p = 10 ** -theirs["logp_max_t"][0]
    # Monte-Carlo error of a difference is at most .011 (one SD).
    assert np.abs(families.p() - p).max() < 0.04
    assert p.min() < 0.3


def test_cells_with_missing_subjects_share_permutations_on_the_scale_of_p():
    outcomes, first, covariates = cohort(False)
    permutations = Permutations(seed=3, count=COUNT, n_subjects=16)
    families = FamilyWise(np.array(["a"] * 4), COUNT)
    p_of_t = []
    for columns, rows in ((np.array([0, 3]), np.arange(16)), (np.array([1, 2]), np.arange(3, 16))):
        nuisance = nuisance_space(covariates[rows])
        test = rank_ancova(outcomes[np.ix_(rows, columns)], first[rows], nuisance)
        see = families.watch(columns, test)
        permutation_p(test, nuisance.basis, permutations, rows, see)
        for column in columns:
            t = loop_statistics(
                outcomes[rows, column], first[rows], covariates[rows], permutations, rows
            )
            p_of_t.append((column, 2 * stats.t.sf(t, test.df)))
    smallest = np.min([p[1:] for _, p in p_of_t], axis=0)
    for column, p in p_of_t:
        expected = ((smallest <= p[0] * (1 + 1e-9)).sum() + 1) / (COUNT + 1)
        assert families.p()[column] == pytest.approx(expected)


def test_chunks_do_not_matter(monkeypatch):
    outcomes, first, covariates = cohort(True)
    nuisance = nuisance_space(covariates)
    test = rank_ancova(outcomes, first, nuisance)
    found = []
    for numbers in (2_000_000, 200):
        monkeypatch.setattr("qsmiron.statistics.permutation._CHUNK_NUMBERS", numbers)
        families = FamilyWise(np.array(["a", "a", "b", "b"]), COUNT)
        permutation_p(
            test, nuisance.basis, Permutations(1, COUNT, 16), np.arange(16),
            families.watch(np.arange(4), test),
        )  # fmt: skip
        found.append(families.p())
    np.testing.assert_array_equal(*found)


def tables(regions, clinical, settings):
    (cells,) = cell_matrices(regions)
    covariates = covariate_matrix(clinical, ("age", "sex"), cells.participants, "p.tsv")
    levels = ("fast", "slow")
    return (
        group_test_table(cells, "c", levels, clinical["progression"], covariates, settings),
        correlation_table(cells, "alsfrs_r", clinical["alsfrs_r"], covariates, settings),
    )


def test_sets_are_metrics_and_p_maxt_is_no_smaller_than_p_perm(make_regions, make_clinical):
    regions, clinical = make_regions(n_regions=6), make_clinical()
    regions.loc[(regions["index"] == 2) & (regions["participant_id"] == "sub-03"), "value"] = np.nan
    settings = Statistics(permutations=199, bootstrap=0)
    alone = regions[regions["metric"] == "chi_sd"]
    for whole, part in zip(
        tables(regions, clinical, settings), tables(alone, clinical, settings), strict=True
    ):
        rigorous = whole[(whole["arm"] == "rigorous") & (whole["metric"] != "iron_line")]
        assert (rigorous["p_maxt"] >= rigorous["p_perm"]).all()
        assert (rigorous["p_maxt"] > rigorous["p_perm"]).mean() > 0.5
        assert whole.loc[whole["arm"] == "replication", "p_maxt"].isna().all()
        # iron by the global line is the test of mean χ in other units
        copy, mean = (
            whole[(whole["arm"] == "rigorous") & (whole["metric"] == metric)]
            for metric in ("iron_line", "chi_mean")
        )
        np.testing.assert_array_equal(copy["p_maxt"], mean["p_maxt"])
        np.testing.assert_array_equal(
            whole.loc[whole["metric"] == "chi_sd", "p_maxt"], part["p_maxt"]
        )


def test_one_cell_alone_has_its_own_p(make_regions, make_clinical):
    settings = Statistics(permutations=199, bootstrap=0)
    for table in tables(make_regions(n_regions=1), make_clinical(), settings):
        rows = table[(table["arm"] == "rigorous") & (table["metric"] != "iron_line")]
        np.testing.assert_array_equal(rows["p_maxt"], rows["p_perm"])


def test_without_permutations_there_is_none(make_regions, make_clinical):
    settings = Statistics(permutations=0, bootstrap=0)
    for table in tables(make_regions(n_regions=2), make_clinical(), settings):
        assert table[["p_perm", "p_maxt"]].isna().all(axis=None)
