"""Covariates that come from the scans, against the same numbers as clinical columns."""

import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from tables_of_tests import (
    correlation_table,
    distribution_test_table,
    group_test_table,
    null_rate_table,
)

from qsmiron.errors import InputError
from qsmiron.statistics.inputs import read_inputs
from qsmiron.statistics.quantile_functions import read_quantile_functions
from qsmiron.statistics.settings import Statistics
from qsmiron.tables import TABLES, write_table

SETTINGS = Statistics(permutations=200, bootstrap=200, null_permutations=50)
LEVELS = ("fast", "slow")


@pytest.fixture
def files(tmp_path, make_clinical, make_regions):
    """Regions, clinical table, quality and region_voxels tables, the last two of random numbers."""
    rng = np.random.default_rng(5)
    regions, clinical = make_regions(), make_clinical()
    who = list(clinical.index)
    quality = pd.DataFrame({"participant_id": who, "desc": "main"})
    quality["field_noise"] = rng.gamma(3, 1e-3, len(who))
    quality["reliable_fraction"] = rng.uniform(0.8, 0.95, len(who))
    cells = regions[["index", "region", "hemisphere"]].drop_duplicates()
    volumes = cells.merge(pd.DataFrame({"participant_id": who}), how="cross")
    volumes = volumes.assign(desc="main", atlas="DK", volume=rng.normal(4000, 400, len(volumes)))
    write_table(regions, tmp_path / "regions.tsv", "regions")
    write_table(quality, tmp_path / "quality.tsv", "quality")
    write_table(volumes, tmp_path / "region_voxels.tsv", "region_voxels")
    joined = clinical.join(quality.set_index("participant_id")[["field_noise"]])
    for name, table in (("clinical", clinical), ("joined", joined)):
        table.to_csv(tmp_path / f"{name}.tsv", sep="\t", na_rep="n/a")
    return tmp_path, volumes


def inputs(folder, covariates, participants="clinical", with_scans=True):
    config = folder / "config.json"
    config.write_text(json.dumps({"covariates": covariates}))
    scans = {name: folder / f"{name}.tsv" for name in ("quality", "region_voxels")}
    return read_inputs(
        folder / "regions.tsv",
        folder / f"{participants}.tsv",
        config,
        **(scans if with_scans else {}),
    )


def results_of(data):
    (cells,) = data.cells
    return group_test_table(
        cells, "progression", LEVELS, data.clinical["progression"], data.covariates(cells), SETTINGS
    )


NUMBERS = ["statistic", "df", "p", "p_perm", "p_maxt", "q", "effect", "ci_low", "ci_high"]


def test_a_column_of_the_quality_table_is_as_good_as_a_clinical_one(files):
    folder, _ = files
    ours = results_of(inputs(folder, ["age", "field_noise"]))
    theirs = results_of(inputs(folder, ["age", "field_noise"], "joined"))
    assert set(ours.loc[ours["arm"] == "rigorous", "covariates"]) == {"age,field_noise"}
    pd.testing.assert_frame_equal(ours[NUMBERS], theirs[NUMBERS], rtol=1e-6)


def test_region_volume_is_each_regions_own(files):
    folder, volumes = files
    data = inputs(folder, ["age", "region_volume"])
    (cells,) = data.cells
    rigorous = results_of(data)
    rigorous = rigorous[rigorous["arm"] == "rigorous"].reset_index(drop=True)
    assert set(rigorous["covariates"]) == {"age,region_volume"}
    group = (data.clinical["progression"] == "fast").to_numpy(float)
    for column in (0, 7, 16):
        row = rigorous.iloc[column]
        own = volumes[volumes["index"] == row["index"]].set_index("participant_id")["volume"]
        design = np.column_stack([data.clinical["age"], own.reindex(data.clinical.index), group])
        fit = sm.OLS(stats.rankdata(cells.values[:, column]), sm.add_constant(design)).fit()
        assert row["statistic"] == pytest.approx(fit.tvalues[-1], abs=1e-6)
        assert row["p"] == pytest.approx(fit.pvalues[-1], abs=1e-8)
        assert row["df"] == 38 - 4


def test_scores_and_null_rates_take_region_volume_too(files):
    folder, volumes = files
    data = inputs(folder, ["region_volume"])
    (cells,) = data.cells
    table = correlation_table(
        cells, "umn_score", data.clinical["umn_score"], data.covariates(cells), SETTINGS
    )
    row = table[table["arm"] == "rigorous"].iloc[3]
    own = volumes[volumes["index"] == row["index"]].set_index("participant_id")["volume"]
    ranks = [
        stats.rankdata(values)
        for values in (cells.values[:, 3], data.clinical["umn_score"], own[data.clinical.index])
    ]
    inverse = np.linalg.inv(np.corrcoef(ranks))
    rho = -inverse[0, 1] / np.sqrt(inverse[0, 0] * inverse[1, 1])
    assert row["rho"] == pytest.approx(rho, abs=1e-8)
    rates = null_rate_table(
        cells, "progression", LEVELS, data.clinical["progression"], data.covariates(cells), SETTINGS
    )
    assert rates["rate"].between(0, 0.2).all()


def test_a_participant_without_the_volume_takes_no_part(files):
    folder, volumes = files
    lacking = volumes["participant_id"].eq("sub-04") & volumes["index"].eq(2)
    written = volumes.assign(volume=volumes["volume"].mask(lacking))
    write_table(written, folder / "region_voxels.tsv", "region_voxels")
    table = results_of(inputs(folder, ["region_volume"]))
    rigorous = table[table["arm"] == "rigorous"]
    n = (rigorous["n_1"] + rigorous["n_2"]).groupby(rigorous["index"]).unique()
    assert n[2].tolist() == [37]
    assert n[1].tolist() == [38]


def test_whole_distributions_are_adjusted_for_region_volume(files):
    folder, volumes = files
    rng = np.random.default_rng(0)
    data = inputs(folder, ["region_volume"])
    probability = np.array([0.25, 0.5, 0.75])
    rows = volumes[["participant_id", "index", "region", "hemisphere", "desc", "atlas", "volume"]]
    rows = rows.merge(pd.DataFrame({"probability": probability}), how="cross")
    rows["chi"] = rows["volume"] * 1e-6 + rows["probability"] * 1e-4
    rows["chi"] += 1e-3 * rng.normal(size=len(rows) // 3).repeat(3)
    write_table(rows.drop(columns="volume"), folder / "quantiles.tsv", "quantiles")
    (functions,) = read_quantile_functions(folder / "quantiles.tsv", None)
    table = distribution_test_table(
        functions,
        "progression",
        LEVELS,
        data.clinical["progression"],
        data.covariates(functions),
        SETTINGS,
    )
    row = table[(table["arm"] == "rigorous") & (table["metric"] == "wasserstein")].iloc[0]
    own = rows[(rows["index"] == row["index"]) & (rows["probability"] == 0.5)]
    own = own.set_index("participant_id").reindex(data.clinical.index)
    fast = (data.clinical["progression"] == "fast").to_numpy()
    reduced = sm.add_constant(own["volume"].to_numpy())
    residuals = sm.OLS(own["chi"].to_numpy(), reduced).fit().resid
    distance = abs(residuals[fast].mean() - residuals[~fast].mean()) * 1e3
    assert row["covariates"] == "region_volume"
    # the functions are parallel: their distance is that of the residual means
    assert row["effect"] == pytest.approx(distance, rel=1e-5)


@pytest.mark.parametrize("name", ["region_volume", "field_noise"])
def test_without_their_table_the_user_is_told(files, name):
    folder, _ = files
    data = inputs(folder, [name], with_scans=False)
    with pytest.raises(InputError, match=f"covariate {name}.*--"):
        results_of(data)


def test_a_branch_takes_the_first_variants_quality(files):
    folder, _ = files
    data = inputs(folder, ["field_noise"])
    columns = data.scans.columns(("field_noise",), "mv12345678")
    pd.testing.assert_frame_equal(columns, data.scans.columns(("field_noise",), "main"))
    assert "field_noise" in TABLES["quality"]
