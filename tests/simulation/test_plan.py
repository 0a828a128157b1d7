"""The committed tables of the demo: reproducible, and as the abstract has them."""

from pathlib import Path

import pandas as pd
import pytest
from scipy import stats

from qsmiron.clinical import read_clinical
from qsmiron.errors import InputError
from qsmiron.simulation.plan import write_cohort
from qsmiron.simulation.subject import read_plan
from qsmiron.tables import read_table

DEMO = Path(__file__).parents[2] / "config" / "demo"
EFFECTS = read_table(DEMO / "effects.tsv").set_index("effect")
OWN_P = 0.001
"""Of effects that the abstract does not report."""


@pytest.fixture(scope="module")
def patients() -> pd.DataFrame:
    return read_clinical(DEMO / "participants.tsv")


@pytest.fixture(scope="module")
def plan() -> pd.DataFrame:
    return read_table(DEMO / "plan.tsv").set_index("participant_id")


def test_the_committed_files_are_what_the_tool_writes(tmp_path):
    write_cohort(tmp_path)
    written = sorted(p.relative_to(tmp_path) for p in tmp_path.rglob("*") if p.is_file())
    assert len(written) == 10 + 4 + 2 * 38
    for name in written:
        assert (tmp_path / name).read_bytes() == (DEMO / name).read_bytes(), name


def test_the_participants_of_another_data_set_are_not_replaced(tmp_path):
    table = tmp_path / "participants.tsv"
    table.write_text("participant_id\n")
    with pytest.raises(InputError, match=r"participants.tsv: found a table without plan.tsv"):
        write_cohort(tmp_path)
    assert list(tmp_path.iterdir()) == [table]
    assert table.read_text() == "participant_id\n"


def test_the_cohort_is_the_abstracts(patients):
    assert list(patients.index) == [f"sub-{number:02d}" for number in range(1, 39)]
    assert (patients["sex"] == "M").sum() == 23
    assert round(patients["age"].mean(), 1) == 58.7
    assert round(patients["age"].std(), 1) == 9.8
    assert patients["age"].between(18, 100).all()
    assert patients["progression"].value_counts().to_dict() == {"fast": 16, "slow": 22}
    assert patients["phenotype"].value_counts().to_dict() == {"UMN+": 18, "other": 20}
    assert patients.notna().all().all()


def test_the_two_groupings_are_nearly_independent(patients):
    table = pd.crosstab(patients["progression"], patients["phenotype"])
    assert stats.fisher_exact(table).pvalue > 0.5


@pytest.mark.parametrize("n", [4, 8, 16])
def test_the_first_patients_hold_every_combination_equally(patients, n):
    counts = patients.head(n).groupby(["progression", "phenotype"]).size()
    assert counts.tolist() == [n // 4] * 4
    assert patients.head(n)["sex"].nunique() == 2


def test_the_scores_are_possible_and_agree(patients):
    assert patients["alsfrs_r"].between(0, 48).all()
    assert patients["alsfrs_r_followup"].between(0, 48).all()
    assert (patients["alsfrs_r_followup"] <= patients["alsfrs_r"]).all()
    rate = (48 - patients["alsfrs_r"]) / patients["months_since_onset"]
    assert (rate - patients["delta_fs"]).abs().max() <= 5.1e-4
    total = patients["ecas_als_specific"] + patients["ecas_nonspecific"]
    assert (total == patients["ecas_total"]).all()
    assert patients["ecas_als_specific"].between(0, 100).all()
    assert patients["ecas_nonspecific"].between(0, 36).all()
    assert patients["umn_score"].between(0, 32).all()
    assert patients["kings_stage"].between(1, 5).all()


def test_the_groups_differ_in_what_defines_them(patients):
    fast = patients["progression"] == "fast"
    assert patients.loc[fast, "delta_fs"].min() > 1.5 * patients.loc[~fast, "delta_fs"].max()
    umn = patients["phenotype"] == "UMN+"
    scores = patients["umn_score"]
    assert scores[umn].mean() > 2 * scores[~umn].mean()


def test_scores_are_plausibly_related(patients):
    rho = patients.select_dtypes("number").corr(method="spearman")
    assert rho.loc["alsfrs_r", "kings_stage"] < -0.5
    assert rho.loc["ecas_als_specific", "ecas_nonspecific"] > 0.4
    assert rho.loc["age", "ecas_total"] < 0
    assert rho.loc["alsfrs_r", "alsfrs_r_followup"] > 0.5


@pytest.mark.parametrize("name", EFFECTS.index)
def test_the_plan_holds_the_reported_effect(patients, plan, name):
    effect = EFFECTS.loc[name]
    true = plan.loc[patients.index, effect["plan_column"]]
    clinical = patients[effect["contrast_or_score"]]
    sign = 1 if effect["direction"] == "positive" else -1
    if effect["measure"] == "rho":
        rho, p = stats.spearmanr(true, clinical)
        assert rho == pytest.approx(effect["rho_reported"], abs=0.01)
        found = rho
    else:
        first, second = effect["levels"].split(",")
        groups = true[clinical == first], true[clinical == second]
        p = stats.mannwhitneyu(*groups, method="exact").pvalue
        found = groups[0].mean() - groups[1].mean()
    wanted = effect["p_reported"] if effect["p_reported"] > 0 else OWN_P
    assert 0.5 < p / wanted < 2
    assert found * sign > 0


@pytest.mark.parametrize("name", EFFECTS.index)
def test_no_effect_is_one_of_age_or_sex(patients, plan, name):
    true = plan.loc[patients.index, EFFECTS.loc[name, "plan_column"]]
    assert abs(stats.spearmanr(true, patients["age"]).statistic) < 0.1
    assert abs(stats.spearmanr(true, patients["sex"] == "M").statistic) < 0.1


def test_deposits_make_five_percent_on_average(plan):
    for column in plan.columns[plan.columns.str.endswith("deposit_fraction")]:
        assert plan[column].mean() == pytest.approx(0.05, abs=1e-9)
        assert plan[column].between(0.005, 0.125).all()


def test_the_plan_is_read_as_written(plan):
    rows = read_plan(DEMO / "plan.tsv")
    assert list(rows) == list(plan.index)
    assert len({row.seed for row in rows.values()}) == 38
    row = rows["sub-07"]
    assert row.planted["amygdala", "R", "chi_mean"] == plan.loc["sub-07", "amygdala_R_chi_mean"]
    assert len(row.planted) == len(EFFECTS)


@pytest.fixture(scope="module")
def everybody() -> pd.DataFrame:
    return read_clinical(DEMO / "controls" / "participants.tsv")


def test_patients_beside_controls_are_the_demos(everybody, patients, plan):
    theirs = everybody[everybody["role"] == "patient"].drop(columns="role")
    pd.testing.assert_frame_equal(theirs, patients, check_dtype=False)
    planned = read_plan(DEMO / "controls" / "plan.tsv")
    alone = read_plan(DEMO / "plan.tsv")
    assert {who: planned[who] for who in alone} == alone
    assert len(planned) == 2 * len(alone)
    assert len({row.seed for row in planned.values()}) == 2 * len(alone)


def test_controls_have_the_patients_ages_and_sexes_and_no_scores(everybody, patients):
    controls = everybody[everybody["role"] == "control"]
    assert list(controls["sex"]) == list(patients["sex"])
    apart = controls["age"].to_numpy(float) - patients["age"].to_numpy(float)
    assert abs(apart).max() <= 2
    assert abs(apart.mean()) < 0.5
    assert controls.drop(columns=["age", "sex", "role"]).isna().all().all()


@pytest.mark.parametrize("name", EFFECTS.index)
def test_controls_are_like_the_patients_who_are_not_raised(patients, plan, name):
    effect = EFFECTS.loc[name]
    column = effect["plan_column"]
    both = read_table(DEMO / "controls" / "plan.tsv").set_index("participant_id")
    controls = both.loc[both["role"] == "control", column]
    usual = plan.loc[patients.index, column]
    if effect["measure"] != "rho":
        second = effect["levels"].split(",")[1]
        usual = usual[(patients[effect["contrast_or_score"]] == second).to_numpy()]
    assert abs(controls.mean() - usual.mean()) < 0.05 * usual.std()
    assert 0.6 < controls.std() / usual.std() < 1.5
    if "fraction" in column:
        assert controls.between(0.005, 0.125).all()
