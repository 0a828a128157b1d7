"""ComBat against its published formulas, written as loops over regions and sites."""

import math

import numpy as np
import pandas as pd
import pytest

from qsmiron.errors import InputError
from qsmiron.statistics.cells import Cells
from qsmiron.statistics.combat import combat
from qsmiron.statistics.covariates import Covariates
from qsmiron.statistics.harmonisation import harmonise, refuse_confounded


def made_up(seed=3, sizes=(14, 9, 7), regions=12, missing=0.0):
    rng = np.random.default_rng(seed)
    sites = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    covariates = np.column_stack([rng.normal(60, 10, len(sites)), rng.integers(0, 2, len(sites))])
    shift = rng.normal(0, 8, (len(sizes), regions))
    width = rng.uniform(0.6, 2.2, (len(sizes), regions))
    noise = rng.normal(0, 10, (len(sites), regions))
    values = 30 + shift[sites] + width[sites] * noise + 0.4 * covariates[:, :1]
    values[rng.random(values.shape) < missing] = np.nan
    return values, sites, covariates


def naive_combat(values, sites, covariates):
    """Johnson et al. 2007, section 3: standardise, estimate the priors, iterate, adjust."""
    n, regions = values.shape
    names = sorted(set(sites))
    known = [[j for j in range(n) if not math.isnan(values[j, f])] for f in range(regions)]
    z, mean, sigma = {}, {}, []
    for f in range(regions):
        rows = known[f]
        x = [[float(sites[j] == i) for i in names] + list(covariates[j]) for j in rows]
        y = [values[j, f] for j in rows]
        b = np.linalg.solve(np.transpose(x) @ np.array(x), np.transpose(x) @ np.array(y))
        residual = [yj - float(np.dot(xj, b)) for xj, yj in zip(x, y, strict=True)]
        sigma.append(math.sqrt(math.fsum(r * r for r in residual) / len(rows)))
        share = [sum(sites[j] == i for j in rows) / len(rows) for i in names]
        grand = math.fsum(s * one for s, one in zip(share, b, strict=False))
        for j in range(n):
            mean[j, f] = grand + float(np.dot(covariates[j], b[len(names) :]))
            if j in rows:
                z[j, f] = (values[j, f] - mean[j, f]) / sigma[f]
    adjusted = np.full(values.shape, np.nan)
    for i in names:
        members = [[z[j, f] for j in known[f] if sites[j] == i] for f in range(regions)]
        gamma = [math.fsum(m) / len(m) for m in members]
        delta = [
            math.fsum((v - g) ** 2 for v in m) / (len(m) - 1)
            for m, g in zip(members, gamma, strict=True)
        ]
        g_bar = math.fsum(gamma) / regions
        tau = math.fsum((g - g_bar) ** 2 for g in gamma) / (regions - 1)
        v_bar = math.fsum(delta) / regions
        s2 = math.fsum((d - v_bar) ** 2 for d in delta) / (regions - 1)
        lam, theta = (v_bar**2 + 2 * s2) / s2, (v_bar**3 + v_bar * s2) / s2
        for f in range(regions):
            g, d = gamma[f], delta[f]
            k = len(members[f])
            for _ in range(500):
                g = (k * tau * gamma[f] + d * g_bar) / (k * tau + d)
                squares = math.fsum((v - g) ** 2 for v in members[f])
                d = (theta + squares / 2) / (k / 2 + lam - 1)
            for j in known[f]:
                if sites[j] == i:
                    adjusted[j, f] = sigma[f] * (z[j, f] - g) / math.sqrt(d) + mean[j, f]
    return adjusted


@pytest.mark.parametrize("missing", [0.0, 0.04])
@pytest.mark.parametrize("sizes", [(12, 12), (20, 6), (14, 9, 7)])
def test_equals_the_published_formulas(sizes, missing):
    values, sites, covariates = made_up(sizes=sizes, missing=missing)
    found = combat(values, sites, covariates)
    np.testing.assert_allclose(found, naive_combat(values, sites, covariates), rtol=1e-7)
    assert (np.isfinite(found) == np.isfinite(values)).all()


def test_sites_end_alike_and_the_protected_part_stays():
    values, sites, covariates = made_up(sizes=(300, 300), regions=20)
    found = combat(values, sites, covariates)
    model = np.column_stack([np.ones(len(sites)), sites == 1, covariates])
    slopes = np.linalg.lstsq(model, found, rcond=None)[0]
    before = np.linalg.lstsq(model, values, rcond=None)[0]
    assert np.abs(slopes[1]).max() < 0.15 * np.abs(before[1]).max()
    assert slopes[2] == pytest.approx(before[2], abs=0.2)
    left = found - model @ slopes
    spread = [left[sites == site].std(axis=0) for site in (0, 1)]
    np.testing.assert_allclose(spread[0], spread[1], rtol=0.1)


def test_the_unit_does_not_matter():
    values, sites, covariates = made_up()
    moved = combat(1000 * values - 5, sites, covariates)
    np.testing.assert_allclose(moved, 1000 * combat(values, sites, covariates) - 5, rtol=1e-8)


def test_a_region_that_a_site_lacks_or_that_is_constant_is_missing():
    values, sites, covariates = made_up()
    values[sites == 1, 4] = np.nan
    values[:, 5] = 7.0
    found = combat(values, sites, covariates)
    assert np.isnan(found[:, [4, 5]]).all()
    others = np.delete(np.arange(12), [4, 5])
    expected = combat(values[:, others], sites, covariates)
    np.testing.assert_allclose(found[:, others], expected, rtol=1e-8)


def cells_of(values):
    index = pd.DataFrame(
        {
            "region": [f"r{i}" for i in range(values.shape[1])],
            "hemisphere": "L",
            "index": range(values.shape[1]),
            "metric": "chi_mean",
            "family": "susceptibility",
        }
    )
    people = pd.Index([f"sub-{i:02d}" for i in range(len(values))])
    return Cells("main", "made_up", people, index, values)


def test_who_lacks_the_site_or_a_covariate_has_no_value_and_the_others_are_as_without():
    values, sites, matrix = made_up()
    covariates = Covariates(("age", "sex"), ("age", "sex"), matrix.copy())
    covariates.values[0, 0] = np.nan
    codes = sites.copy()
    codes[5] = -1
    found = harmonise(cells_of(values), codes, covariates, "site")
    kept = np.delete(np.arange(len(sites)), [0, 5])
    assert np.isnan(found.values[[0, 5]]).all()
    expected = combat(values[kept], sites[kept], matrix[kept])
    np.testing.assert_array_equal(found.values[kept], expected)
    assert found.adjusted("age,sex") == "age,sex,combat(site)"
    assert found.adjusted(None) == "combat(site)"
    np.testing.assert_array_equal(found.measured, values)


def test_sites_too_small_or_told_apart_by_a_covariate_are_refused():
    values, sites, matrix = made_up(sizes=(20, 2))
    covariates = Covariates(("age", "sex"), ("age", "sex"), matrix)
    with pytest.raises(InputError, match="2 sites with 20, 2 participants"):
        harmonise(cells_of(values), sites, covariates, "site")
    with pytest.raises(InputError, match="1 sites with 22 participants"):
        harmonise(cells_of(values), np.zeros(22, int), covariates, "site")
    values, sites, matrix = made_up(sizes=(12, 12))
    matrix[:, 1] = sites
    covariates = Covariates(("age", "sex"), ("age", "sex"), matrix)
    with pytest.raises(InputError, match="sites that age,sex tell apart"):
        harmonise(cells_of(values), sites, covariates, "site")


def test_groups_at_different_sites_are_refused():
    sites = pd.Series(["a", "a", "b", "b", None])
    refuse_confounded(pd.Series([1.0, 0, 0, 0, 1]), sites, ("ALS", "healthy"), "config")
    with pytest.raises(InputError, match="ALS and healthy at different sites"):
        refuse_confounded(pd.Series([1.0, 1, 0, 0, 1]), sites, ("ALS", "healthy"), "config")
