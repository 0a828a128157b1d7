"""The multiverse: its tests against the group's tables, its joint p against a plain loop."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from tables_of_tests import correlation_table, group_test_table

from qsmiron.statistics.cells import cell_matrices
from qsmiron.statistics.covariates import (
    Covariates,
    RegionalCovariate,
    covariate_matrix,
    no_covariates,
)
from qsmiron.statistics.headline_tables import different
from qsmiron.statistics.headlines import Headline
from qsmiron.statistics.linear import nuisance_space
from qsmiron.statistics.multiverse import Specification, curve, specifications
from qsmiron.statistics.permutation import Permutations
from qsmiron.statistics.rank_ancova import rank_ancova
from qsmiron.statistics.regressors import ContrastRegressor, ScoreRegressor
from qsmiron.statistics.settings import Statistics

LEVELS = ("fast", "slow")
METRICS = ["chi_mean", "chi_median", "deposit_volume"]
SETS = [("age", "sex"), (), ("age",)]
NO_RESAMPLING = Statistics(permutations=0, bootstrap=0)
HEADLINE = Headline("contrast", "c", "susceptibility", "chi_mean", "region0", "R", 2, "cohort")


def contrast_of(clinical):
    group = clinical["progression"].map({"fast": 1.0, "slow": 0.0}).astype(float)
    return ContrastRegressor("c", group)


def score_of(clinical):
    return ScoreRegressor("alsfrs_r", clinical["alsfrs_r"])


REGRESSORS = [contrast_of, score_of]


def sets_of(clinical, branches, sets=SETS):
    return {
        cells.desc: [covariate_matrix(clinical, each, cells.participants, "p") for each in sets]
        for cells in branches
    }


def everybody(branches):
    return pd.Index(dict.fromkeys(name for cells in branches for name in cells.participants))


def specify(clinical, branches, regressor, headline=HEADLINE, metrics=METRICS, sets=SETS):
    covariates = sets_of(clinical, branches, sets)
    return specifications(headline, branches, metrics, covariates, regressor, everybody(branches))


@pytest.fixture
def clinical(make_clinical):
    """With a missing covariate, a missing group and a missing score."""
    table = make_clinical(n=20)
    table.loc["sub-04", "age"] = np.nan
    table.loc["sub-07", "progression"] = None
    table.loc["sub-09", "alsfrs_r"] = np.nan
    return table


@pytest.fixture
def branches(make_regions):
    """Four: the main one; one without a value; one without a participant; in another order."""
    tables = [
        make_regions(n=20, n_regions=2, seed=seed, desc=desc)
        for seed, desc in enumerate(["main", "hole", "short", "turned"])
    ]
    cell = (tables[1]["participant_id"] == "sub-02") & (tables[1]["metric"] == "chi_mean")
    tables[1].loc[cell, "value"] = np.nan
    tables[2] = tables[2][tables[2]["participant_id"] != "sub-11"]
    tables[3] = tables[3].iloc[::-1]
    return [cells for table in tables for cells in cell_matrices(table)]


def table_of(cells, clinical, covariates, regressor):
    """Rigorous rows of the group's table, with ``effect`` whatever the table calls it."""
    if regressor.kind == "contrast":
        group = clinical["progression"]
        found = group_test_table(cells, "c", LEVELS, group, covariates, NO_RESAMPLING)
        found["n"] = found["n_1"] + found["n_2"]
    else:
        score = clinical["alsfrs_r"]
        found = correlation_table(cells, "alsfrs_r", score, covariates, NO_RESAMPLING)
        found = found.rename(columns={"rho": "effect"})
    return found[found["arm"] == "rigorous"]


@pytest.mark.parametrize("make", REGRESSORS)
def test_every_specification_is_that_of_the_group_s_table(clinical, branches, make):
    regressor = make(clinical)
    found = specify(clinical, branches, regressor)
    assert len(found) == len(branches) * len(METRICS) * len(SETS)
    by_desc = {cells.desc: cells for cells in branches}
    counts = set()
    for one in found:
        cells = by_desc[one.desc]
        names = tuple(one.covariates.split(",")) if one.covariates else ()
        covariates = covariate_matrix(clinical, names, cells.participants, "p")
        rows = table_of(cells, clinical, covariates, regressor)
        (row,) = rows[(rows["metric"] == one.metric) & (rows["index"] == 2)].to_dict("records")
        assert row["region"] == "region0"
        assert one.reason is None
        assert (one.n, one.test.df) == (row["n"], row["df"])
        assert one.effect == pytest.approx(row["effect"], abs=1e-10)
        assert one.p == pytest.approx(row["p"], abs=1e-10)
        counts.add(one.n)
    assert counts == {17, 18, 19}  # 20 without group or score, age, value or scan


@pytest.mark.parametrize("make", REGRESSORS)
def test_the_main_specification_is_the_first(clinical, branches, make):
    found = specify(clinical, branches, make(clinical))
    labels = [(one.desc, one.metric, one.covariates) for one in found]
    assert labels[0] == ("main", "chi_mean", "age,sex")
    assert len(set(labels)) == len(labels)


def test_rows_are_the_subjects_numbers_among_everybody(clinical, branches):
    people = everybody(branches)
    for one in specify(clinical, branches, contrast_of(clinical)):
        names = list(people[one.rows])
        assert len(names) == one.n
        assert "sub-07" not in names
        assert ("sub-04" in names) == (one.covariates is None)
        assert ("sub-11" in names) == (one.desc != "short")
        assert ("sub-02" in names) == ((one.desc, one.metric) != ("hole", "chi_mean"))
    (*_, turned) = specify(clinical, branches, contrast_of(clinical))
    assert turned.desc == "turned"
    assert list(turned.rows) == sorted(turned.rows)
    cells = branches[-1]
    backwards = replace(cells, participants=cells.participants[::-1], values=cells.values[::-1])
    (*_, reverse) = specify(clinical, [*branches[:-1], backwards], contrast_of(clinical))
    assert list(reverse.rows) == list(turned.rows)[::-1]
    assert reverse.effect == pytest.approx(turned.effect)


def impossible(what, make_clinical, make_regions):
    clinical, regions = make_clinical(n=20), make_regions(n=20, n_regions=2)
    here = regions["index"] == 2
    metric, names = "chi_mean", ("age", "sex")
    if what == "not measured":
        metric = "chi_trimmed_mean"
    elif what == "too few degrees of freedom":
        regions = regions[regions["participant_id"].isin(clinical.index[:5])]
    elif what == "fewer than 3 subjects in a group":
        slow = clinical.index[clinical["progression"] == "slow"]
        clinical.loc[slow[2:], "progression"] = None
        names = ()
    elif what == "covariates are constant":
        clinical["sex"] = "F"
    elif what == "collinear with the covariates":
        clinical["sex"] = clinical["progression"]
        clinical["age"] = clinical["alsfrs_r"]
    elif what == "constant metric":
        regions.loc[here, "value"] = 1.0
    elif what == "no variation left":
        ages = clinical.loc[regions.loc[here, "participant_id"], "age"].to_numpy()
        regions.loc[here, "value"] = 2 * ages + 1
    elif what == "no variation left of the ranks":
        clinical["age"] = stats.rankdata(clinical["age"], method="ordinal").astype(float)
        ages = clinical.loc[regions.loc[here, "participant_id"], "age"].to_numpy()
        regions.loc[here, "value"] = ages**3
    return clinical, regions, metric, names


IMPOSSIBLE = [
    "not measured",
    "too few degrees of freedom",
    "fewer than 3 subjects in a group",
    "covariates are constant",
    "collinear with the covariates",
    "constant metric",
    "no variation left",
    "no variation left of the ranks",
]


@pytest.mark.parametrize(
    ("make", "what"),
    [
        (make, what)
        for make in REGRESSORS
        for what in IMPOSSIBLE
        if make is contrast_of or "group" not in what
    ],
)
def test_an_impossible_one_has_a_reason(what, make, make_clinical, make_regions):
    clinical, regions, metric, names = impossible(what, make_clinical, make_regions)
    regressor = make(clinical)
    (cells,) = cell_matrices(regions)
    (one,) = specify(clinical, [cells], regressor, metrics=[metric], sets=[names])
    assert one.test is None
    assert np.isnan(one.p)
    assert np.isnan(one.effect)
    assert what.removesuffix(" of the ranks") in one.reason
    if what == "not measured":
        assert one.n == 0
        return
    covariates = covariate_matrix(clinical, names, cells.participants, "p")
    rows = table_of(cells, clinical, covariates, regressor)
    (row,) = rows[(rows["metric"] == metric) & (rows["index"] == 2)].to_dict("records")
    assert np.isnan(row["p"])
    assert row["reason"]


def test_a_constant_score_has_a_reason(make_clinical, make_regions):
    clinical = make_clinical(n=20).assign(alsfrs_r=40.0)
    (cells,) = cell_matrices(make_regions(n=20, n_regions=2))
    (one,) = specify(clinical, [cells], score_of(clinical), metrics=["chi_mean"], sets=[()])
    assert one.reason == "the score is constant or collinear with the covariates"


def looped(found, branches, clinical, regressor, permutations, alpha):
    """(p_median, p_share), by fitting the full model again for every permutation."""
    people = everybody(branches)
    by_desc = {cells.desc: cells for cells in branches}
    r, p = [], []
    for one in found:
        if not one.holds(found[0]):
            continue
        cells = by_desc[one.desc]
        names = people[one.rows]
        column = np.flatnonzero((cells.index["index"] == 2) & (cells.index["metric"] == one.metric))
        position = cells.participants.get_indexer(names)
        ranks = stats.rankdata(cells.values[position, column[0]])
        x = regressor.values[names].to_numpy(float)
        design = np.ones((len(names), 1))
        if one.covariates:
            values = [clinical.loc[names, key] for key in one.covariates.split(",")]
            numeric = pd.api.types.is_numeric_dtype
            values = [v if numeric(v) else (v == "M").astype(float) for v in values]
            design = np.column_stack([design, *values])
        if regressor.kind == "score":
            x = stats.rankdata(x)
            design[:, 1:] = stats.rankdata(design[:, 1:], axis=0)
        fit = sm.OLS(ranks, design).fit()
        full = np.column_stack([design, x])
        outcomes = [ranks]
        for chunk in permutations.orders(one.rows, permutations.count):
            outcomes += [fit.fittedvalues + fit.resid[np.argsort(order)] for order in chunk]
        fits = [sm.OLS(outcome, full).fit() for outcome in outcomes]
        t = np.array([each.tvalues[-1] for each in fits])
        r.append(t / np.sqrt(fits[0].df_resid + t**2))
        p.append([each.pvalues[-1] for each in fits])
    r, p = np.array(r), np.array(p)
    median = np.abs(np.median(r, axis=0))
    passed = p <= alpha * (1 + 1e-9)
    share = np.maximum((passed & (r > 0)).sum(axis=0), (passed & (r < 0)).sum(axis=0))
    return [
        ((reached[1:] >= reached[0] - 1e-9).sum() + 1) / (permutations.count + 1)
        for reached in (median, share)
    ]


@pytest.mark.parametrize("effect", [0.0, 0.7])
@pytest.mark.parametrize("make", REGRESSORS)
def test_the_joint_p_is_that_of_a_loop(clinical, branches, make, effect):
    regressor = make(clinical)
    x = regressor.values
    common = np.random.default_rng(5).normal(size=20)
    shifted = []
    for cells in branches:
        position = x.index.get_indexer(cells.participants)
        moved = common + effect * np.nan_to_num((x - x.mean()) / x.std())
        shifted.append(replace(cells, values=cells.values + moved[position, None]))
    found = specify(clinical, shifted, regressor, metrics=["chi_mean", "deposit_volume"])
    permutations = Permutations(seed=4, count=79, n_subjects=20)
    summary = curve(found, permutations, alpha=0.2)
    expected = looped(found, shifted, clinical, regressor, permutations, alpha=0.2)
    assert [summary.p_median, summary.p_share] == expected
    if not effect:
        assert 0.02 < summary.p_median < 1


def null_cohort(rng, n=20, n_specifications=7):
    """Specifications of one outcome, measured with noise; some without the first subjects.

    Groups do not differ in age: where they do, each rank ANCOVA by itself is slightly liberal.
    """
    first = rng.permutation(n) < 9
    age = rng.normal(size=(n, 1))
    outcome = rng.normal(size=n) + age[:, 0]
    found = []
    for number in range(n_specifications):
        rows = np.arange(2 * (number % 2), n)
        covariates = age[rows][:, : number % 3 > 0]
        values = outcome[rows, None] + 0.6 * rng.normal(size=(len(rows), 1))
        nuisance = nuisance_space(covariates)
        test = rank_ancova(values, first[rows], nuisance)
        found.append(
            Specification("d", "m", None, len(rows), None, float(test.r[0]), test, nuisance, rows)
        )
    return found


def test_the_joint_p_is_uniform_without_an_effect():
    cohorts, alpha = 800, 0.05
    rng = np.random.default_rng(8)
    found = []
    for number in range(cohorts):
        summary = curve(null_cohort(rng), Permutations(number, 99, 20), alpha)
        found.append((summary.p_median, summary.p_share))
    for level in (0.05, 0.1, 0.25, 0.5, 0.75):
        # 99.9 % bounds of each of five rates
        low, high = stats.binom.ppf([0.0005, 0.9995], cohorts, level) / cohorts
        at_level = (np.array(found) <= level + 1e-12).mean(axis=0)
        assert low <= at_level[0] <= high, level
        # the share is a small whole number, so that its p is coarse, and never too small
        assert at_level[1] <= high, level


def test_a_planted_effect_is_found(clinical, branches):
    """Of 2 SD, in every branch."""
    regressor = contrast_of(clinical)
    shifted = [
        replace(
            cells,
            values=cells.values
            + 2.0 * np.nan_to_num(regressor.values[cells.participants].to_numpy())[:, None],
        )
        for cells in branches
    ]
    found = specify(clinical, shifted, regressor)
    summary = curve(found, Permutations(1, 499, 20), 0.05)
    assert summary.p_median <= 0.01
    assert summary.p_share <= 0.01
    assert summary.n_same_sign == summary.n_tested
    assert summary.effect_low > 0


def test_the_joint_p_sees_both_directions(clinical, branches):
    regressor = contrast_of(clinical)
    turned = ContrastRegressor("c", 1 - regressor.values)
    one, other = (
        curve(specify(clinical, branches, each), Permutations(1, 99, 20), 0.05)
        for each in (regressor, turned)
    )
    assert one.effect_main == pytest.approx(-other.effect_main, abs=1e-12)
    assert (one.p_median, one.p_share) == (other.p_median, other.p_share)


def test_a_covariate_of_the_region_is_that_of_the_headline(make_clinical, make_regions):
    clinical = make_clinical(n=20)
    (cells,) = cell_matrices(make_regions(n=20, n_regions=2))
    volumes = np.random.default_rng(0).normal(size=(20, 2))
    regional = RegionalCovariate("region_volume", np.array([1, 2]), volumes)
    covariates = replace(no_covariates(20), regional=regional)
    plain = Covariates(("v",), ("v",), volumes[:, 1:])
    people = pd.Index(cells.participants)
    one, other = (
        specifications(
            HEADLINE, [cells], ["chi_mean"], {"main": [each]}, contrast_of(clinical), people
        )[0]
        for each in (covariates, plain)
    )
    assert one.covariates == "region_volume"
    assert one.p == pytest.approx(other.p, abs=1e-12)


def test_a_branch_counts_once_where_a_family_does_not_see_its_choice(make_regions):
    made = {
        "main": ("brain", "source_tv", "0"),
        "csf": ("csf", "source_tv", "0"),
        "eroded": ("brain", "source_tv", "2"),
        "other": ("brain", "r2star", "0"),
        "both": ("brain", "r2star", "2"),
    }
    choices = {
        desc: dict(zip(("reference", "sources", "regions"), chosen, strict=True))
        for desc, chosen in made.items()
    }
    branches = [
        cells for desc in made for cells in cell_matrices(make_regions(n=6, n_regions=2, desc=desc))
    ]

    def taken(family, known=choices):
        return [cells.desc for cells in different(branches, known, family)]

    assert taken("susceptibility") == ["main", "csf", "eroded"]
    for family in ("paramagnetic", "diamagnetic"):
        assert taken(family) == ["main", "eroded", "other", "both"]
    # of branches whose choices nobody told none is left out
    assert taken("diamagnetic", {}) == list(made)
