"""Mixed models against statsmodels, a dense likelihood, exact designs and a published table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import optimize, stats

from qsmiron.statistics.change.mixed_model import fit_mixed
from qsmiron.statistics.change.satterthwaite import degrees_of_freedom

PUBLISHED = Path(__file__).parents[4] / "shared/data/pd_longitudinal"


@pytest.fixture
def unbalanced():
    """Visits of 25 people, one to four each, and three outcomes of very different units."""
    rng = np.random.default_rng(4)
    person = np.repeat(np.arange(25), rng.integers(1, 5, 25))
    time = rng.uniform(0, 3, len(person))
    age = rng.normal(60, 9, 25)[person]
    fixed = np.column_stack([np.ones(len(person)), age, time])
    own = rng.normal(size=(25, 2))[person]
    outcomes = 3 * own[:, :1] + 1.5 * own[:, 1:] * time[:, None]
    outcomes = outcomes + 0.05 * age[:, None] + rng.normal(size=(len(person), 3))
    return outcomes * [1, 1e-4, 1e3], fixed, person, time


@pytest.mark.parametrize("likelihood", ["reml", "ml"])
def test_a_random_intercept_is_that_of_statsmodels(unbalanced, likelihood):
    outcomes, fixed, person, _ = unbalanced
    fit = fit_mixed(outcomes, fixed, person, likelihood)
    for number, outcome in enumerate(outcomes.T):
        scale = outcome.std()
        theirs = sm.MixedLM(outcome / scale, fixed, person).fit(reml=likelihood == "reml")
        np.testing.assert_allclose(fit.beta[number] / scale, theirs.fe_params, rtol=1e-4)
        assert fit.sigma[number] / scale == pytest.approx(np.sqrt(theirs.scale), rel=1e-4)
        ours = fit.theta[number, 0] ** 2 * fit.sigma[number] ** 2 / scale**2
        assert ours == pytest.approx(float(theirs.cov_re[0, 0]), rel=1e-3)
        error = np.sqrt(np.diag(fit.covariance[number])) / scale
        np.testing.assert_allclose(error, theirs.bse_fe, rtol=1e-3)


def dense_deviance(theta, outcome, fixed, person, time, reml):
    """−2 log likelihood by matrices of all scans at once, σ and β profiled out; and these."""
    columns = [np.ones(len(time))]
    if len(theta) == 3:
        columns.append((time - time.mean()) / time.std())
    lower = np.array([[theta[0]]])
    if len(theta) == 3:
        lower = np.array([[theta[0], 0], [theta[1], theta[2]]])
    random = np.column_stack(columns)
    same = person[:, None] == person[None, :]
    v = np.eye(len(time)) + same * (random @ lower @ lower.T @ random.T)
    inverse = np.linalg.inv(v)
    covariance = np.linalg.inv(fixed.T @ inverse @ fixed)
    beta = covariance @ fixed.T @ inverse @ outcome
    left = outcome - fixed @ beta
    n = len(time) - (fixed.shape[1] if reml else 0)
    variance = left @ inverse @ left / n
    deviance = np.linalg.slogdet(v)[1] + n * np.log(variance)
    if reml:
        deviance -= np.linalg.slogdet(covariance)[1]
    return deviance, beta, covariance * variance, variance


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("slope", [True, False])
def test_the_optimum_is_that_of_a_dense_likelihood(unbalanced, reml, slope):
    outcomes, fixed, person, time = unbalanced
    how = "reml" if reml else "ml"
    fit = fit_mixed(outcomes, fixed, person, how, time if slope else None)
    assert fit.converged.all()
    start = [1.0, 0.0, 1.0] if slope else [1.0]
    for number, outcome in enumerate(outcomes.T):
        scaled = outcome / outcome.std()
        data = (scaled, fixed, person, time, reml)
        best = optimize.minimize(
            lambda theta, data=data: dense_deviance(theta, *data)[0], start,
            method="Nelder-Mead", options={"xatol": 1e-9, "fatol": 1e-11, "maxiter": 5000},
        )  # fmt: skip
        ours = dense_deviance(fit.theta[number], *data)
        assert ours[0] == pytest.approx(best.fun, abs=1e-7)
        _, beta, covariance, variance = dense_deviance(best.x, *data)
        scale = outcome.std()
        np.testing.assert_allclose(fit.beta[number] / scale, beta, rtol=2e-5)
        np.testing.assert_allclose(fit.covariance[number] / scale**2, covariance, rtol=1e-4)
        assert fit.sigma[number] / scale == pytest.approx(np.sqrt(variance), rel=1e-5)


def test_many_outcomes_at_once_are_each_alone(unbalanced):
    outcomes, fixed, person, time = unbalanced
    together = fit_mixed(outcomes, fixed, person, "reml", time)
    for number in range(3):
        alone = fit_mixed(outcomes[:, [number]], fixed, person, "reml", time)
        np.testing.assert_allclose(together.beta[number], alone.beta[0], rtol=1e-6)


def balanced(seed=1, n=14, visits=4):
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(n), visits)
    time = np.tile(np.arange(visits), n).astype(float)
    group = (person < n // 2).astype(float)
    outcome = 2 * rng.normal(size=n)[person] + 0.3 * time + rng.normal(size=n * visits)
    return outcome, person, time, group


def test_degrees_of_freedom_of_a_balanced_design_are_exact():
    """Those of the split-plot analysis of variance: within and between people."""
    outcome, person, time, group = balanced()
    n, visits = 14, 4
    fixed = np.column_stack([np.ones(len(time)), group, time, group * time])
    fit = fit_mixed(outcome[:, None], fixed, person)
    within = n * (visits - 1) - 2
    assert degrees_of_freedom(fit, np.array([0, 0, 0, 1.0]))[0] == pytest.approx(within, rel=1e-5)
    # the groups' difference at the mean time lies between people alone
    between = np.array([0, 1, 0, time.mean()])
    assert degrees_of_freedom(fit, between)[0] == pytest.approx(n - 2, rel=1e-4)


def test_p_of_a_balanced_design_is_that_of_the_analysis_of_variance():
    """Rate within people: F of time over its residual; groups: t of the people's means."""
    outcome, person, time, group = balanced(seed=3)
    fixed = np.column_stack([np.ones(len(time)), group, time])
    fit = fit_mixed(outcome[:, None], fixed, person)
    ols = sm.OLS(outcome, np.column_stack([np.eye(14)[person], time])).fit()
    estimate, error = fit.estimate(np.array([0, 0, 1.0]))
    assert estimate[0] / error[0] == pytest.approx(ols.tvalues[-1], rel=1e-5)
    assert degrees_of_freedom(fit, np.array([0, 0, 1.0]))[0] == pytest.approx(ols.df_resid, 1e-5)
    means = pd.Series(outcome).groupby(person).mean()
    t = stats.ttest_ind(means[:7], means[7:])
    estimate, error = fit.estimate(np.array([0, 1.0, 0]))
    assert estimate[0] / error[0] == pytest.approx(t.statistic, rel=1e-5)
    df = degrees_of_freedom(fit, np.array([0, 1.0, 0]))[0]
    assert 2 * stats.t.sf(abs(estimate[0] / error[0]), df) == pytest.approx(t.pvalue, rel=1e-4)


def test_people_who_do_not_differ_leave_least_squares():
    rng = np.random.default_rng(8)
    person = np.repeat(np.arange(20), 3)
    x = rng.normal(size=60)
    outcome = rng.normal(size=60)
    outcome -= (np.bincount(person, outcome) / 3)[person]
    fit = fit_mixed(outcome[:, None], np.column_stack([np.ones(60), x]), person)
    ols = sm.OLS(outcome, sm.add_constant(x)).fit()
    assert fit.theta[0, 0] == 0
    np.testing.assert_allclose(fit.beta[0], ols.params, rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(np.diag(fit.covariance[0])), ols.bse, rtol=1e-9)
    df = degrees_of_freedom(fit, np.array([0.0, 1.0]))[0]
    assert df == pytest.approx(ols.df_resid, rel=1e-5)


def test_a_slope_that_nobody_has_of_his_own_does_not_converge():
    rng = np.random.default_rng(2)
    person, time = np.repeat(np.arange(20), 4), np.tile(np.arange(4.0), 20)
    outcome = rng.normal(size=20)[person] + 0.5 * time
    outcome = outcome + 0.1 * np.tile([1, -1, -1, 1], 20) * rng.normal(size=20)[person]
    fixed = np.column_stack([np.ones(80), time])
    assert not fit_mixed(outcome[:, None], fixed, person, "reml", time).converged[0]


def test_degrees_of_freedom_with_own_slopes_are_those_of_the_people():
    rng = np.random.default_rng(5)
    person, time = np.repeat(np.arange(18), 5), np.tile(np.arange(5.0), 18)
    own = rng.normal(size=18)
    outcome = rng.normal(size=18)[person] + own[person] * time + rng.normal(size=90)
    fixed = np.column_stack([np.ones(90), time])
    fit = fit_mixed(outcome[:, None], fixed, person, "reml", time)
    slopes = np.array([np.polyfit(time[person == who], outcome[person == who], 1)[0]
                       for who in range(18)])  # fmt: skip
    t = stats.ttest_1samp(slopes, 0)
    estimate, error = fit.estimate(np.array([0, 1.0]))
    assert estimate[0] / error[0] == pytest.approx(t.statistic, rel=1e-4)
    assert degrees_of_freedom(fit, np.array([0, 1.0]))[0] == pytest.approx(17, rel=1e-4)


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason="no published data beside the project")
def test_a_published_table_comes_out():
    """59 patients at two visits, 12 regions: estimates, p and false discovery rates (ML)."""
    name = "ROIs_bilat_QSM_data_PD_v1+v3.csv"
    data = pd.read_csv(PUBLISHED / name)
    table = pd.read_csv(PUBLISHED / f"LMM.stats.{name}")
    fixed = np.column_stack(
        [np.ones(len(data)), data["Age baseline"], data["Sex"] == "M", data["fup interval"]]
    ).astype(float)
    outcomes = data.iloc[:, -12:].to_numpy(float)
    fit = fit_mixed(outcomes, fixed, pd.factorize(data["Subject"])[0], "ml")
    interval = np.array([0, 0, 0, 1.0])
    estimate, error = fit.estimate(interval)
    p = 2 * stats.t.sf(np.abs(estimate / error), degrees_of_freedom(fit, interval))
    np.testing.assert_allclose(estimate, table["beta"], rtol=1e-6)
    np.testing.assert_allclose(p, table["p-value"], atol=1e-4)
    np.testing.assert_allclose(stats.false_discovery_control(p), table["fdr p-value"], atol=5.1e-4)
