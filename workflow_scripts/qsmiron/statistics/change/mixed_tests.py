"""Mixed models of every cell: change with time, and how it differs between two groups.

value ~ covariates at baseline + time (+ group + group × time) + (1 | participant), or with
(1 + time | participant) where three visits can tell rates apart and the fit is no bound. Every scan
counts whose time and whose participant's covariates are known; who has one scan alone helps
to place the others. t has Satterthwaite's degrees of freedom.

R² is of the fixed effects (marginal), and of these and the participants together (conditional),
after Nakagawa and Schielzeth 2013, doi 10.1111/j.2041-210x.2012.00261.x (with a slope, at the mean
over the scans: Johnson 2014, doi 10.1111/2041-210X.12225).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy import stats

from ..cell_results import MIN_GROUP, NOBODY, CellResults
from ..linear import nuisance_space
from .mixed_model import MixedFit, fit_mixed
from .rates import unit_of, unit_per
from .satterthwaite import degrees_of_freedom, variance_parameters
from .scans import ChangeInputs, Scans

NUMBERS = (
    "n", "n_scans", "n_1", "n_2", "effect", "se", "ci_low", "ci_high", "statistic", "df", "p",
    "r2_marginal", "r2_conditional",
)  # fmt: skip

_NUMBERS_AT_ONCE = 200_000
"""Outcomes times participants that are fitted together: 50 MB."""


@dataclass(frozen=True)
class Contrast:
    """A linear combination of the last columns of the design: [moderator,] time[, their product].

    ``rate``: it is per time; ``per``: of what the moderator is a number of, for the unit.
    """

    term: str
    weights: tuple[float, ...]
    rate: bool
    per: str = ""

    @property
    def effect_name(self) -> str:
        """What the estimate is, as the table says it."""
        return "slope" if self.per else "rate" if self.rate else "difference"


TIME = (Contrast("time", (1,), True),)


def visit_contrasts(name: str) -> tuple[Contrast, ...]:
    """How the value of a scan goes with a number of its visit, beside time."""
    return (Contrast(f"{name} at each visit", (1, 0), False, " per point"),)


def number_contrasts(name: str, per: str) -> tuple[Contrast, ...]:
    """How the rate goes with a number of each participant."""
    return (Contrast(f"time × {name}", (0, 0, 1), True, per),)


def group_contrasts(levels: tuple[str, str]) -> tuple[Contrast, ...]:
    """What is asked of the columns group (first level), time and their product."""
    first, second = levels
    return (
        Contrast(f"time in {first}", (0, 1, 1), True),
        Contrast(f"time in {second}", (0, 1, 0), True),
        Contrast(f"time × ({first} − {second})", (0, 0, 1), True),
        Contrast(f"{first} − {second} at baseline", (1, 0, 0), False),
    )


def mixed_table(
    inputs: ChangeInputs,
    scans: Scans,
    contrasts: Sequence[Contrast] = TIME,
    moderator: np.ndarray | None = None,
    groups: bool = False,
    belongs: np.ndarray | None = None,
    varying: np.ndarray | None = None,
) -> pd.DataFrame:
    """Rows of the table ``change`` of one variant and atlas, for every contrast of the model.

    Parameters
    ----------
    inputs, scans
        The design and the scans.
    contrasts
        What is asked of the model.
    moderator
        What rates may go with, per participant, NaN for who has no part: with ``groups`` 1 for the
        first and 0 for the second, else a number.
    belongs
        Boolean per participant: has a part, as far as the moderator does not say.
    varying
        In place of a moderator: a number of each scan, NaN where unknown, that stands before time.
    """
    settings = inputs.data.design.change
    covariates = inputs.covariates(scans)
    results = [CellResults(scans.cells, NUMBERS) for _ in contrasts]
    random = np.full(len(scans.cells.index), None, dtype=object)
    usable = np.ones(len(scans.time), dtype=bool) if belongs is None else belongs[scans.person]
    member = None
    if moderator is not None:
        centre = 0.0 if groups else np.nanmean(moderator)
        member = (moderator - centre)[scans.person]
        usable &= np.isfinite(member)
    if varying is not None:
        usable &= np.isfinite(varying)
    everyone = replace(covariates, values=covariates.values[scans.person])
    if covariates.regional is not None:
        regional = covariates.regional.values[scans.person]
        everyone = replace(everyone, regional=replace(covariates.regional, values=regional))
    regions = scans.cells.index["index"].to_numpy()
    time = scans.time / inputs.unit
    for pattern, design in everyone.designs(scans.cells.values, regions, usable):
        rows = pattern.rows
        person = scans.person[rows]
        tested = [time[rows]]
        if varying is not None:
            tested = [varying[rows], time[rows]]
        if member is not None:
            tested = [member[rows], time[rows], member[rows] * time[rows]]
        fixed = np.column_stack([np.ones(len(rows)), design, *tested])
        counts = _counts(person, member[rows] if groups and member is not None else None)
        for each in results:
            each.set(pattern.columns, n_scans=len(rows), **counts)
        if reason := _refusal(fixed, person, time[rows], counts):
            for each in results:
                each.refuse(pattern.columns, reason)
            continue
        outcomes = scans.cells.values[np.ix_(rows, pattern.columns)]
        flat = np.ptp(outcomes, axis=0) == 0
        for each in results:
            each.refuse(pattern.columns[flat], "constant metric")
        kept = results[0].open(pattern.columns)
        if not kept.size:
            continue
        outcomes = scans.cells.values[np.ix_(rows, kept)]
        for some, fit, kind in fits(
            outcomes, fixed, person, time[rows], settings.likelihood, settings.random_slope
        ):
            random[kept[some]] = kind
            marginal, conditional = r_squared(fit, fixed, time[rows])
            parameters = variance_parameters(fit)
            for each, contrast in zip(results, contrasts, strict=True):
                weights = np.zeros(fixed.shape[1])
                weights[-len(contrast.weights) :] = contrast.weights
                each.set(kept[some], **tested_contrast(fit, weights, parameters))
                each.set(kept[some], r2_marginal=marginal, r2_conditional=conditional)
    metrics = scans.cells.index["metric"]
    tables = []
    for each, contrast in zip(results, contrasts, strict=True):
        unit = [
            (unit_per(name, settings.per) if contrast.rate else unit_of(name) or "1") + contrast.per
            for name in metrics
        ]
        tables.append(
            each.table(
                test="mixed_model", term=contrast.term, fit=settings.likelihood, random=random,
                covariates=covariates.label, effect_name=contrast.effect_name,
                unit=unit,
            )
        )  # fmt: skip
    return pd.concat(tables, ignore_index=True)


def _counts(person: np.ndarray, member: np.ndarray | None) -> dict[str, int]:
    counts = {"n": len(np.unique(person))}
    if member is not None:
        counts["n_1"] = len(np.unique(person[member == 1]))
        counts["n_2"] = len(np.unique(person[member == 0]))
    return counts


def _refusal(
    fixed: np.ndarray, person: np.ndarray, time: np.ndarray, counts: dict[str, int]
) -> str | None:
    """Why no model can be fitted, if so."""
    if not counts["n"]:
        return NOBODY
    if min(counts.get("n_1", MIN_GROUP), counts.get("n_2", MIN_GROUP)) < MIN_GROUP:
        return f"fewer than {MIN_GROUP} subjects in a group"
    several = [who for who in np.unique(person) if np.ptp(time[person == who]) > 0]
    if len(several) < MIN_GROUP:
        return f"fewer than {MIN_GROUP} subjects with scans at two times"
    df = counts["n"] - fixed.shape[1]
    if df < 2:
        return f"too few degrees of freedom: {df}"
    if not nuisance_space(fixed[:, 1:]).full_rank:
        return "covariates or groups are constant or collinear in these subjects"
    return None


def fits(
    outcomes: np.ndarray,
    fixed: np.ndarray,
    person: np.ndarray,
    time: np.ndarray,
    likelihood: str,
    random_slope: bool,
) -> Iterator[tuple[np.ndarray, MixedFit, str]]:
    """Fits of all outcomes: which of them, and what is random in it.

    A slope takes more scans than random effects; where it does not converge, or lies at a bound,
    the intercept alone is random.
    """
    n_people = len(np.unique(person))
    own_slopes = random_slope and len(person) > 2 * n_people
    at_once = max(1, _NUMBERS_AT_ONCE // n_people)
    for start in range(0, outcomes.shape[1], at_once):
        left = np.arange(start, min(start + at_once, outcomes.shape[1]))
        if own_slopes:
            fit = fit_mixed(outcomes[:, left], fixed, person, likelihood, time)
            good = np.flatnonzero(fit.converged)
            if good.size:
                yield left[good], subset(fit, good), "intercept+slope"
            left = left[~fit.converged]
        if left.size:
            yield left, fit_mixed(outcomes[:, left], fixed, person, likelihood), "intercept"


def subset(fit: MixedFit, outcomes: np.ndarray) -> MixedFit:
    """The fits of some of the outcomes."""
    return MixedFit(
        fit.problem.of(outcomes), fit.theta[outcomes], fit.sigma[outcomes], fit.beta[outcomes],
        fit.covariance[outcomes], fit.converged[outcomes],
    )  # fmt: skip


def tested_contrast(
    fit: MixedFit, weights: np.ndarray, parameters: tuple[np.ndarray, np.ndarray]
) -> dict[str, np.ndarray]:
    """Estimate, standard error, t with its df, p and 95 % interval of a contrast, by name.

    ``parameters`` are the :func:`.variance_parameters` of the fit.
    """
    effect, error = fit.estimate(weights)
    df = degrees_of_freedom(fit, weights, parameters)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = effect / error
    half = stats.t.ppf(0.975, df) * error
    return {
        "effect": effect, "se": error, "statistic": t, "df": df, "p": 2 * stats.t.sf(np.abs(t), df),
        "ci_low": effect - half, "ci_high": effect + half,
    }  # fmt: skip


def r_squared(fit: MixedFit, fixed: np.ndarray, time: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Marginal and conditional R² of every outcome."""
    explained = np.var(fixed @ fit.beta.T, axis=0, ddof=1)
    variance = np.square(fit.sigma)
    if fit.theta.shape[1] == 1:
        between = np.square(fit.theta[:, 0]) * variance
    else:
        scaled = (time - time.mean()) / time.std()
        first = fit.theta[:, :1] + np.outer(fit.theta[:, 1], scaled)
        second = np.outer(fit.theta[:, 2], scaled)
        between = (np.square(first) + np.square(second)).mean(axis=1) * variance
    total = explained + between + variance
    return explained / total, (explained + between) / total
