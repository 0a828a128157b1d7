"""Over made-up cohorts, nominal rates where the null holds, and not where a test must fail."""

import time

import numpy as np
import pytest
from benchmarks.null_calibration import PARTS, SCENARIOS, calibrate, make_cohort
from tables_of_tests import correlation_table, distribution_test_table, group_test_table

from qsmiron.statistics.cells import Cells
from qsmiron.statistics.quantile_functions import QuantileFunctions
from qsmiron.statistics.settings import Statistics

COHORTS = 100
QUICK = Statistics(permutations=99, bootstrap=0)
# z of a false alarm in one of 10,000 such tests.
FAR = 3.9


ONE_VISIT = [part for part in PARTS if part != "change"]


def rates(name, settings=QUICK, parts=ONE_VISIT):
    table = calibrate(name, COHORTS, 8, settings, parts=parts).set_index("test")
    return table["rate"], (table["high"] - 0.05) / 2.58


@pytest.mark.parametrize("name", ["null", "age"])
def test_false_positives(name):
    rate, error = rates(name)
    held = ~rate.index.str.contains("CI")
    if name == "age":
        unadjusted = rate.index.str.startswith("replication")
        held &= ~unadjusted | rate.index.str.contains("correlation")
    assert (np.abs(rate - 0.05) < FAR * error)[held].all()
    if name == "age":
        # Age is another: whoever does not adjust for it finds it.
        assert rate["replication p"] > 0.2
        assert rate["replication wasserstein p_perm"] > 0.2
        assert rate["replication wasserstein family-wise"] > 0.2


@pytest.mark.nightly
def test_false_positives_of_change_over_time():
    rate, error = rates("null", parts=["change"])
    held = ~rate.index.str.contains("CI")
    assert (np.abs(rate - 0.05) < FAR * error)[held].all()


def test_intervals_cover():
    rate, error = rates("shift", Statistics(permutations=19, bootstrap=499))
    misses = rate.index.str.contains("CI")
    assert misses.sum() == 4
    assert (np.abs(rate - 0.05) < FAR * error)[misses].all()
    assert rate["rigorous p"] > 0.4
    assert rate["rigorous wasserstein_centred p_perm"] < 0.05 + FAR * error.max()


@pytest.mark.slow
def test_a_whole_study_takes_less_than_a_minute():
    """83 regions × 15 metrics × 2 contrasts and 3 scores with the default numbers, CPU seconds."""
    one = make_cohort(np.random.default_rng(0), SCENARIOS["null"], 83)
    values = np.random.default_rng(1).normal(size=(38, 15 * 83))
    index = one.cells.index.loc[one.cells.index.index.repeat(15)].reset_index(drop=True)
    index = index.assign(metric=np.tile([f"metric{i}" for i in range(15)], 83))
    cells = Cells("main", "made_up", one.cells.participants, index, values)
    probabilities = np.linspace(0.005, 0.995, 199)
    functions = QuantileFunctions(
        "main", "made_up", one.cells.participants, one.functions.index, probabilities,
        np.sort(np.random.default_rng(2).normal(size=(38, 83, 199)), axis=2),
    )  # fmt: skip
    settings = Statistics()
    start = time.process_time()
    for _ in range(2):
        common = ("c", ("one", "two"), one.group, one.covariates, settings)
        group_test_table(cells, *common)
        distribution_test_table(functions, *common)
    for _ in range(3):
        correlation_table(cells, "s", one.score, one.covariates, settings)
    assert time.process_time() - start < 60
