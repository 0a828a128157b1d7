"""Regional metrics of the paramagnetic and of the diamagnetic part of susceptibility."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .distribution import standard_deviation
from .values import SortedRegions


@dataclass(frozen=True)
class SourceRegions:
    """χ⁺ and χ⁻ (ppm) of a scan's regions, in the voxels that net χ is measured in."""

    paramagnetic: SortedRegions
    diamagnetic: SortedRegions

    @property
    def by_prefix(self) -> dict[str, SortedRegions]:
        """The beginning of the metrics' names → what they are computed from."""
        return {"chi_para": self.paramagnetic, "chi_dia": self.diamagnetic}


def median_and_spread(values: np.ndarray, prefix: str) -> dict[str, float]:
    """Median and SD (ppm) of a region's ascending ``values`` (n,), by the metric's name."""
    return {
        f"{prefix}_median": float(np.median(values)),
        f"{prefix}_sd": standard_deviation(values),
    }
