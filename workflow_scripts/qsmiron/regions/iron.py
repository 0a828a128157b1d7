"""Iron concentration from susceptibility, by a global line and by the subject's own.

The global line is that of post-mortem grey matter, χ (ppb) = 0.89 · iron (mg/kg wet) + 0:
Langkammer et al., NeuroImage 2012, doi 10.1016/j.neuroimage.2012.05.049. The subject's line takes
caudate, putamen and pallidum to hold the iron that is normal at that age: Hallgren and Sourander,
J Neurochem 1958, doi 10.1111/j.1471-4159.1958.tb12607.x. Susceptibility is in ppm throughout.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from ..errors import InputError, Problem
from ..parameters import Parameters

if TYPE_CHECKING:
    # Reads tables, and with pandas: a third of a second of every start of the workflow.
    from .label_table import Label

PPB_PER_PPM = 1000.0
_PER_100_G_TO_PER_KG = 10.0

# a, b, c of iron = a (1 − exp(−b · age)) + c in mg per 100 g wet tissue, age in years.
_EXPECTED = {
    "caudate": (9.66, 0.05, 0.33),
    "putamen": (14.62, 0.04, 0.46),
    "pallidum": (21.41, 0.09, 0.37),
}


class LineParameters(Parameters):
    """The global line from susceptibility to iron."""

    line_slope: float = Field(0.89, gt=0, description="Slope of χ on iron (ppb per mg/kg wet)")
    line_intercept: float = Field(0.0, description="χ without iron (ppb)")


def iron_by_line(chi: np.ndarray | float, parameters: LineParameters) -> np.ndarray | float:
    """Iron (mg/kg wet) of susceptibility (ppm) by the global line; negative iron is kept."""
    return (chi * PPB_PER_PPM - parameters.line_intercept) / parameters.line_slope


def parse_age(text: str | None, where: str) -> float | None:
    """Age in years from a text; None, empty and ``n/a`` are unknown.

    Raises :class:`InputError` unless it is a number above 0 and up to 120.
    """
    if text is None or text.strip().lower() in ("", "n/a"):
        return None
    try:
        age = float(text)
    except ValueError:
        age = math.nan
    if not 0 < age <= 120:
        remedy = "Give the age, or n/a if it is not known."
        raise InputError(Problem(where, repr(text), "an age above 0 and up to 120 years", remedy))
    return age


def expected_iron(nucleus: str, age: float) -> float:
    """Iron (mg/kg wet) that is normal at ``age`` (years) in caudate, putamen or pallidum."""
    a, b, c = _EXPECTED[nucleus]
    return _PER_100_G_TO_PER_KG * (a * (1 - math.exp(-b * age)) + c)


def nucleus_of(label: Label) -> str | None:
    """``caudate``, ``putamen`` or ``pallidum`` if the region is one (by its name), else None.

    A composite is none: its members are, and would count twice in the calibration.
    """
    known = label.standard_name in _EXPECTED and not label.members
    return label.standard_name if known else None


@dataclass(frozen=True)
class Calibration:
    """A subject's line χ (ppm) = intercept + slope · iron (mg/kg); NaN where it has none.

    ``reason`` tells why the line cannot be used, and is empty if it can. ``nuclei`` are the
    positions of the measured nuclei in the label table, ``expected`` (mg/kg) and ``measured``
    (median χ, ppm) their values in that order.
    """

    age: float | None
    nuclei: tuple[int, ...] = ()
    expected: tuple[float, ...] = ()
    measured: tuple[float, ...] = ()
    slope: float = math.nan
    intercept: float = math.nan
    r_squared: float = math.nan
    reason: str = ""

    def iron(self, chi: np.ndarray) -> np.ndarray:
        """Iron (mg/kg wet) of susceptibility (ppm); NaN if the line cannot be used."""
        if self.reason:
            return np.full(np.shape(chi), np.nan)
        return (chi - self.intercept) / self.slope


def calibrate(labels: Sequence[Label], medians: np.ndarray, age: float | None) -> Calibration:
    """Fit the subject's line by least squares of median χ on expected iron.

    Every measured side of the three nuclei is one point; each nucleus is needed on at least one
    side.

    Parameters
    ----------
    labels : sequence of Label, length R
    medians : ndarray, shape (R,)
        Median χ (ppm) of the regions; NaN where a region has no voxel.
    age : float or None
        Age in years; None if unknown.
    """
    found = {i: nucleus for i, label in enumerate(labels) if (nucleus := nucleus_of(label))}
    nuclei = tuple(i for i in found if np.isfinite(medians[i]))
    y = np.array([medians[i] for i in nuclei])
    known = {"age": age, "nuclei": nuclei, "measured": tuple(y.tolist())}
    if age is None:
        return Calibration(**known, reason="the age is not known")
    x = np.array([expected_iron(found[i], age) for i in nuclei])
    known["expected"] = tuple(x.tolist())
    measured = {found[i] for i in nuclei}
    if absent := [nucleus for nucleus in _EXPECTED if nucleus not in measured]:
        return Calibration(**known, reason=f"no voxel of {', '.join(absent)}")
    dx, dy = x - x.mean(), y - y.mean()
    slope = float(dx @ dy / (dx @ dx))
    spread = float(dy @ dy)
    return Calibration(
        **known,
        slope=slope,
        intercept=float(y.mean() - slope * x.mean()),
        r_squared=slope**2 * float(dx @ dx) / spread if spread > 0 else math.nan,
        reason="" if slope > 0 else "χ of the nuclei does not rise with the expected iron",
    )
