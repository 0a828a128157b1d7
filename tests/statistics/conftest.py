"""Made-up regions and clinical tables for the tests of the group statistics."""

import numpy as np
import pandas as pd
import pytest

FAMILIES = {
    "chi_mean": "susceptibility",
    "chi_median": "susceptibility",
    "chi_sd": "distribution",
    "chi_skewness": "distribution",
    "iron_line": "iron_concentration",
    "iron_calibrated": "iron_concentration",
    "deposit_volume": "iron_deposits",
    "deposit_fraction": "iron_deposits",
    "r2star_mean": "relaxation",
}


def clinical_table(n=38, seed=0):
    """Participants in random order of groups; numeric columns float, text object, like a reader."""
    rng = np.random.default_rng(seed)
    first = rng.permutation(n) < round(n * 16 / 38)
    baseline = rng.integers(25, 47, n).astype(float)
    return pd.DataFrame(
        {
            "age": rng.normal(58.7, 9.8, n).round(1),
            "sex": np.where(rng.permutation(n) < round(0.6 * n), "M", "F").astype(object),
            "alsfrs_r": baseline,
            "alsfrs_r_followup": baseline - rng.integers(1, 15, n),
            "delta_fs": rng.gamma(2, 0.4, n).round(2),
            "umn_score": rng.integers(0, 28, n).astype(float),
            "ecas_total": rng.integers(70, 125, n).astype(float),
            "progression": np.where(first, "fast", "slow").astype(object),
            "phenotype": np.where(rng.permutation(n) < n // 2, "UMN+", "other").astype(object),
        },
        index=pd.Index([f"sub-{i:02d}" for i in range(1, n + 1)], name="participant_id"),
    )


def regions_table(n=38, n_regions=5, seed=1, desc="main", correlation=0.0):
    """Regions table: every metric of every region, without any effect of anything.

    ``correlation`` is that between any two regions. Deposit volumes are whole numbers with ties;
    iron_line is a line of chi_mean.
    """
    rng = np.random.default_rng(seed)
    common = rng.normal(size=(n, len(FAMILIES), 1))
    own = rng.normal(size=(n, len(FAMILIES), n_regions))
    values = np.sqrt(correlation) * common + np.sqrt(1 - correlation) * own
    names = list(FAMILIES)
    values[:, names.index("deposit_volume")] = np.round(
        np.exp(values[:, names.index("deposit_volume")])
    )
    values[:, names.index("iron_line")] = values[:, names.index("chi_mean")] / 0.89e-3
    who, metric, region = np.indices(values.shape).reshape(3, -1)
    return pd.DataFrame(
        {
            "participant_id": np.char.mod("sub-%02d", who + 1).astype(object),
            "session": pd.Series(np.nan, index=range(values.size), dtype=object),
            "desc": desc,
            "atlas": "DK",
            "labels_source": "atlas",
            "index": region + 1,
            "region": np.char.mod("region%d", region // 2).astype(object),
            "hemisphere": np.where(region % 2, "R", "L").astype(object),
            "metric": np.array(names, dtype=object)[metric],
            "family": np.array([FAMILIES[name] for name in names], dtype=object)[metric],
            "value": values.ravel(),
            "unit": "ppm",
            "n_voxels": 100,
            "coverage": 1.0,
        }
    )


@pytest.fixture
def make_clinical():
    """:func:`clinical_table`."""
    return clinical_table


@pytest.fixture
def make_regions():
    """:func:`regions_table`."""
    return regions_table
