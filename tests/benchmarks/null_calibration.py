"""False-positive rates and coverage of the group statistics over made-up cohorts: one table.

python tests/benchmarks/null_calibration.py --cohorts 1000 --permutations 499

Every cohort has 16 and 22 patients, correlated regions, and quantile functions of its own.
*null*: nothing is related to anything. *age*: the groups differ in age by one SD and every outcome
follows age (r about .5), so that only what adjusts for age may stay at its nominal level.
*shift*: one group lies 0.8 SD higher (true Cliff's delta .43), for coverage and power. A rate
pools the regions of a cohort; its bounds (99 %) are nominal ± 2.58 SD of the cohorts' own rates
/ sqrt(cohorts), which is the binomial bound where a cohort counts once (family-wise rates).
*rank ANCOVA HC3* is the option ``statistics.standard_error: hc3``. *curve* is that of the first
region under two measurements and three sets of covariates; *curve over all* counts those without
age, too, as the workflow does not. *change* is over two or three visits, 9 ± 2 months apart, each
missed by 20 % of those who came before; participants' rates differ by 1 ppb per year (SD), or,
with *one rate*, not at all. *shift*: the first group's rates are 4 ppb per year higher. The part
*designs* (not one of the usual ones) has cohorts of its own, of more than two groups, with controls
and two sites (``null_designs.py``).
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "workflow_scripts"), str(HOME / "tests")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from benchmarks.null_designs import design_rates  # noqa: E402
from made_up_visits import LEVELS as GROUPS  # noqa: E402
from made_up_visits import MadeUp, draw  # noqa: E402
from scipy import special  # noqa: E402
from tables_of_tests import (  # noqa: E402
    contrast_of,
    correlation_table,
    distribution_test_table,
    group_test_table,
)

from qsmiron.clinical.visits import Visits  # noqa: E402
from qsmiron.statistics.cell_tests import cell_test_table  # noqa: E402
from qsmiron.statistics.cells import Cells  # noqa: E402
from qsmiron.statistics.change.change_table import change_table  # noqa: E402
from qsmiron.statistics.change.scans import ChangeInputs, Scans  # noqa: E402
from qsmiron.statistics.covariates import Covariates, no_covariates  # noqa: E402
from qsmiron.statistics.headlines import Headline  # noqa: E402
from qsmiron.statistics.inputs import Inputs  # noqa: E402
from qsmiron.statistics.multiverse import curve, specifications  # noqa: E402
from qsmiron.statistics.permutation import Permutations  # noqa: E402
from qsmiron.statistics.quantile_functions import (  # noqa: E402
    CENTRED,
    FAMILY,
    RAW,
    QuantileFunctions,
)
from qsmiron.statistics.scan_covariates import ScanTables  # noqa: E402
from qsmiron.statistics.settings import GivenContrast, Statistics, StudyDesign  # noqa: E402

N_FIRST, N_SECOND = 16, 22
LEVELS = ("one", "two")
ALPHA = 0.05
PROBABILITIES = np.linspace(0.05, 0.95, 19)
REGION_CORRELATION = 0.3


class Scenario(NamedTuple):
    """Difference of the groups' ages, slope of the outcome on age, shift of the first group."""

    age_gap: float
    age_slope: float
    shift: float


PARTS = ("groups", "hc3", "curve", "whole", "scores", "change")
DESIGNS = "designs"
VISITS = {
    name: MadeUp(n=N_FIRST + N_SECOND, n_first=N_FIRST, n_visits=n, rate_spread=spread)
    for name, n, spread in (
        ("2 visits", 2, 1),
        ("3 visits", 3, 1),
        ("3 visits, one rate", 3, 0),
    )
}
PLANTED_RATE = 5.0
"""ppb per year and unit of the scenario's shift."""
SCENARIOS = {"null": Scenario(0, 0, 0), "age": Scenario(1, 0.6, 0), "shift": Scenario(0, 0, 0.8)}


class Cohort(NamedTuple):
    """What the tables of tests are made from."""

    cells: Cells
    functions: QuantileFunctions
    group: pd.Series
    score: pd.Series
    covariates: Covariates


def make_cohort(rng: np.random.Generator, scenario: Scenario, n_regions: int) -> Cohort:
    """Draw a cohort; outcomes in SD of their noise, quantile functions in ppb."""
    n = N_FIRST + N_SECOND
    first = rng.permutation(n) < N_FIRST
    age = rng.normal(size=n) + scenario.age_gap * first
    sex = (rng.permutation(n) < n // 2).astype(float)
    score = rng.normal(size=n)

    def outcome() -> np.ndarray:
        common = np.sqrt(REGION_CORRELATION) * rng.normal(size=(n, 1))
        return common + np.sqrt(1 - REGION_CORRELATION) * rng.normal(size=(n, n_regions))

    values = outcome() + scenario.age_slope * age[:, None] + scenario.shift * first[:, None]
    width = np.exp(0.2 * (outcome() + scenario.age_slope * age[:, None]))
    normal = special.ndtri(PROBABILITIES)
    skewed = normal + 0.2 * outcome()[:, :, None] * (normal**2 - 1)
    curves = 10 * values[:, :, None] + 30 * width[:, :, None] * skewed
    people = pd.Index([f"sub-{i:02d}" for i in range(n)])
    regions = pd.DataFrame(
        {
            "region": [f"r{i}" for i in range(n_regions)],
            "hemisphere": "L",
            "index": range(n_regions),
        }
    )
    cells = regions.assign(metric="chi_mean", family="susceptibility")
    tests = pd.concat([regions.assign(metric=name, family=FAMILY) for name in (RAW, CENTRED)])
    return Cohort(
        Cells("main", "made_up", people, cells, values),
        QuantileFunctions(
            "main", "made_up", people, tests.reset_index(drop=True), PROBABILITIES, curves
        ),
        pd.Series(np.where(first, *LEVELS), people, dtype=object),
        pd.Series(score, people),
        Covariates(("age", "sex"), ("age", "sex"), np.column_stack([age, sex])),
    )


def analyse(
    cohort: Cohort,
    settings: Statistics,
    true_delta: float,
    parts: Collection[str],
    scenario_shift: float = 0.0,
) -> Iterator[tuple[str, float]]:
    """Yield, per test, the share of the regions found (or 0/1: any), and of δ and ρ covered."""
    common = ("contrast", LEVELS, cohort.group, cohort.covariates, settings)
    if "groups" in parts:
        tests = group_test_table(cohort.cells, *common)
        for arm, part in tests.groupby("arm"):
            yield f"{arm} p", (part["p"] <= ALPHA).mean()
            yield f"{arm} delta CI misses", _misses(part, true_delta)
        yield from _rates("rank ANCOVA", tests[tests["arm"] == "rigorous"])
    if "hc3" in parts:
        robust = replace(contrast_of("contrast", LEVELS, cohort.group), standard_error="hc3")
        without = settings.model_copy(update={"bootstrap": 0})
        table = cell_test_table(cohort.cells, robust, cohort.covariates, without)
        table = table[table["arm"] == "rigorous"]
        yield "rank ANCOVA HC3 p", (table["p"] <= ALPHA).mean()
        yield from _rates("rank ANCOVA HC3", table)
    if "curve" in parts:
        for name, (p_median, p_share) in curve_p(cohort, settings).items():
            yield f"{name} p_median, once a cohort", float(p_median <= ALPHA)
            yield f"{name} p_share, once a cohort", float(p_share <= ALPHA)
    if "whole" in parts:
        whole = distribution_test_table(cohort.functions, *common)
        for (arm, metric), part in whole.groupby(["arm", "metric"]):
            yield from _rates(f"{arm} {metric}", part)
    if "change" in parts:
        yield from change_rates(cohort.cells.index, settings, scenario_shift)
    if "scores" in parts:
        correlations = correlation_table(
            cohort.cells, "score", cohort.score, cohort.covariates, settings
        )
        for arm, part in correlations.groupby("arm"):
            yield f"{arm} correlation p", (part["p"] <= ALPHA).mean()
            yield f"{arm} rho CI misses", _misses(part, 0.0)
        yield from _rates("partial Spearman", correlations[correlations["arm"] == "rigorous"])


def change_rates(
    regions: pd.DataFrame, settings: Statistics, shift: float
) -> Iterator[tuple[str, float]]:
    """The same of change over time: mixed models, and rates by permutation of participants."""
    design = StudyDesign(
        contrasts={"c": GivenContrast(column="progression", levels=GROUPS)},
        statistics=settings,
    )
    truth = PLANTED_RATE * shift
    for number, (name, plan) in enumerate(VISITS.items()):
        rng = np.random.default_rng([settings.seed, number, 18])
        planted = dict.fromkeys(range(len(regions)), truth)
        who, visits, values = draw(rng, plan, len(regions), planted)
        people = pd.Index(who["participant_id"], dtype=object)
        person = visits["person"].to_numpy()
        cells = Cells("main", "made_up", people[person], regions, values)
        scans = Scans(
            cells, people, person, visits["session"].to_numpy(object), visits["months"].to_numpy()
        )
        clinical = who.set_index("participant_id")
        inputs = Inputs(design, clinical, [], "", "", [], ScanTables(None, None, ""))
        change = ChangeInputs(inputs, Visits(), [scans])
        mean = change_table(change, "time")
        yield f"{name}: time p", (mean["p"] <= ALPHA).mean()
        table = change_table(change, "contrast-c")
        mixed = table[table["term"].str.startswith("time ×")]
        yield f"{name}: time × group p", (mixed["p"] <= ALPHA).mean()
        yield f"{name}: time × group CI misses", _misses(mixed, truth)
        yield from _rates(f"{name}: rates", table[table["test"] == "rank_t"])


def curve_p(cohort: Cohort, settings: Statistics) -> dict[str, tuple[float, float]]:
    """p_median and p_share of a curve of two measurements and three sets of covariates.

    Once over the specifications that hold the design's covariates, and once over all, as if
    nothing were the design.
    """
    noise = np.random.default_rng(settings.seed).normal(size=cohort.cells.values.shape)
    again = replace(cohort.cells, desc="again", values=cohort.cells.values + 0.5 * noise)
    design = cohort.covariates
    sets = [design, no_covariates(len(noise)), replace(design, **_first_of(design))]
    headline = Headline("contrast", "c", "susceptibility", "chi_mean", "r0", "L", 0, "cohort")
    found = specifications(
        headline, [cohort.cells, again], ["chi_mean"], {"main": sets, "again": sets},
        contrast_of("c", LEVELS, cohort.group), cohort.cells.participants,
    )  # fmt: skip
    permutations = Permutations(settings.seed, settings.permutations, len(noise))
    counted = curve(found, permutations, ALPHA)
    every = curve([replace(one, covariates=None) for one in found], permutations, ALPHA)
    return {
        "curve": (counted.p_median, counted.p_share),
        "curve over all": (every.p_median, every.p_share),
    }


def _first_of(covariates: Covariates) -> dict[str, object]:
    return {"names": covariates.names[:1], "columns": covariates.columns[:1],
            "values": covariates.values[:, :1]}  # fmt: skip


def _rates(name: str, part: pd.DataFrame) -> Iterator[tuple[str, float]]:
    yield f"{name} p_perm", (part["p_perm"] <= ALPHA).mean()
    yield f"{name} family-wise", float((part["p_maxt"] <= ALPHA).any())


def _misses(part: pd.DataFrame, truth: float) -> float:
    known = part.dropna(subset=["ci_low", "ci_high"])
    return ((known["ci_low"] > truth) | (known["ci_high"] < truth)).mean()


def calibrate(
    name: str,
    cohorts: int,
    n_regions: int,
    settings: Statistics,
    seed: int = 1,
    parts: Collection[str] = PARTS,
) -> pd.DataFrame:
    """Rates of one scenario: columns scenario, test, rate, low, high, nominal (yes or no)."""
    scenario = SCENARIOS[name]
    rng = np.random.default_rng([seed, list(SCENARIOS).index(name)])

    def rates(settings: Statistics) -> Iterator[tuple[str, float]]:
        cohort = make_cohort(rng, scenario, n_regions)
        yield from analyse(cohort, settings, delta, parts, scenario.shift)
        if DESIGNS in parts:
            yield from design_rates(rng, n_regions, settings)

    delta = 2 * special.ndtr(scenario.shift / np.sqrt(2)) - 1
    # Permutations of its own for each: 499 that all share are beside the nominal level together.
    found = pd.DataFrame(
        dict(rates(settings.model_copy(update={"seed": number}))) for number in range(cohorts)
    )
    rate, spread = found.mean(), found.std()
    # Rare events of a whole cohort: their own spread is too uncertain.
    once = found.columns.str.endswith(("family-wise", "once a cohort"))
    spread[once] = np.sqrt(ALPHA * (1 - ALPHA))
    half = 2.58 * spread / np.sqrt(cohorts)
    table = pd.DataFrame(
        {
            "scenario": name,
            "rate": rate,
            "low": ALPHA - half,
            "high": ALPHA + half,
        }
    ).rename_axis("test")
    table["nominal"] = np.where(rate.between(table["low"], table["high"]), "yes", "no")
    return table.reset_index()


def main() -> None:
    """Print the table, and the seconds of each scenario."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=1000)
    parser.add_argument("--regions", type=int, default=20)
    parser.add_argument("--permutations", type=int, default=499)
    parser.add_argument("--bootstrap", type=int, default=1000)
    parser.add_argument("--scenarios", nargs="+", choices=SCENARIOS, default=list(SCENARIOS))
    parser.add_argument("--parts", nargs="+", choices=(*PARTS, DESIGNS), default=PARTS,
                        help=f"default: all but {DESIGNS}")  # fmt: skip
    parser.add_argument("--output", help="TSV")
    args = parser.parse_args()
    settings = Statistics(permutations=args.permutations, bootstrap=args.bootstrap)
    tables = []
    for name in args.scenarios:
        start = time.perf_counter()
        tables.append(calibrate(name, args.cohorts, args.regions, settings, 1, args.parts))
        print(tables[-1].to_string(index=False, float_format="%.4f"), flush=True)
        print(f"{time.perf_counter() - start:.0f} s\n", flush=True)
    if args.output:
        pd.concat(tables).to_csv(args.output, sep="\t", index=False, float_format="%.4f")


if __name__ == "__main__":
    main()
