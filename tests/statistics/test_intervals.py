"""Bootstrap intervals against scipy on the same resamples, and where there can be none."""

import numpy as np
import pytest
from scipy import stats
from tables_of_tests import correlation_table, group_test_table

from qsmiron.statistics.cells import cell_matrices
from qsmiron.statistics.covariates import covariate_matrix
from qsmiron.statistics.delta_intervals import SEPARATED, delta_intervals, deltas_of_weights
from qsmiron.statistics.effect_sizes import cliffs_delta
from qsmiron.statistics.linear import nuisance_space
from qsmiron.statistics.partial_spearman import partial_spearman, ranked_nuisance
from qsmiron.statistics.resampling import (
    NO_INTERVAL,
    RIGID,
    SHIFTED,
    bca_intervals,
    bias_correction,
    jackknife_acceleration,
    resample,
)
from qsmiron.statistics.rho_intervals import PERFECT, rho_intervals, rho_of_weights
from qsmiron.statistics.settings import Statistics

pytestmark = pytest.mark.filterwarnings("error")
NOTHING = nuisance_space(np.zeros((38, 0)))
COUNT = 400


def data(tied=False, n=38, m=4, seed=0):
    rng = np.random.default_rng(seed)
    covariates = np.column_stack([rng.normal(58, 10, n), rng.permutation(n) < n // 2])
    first = rng.permutation(n) < round(n * 16 / 38)
    common = rng.normal(size=n)
    outcomes = rng.normal(size=(n, m)) + 0.5 * first[:, None] + 0.03 * covariates[:, :1]
    outcomes += 0.4 * common[:, None]
    score = common + 0.3 * rng.normal(size=n)
    return (np.round(outcomes) if tied else outcomes), first, covariates, score


def indices_as_scipy_draws_them(sizes, count, seed):
    rng = np.random.default_rng(seed)
    return [rng.integers(0, size, (count, size)) for size in sizes]


def counts(indices, n):
    return np.stack([np.bincount(row, minlength=n) for row in indices]).astype(float)


def delta_of(one, two, axis=-1):
    u = stats.mannwhitneyu(one, two, axis=axis).statistic
    return 2 * u / (one.shape[axis] * two.shape[axis]) - 1


@pytest.mark.parametrize("tied", [False, True])
def test_delta_is_scipys_interval_on_scipys_resamples(tied):
    outcomes, first, _, _ = data(tied)
    members = [np.flatnonzero(first), np.flatnonzero(~first)]
    weights = np.zeros((COUNT, 38))
    for who, drawn in zip(members, indices_as_scipy_draws_them((16, 22), COUNT, 7), strict=True):
        weights[:, who] = counts(drawn, len(who))
    observed = deltas_of_weights(outcomes, first, NOTHING, np.ones((1, 38)))[0]
    np.testing.assert_allclose(observed, cliffs_delta(outcomes, first), atol=1e-12)
    left_out = deltas_of_weights(outcomes, first, NOTHING, 1 - np.eye(38))
    strata = np.where(first, 0, 1)
    resampled = deltas_of_weights(outcomes, first, NOTHING, weights)
    ours = bca_intervals(observed, resampled, left_out, strata)
    for column in range(outcomes.shape[1]):
        theirs = stats.bootstrap(
            (outcomes[first, column], outcomes[~first, column]), delta_of, n_resamples=COUNT,
            method="BCa", rng=np.random.default_rng(7),
        )  # fmt: skip
        np.testing.assert_allclose(resampled[:, column], theirs.bootstrap_distribution, atol=1e-12)
        interval = theirs.confidence_interval
        assert ours.low[column] == pytest.approx(interval.low, abs=1e-8)
        assert ours.high[column] == pytest.approx(interval.high, abs=1e-8)


@pytest.mark.parametrize("tied", [False, True])
def test_rho_is_scipys_interval_on_scipys_resamples(tied):
    outcomes, _, _, score = data(tied)
    score = np.round(score) if tied else score
    (drawn,) = indices_as_scipy_draws_them((38,), COUNT, 7)
    none = np.zeros((38, 0))
    observed = rho_of_weights(outcomes, score, none, np.ones((1, 38)))[0]
    left_out = rho_of_weights(outcomes, score, none, 1 - np.eye(38))
    resampled = rho_of_weights(outcomes, score, none, counts(drawn, 38))
    ours = bca_intervals(observed, resampled, left_out, np.zeros(38, int))
    for column in range(outcomes.shape[1]):
        theirs = stats.bootstrap(
            (outcomes[:, column], score), lambda x, y: stats.spearmanr(x, y).statistic,
            n_resamples=COUNT, method="BCa", paired=True, vectorized=False,
            rng=np.random.default_rng(7),
        )  # fmt: skip
        np.testing.assert_allclose(resampled[:, column], theirs.bootstrap_distribution, atol=1e-10)
        interval = theirs.confidence_interval
        assert ours.low[column] == pytest.approx(interval.low, abs=1e-8)
        assert ours.high[column] == pytest.approx(interval.high, abs=1e-8)


@pytest.mark.parametrize("tied", [False, True])
def test_a_resample_of_the_rigorous_arm_is_the_analysis_of_those_subjects(tied):
    """Weighted fits and ranks against doing the whole on the repeated subjects."""
    outcomes, first, covariates, score = data(tied)
    draws = resample(np.where(first, 0, 1), 6, seed=2)
    weights = np.concatenate([draws.weights, draws.left_out[:2], np.ones((1, 38))])
    deltas = deltas_of_weights(outcomes, first, nuisance_space(covariates), weights)
    rhos = rho_of_weights(outcomes, score, covariates, weights)
    for number, row in enumerate(weights):
        who = np.repeat(np.arange(38), row.astype(int))
        nuisance = nuisance_space(covariates[who])
        residuals = np.round(nuisance.residuals(outcomes[who]), 10)
        np.testing.assert_allclose(deltas[number], cliffs_delta(residuals, first[who]), atol=1e-12)
        partial = partial_spearman(outcomes[who], score[who], ranked_nuisance(covariates[who]))
        np.testing.assert_allclose(rhos[number], partial.r, atol=1e-10)


def test_bias_and_acceleration_by_their_formulas():
    rng = np.random.default_rng(0)
    resampled = np.round(rng.normal(size=(500, 2)), 1)
    observed = np.array([0.3, -0.2])
    left_out = rng.gamma(1, size=(38, 2))
    share = [
        ((resampled[:, c] < observed[c]).sum() + (resampled[:, c] == observed[c]).sum() / 2) / 500
        for c in range(2)
    ]
    np.testing.assert_allclose(bias_correction(observed, resampled), stats.norm.ppf(share))
    influence = left_out.mean(axis=0) - left_out
    a = (influence**3).sum(axis=0) / (6 * (influence**2).sum(axis=0) ** 1.5)
    np.testing.assert_allclose(jackknife_acceleration(left_out, np.zeros(38, int)), a)


def test_resamples_are_of_their_stratum_and_the_same_again():
    strata = np.array([0, 1, 0, 1, 1, 0, 0])
    draws = resample(strata, 50, seed=3)
    assert (draws.weights[:, strata == 0].sum(axis=1) == 4).all()
    assert (draws.weights[:, strata == 1].sum(axis=1) == 3).all()
    np.testing.assert_array_equal(draws.weights, resample(strata, 50, seed=3).weights)
    assert (draws.weights != resample(strata, 50, seed=4).weights).any()
    # Each subject once on average, with the variance of a multinomial.
    many = resample(strata, 20_000, seed=1).weights
    np.testing.assert_allclose(many.mean(axis=0), 1, atol=0.03)
    np.testing.assert_allclose(many.var(axis=0), np.where(strata == 0, 3 / 4, 2 / 3), atol=0.03)


def test_chunks_of_cells_do_not_matter(monkeypatch):
    outcomes, first, covariates, score = data(m=5)
    whole = (
        delta_intervals(outcomes, first, nuisance_space(covariates), 99, 1),
        rho_intervals(outcomes, score, covariates, 99, 1),
    )
    for module in ("delta_intervals", "rho_intervals"):
        monkeypatch.setattr(f"qsmiron.statistics.{module}._CHUNK_NUMBERS", 500)
    pieces = (
        delta_intervals(outcomes, first, nuisance_space(covariates), 99, 1),
        rho_intervals(outcomes, score, covariates, 99, 1),
    )
    for one, two in zip(whole, pieces, strict=True):
        np.testing.assert_allclose(one.low, two.low, atol=1e-12)
        np.testing.assert_allclose(one.high, two.high, atol=1e-12)


def test_where_there_is_no_interval():
    outcomes, first, _, score = data(m=3)
    outcomes[:, 0] += 100 * first
    found = delta_intervals(outcomes, first, NOTHING, 99, 1)
    assert list(found.reason) == [SEPARATED, None, None]
    assert np.isnan(found.low[0]) and np.isfinite(found.high[1:]).all()
    outcomes[:, 1] = np.exp(score)
    found = rho_intervals(outcomes, score, np.zeros((38, 0)), 99, 1)
    assert list(found.reason) == [None, PERFECT, None]
    assert np.isnan(found.high[1])
    one = bca_intervals(np.array([5.0]), np.zeros((9, 1)), np.arange(4.0)[:, None], np.zeros(4))
    assert one.reason[0] == SHIFTED
    same = bca_intervals(np.zeros(1), np.zeros((9, 1)), np.zeros((4, 1)), np.zeros(4))
    assert same.reason[0] == RIGID


def test_a_metric_that_is_nearly_always_zero():
    outcomes, first, covariates, score = data(m=2)
    outcomes[:] = 0
    outcomes[np.flatnonzero(first)[0]] = 1
    for found in (
        delta_intervals(outcomes, first, NOTHING, 200, 1),
        delta_intervals(outcomes, first, nuisance_space(covariates), 200, 1),
        rho_intervals(outcomes, score, np.zeros((38, 0)), 200, 1),
        rho_intervals(outcomes, score, covariates, 200, 1),
    ):
        for low, high, reason in zip(*found, strict=True):
            assert np.isfinite(low) == np.isfinite(high) == (reason is None)
            assert reason is None or (low != low and reason.startswith(NO_INTERVAL))


@pytest.mark.parametrize("n", [7, 9, 12])
def test_tables_of_small_cohorts(make_regions, make_clinical, n):
    clinical = make_clinical(n=60).groupby("progression").head(n // 2 + 1).iloc[:n]
    regions = make_regions(n=60)
    regions = regions[regions["participant_id"].isin(clinical.index)]
    (cells,) = cell_matrices(regions)
    covariates = covariate_matrix(clinical, ("age",), cells.participants, "p.tsv")
    settings = Statistics(permutations=19, bootstrap=200)
    levels = ("fast", "slow")
    for table in (
        group_test_table(cells, "c", levels, clinical["progression"], covariates, settings),
        correlation_table(cells, "alsfrs_r", clinical["alsfrs_r"], covariates, settings),
    ):
        estimate = table["effect"] if "effect" in table else table["rho"]
        none = table["ci_low"].isna()
        assert table.loc[none, "reason"].notna().all()
        assert (table.loc[~none, "ci_low"] <= table.loc[~none, "ci_high"]).all()
        assert (table.loc[~none, ["ci_low", "ci_high"]].abs() <= 1 + 1e-12).all(axis=None)
        inside = (table["ci_low"] <= estimate) & (estimate <= table["ci_high"])
        assert inside[~none].mean() > 0.95
        assert np.isfinite(table.loc[~none, "p"]).sum() > 0


def test_intervals_do_not_depend_on_other_cells_and_can_be_left_out(make_regions, make_clinical):
    regions, clinical = make_regions(), make_clinical()
    regions.loc[(regions["index"] == 2) & (regions["participant_id"] == "sub-03"), "value"] = np.nan

    def run(part, bootstrap):
        (cells,) = cell_matrices(part)
        covariates = covariate_matrix(clinical, ("age", "sex"), cells.participants, "p.tsv")
        settings = Statistics(permutations=0, bootstrap=bootstrap)
        return correlation_table(cells, "umn_score", clinical["umn_score"], covariates, settings)

    whole = run(regions, 100)
    for index in (1, 2):
        part = run(regions[regions["index"] == index], 100)
        chosen = whole[whole["index"] == index]
        np.testing.assert_allclose(part["ci_low"], chosen["ci_low"], atol=1e-12)
    without = run(regions, 0)
    assert without[["ci_low", "ci_high"]].isna().all(axis=None)
    assert without.loc[without["metric"] != "iron_line", "reason"].isna().all()
