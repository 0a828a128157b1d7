"""The test of whole χ distributions: distances, permutation, the reader and the table's rows."""

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats
from tables_of_tests import distribution_test_table

from qsmiron.errors import InputError
from qsmiron.statistics.covariates import Covariates
from qsmiron.statistics.linear import nuisance_space
from qsmiron.statistics.permutation import Permutations
from qsmiron.statistics.quantile_functions import read_quantile_functions
from qsmiron.statistics.settings import Statistics
from qsmiron.statistics.whole_distribution import distance_test, permuted_distances
from qsmiron.tables import TABLES, write_table

pytestmark = pytest.mark.filterwarnings("error")
PROBABILITIES = np.round(np.arange(0.005, 1, 0.005), 3)
MIDDLE = 99
LEVELS = ("fast", "slow")


def quantiles_table(n=38, n_regions=3, seed=0):
    """Quantiles table (χ in ppm) of skewed distributions of random place and width."""
    rng = np.random.default_rng(seed)
    place = rng.normal(0, 0.01, (n, n_regions, 1))
    width = 0.03 * np.exp(rng.normal(0, 0.2, (n, n_regions, 1)))
    values = place + width * stats.gumbel_r.ppf(PROBABILITIES)
    who, region, step = np.indices(values.shape).reshape(3, -1)
    return pd.DataFrame(
        {
            "participant_id": np.char.mod("sub-%02d", who + 1).astype(object),
            "session": pd.Series(np.nan, index=range(values.size), dtype=object),
            "desc": "main",
            "atlas": "DK",
            "index": region + 1,
            "region": np.char.mod("region%d", region).astype(object),
            "hemisphere": "L",
            "probability": PROBABILITIES[step],
            "chi": values.ravel(),
        }
    )


def read(table, tmp_path, session=None):
    write_table(table, tmp_path / "quantiles.tsv", "quantiles")
    return read_quantile_functions(tmp_path / "quantiles.tsv", session)


def covariates_of(clinical, participants):
    sex = (clinical["sex"] == "M").astype(float)
    values = np.column_stack([clinical["age"], sex])
    found = pd.DataFrame(values, clinical.index).reindex(participants).to_numpy()
    return Covariates(("age", "sex"), ("age", "sex[M]"), found)


def run(functions, clinical, **settings):
    return distribution_test_table(
        functions, "progression", LEVELS, clinical["progression"],
        covariates_of(clinical, functions.participants),
        Statistics(**({"permutations": 99} | settings)),
    )  # fmt: skip


def one(table, arm, metric, index=1):
    rows = table[(table["arm"] == arm) & (table["metric"] == metric) & (table["index"] == index)]
    assert len(rows) == 1
    return rows.iloc[0]


def test_reading_gives_ppb_by_subject_region_and_probability(tmp_path):
    table = quantiles_table(n=4)
    shuffled = table.sample(frac=1, random_state=0)
    (functions,) = read(table, tmp_path)
    assert functions.values.shape == (4, 3, 199)
    assert functions.probabilities[functions.median] == 0.5
    expected = table["chi"].to_numpy().reshape(4, 3, 199) * 1000
    np.testing.assert_allclose(functions.values, expected, rtol=1e-6)
    (mixed,) = read(shuffled, tmp_path)
    order = [int(name[-2:]) - 1 for name in mixed.participants]
    regions = mixed.index["index"].to_numpy(int)[:3] - 1
    np.testing.assert_allclose(mixed.values, expected[np.ix_(order, regions)], rtol=1e-6)


def test_subjects_without_a_region_have_nan(tmp_path):
    table = quantiles_table(n=4)
    gone = (table["participant_id"] == "sub-02") & (table["index"] == 3)
    empty = (table["participant_id"] == "sub-03") & (table["index"] == 2)
    table.loc[empty, "chi"] = np.nan
    (functions,) = read(table[~gone], tmp_path)
    missing = np.isnan(functions.values).all(axis=2)
    assert missing.sum() == np.isnan(functions.values).any(axis=2).sum() == 2
    assert missing[1, 2] and missing[2, 1]


def test_variants_and_sessions(tmp_path):
    table = quantiles_table(n=3)
    both = pd.concat([table, table.assign(desc="csf", chi=0.5)])
    main, csf = read(both, tmp_path)
    assert (main.desc, csf.desc) == ("main", "csf")
    assert (csf.values == 500).all()
    visits = pd.concat([table.assign(session="1"), table.assign(session="2", chi=0.1)])
    (first,) = read(visits, tmp_path)
    np.testing.assert_array_equal(first.values, main.values)
    (second,) = read(visits, tmp_path, "2")
    assert (second.values == 100).all()
    assert read(table.iloc[:0], tmp_path) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda t: t[t["probability"] != 0.5], "unevenly"),
        (lambda t: t[np.isclose(t["probability"] * 100 % 2, 1)], "no median|unevenly"),
        (lambda t: t.drop(index=5), "missing or twice"),
        (lambda t: pd.concat([t, t.iloc[[7]]]), "missing or twice"),
        (lambda t: t.assign(chi="high"), "quantiles table"),
    ],
)
def test_what_is_wrong_with_a_table_is_said(tmp_path, change, message):
    table = change(quantiles_table(n=3))
    table.reindex(columns=list(TABLES["quantiles"])).to_csv(
        tmp_path / "q.tsv", sep="\t", index=False, na_rep="n/a"
    )
    with pytest.raises(InputError, match=message):
        read_quantile_functions(tmp_path / "q.tsv")


def test_missing_file_and_column(tmp_path):
    with pytest.raises(InputError, match="not a quantiles table"):
        read_quantile_functions(tmp_path / "none.tsv")
    quantiles_table(n=2).drop(columns="chi").to_csv(tmp_path / "q.tsv", sep="\t", index=False)
    with pytest.raises(InputError, match="chi"):
        read_quantile_functions(tmp_path / "q.tsv")


def test_effect_is_scipys_distance_of_mean_functions(tmp_path, make_clinical):
    clinical = make_clinical()
    (functions,) = read(quantiles_table(), tmp_path)
    table = run(functions, clinical)
    fast = (clinical["progression"] == "fast").to_numpy()
    for region in range(3):
        for metric in ("wasserstein", "wasserstein_centred"):
            values = functions.values[:, region]
            if metric == "wasserstein_centred":
                values = values - values[:, [MIDDLE]]
            expected = stats.wasserstein_distance(
                values[fast].mean(axis=0), values[~fast].mean(axis=0)
            )
            row = one(table, "replication", metric, region + 1)
            assert row["effect"] == pytest.approx(expected, rel=1e-10)
            design = sm.add_constant(covariates_of(clinical, functions.participants).values)
            left = values - design @ np.linalg.lstsq(design, values, rcond=None)[0]
            # Without the common mean function the residual ones need not rise.
            left += values.mean(axis=0)
            expected = stats.wasserstein_distance(left[fast].mean(axis=0), left[~fast].mean(axis=0))
            row = one(table, "rigorous", metric, region + 1)
            assert row["effect"] == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize(("adjusted", "n"), [(False, 14), (True, 14), (True, 8)])
def test_permutation_against_a_loop(tied, adjusted, n):
    rng = np.random.default_rng(5)
    count = 80
    functions = np.sort(rng.normal(size=(n, 3, 9)), axis=2) + rng.normal(size=(n, 3, 1))
    functions = np.round(functions) if tied else functions
    first = rng.permutation(n) < n * 3 // 7
    covariates = rng.normal(size=(n, 2 if adjusted else 0))
    permutations = Permutations(2, count, n)
    rows = np.arange(n)
    found = permuted_distances(functions, 4, first, nuisance_space(covariates), permutations, rows)
    (orders,) = permutations.orders(rows, count)
    design = np.column_stack([np.ones(n), covariates])
    hat = design @ np.linalg.pinv(design)
    size = {}
    for number, order in enumerate([rows, *orders]):
        for region in range(3):
            for kind, values in (
                (found.raw, functions[:, region]),
                (found.centred, functions[:, region] - functions[:, region, [4]]),
            ):
                fitted = hat @ values
                permuted = fitted + (values - fitted)[np.argsort(order)]
                left = permuted - hat @ permuted
                distance = np.abs(left[first].mean(0) - left[~first].mean(0)).mean()
                here = np.linalg.norm(left)
                observed = size.setdefault((kind is found.raw, region), here)
                expected = distance * observed / here
                assert kind[number, region] == pytest.approx(expected, abs=1e-10)
    test = distance_test(found.raw)
    for region in range(3):
        exceed = (found.raw[1:, region] >= found.raw[0, region] - 1e-9).sum()
        assert test.p[region] == pytest.approx((exceed + 1) / (count + 1))
        assert test.ratio[region] == pytest.approx(
            found.raw[0, region] / found.raw[:, region].mean()
        )


def test_family_wise_p_is_min_p():
    rng = np.random.default_rng(1)
    distances = np.abs(rng.normal(size=(501, 6))) * np.array([1, 10, 100, 1, 1, 1])
    distances[0, 1] = 45
    test = distance_test(distances)
    own = np.array([[(column >= x).mean() for x in column] for column in distances.T]).T
    smallest = own.min(axis=1)
    expected = [(smallest <= own[0, c]).mean() for c in range(6)]
    # Equal to min-P but for permutations that share the smallest p.
    np.testing.assert_allclose(test.p, own[0])
    assert (test.p_maxt <= np.array(expected) + 1e-12).all()
    assert (test.p_maxt >= [(smallest < own[0, c]).mean() for c in range(6)]).all()
    assert (test.p_maxt >= test.p - 1e-12).all()
    assert test.p_maxt[1] < 0.02
    # The scale of a cell does not matter, and a lone cell has its own p.
    np.testing.assert_allclose(distance_test(distances * 7).p_maxt, test.p_maxt)
    np.testing.assert_allclose(distance_test(distances[:, :1]).p_maxt, test.p[:1])


def test_family_wise_p_can_be_small_with_few_permutations():
    rng = np.random.default_rng(1)
    distances = np.abs(rng.normal(size=(200, 83)))
    distances[0, 5] = 12
    assert distance_test(distances).p_maxt[5] == 1 / 200


def test_a_shift_is_found_raw_and_not_centred_a_change_of_width_both(tmp_path, make_clinical):
    clinical = make_clinical()
    table = quantiles_table()
    fast = table["participant_id"].map(clinical["progression"] == "fast")
    table.loc[fast & (table["index"] == 1), "chi"] += 0.03
    table.loc[fast & (table["index"] == 2), "chi"] *= 2
    (functions,) = read(table, tmp_path)
    tests = run(functions, clinical, permutations=499)
    for arm in ("replication", "rigorous"):
        assert one(tests, arm, "wasserstein", 1)["p"] < 0.01
        assert one(tests, arm, "wasserstein_centred", 1)["p"] > 0.05
        assert one(tests, arm, "wasserstein_centred", 2)["p_maxt"] < 0.01


def test_rows_of_the_table(tmp_path, make_clinical):
    (functions,) = read(quantiles_table(), tmp_path)
    table = run(functions, make_clinical())
    assert set(table.columns) <= set(TABLES["group_tests"])
    assert len(table) == 2 * 2 * 3
    assert (table["family"] == "distribution").all()
    assert (table["effect_name"] == "wasserstein_ppb").all()
    assert table["reason"].isna().all()
    assert (table["p"] == table["p_perm"]).all()
    assert (table["n_1"] == 16).all() and (table["n_2"] == 22).all()
    for _, part in table.groupby(["arm", "metric"]):
        np.testing.assert_allclose(part["q"], stats.false_discovery_control(part["p"]))


def test_missing_and_degenerate(tmp_path, make_clinical):
    clinical = make_clinical()
    table = quantiles_table(n_regions=4)
    slow = clinical.index[clinical["progression"] == "slow"]
    table.loc[(table["index"] == 1) & (table["participant_id"] == slow[0]), "chi"] = np.nan
    table.loc[(table["index"] == 2) & table["participant_id"].isin(slow[2:]), "chi"] = np.nan
    # Everybody's distribution is the same in region 3 but for its place.
    same = table["index"] == 3
    table.loc[same, "chi"] = table.loc[same, "probability"] + table.loc[same, "participant_id"].str[
        -2:
    ].astype(float)
    clinical.loc[slow[1], "age"] = np.nan
    (functions,) = read(table, tmp_path)
    tests = run(functions, clinical)
    row = one(tests, "replication", "wasserstein", 1)
    assert (row["n_1"], row["n_2"]) == (16, 21)
    assert one(tests, "rigorous", "wasserstein_centred", 1)["n_2"] == 20
    small = one(tests, "replication", "wasserstein_centred", 2)
    assert "fewer than 3" in small["reason"] and np.isnan(small["effect"])
    assert np.isfinite(one(tests, "replication", "wasserstein", 3)["p"])
    still = one(tests, "rigorous", "wasserstein_centred", 3)
    assert still["reason"] == "no variation between the subjects"
    assert pd.isna(still[["p", "p_perm", "p_maxt", "q", "statistic"]]).all()
    assert list(one(tests, "replication", "wasserstein", 4)[["n_1", "n_2"]]) == [16, 22]


def test_without_permutations_the_distance_remains(tmp_path, make_clinical):
    (functions,) = read(quantiles_table(), tmp_path)
    table = run(functions, make_clinical(), permutations=0)
    assert table["effect"].notna().all()
    assert table[["p", "p_perm", "p_maxt", "q", "statistic"]].isna().all(axis=None)
