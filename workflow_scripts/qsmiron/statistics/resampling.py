"""Bootstrap over subjects: the resamples, and BCa intervals from what they give.

Efron 1987, Better bootstrap confidence intervals, doi 10.1080/01621459.1987.10478410; Efron &
Tibshirani 1993, An Introduction to the Bootstrap, chapter 14. A resample is kept as the number of
times that it holds each subject: all statistics here are functions of such weights, and the
jackknife, which gives the acceleration, is n more of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy import special

LEVEL = 0.95
NO_INTERVAL = "no confidence interval: "
SHIFTED = NO_INTERVAL + "every resample lies on one side of the estimate"
RIGID = NO_INTERVAL + "leaving subjects out changes nothing"
UNDEFINED = NO_INTERVAL + "undefined in too many resamples"
_MOST_UNDEFINED = 0.05
# Resamples that repeat the sample must count as equal to it, whatever the rounding.
_SAME = 1e-12


@dataclass(frozen=True)
class Resamples:
    """``strata`` (n, integers) are resampled apart from each other.

    ``weights`` is resamples × n, ``left_out`` n × n (one subject less each); float64 counts.
    """

    strata: np.ndarray
    weights: np.ndarray
    left_out: np.ndarray


class Intervals(NamedTuple):
    """Ends of the interval per cell, NaN where ``reason`` (object, else None) says why."""

    low: np.ndarray
    high: np.ndarray
    reason: np.ndarray


def resample(strata: np.ndarray, count: int, seed: int) -> Resamples:
    """Draw subjects with replacement within each stratum, as many as it has.

    The same strata and seed give the same resamples, whatever else is analysed.
    """
    generator = np.random.default_rng(seed)
    n = len(strata)
    weights = np.zeros((count, n))
    for label in np.unique(strata):
        members = np.flatnonzero(strata == label)
        chosen = generator.integers(0, members.size, (count, members.size))
        flat = np.arange(count)[:, None] * n + members[chosen]
        weights += np.bincount(flat.ravel(), minlength=count * n).reshape(count, n)
    return Resamples(strata, weights, 1.0 - np.eye(n))


def bca_intervals(
    observed: np.ndarray, resampled: np.ndarray, left_out: np.ndarray, strata: np.ndarray
) -> Intervals:
    """BCa interval (:data:`LEVEL`) of every cell.

    Parameters
    ----------
    observed
        Statistic of the sample, per cell.
    resampled
        Statistic of each resample, resamples × cells; NaN where undefined. At most 5 % may be:
        the interval is that of the others.
    left_out
        Statistic without each subject, n × cells.
    strata
        Stratum of each subject.
    """
    ordered = np.sort(resampled, axis=0)  # NaN last
    defined = np.isfinite(ordered).sum(axis=0)
    bias = bias_correction(observed, resampled)
    acceleration = jackknife_acceleration(left_out, strata)
    reason = np.full(observed.shape, None, dtype=object)
    reason[~np.isfinite(bias)] = SHIFTED
    reason[~np.isfinite(acceleration)] = RIGID
    too_few = defined < (1 - _MOST_UNDEFINED) * len(resampled)
    reason[too_few | ~np.isfinite(left_out).all(axis=0)] = UNDEFINED
    good = reason == None  # noqa: E711 - elementwise
    ends = []
    for tail in ((1 - LEVEL) / 2, (1 + LEVEL) / 2):
        z = bias[good] + special.ndtri(tail)
        share = special.ndtr(bias[good] + z / (1 - acceleration[good] * z))
        end = np.full(observed.shape, np.nan)
        end[good] = _quantile(ordered[:, good], defined[good], share)
        ends.append(end)
    return Intervals(*ends, reason)


def bias_correction(observed: np.ndarray, resampled: np.ndarray) -> np.ndarray:
    """z₀: normal quantile of the share of resamples below the estimate, ties by half.

    ±inf where all lie on one side, NaN where none is defined.
    """
    below = np.count_nonzero(resampled < observed - _SAME, axis=0)
    not_above = np.count_nonzero(resampled <= observed + _SAME, axis=0)
    defined = np.isfinite(resampled).sum(axis=0)
    share = (below + not_above) / np.where(defined, 2.0 * defined, np.nan)
    return special.ndtri(share)


def jackknife_acceleration(left_out: np.ndarray, strata: np.ndarray) -> np.ndarray:
    """a: a sixth of the skewness of the jackknife influences, summed over strata.

    Efron & Tibshirani 1993, equation 14.15, extended to several samples as scipy has it. NaN
    where no influence differs from 0.
    """
    third = np.zeros(left_out.shape[1])
    second = np.zeros(left_out.shape[1])
    for label in np.unique(strata):
        part = left_out[strata == label]
        size = len(part)
        influence = (size - 1) * (part.mean(axis=0) - part) / size
        influence[np.abs(influence) < _SAME] = 0
        third += np.power(influence, 3).sum(axis=0)
        second += np.square(influence).sum(axis=0)
    with np.errstate(invalid="ignore"):
        return third / np.where(second > 0, 6 * second**1.5, np.nan)


def _quantile(ordered: np.ndarray, defined: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Quantile of each column's first ``defined`` values, linear between order statistics."""
    position = share * (defined - 1)
    low = np.floor(position).astype(int)
    high = np.minimum(low + 1, defined - 1)
    cells = np.arange(ordered.shape[1])
    bottom, top = ordered[low, cells], ordered[high, cells]
    return bottom + (position - low) * (top - bottom)
