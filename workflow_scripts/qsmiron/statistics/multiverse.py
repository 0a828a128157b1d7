"""The multiverse: a finding under every combination of defensible choices.

Steegen et al. 2016, doi 10.1177/1745691616658637. All results of a finding together are its
specification curve (Simonsohn et al. 2020, doi 10.1038/s41562-020-0912-z), which is tested as a
whole: the same Freedman-Lane permutations go through every specification, and p counts how often
the curve's median effect, or the share of its results that pass the level in one direction, is as
large as observed, (b + 1)/(B + 1). Specifications are correlated, so the share that passes is no
p value by itself. Only specifications with all covariates of the design count: without one of them
a result may be that covariate's, and the curve would be tested for confounding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from .cell_results import MIN_DF, MIN_GROUP, REFERENCE
from .cells import Cells
from .covariates import Covariates
from .headlines import Headline
from .linear import Nuisance, vanishes
from .permutation import Permutations, permuted_r
from .rank_ancova import PartialTest
from .regressors import Regressor

# Ranks make many permutations tie with the observed order; rounding must not decide those.
_TIE = 1e-9


@dataclass(frozen=True)
class Specification:
    """One test of a headline: a branch's measurements, a metric and a set of covariates.

    ``test`` is ``None`` where it is impossible, for the ``reason`` given; ``rows`` are the numbers
    of its subjects among all participants.
    """

    desc: str
    metric: str
    covariates: str | None
    n: int
    reason: str | None = None
    effect: float = np.nan
    test: PartialTest | None = None
    nuisance: Nuisance | None = None
    rows: np.ndarray | None = None

    def holds(self, main: Specification) -> bool:
        """Whether it adjusts for all that the main one does, and so counts in the curve."""
        ours, theirs = (set((one.covariates or "").split(",")) for one in (self, main))
        return theirs - {""} <= ours

    @property
    def p(self) -> float:
        """Two-sided parametric p; NaN without a test."""
        return np.nan if self.test is None else float(self.test.p[0])


def specifications(
    headline: Headline,
    branches: Sequence[Cells],
    metrics: Sequence[str],
    covariates: Mapping[str, Sequence[Covariates]],
    regressor: Regressor,
    participants: pd.Index,
) -> list[Specification]:
    """All specifications of a headline, the main one first.

    Parameters
    ----------
    headline
        Its cell.
    branches
        The measurements of every branch, the main one first.
    metrics
        Metrics of the headline's family, the primary one first.
    covariates
        Sets of covariates of each branch's participants, by ``desc``, the design's own first.
    regressor
        The contrast or score.
    participants
        Everybody who appears in any branch: permutations are orders of these.
    """
    return [
        _specification(headline, cells, metric, chosen, regressor, participants)
        for cells in branches
        for metric in metrics
        for chosen in covariates[cells.desc]
    ]


def _specification(
    headline: Headline,
    cells: Cells,
    metric: str,
    covariates: Covariates,
    regressor: Regressor,
    participants: pd.Index,
) -> Specification:
    index = cells.index
    here = (index["region"] == headline.region) & (index["hemisphere"] == headline.hemisphere)
    columns = np.flatnonzero(here & (index["metric"] == metric))
    if not columns.size:
        return Specification(
            cells.desc, metric, cells.adjusted(covariates.label), 0, "not measured"
        )
    if cells.is_reference[columns[0]]:
        return Specification(cells.desc, metric, cells.adjusted(covariates.label), 0, REFERENCE)
    x = regressor.values.reindex(cells.participants).to_numpy(float)
    outcome, region = cells.values[:, columns[:1]], np.array([headline.index])
    ((pattern, design),) = covariates.designs(outcome, region, np.isfinite(x))
    outcome, x = outcome[pattern.rows], x[pattern.rows]
    labels = (cells.desc, metric, cells.adjusted(covariates.label), len(x))
    reason = _impossible(outcome, x, design, regressor)
    if reason:
        return Specification(*labels, reason)
    nuisance = regressor.nuisance(design)
    test = regressor.test(outcome, x, nuisance, cells.participants[pattern.rows])
    effect = float(regressor.effect(outcome, x, nuisance, test)[0])
    rows = participants.get_indexer(cells.participants[pattern.rows])
    return Specification(*labels, None, effect, test, nuisance, rows)


def _impossible(
    outcome: np.ndarray, x: np.ndarray, design: np.ndarray, regressor: Regressor
) -> str | None:
    if len(x) - 2 - design.shape[1] < MIN_DF:
        return "too few degrees of freedom"
    if regressor.kind == "contrast" and min((x == 1).sum(), (x == 0).sum()) < MIN_GROUP:
        return f"fewer than {MIN_GROUP} subjects in a group"
    nuisance = regressor.nuisance(design)
    if not nuisance.full_rank:
        return "covariates are constant or collinear in these subjects"
    ranked = regressor.ranked(x)
    if np.ptp(x) == 0 or vanishes(nuisance.residuals(ranked), ranked):
        return f"the {regressor.kind} is constant or collinear with the covariates"
    if np.ptp(outcome) == 0:
        return "constant metric"
    # as in the group's tables: neither of values nor of ranks may only rounding be left
    for values in (outcome, stats.rankdata(outcome, axis=0)):
        if vanishes(nuisance.residuals(values), values)[0]:
            return "no variation left after the covariates"
    return None


@dataclass(frozen=True)
class Curve:
    """A specification curve in numbers; ``p_median`` and ``p_share`` test it as a whole.

    ``n_tested`` are the specifications that hold the design's covariates and could be tested; all
    that follows is of these: how many have the main one's sign, and of these a p below the level;
    the median effect and the extremes. p is NaN without permutations.
    """

    n_specifications: int
    n_tested: int
    n_same_sign: int
    n_significant: int
    effect_main: float
    p_main: float
    effect_median: float
    effect_low: float
    effect_high: float
    p_median: float
    p_share: float


def curve(found: Sequence[Specification], permutations: Permutations, alpha: float) -> Curve:
    """Sum up the specifications of one headline, the main one first."""
    main = found[0]
    tested = [one for one in found if one.test is not None and one.holds(main)]
    effects = np.array([one.effect for one in tested])
    p = np.array([one.p for one in tested])
    same = np.sign(effects) == np.sign(main.effect)
    p_median = p_share = np.nan
    if tested and permutations.count:
        p_median, p_share = _joint_p(tested, permutations, alpha)
    some = effects if tested else np.array([np.nan])
    return Curve(
        len(found),
        len(tested),
        int(same.sum()),
        int((same & (p < alpha)).sum()),
        main.effect,
        main.p,
        float(np.median(some)),
        float(some.min()),
        float(some.max()),
        p_median,
        p_share,
    )


def _joint_p(
    tested: Sequence[Specification], permutations: Permutations, alpha: float
) -> tuple[float, float]:
    observed = np.array([one.test.r_of_t[0] for one in tested if one.test is not None])
    limits = np.array([_r_at_level(one, alpha) for one in tested])
    median, share = _statistics(observed[None], limits)
    reached = np.zeros(2, dtype=np.int64)
    for r in _permuted(tested, permutations):
        medians, shares = _statistics(r, limits)
        reached += [(medians >= median - _TIE).sum(), (shares >= share).sum()]
    p_median, p_share = (reached + 1) / (permutations.count + 1)
    return float(p_median), float(p_share)


def _statistics(r: np.ndarray, limits: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """|median r|, and the larger share of r beyond the limits on one side; per row of ``r``."""
    limits = limits - _TIE
    above = np.count_nonzero(r >= limits, axis=1)
    below = np.count_nonzero(r <= -limits, axis=1)
    return np.abs(np.median(r, axis=1)), np.maximum(above, below)


def _r_at_level(one: Specification, alpha: float) -> float:
    """The partial correlation at which p is the level."""
    t = stats.t.isf(alpha / 2, one.test.df)  # type: ignore[union-attr]
    return float(t / np.sqrt(one.test.df + t**2))  # type: ignore[union-attr]


def _permuted(tested: Sequence[Specification], permutations: Permutations) -> Iterator[np.ndarray]:
    """Partial correlations of every specification under the same permutations, in chunks."""
    chunks = [
        permuted_r(one.test, one.nuisance.basis, permutations, one.rows, chunk=1000)
        for one in tested
    ]
    for parts in zip(*chunks, strict=True):
        yield np.concatenate(parts, axis=1)
