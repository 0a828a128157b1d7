import numpy as np
import pandas as pd
import pytest

from qsmiron.errors import InputError
from qsmiron.statistics.groups import assign_group, get_numeric, two_means_cut
from qsmiron.statistics.settings import DeltaFsContrast, GivenContrast, KmeansContrast


def table(**columns):
    n = len(next(iter(columns.values())))
    return pd.DataFrame(columns, index=[f"sub-{i:02d}" for i in range(1, n + 1)])


def exhaustive(values):
    """Least within-cluster sum of squares over all splits into two non-empty sets."""
    best, found = np.inf, None
    for mask in range(1, 2 ** len(values) - 1):
        upper = np.array([bool(mask >> i & 1) for i in range(len(values))])
        within = sum(((part - part.mean()) ** 2).sum() for part in (values[upper], values[~upper]))
        if within < best - 1e-9 and values[upper].mean() > values[~upper].mean():
            best, found = within, upper
    return found


@pytest.mark.parametrize("seed", range(6))
def test_two_means_is_the_best_of_all_splits(seed):
    values = np.random.default_rng(seed).gamma(2, 3, 10).round(1)
    np.testing.assert_array_equal(values > two_means_cut(values), exhaustive(values))


def test_two_means_far_from_zero_and_with_ties():
    values = np.array([1e6, 1e6, 1e6 + 1, 1e6 + 8, 1e6 + 8, 1e6 + 9])
    np.testing.assert_array_equal(values > two_means_cut(values), [0, 0, 0, 1, 1, 1])


def test_kmeans_calls_the_faster_decline_first():
    clinical = table(
        alsfrs_r=[40.0, 42, 38, 45, 41, 39], alsfrs_r_followup=[39.0, 30, 36, 33, np.nan, 38]
    )
    group = assign_group(clinical, KmeansContrast(derive="kmeans_change"), "t.tsv")
    assert list(group) == ["slow", "fast", "slow", "fast", None, "slow"]


def test_kmeans_on_the_change_per_month():
    """A slow decline over a long time is no fast one."""
    clinical = table(
        alsfrs_r=[40.0, 40, 40, 40, 40, 40],
        alsfrs_r_followup=[28.0, 34, 38, 33, 39, 38],
        followup_months=[12.0, 3, 3, 3, 3, np.nan],
    )
    plain = KmeansContrast(derive="kmeans_change")
    assert list(assign_group(clinical, plain, "t.tsv")) == ["fast", "fast", "slow", "fast",
                                                            "slow", "slow"]  # fmt: skip
    monthly = KmeansContrast(derive="kmeans_change", months="followup_months")
    assert list(assign_group(clinical, monthly, "t.tsv")) == ["slow", "fast", "slow", "fast",
                                                              "slow", None]  # fmt: skip
    clinical.loc["sub-02", "followup_months"] = 0
    with pytest.raises(InputError, match="sub-02"):
        assign_group(clinical, monthly, "t.tsv")


def test_delta_fs_is_cut_at_the_median_or_where_told():
    clinical = table(delta_fs=[0.1, 0.5, 0.9, np.nan, 2.0, 0.5])
    contrast = DeltaFsContrast(derive="delta_fs_cut")
    assert list(assign_group(clinical, contrast, "t")) == [
        "slow", "slow", "fast", None, "fast", "slow",
    ]  # fmt: skip
    contrast = DeltaFsContrast(derive="delta_fs_cut", cut=1.0, levels=("quick", "rest"))
    assert (assign_group(clinical, contrast, "t") == "quick").sum() == 1


def test_given_levels_as_numbers_or_text_and_others_left_out():
    clinical = table(stage=[1.0, 2.0, 3.0, np.nan, 1.0])
    group = assign_group(clinical, GivenContrast(column="stage", levels=(2, "1")), "t")
    assert list(group) == ["1", "2", None, None, "1"]


@pytest.mark.parametrize(
    ("contrast", "words"),
    [
        (GivenContrast(column="arm", levels=("a", "b")), ["no column arm", "phenotype"]),
        (GivenContrast(column="phenotype", levels=("UMN+", "LMN")), ["LMN", "other"]),
        (DeltaFsContrast(derive="delta_fs_cut", cut=99), ["fast", "delta_fs"]),
        (DeltaFsContrast(derive="delta_fs_cut", column="phenotype"), ["UMN+", "numbers"]),
        (KmeansContrast(derive="kmeans_change", followup="delta_fs_2"), ["no column delta_fs_2"]),
    ],
)
def test_mistakes_are_named(contrast, words):
    clinical = table(
        phenotype=["UMN+", "other", "other"], delta_fs=[0.2, 0.3, 0.4], alsfrs_r=[1.0, 2, 3]
    )
    with pytest.raises(InputError) as error:
        assign_group(clinical, contrast, "clinical.tsv")
    for word in ["clinical.tsv", *words]:
        assert word in str(error.value)


def test_unchanging_scores_cannot_be_clustered():
    clinical = table(alsfrs_r=[40.0, 41], alsfrs_r_followup=[38.0, 39])
    with pytest.raises(InputError, match="distinct"):
        assign_group(clinical, KmeansContrast(derive="kmeans_change"), "t")


def test_a_column_without_values_is_numeric():
    assert get_numeric(table(x=pd.Series([None, None], dtype=object).array), "x", "t").isna().all()
