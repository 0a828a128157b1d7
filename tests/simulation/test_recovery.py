from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import compare_recovery
from qsmiron.clinical import read_clinical
from qsmiron.simulation.recovery import RecoveryParameters, compare, rank_correlation
from qsmiron.tables import TABLES, read_table, write_table

DEMO = Path(__file__).parents[2] / "config" / "demo"
PLAN = read_table(DEMO / "plan.tsv")
EFFECTS = read_table(DEMO / "effects.tsv")
PATIENTS = read_clinical(DEMO / "participants.tsv")
FEW = RecoveryParameters(resamples=200)


def measured(slope: float, noise: float = 0.0, offset: float = 0.0, n: int = 38) -> pd.DataFrame:
    """A regional table whose values are a line through the true ones, with noise (in their SD)."""
    rng = np.random.default_rng(1)
    rows = []
    for effect in EFFECTS.itertuples():
        true = PLAN[effect.plan_column].head(n).to_numpy()
        values = offset + slope * true + noise * true.std() * rng.standard_normal(len(true))
        for who, value in zip(PLAN["participant_id"].head(n), values, strict=True):
            rows.append(
                {
                    "participant_id": who, "desc": "main", "atlas": "DK", "region": effect.region,
                    "hemisphere": effect.hemisphere, "metric": effect.metric, "value": value,
                    "unit": "ppm",
                }
            )  # fmt: skip
    return pd.DataFrame(rows).reindex(columns=list(TABLES["regions"]))


def test_a_line_through_the_truth_gives_its_slope_and_the_same_tests():
    table = compare(PLAN, EFFECTS, measured(0.5, offset=0.01), PATIENTS, FEW)
    assert list(table["effect"]) == list(EFFECTS["effect"])
    assert set(table.columns) <= set(TABLES["recovery"])
    assert (table["same_sign"] == "yes").all()
    expected = np.where(table["measure"] == "rho", 1.0, 0.5)
    for key in ("ratio", "ratio_low", "ratio_high"):
        np.testing.assert_allclose(table[key], expected, rtol=1e-6)
    np.testing.assert_allclose(table["p_recovered"], table["p_planted"], rtol=1e-6)
    assert (table["n"] == 38).all()


def test_an_atlas_without_the_region_has_no_row():
    dk = measured(0.5)
    tissues = dk[dk["region"] == dk["region"].iloc[0]].assign(atlas="tissues", region="brain")
    both = compare(PLAN, EFFECTS, pd.concat([tissues, dk]), PATIENTS, FEW)
    alone = compare(PLAN, EFFECTS, dk, PATIENTS, FEW)
    pd.testing.assert_frame_equal(both, alone)


def test_planted_values_are_those_of_independent_formulas():
    table = compare(PLAN, EFFECTS, measured(1.0), PATIENTS, FEW).set_index("effect")
    true = PLAN.set_index("participant_id")
    fast = PATIENTS["progression"] == "fast"
    sd = true["hippocampus_R_chi_sd"]
    row = table.loc["distribution_hippocampus_R"]
    assert row["planted"] == pytest.approx(sd[fast].mean() - sd[~fast].mean())
    p = stats.mannwhitneyu(sd[fast], sd[~fast], method="exact").pvalue
    assert row["p_planted"] == pytest.approx(p)
    rho = stats.spearmanr(true["thalamus_L_deposit_fraction"], PATIENTS["ecas_total"])
    row = table.loc["ecas_thalamus_L"]
    assert (row["planted"], row["p_planted"]) == pytest.approx((rho.statistic, rho.pvalue))


def test_a_reversed_effect_is_seen_and_noise_widens_the_interval():
    reverse = compare(PLAN, EFFECTS, measured(-1.0), PATIENTS, FEW)
    assert (reverse["same_sign"] == "no").all()
    noisy = compare(PLAN, EFFECTS, measured(1.0, noise=1.0), PATIENTS, FEW)
    assert (noisy["ratio_high"] - noisy["ratio_low"] > 0.2).all()
    assert noisy["ratio"].between(noisy["ratio_low"], noisy["ratio_high"]).all()


def test_the_bootstrap_is_reproducible():
    first, second = (
        compare(PLAN, EFFECTS, measured(1.0, noise=0.5), PATIENTS, FEW) for _ in range(2)
    )
    pd.testing.assert_frame_equal(first, second)


def test_few_patients_are_enough_and_missing_groups_are_missing():
    table = compare(PLAN, EFFECTS, measured(1.0, n=4), PATIENTS, FEW)
    assert (table["n"] == 4).all()
    assert table["planted"].notna().all()
    without = PATIENTS.assign(progression="slow")
    table = compare(PLAN, EFFECTS, measured(1.0), without, FEW).set_index("contrast_or_score")
    assert table.loc["progression", "planted"].isna().all()
    assert table.loc["phenotype", "planted"].notna().all()
    table = compare(PLAN, EFFECTS, measured(1.0), PATIENTS.drop(columns="ecas_total"), FEW)
    assert table.set_index("contrast_or_score").loc["ecas_total", "n"] == 0


def test_the_script_writes_the_declared_table(tmp_path):
    regions, output = tmp_path / "regions.tsv", tmp_path / "recovery.tsv"
    write_table(measured(1.0, noise=0.3, n=8), regions, "regions")
    config = tmp_path / "config.yaml"
    config.write_text("contrasts:\n  progression: {column: progression, levels: [fast, slow]}\n")
    compare_recovery.main(
        [
            "--plan", str(DEMO / "plan.tsv"), "--effects", str(DEMO / "effects.tsv"),
            "--regions", str(regions), "--participants", str(DEMO / "participants.tsv"),
            "--config", str(config), "--output", str(output), "--parameters", '{"resamples": 100}',
        ]
    )  # fmt: skip
    table = read_table(output, "recovery")
    assert list(table.columns) == list(TABLES["recovery"])
    assert len(table) == len(EFFECTS)
    assert (table["n"] == 8).all()


def test_rank_correlation_is_spearmans():
    rng = np.random.default_rng(0)
    values, score = rng.standard_normal(20), rng.integers(0, 6, 20)
    assert rank_correlation(values, score) == pytest.approx(
        stats.spearmanr(values, score).statistic
    )
    assert np.isnan(rank_correlation(values, np.ones(20)))


def test_what_cancels_is_shown_to_be_no_difference_of_net_chi():
    rows = measured(1.0)
    parts = rows[(rows["region"] == "paracentral") & (rows["hemisphere"] == "R")]
    net = parts.groupby("participant_id", as_index=False)["value"].sum()
    noise = np.random.default_rng(3).normal(0, 0.003, len(net))  # ppm
    net = net.assign(value=net["value"] + noise)
    more = parts.drop_duplicates("participant_id").drop(columns="value")
    more = more.merge(net, on="participant_id").assign(metric="chi_mean")
    table = compare(PLAN, EFFECTS, pd.concat([rows, more]), PATIENTS, FEW).set_index("effect")
    group = net["participant_id"].map(PATIENTS["progression"])
    fast, slow = (net.loc[group == level, "value"] for level in ("fast", "slow"))
    for effect in ("cancelling_iron_paracentral_R", "cancelling_myelin_paracentral_R"):
        row = table.loc[effect]
        assert abs(row["recovered"]) > 0.006
        assert row["net"] == pytest.approx(fast.mean() - slow.mean(), abs=1e-12)
        assert row["p_net"] == pytest.approx(stats.mannwhitneyu(fast, slow, method="exact").pvalue)
        # as wide as by the standard error of a difference of means
        half = 1.96 * np.sqrt(fast.var() / len(fast) + slow.var() / len(slow))
        assert row["net_high"] - row["net_low"] == pytest.approx(2 * half, rel=0.2)
        assert row["net_low"] < 0 < row["net_high"]
    others = table[~table["metric"].isin(["chi_para_mean", "chi_dia_mean"])]
    assert others["net"].isna().all()
    # nothing is measured of net χ in the cells of the other two
    assert table.loc[["iron_precentral_R", "myelin_brainstem"], "net"].isna().all()
