"""Which cells are headline findings."""

import numpy as np
import pandas as pd
import pytest

from qsmiron.statistics.headlines import headlines
from qsmiron.statistics.multiplicity import PRIMARY_METRICS

REGIONS = [("thalamus", "L", 1), ("thalamus", "R", 2), ("amygdala", "L", 3), ("amygdala", "R", 4),
           ("hippocampus", "R", 5), ("paracentral", "L", 6)]  # fmt: skip

OF_SOURCES = {("chi_dia_mean", "amygdala", "L"): "cohort"}
"""The strongest of χ⁺ and χ⁻ where all p are alike: the first by name."""


def table(p=0.5, **cells):
    """Rigorous rows of the primary metrics, with these p at ``metric__region__hemisphere``."""
    rows = pd.DataFrame(
        [
            dict(arm=arm, index=index, region=region, hemisphere=side, metric=metric, family=family)
            for arm in ("replication", "rigorous")
            for family, metric in [*PRIMARY_METRICS.items(), ("susceptibility", "chi_median")]
            for region, side, index in REGIONS
        ]
    )
    rows["p"] = np.where(rows["arm"] == "replication", 1e-9, p)
    rows.loc[rows["metric"] == "chi_median", "p"] = 1e-8
    for name, value in cells.items():
        metric, region, side = name.split("__")
        here = (rows["metric"] == metric) & (rows["region"] == region)
        rows.loc[here & (rows["hemisphere"] == side) & (rows["arm"] == "rigorous"), "p"] = value
    return rows


def found(tests, kind="contrast", name="phenotype"):
    return {
        (one.metric, one.region, one.hemisphere): one.origin for one in headlines(tests, kind, name)
    }


def test_the_strongest_of_the_cohort_stands_beside_the_study_s_findings():
    tests = table(chi_sd__hippocampus__R=0.01)
    assert found(tests) == {
        ("chi_mean", "thalamus", "L"): "study",
        ("chi_mean", "amygdala", "R"): "study",
        ("chi_sd", "hippocampus", "R"): "cohort",
        **OF_SOURCES,
    }


def test_a_finding_that_is_the_strongest_is_both():
    tests = table(chi_mean__amygdala__R=0.01)
    assert found(tests) == {
        ("chi_mean", "thalamus", "L"): "study",
        ("chi_mean", "amygdala", "R"): "both",
        **OF_SOURCES,
    }


def test_a_headline_carries_its_cell():
    one = headlines(table(chi_mean__amygdala__R=0.01), "contrast", "phenotype")[1]
    assert one == (
        "contrast",
        "phenotype",
        "susceptibility",
        "chi_mean",
        "amygdala",
        "R",
        4,
        "both",
    )


def test_neither_the_other_arm_nor_another_metric_counts():
    assert set(found(table(), name="mine").values()) == {"cohort"}
    assert all(metric in PRIMARY_METRICS.values() for metric, _, _ in found(table(), name="mine"))


def test_a_contrast_that_the_study_lacks_has_its_strongest():
    tests = table(deposit_fraction__thalamus__R=0.2)
    assert found(tests, name="mine") == {
        ("deposit_fraction", "thalamus", "R"): "cohort",
        **OF_SOURCES,
    }


def test_beside_the_strongest_stands_the_strongest_of_sources():
    tests = table(chi_mean__thalamus__L=0.001, chi_dia_mean__thalamus__R=0.02,
                  chi_para_mean__thalamus__R=0.01)  # fmt: skip
    assert found(tests, name="mine") == {
        ("chi_mean", "thalamus", "L"): "cohort",
        ("chi_para_mean", "thalamus", "R"): "cohort",
    }
    tests = table(chi_dia_mean__thalamus__R=0.02)
    assert found(tests, name="mine") == {("chi_dia_mean", "thalamus", "R"): "cohort"}
    without = table(chi_mean__thalamus__L=0.001)
    without = without[~without["metric"].str.contains("_para_|_dia_")]
    assert found(without, name="mine") == {("chi_mean", "thalamus", "L"): "cohort"}


def test_a_finding_without_a_region_is_that_of_the_smallest_p():
    tests = table(iron_line__hippocampus__R=0.02, chi_mean__thalamus__L=0.01)
    assert found(tests, "score", "umn_score") == {
        ("iron_line", "hippocampus", "R"): "study",
        ("chi_mean", "thalamus", "L"): "cohort",
        **OF_SOURCES,
    }
    # a copy of mean χ is no second finding of the cohort's own: of equal ones the first by name
    tests = table(iron_line__hippocampus__R=0.02)
    assert found(tests, "score", "umn_score") == {
        ("iron_line", "hippocampus", "R"): "study",
        ("chi_cortex_white", "amygdala", "L"): "cohort",
        **OF_SOURCES,
    }


def test_a_finding_that_was_not_tested_is_left_out():
    tests = table(chi_mean__thalamus__L=np.nan, chi_sd__hippocampus__R=0.01)
    assert ("chi_mean", "thalamus", "L") not in found(tests)
    tests = tests[tests["region"] != "amygdala"]
    assert set(found(tests)) == {
        ("chi_sd", "hippocampus", "R"),
        ("chi_dia_mean", "hippocampus", "R"),
    }


@pytest.mark.parametrize(
    "tests", [table(p=np.nan), table()[:0], table().query("arm != 'rigorous'")]
)
def test_without_tests_there_are_none(tests):
    tests = tests[tests["metric"] != "chi_median"]
    assert headlines(tests, "contrast", "phenotype") == []


def test_ties_do_not_depend_on_the_order_of_rows():
    tests = table()
    rng = np.random.default_rng(0)
    expected = found(tests, name="mine")
    assert expected == {("chi_cortex_white", "amygdala", "L"): "cohort", **OF_SOURCES}
    for _ in range(10):
        shuffled = tests.iloc[rng.permutation(len(tests))]
        assert found(shuffled, name="mine") == expected
        again = shuffled.reset_index(drop=True)
        assert found(again, name="mine") == expected
