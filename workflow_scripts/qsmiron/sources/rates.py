"""R2* and R2 (1/s) as a separation can use them: what cannot be is refused, or counted and mended.

A unit is never converted: an R2 map that looks like T2, or like 1/ms, is refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ..errors import InputError, Problem

USUAL_RATES = (2.0, 60.0)
"""Median of R2 or R2* in a brain between 1 and 11 T (1/s)."""
MOST_ABOVE = 0.5
"""R2 may exceed R2* in less than this share of the mask: noise, not another quantity."""


@dataclass(frozen=True)
class Mended:
    """How many voxels of the mask were unusable; R2* below 0 counts as 0."""

    r2star_unknown: int = 0
    r2star_negative: int = 0
    r2_unknown: int = 0
    r2_negative: int = 0
    r2_above_r2star: int = 0

    def remarks(self, n_voxels: int) -> list[str]:
        """Sentences for a log, for what is not 0."""
        words = {
            "r2star_unknown": "no finite R2*: χ there counts as one source",
            "r2star_negative": "R2* below 0: set to 0",
            "r2_unknown": "no finite R2: χ there counts as one source",
            "r2_negative": "R2 below 0: set to 0",
            "r2_above_r2star": "R2 above R2*: R2' set to 0",
        }
        return [
            f"{getattr(self, name)} of {n_voxels} voxels have {text}"
            for name, text in words.items()
            if getattr(self, name)
        ]


def usable_r2star(r2star: np.ndarray, mask: np.ndarray, where: str) -> tuple[np.ndarray, Mended]:
    """R2* (X, Y, Z; float32 1/s, NaN where not known), and what was mended in the ``mask``.

    Raises
    ------
    InputError
        Where R2* is nowhere above 0, or its median is no brain's in 1/s.
    """
    inside = r2star[mask]
    known = np.isfinite(inside)
    if not (inside[known] > 0).any():
        raise InputError(
            Problem(
                where,
                "no voxel with R2* above 0 in the mask",
                "R2* in 1/s, a decay between at least two echoes",
                "A scan of a single echo has no R2*, and its sources cannot be separated.",
            )
        )
    _check_unit(float(np.median(inside[known])), where, "R2*", "T2*")
    mended = Mended(r2star_unknown=int((~known).sum()), r2star_negative=int((inside < 0).sum()))
    usable = np.where(np.isfinite(r2star), np.maximum(r2star, 0), np.nan)
    return usable.astype(np.float32), mended


def usable_r2(
    r2: np.ndarray, r2star: np.ndarray, mask: np.ndarray, where: str, mended: Mended
) -> tuple[np.ndarray, Mended]:
    """R2 (X, Y, Z; float32 1/s, NaN where not known, at most R2*), and what was mended.

    ``r2star`` and ``mended`` come from :func:`usable_r2star`.

    Raises
    ------
    InputError
        Where R2 looks like another quantity or unit, or is above R2* in half of the mask.
    """
    inside = r2[mask]
    known = np.isfinite(inside) & np.isfinite(r2star[mask])
    if not known.any():
        found, expected = "no finite value in the mask", "R2 in 1/s"
        raise InputError(Problem(where, found, expected, "Give a map that covers the brain."))
    _check_unit(float(np.median(inside[known])), where, "R2", "T2")
    above = known & (inside > r2star[mask])
    share = above.sum() / known.sum()
    if share > MOST_ABOVE:
        raise InputError(
            Problem(
                where,
                f"R2 above R2* in {share:.0%} of the mask (median {np.median(inside[known]):.3g})",
                "R2 in 1/s, which is at most R2*",
                "Check that the map holds R2 in 1/s of the same person and field strength; for T2 "
                "in ms give 1000/T2.",
            )
        )
    counts = {
        **vars(mended),
        "r2_unknown": int((~np.isfinite(inside)).sum()),
        "r2_negative": int((inside < 0).sum()),
        "r2_above_r2star": int(above.sum()),
    }
    limited = np.minimum(np.maximum(r2, 0), r2star)
    usable = np.where(np.isfinite(r2), limited, np.nan)
    return usable.astype(np.float32), Mended(**counts)


def _check_unit(median: float, where: str, rate: str, time: str) -> None:
    low, high = USUAL_RATES
    if low <= median <= high:
        return
    remedy = "Check that the map lies where the mask does."
    if 0 < median < low:
        remedy = f"A rate in 1/ms is to be multiplied by 1000; for {time} in s give 1/{time}."
    elif median > high:
        remedy = f"For {time} in ms give 1000/{time}."
    raise InputError(
        Problem(
            where,
            f"a median of {median:.3g} in the mask",
            f"{rate} in 1/s, whose median in a brain is {low:g} to {high:g}",
            remedy,
        )
    )
