"""Power of the group statistics over planted effects, beside theory: one table.

python tests/benchmarks/power.py --blocks 100 --cohorts 20

Groups of 16 and 22 whose normal outcomes differ by d SD, and 38 patients whose outcome and score
have a (Spearman) correlation ρ. A block is a table of cells, every cell the outcome of a cohort of
its own; the cohorts of a block share the groups, age and sex (unrelated to the outcomes), score
and permutations. Bounds are the 99 % Monte-Carlo interval of the found rate, from the spread
between blocks. Theory: see :mod:`qsmiron.statistics.power`; in rank ANCOVA the group loses the
share of its variation that age and sex happen to explain in the block.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "workflow_scripts"), str(HOME / "tests")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from tables_of_tests import correlation_table, group_test_table  # noqa: E402

from qsmiron.statistics.cells import Cells  # noqa: E402
from qsmiron.statistics.covariates import Covariates  # noqa: E402
from qsmiron.statistics.linear import nuisance_space  # noqa: E402
from qsmiron.statistics.power import (  # noqa: E402
    MANN_WHITNEY_EFFICIENCY,
    SPEARMAN_EFFICIENCY,
    correlation_power,
    group_power,
)
from qsmiron.statistics.settings import Statistics  # noqa: E402

N_FIRST, N_SECOND = 16, 22
N = N_FIRST + N_SECOND
LEVELS = ("one", "two")
ALPHA = 0.05
DIFFERENCES = (0.0, 0.3, 0.6, 0.95, 1.2)
CORRELATIONS = (0.0, 0.2, 0.44, 0.6)
PEOPLE = pd.Index([f"sub-{i:02d}" for i in range(N)])


class Found(NamedTuple):
    """Share of a block's cohorts found at .05 by a test, and its power in theory."""

    test: str
    rate: float
    theory: float


def _cells(values: np.ndarray) -> Cells:
    index = pd.DataFrame({"region": [f"cohort{i}" for i in range(values.shape[1])]})
    index = index.assign(hemisphere="L", index=range(len(index)), metric="chi_mean")
    return Cells("main", "made_up", PEOPLE, index.assign(family="susceptibility"), values)


def _covariates(rng: np.random.Generator) -> Covariates:
    values = np.column_stack([rng.normal(size=N), rng.permutation(N) < N // 2]).astype(float)
    return Covariates(("age", "sex"), ("age", "sex"), values)


def group_block(
    rng: np.random.Generator, d: float, cohorts: int, settings: Statistics
) -> Iterator[Found]:
    """One block of cohorts whose first group lies ``d`` SD higher."""
    first = rng.permutation(N) < N_FIRST
    covariates = _covariates(rng)
    group = pd.Series(np.where(first, *LEVELS), PEOPLE, dtype=object)
    outcomes = rng.normal(size=(N, cohorts)) + d * first[:, None]
    table = group_test_table(_cells(outcomes), "c", LEVELS, group, covariates, settings)
    residuals = nuisance_space(covariates.values).residuals(first.astype(float))
    left = np.square(residuals).sum() / (N_FIRST * N_SECOND / N)
    raw, adjusted = (
        group_power(d * np.sqrt(share), N_FIRST, N_SECOND, ALPHA, MANN_WHITNEY_EFFICIENCY, k)
        for share, k in ((1.0, 0), (left, 2))
    )
    rigorous = table[table["arm"] == "rigorous"]
    replication = table[table["arm"] == "replication"]
    yield Found("Mann-Whitney", (replication["p"] <= ALPHA).mean(), raw)
    yield Found("rank ANCOVA", (rigorous["p"] <= ALPHA).mean(), adjusted)
    yield Found("rank ANCOVA, permutation", (rigorous["p_perm"] <= ALPHA).mean(), adjusted)


def correlation_block(
    rng: np.random.Generator, rho: float, cohorts: int, settings: Statistics
) -> Iterator[Found]:
    """One block of cohorts whose outcome and score have the Spearman correlation ``rho``."""
    pearson = 2 * np.sin(np.pi * rho / 6)  # of normal variables with that Spearman correlation
    score = rng.normal(size=N)
    covariates = _covariates(rng)
    noise = rng.normal(size=(N, cohorts))
    outcomes = pearson * score[:, None] + np.sqrt(1 - pearson**2) * noise
    table = correlation_table(_cells(outcomes), "s", pd.Series(score, PEOPLE), covariates, settings)
    raw, adjusted = (correlation_power(rho, N, ALPHA, SPEARMAN_EFFICIENCY, k) for k in (0, 2))
    rigorous = table[table["arm"] == "rigorous"]
    replication = table[table["arm"] == "replication"]
    yield Found("Spearman", (replication["p"] <= ALPHA).mean(), raw)
    yield Found("partial Spearman", (rigorous["p"] <= ALPHA).mean(), adjusted)
    yield Found("partial Spearman, permutation", (rigorous["p_perm"] <= ALPHA).mean(), adjusted)


def power_table(
    kind: str, planted: float, blocks: int, cohorts: int, permutations: int = 999, seed: int = 1
) -> pd.DataFrame:
    """Columns planted, test, found, low, high (99 % Monte-Carlo interval) and theory.

    ``kind`` is ``difference`` (d) or ``correlation`` (ρ).
    """
    make = {"difference": group_block, "correlation": correlation_block}[kind]
    rng = np.random.default_rng([seed, kind == "difference", round(1000 * planted)])
    found = pd.DataFrame(
        row
        for block in range(blocks)
        for row in make(
            rng,
            planted,
            cohorts,
            Statistics(permutations=permutations, bootstrap=0, seed=block),
        )
    )
    grouped = found.groupby("test", sort=False)
    rate, theory = grouped["rate"].mean(), grouped["theory"].mean()
    half = 2.58 * grouped["rate"].std() / np.sqrt(blocks)
    return pd.DataFrame(
        {
            "planted": planted,
            "found": rate,
            "low": (rate - half).clip(lower=0),
            "high": (rate + half).clip(upper=1),
            "theory": theory,
        }
    ).reset_index()


def main() -> None:
    """Print the table and the seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--blocks", type=int, default=100)
    parser.add_argument("--cohorts", type=int, default=20, help="in a block")
    parser.add_argument("--permutations", type=int, default=999)
    args = parser.parse_args()
    start = time.perf_counter()
    for kind, effects in (("difference", DIFFERENCES), ("correlation", CORRELATIONS)):
        tables = [
            power_table(kind, effect, args.blocks, args.cohorts, args.permutations)
            for effect in effects
        ]
        print(kind, pd.concat(tables).to_string(index=False, float_format="%.3f"), sep="\n")
        print(f"{time.perf_counter() - start:.0f} s\n", flush=True)


if __name__ == "__main__":
    main()
