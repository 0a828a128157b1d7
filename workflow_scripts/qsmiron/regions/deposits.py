"""Iron deposits: voxels of a region above its high-iron threshold.

The threshold of a region (ppm) is a percentile of the mixture of all subjects' susceptibilities
in it, in which every subject weighs the same whatever its number of voxels; or one fixed value.
Group labels play no part in it, unless the config names a reference group to pool.

A region whose whole distribution is shifted has more voxels above the threshold as well. So each
subject's median in the region is also removed, and voxels are counted above the same percentile of
what is left (``deposit_fraction_centred``): of shape, as the other is mostly of location.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, NamedTuple

import numpy as np
from pydantic import BeforeValidator, Field

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spelling import level_text
from .iron import LineParameters, iron_by_line
from .metrics import DEPOSITS
from .values import RegionValues

_MM3_PER_LITRE = 1e6
# A cumulated weight this close to the wanted probability has reached it (rounding of the sum).
_ROUNDING = 1e-12
# Values of a sample that bracket the pooled quantile: about 2/1,000 of all voxels are then merged.
_KNOTS = 1000


class ReferenceGroup(Parameters):
    """Participants that a column of the clinical table names."""

    column: str = Field(description="Column of the clinical table")
    level: Annotated[str, BeforeValidator(level_text)] = Field(
        min_length=1, description="Its value in the group's participants"
    )


class DepositParameters(Parameters):
    """What counts as a deposit, and what it weighs."""

    tissue_density: float = Field(1.04, gt=0, description="Density of wet tissue (kg/L)")
    deposit_percentile: float = Field(
        95.0, gt=0, lt=100, description="Percentile of the pooled χ that is the threshold (%)"
    )
    deposit_threshold: float | None = Field(
        None, description="A fixed threshold on χ instead of the percentile (ppm)"
    )
    deposit_group: ReferenceGroup | None = Field(
        None,
        description="Whose χ is pooled, such as {column: diagnosis, level: control}; null: "
        "everybody's",
    )


class IronParameters(LineParameters, DepositParameters):
    """The config's block ``iron``."""


def mixture_quantile(
    samples: Iterable[np.ndarray], weights: Sequence[float], probability: float
) -> float:
    """Quantile of a mixture of empirical distributions: the smallest x with F(x) ≥ probability.

    Exact, in memory that does not grow with the size of a sample: a first pass keeps at most
    1,000 values of each, at known ranks, and these bracket the quantile; a second pass merges
    the values inside the bracket.

    Parameters
    ----------
    samples : iterable of ndarray, shape (n_s,)
        Ascending, none empty. Gone through twice, and one sample is held at a time.
    weights : sequence of float
        Weight of each sample; the values of a sample share it equally. They add up to 1.
    probability : float
        Between 0 and 1.
    """
    low, high = _bracket(samples, weights, probability)
    below, candidates, shares = 0.0, [], []
    for sample, weight in zip(samples, weights, strict=True):
        first = np.searchsorted(sample, low, side="left")
        last = np.searchsorted(sample, high, side="right")
        below += weight * first / sample.size
        candidates.append(sample[first:last].copy())  # a view would keep the whole sample
        shares.append(np.full(last - first, weight / sample.size))
    return float(_reached(candidates, shares, probability, below))


def _bracket(
    samples: Iterable[np.ndarray], weights: Sequence[float], probability: float
) -> tuple[np.floating, np.floating]:
    """Values that the mixture's quantile lies between, from a few ranks of each sample.

    Of the values between two knots it is known that they are neither smaller than the one nor
    larger than the other: all of them at the lower knot, the mixture comes to its quantile too
    early; all at the upper one, too late.
    """
    knots, early, late = [], [], []
    for sample, weight in zip(samples, weights, strict=True):
        n_knots = min(_KNOTS, sample.size)
        ranks = np.linspace(0, sample.size - 1, n_knots).round().astype(np.int64)
        knots.append(sample[ranks])
        share = weight / sample.size
        early.append(np.diff(ranks, append=sample.size) * share)
        late.append(np.diff(ranks, prepend=-1) * share)
    return _reached(knots, early, probability), _reached(knots, late, probability + 2 * _ROUNDING)


def _reached(
    values: Sequence[np.ndarray],
    shares: Sequence[np.ndarray],
    probability: float,
    below: float = 0.0,
) -> np.floating:
    """The smallest value up to which ``below`` and the shares add up to the probability."""
    merged = np.concatenate(values)
    order = np.argsort(merged, kind="stable")
    cumulated = below + np.concatenate(shares)[order].cumsum()
    position = np.searchsorted(cumulated, probability - _ROUNDING)
    return merged[order[min(int(position), merged.size - 1)]]


class Threshold(NamedTuple):
    """What χ (ppm) of a region, and χ less the subject's median, must exceed; NaN: none."""

    chi: float = math.nan
    centred: float = math.nan


class Pooled(NamedTuple):
    """Both thresholds of every region, and the number of subjects pooled; shapes (R,)."""

    chi: np.ndarray
    centred: np.ndarray
    n_subjects: np.ndarray


def centre(values: np.ndarray) -> np.ndarray:
    """Values (n,) less their median, in their own precision."""
    return values - np.median(values).astype(values.dtype)


@dataclass(frozen=True)
class _RegionSamples:
    """The values of one region in each scan, read one scan at a time whenever gone through."""

    scans: Sequence[RegionValues]
    region: int
    centred: bool = False

    def __iter__(self) -> Iterator[np.ndarray]:
        samples = (scan.chi.of(self.region) for scan in self.scans)
        return map(centre, samples) if self.centred else samples


def pool_thresholds(scans: Sequence[RegionValues], parameters: DepositParameters) -> Pooled:
    """High-iron thresholds (ppm) of every region, and how many subjects they were pooled from.

    A subject with several scans (sessions) shares its weight among them. A region that nobody
    has is NaN, also under a fixed threshold. Beside a fixed one, the threshold after each subject's
    median is removed is what the fixed one exceeds the mean of those medians by.

    Raises
    ------
    InputError
        If the scans mix variants or atlases, or one is given twice.
    """
    _check_poolable(scans)
    n_regions = len(scans[0].chi.index)
    pooled = Pooled(
        np.full(n_regions, np.nan), np.full(n_regions, np.nan), np.zeros(n_regions, dtype=int)
    )
    for region in range(n_regions):
        having = [scan for scan in scans if scan.chi.size_of(region)]
        scans_of = Counter(scan.who.participant_id for scan in having)
        pooled.n_subjects[region] = len(scans_of)
        if not having:
            continue
        weights = [1 / (len(scans_of) * scans_of[scan.who.participant_id]) for scan in having]
        if parameters.deposit_threshold is not None:
            medians = [float(np.median(scan.chi.of(region))) for scan in having]
            pooled.chi[region] = parameters.deposit_threshold
            pooled.centred[region] = parameters.deposit_threshold - np.dot(weights, medians)
            continue
        for thresholds, centred in ((pooled.chi, False), (pooled.centred, True)):
            samples = _RegionSamples(having, region, centred)
            probability = parameters.deposit_percentile / 100
            thresholds[region] = mixture_quantile(samples, weights, probability)
    return pooled


def _check_poolable(scans: Sequence[RegionValues]) -> None:
    kinds = sorted({f"{scan.who.desc}, {scan.who.atlas}" for scan in scans})
    if len(kinds) > 1:
        raise InputError(
            Problem(
                "--values",
                f"several variants or atlases ({'; '.join(kinds)})",
                "one variant and one atlas",
                "Pool each in a run of its own.",
            )
        )
    for (subject, session), n in Counter(
        (scan.who.participant_id, scan.who.session) for scan in scans
    ).items():
        if n > 1:
            raise InputError(
                Problem(
                    "--values",
                    f"{' '.join(filter(None, (subject, session)))} {n} times",
                    "every scan once",
                    "Give each scan's file once.",
                )
            )


def count_deposits(
    values: np.ndarray,
    threshold: Threshold,
    voxel_volume: float,
    parameters: IronParameters,
) -> dict[str, float]:
    """Voxels above the threshold: their volume, their share of the region, their iron.

    Parameters
    ----------
    values : ndarray of float32, shape (n,)
        Measured susceptibilities of the region in ascending order (ppm).
    threshold : Threshold
        In ppm; compared in the precision of ``values``. NaN: no threshold.
    voxel_volume : float
        In mm³.

    Returns
    -------
    dict
        ``deposit_volume`` (mm³), ``deposit_fraction`` of the n voxels, ``deposit_mass`` (mg: the
        sum over the voxels of iron by the line · tissue density · voxel volume), and
        ``deposit_fraction_centred``, the fraction above the other threshold once the median is
        removed. NaN without a voxel or the threshold; 0 where no voxel is above it.
    """
    found = dict.fromkeys(DEPOSITS, math.nan)
    if not values.size:
        return found
    if not math.isnan(threshold.chi):
        above = _above(values, threshold.chi)
        iron = iron_by_line(above.astype(np.float64), parameters)
        found["deposit_volume"] = above.size * voxel_volume
        found["deposit_fraction"] = above.size / values.size
        found["deposit_mass"] = (
            float(np.sum(iron)) * parameters.tissue_density * (voxel_volume / _MM3_PER_LITRE)
        )
    if not math.isnan(threshold.centred):
        above = _above(centre(values), threshold.centred)
        found["deposit_fraction_centred"] = above.size / values.size
    return found


def _above(values: np.ndarray, threshold: float) -> np.ndarray:
    return values[np.searchsorted(values, values.dtype.type(threshold), side="right") :]


def deposits_by_region(
    scan: RegionValues, thresholds: Mapping[int, Threshold], parameters: IronParameters
) -> dict[str, np.ndarray]:
    """:func:`count_deposits` for every region; a label without a threshold is NaN. Shapes (R,)."""
    rows = [
        count_deposits(
            scan.chi.of(i), thresholds.get(int(label), Threshold()), scan.voxel_volume, parameters
        )
        for i, label in enumerate(scan.chi.index)
    ]
    return {metric: np.array([row[metric] for row in rows]) for metric in rows[0]}
