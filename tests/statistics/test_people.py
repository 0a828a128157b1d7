"""Patients and controls: whose contrasts and scores are, and each patient against the controls."""

import json

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

import correlate_scores
import measure_deviations
from qsmiron.errors import InputError
from qsmiron.statistics.cells import cell_matrices
from qsmiron.statistics.covariates import covariate_matrix
from qsmiron.statistics.deviations import deviation_table
from qsmiron.statistics.groups import assign_group
from qsmiron.statistics.people import belong
from qsmiron.statistics.settings import (
    DeltaFsContrast,
    GivenContrast,
    KmeansContrast,
    Roles,
    StudyDesign,
)
from qsmiron.tables import read_table, write_table

ROLES = Roles(column="diagnosis", patients=("ALS",), controls=("HC",))


@pytest.fixture
def clinical(make_clinical):
    """Of 38 the last 14 are controls, with no progression, and one is neither."""
    table = make_clinical()
    table["diagnosis"] = np.where(np.arange(38) < 24, "ALS", "HC").astype(object)
    table.loc["sub-20", "diagnosis"] = "PLS"
    table.loc[table.index[24:], "progression"] = None
    return table


def test_who_belongs_where(clinical):
    patients, controls, everybody = (
        belong(clinical, ROLES, of, "t") for of in ("patients", "controls", "everybody")
    )
    assert (patients.sum(), controls.sum(), everybody.sum()) == (23, 14, 38)
    assert not patients["sub-20"] and not controls["sub-20"]
    assert belong(clinical, None, "patients", "t").all()


def test_levels_of_a_column_and_of_the_role_may_be_compared(clinical):
    contrast = GivenContrast(column="progression", levels=("fast", "HC"))
    group = assign_group(clinical, contrast, "t", ROLES)
    assert (group == "HC").sum() == 14
    assert (group == "fast").sum() == (clinical["progression"] == "fast").sum()
    assert not (group == "slow").any()
    ours = GivenContrast(column="progression", levels=("fast", "slow"), of="patients")
    assert assign_group(clinical, ours, "t", ROLES)["sub-20"] is None


@pytest.mark.parametrize("contrast", [
    DeltaFsContrast(derive="delta_fs_cut"), KmeansContrast(derive="kmeans_change"),
])  # fmt: skip
def test_a_derived_contrast_is_made_from_the_patients(clinical, contrast):
    clinical.loc[clinical.index[24:], ["delta_fs", "alsfrs_r_followup"]] = 0.0, 48.0
    group = assign_group(clinical, contrast, "t", ROLES)
    alone = clinical[clinical["diagnosis"] == "ALS"]
    expected = assign_group(alone, contrast, "t").reindex(clinical.index)
    assert group.dropna().to_dict() == expected.dropna().to_dict()
    assert group[clinical["diagnosis"] != "ALS"].isna().all()


def test_a_role_that_nobody_has(clinical):
    with pytest.raises(InputError, match="nobody with control"):
        belong(clinical, Roles(column="diagnosis", patients=("ALS",)), "controls", "t")
    with pytest.raises(InputError, match="no column group"):
        belong(clinical, Roles(column="group"), "patients", "t")


@pytest.mark.parametrize("wrong", [
    {"scores_of": {"iq": "everybody"}}, {"scores_of": {"ecas_total": "controls"}},
    {"roles": {"column": "x", "patients": ["a"], "controls": ["a"]}},
    {"contrasts": {"c": {"column": "x", "levels": ["a", "b"], "of": "patients"}}},
])  # fmt: skip
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ValueError):
        StudyDesign.model_validate(wrong)


@pytest.fixture
def study(tmp_path, make_regions, clinical):
    write_table(make_regions(n_regions=3), tmp_path / "regions.tsv", "regions")
    clinical.to_csv(tmp_path / "clinical.tsv", sep="\t", na_rep="n/a")

    def run(script, **blocks):
        roles = ROLES.model_dump(mode="json")
        quick = {"permutations": 0, "bootstrap": 0}
        config = {"roles": roles, "statistics": quick, "scores": ["ecas_total"], **blocks}
        (tmp_path / "config.json").write_text(json.dumps(config))
        script.main(
            ["--regions", str(tmp_path / "regions.tsv"), "--config", str(tmp_path / "config.json"),
             "--participants", str(tmp_path / "clinical.tsv"), "--output", str(tmp_path / "o.tsv")]
        )  # fmt: skip
        return tmp_path / "o.tsv"

    return run


def test_a_score_is_the_patients_or_whose_the_config_says(study):
    n = {
        whose: read_table(study(correlate_scores, **blocks), "correlations")["n"].unique().tolist()
        for whose, blocks in (
            ("patients", {}),
            ("controls", {"scores_of": {"ecas_total": "controls"}}),
            ("everybody", {"scores_of": {"ecas_total": "everybody"}}),
            ("no roles", {"roles": None}),
        )
    }
    assert n == {"patients": [23], "controls": [14], "everybody": [38], "no roles": [38]}


def test_deviations_are_those_of_a_prediction_by_statsmodels(study, clinical, make_regions):
    table = read_table(study(measure_deviations), "deviations")
    assert set(table["metric"]) == {"chi_mean", "chi_sd", "deposit_fraction"}
    assert len(table) == 3 * 3 * 23
    assert (table["n_controls"] == 14).all()
    row = table[(table["metric"] == "chi_sd") & (table["participant_id"] == "sub-03")].iloc[1]
    regions = make_regions(n_regions=3)
    here = regions[(regions["metric"] == "chi_sd") & (regions["index"] == row["index"])]
    values = here.set_index("participant_id")["value"]
    design = sm.add_constant(
        pd.DataFrame({"age": clinical["age"], "sex": (clinical["sex"] == "M").astype(float)})
    )
    controls = clinical.index[clinical["diagnosis"] == "HC"]
    fit = sm.OLS(values[controls], design.loc[controls]).fit()
    predicted = fit.get_prediction(design.loc[["sub-03"]])
    difference = values["sub-03"] - predicted.predicted_mean[0]
    t = difference / predicted.se_obs[0]
    assert row["expected"] == pytest.approx(predicted.predicted_mean[0], rel=1e-6)
    assert row["t"] == pytest.approx(t, rel=1e-6)
    assert row["df"] == fit.df_resid == 11
    assert row["p"] == pytest.approx(2 * stats.t.sf(abs(t), 11), rel=1e-6)
    assert row["z"] == pytest.approx(difference / np.sqrt(fit.scale), rel=1e-6)
    share = (predicted.se_mean[0] ** 2) / fit.scale
    assert row["z_error"] == pytest.approx(np.sqrt(share + row["z"] ** 2 / 22), rel=1e-6)


def drawn(rng, n_controls, n_patients, gap):
    """Cells without an effect, age among the covariates; patients older by ``gap`` SD."""
    n = n_controls + n_patients
    patients = np.arange(n) >= n_controls
    age = rng.normal(size=n) + gap * patients
    regions = pd.DataFrame(
        {"participant_id": [f"s{i:04d}" for i in range(n)], "session": None, "desc": "d",
         "atlas": "a", "region": "r", "hemisphere": "L", "index": 1, "metric": "chi_mean",
         "family": "susceptibility", "value": 0.5 * age + rng.normal(size=n)}
    )  # fmt: skip
    (cells,) = cell_matrices(regions)
    clinical = pd.DataFrame({"age": age}, index=regions["participant_id"])
    return cells, patients, ~patients, covariate_matrix(clinical, ("age",), cells.participants, "p")


def test_the_level_holds_for_new_people_of_other_ages():
    """Of 12 controls: a z taken for normal would be found in twice as many."""
    rng = np.random.default_rng(6)
    found, naive, errors, spread = [], [], [], []
    for _ in range(1500):
        table = deviation_table(*drawn(rng, 12, 2, 1.0))
        found += (table["p"] < 0.05).tolist()
        naive += (table["z"].abs() > 1.96).tolist()
        spread += table["z"].tolist()
        errors += table["z_error"].tolist()
    low, high = stats.binom.ppf([0.0005, 0.9995], 1500, 0.05) / 1500
    assert low < np.mean(found) < high
    assert np.mean(naive) > 1.7 * 0.05


def test_what_lies_beyond_the_controls_is_told():
    table = deviation_table(*drawn(np.random.default_rng(1), 12, 3, 30.0))
    assert (table["reason"] == "beyond the controls' values of age: extrapolated").all()
    assert table["p"].notna().all()


def test_too_few_controls_are_no_reference():
    table = deviation_table(*drawn(np.random.default_rng(1), 3, 3, 0.0))
    assert (table["reason"] == "too few controls with the covariates").all()
    assert "p" not in table or table["p"].isna().all()
