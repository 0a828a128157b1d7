"""Registration without a T1w: the template to a hybrid contrast of the GRE's own R2* and χ.

Myelin and iron both raise R2*, so white matter is bright in it, cortex darker and fluid dark, as in
a T1w; but so are the iron-rich nuclei. Iron raises χ and myelin lowers it: χ taken away from R2*
darkens the nuclei to grey matter and sets white matter off (the opposite sign of the hybrid of T1w
and χ by Hanspach et al. 2017, doi 10.1002/jmri.25671, for the same reason). R2* is
in units of its own median over the brain, which grows with B0 as R2* does.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from pydantic import Field

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..volumes import Volume
from .scan import RegisteredScan, RegistrationParameters, Template, register_scan

DARKEST = 0.02
"""Of the brain in the contrast: 0 is outside."""


class HybridParameters(Parameters):
    """How R2* and χ are combined."""

    highest_r2star: float = Field(
        1.55, gt=0, description="R2* above this counts as this: iron (medians of the brain's R2*)"
    )
    weight: float = Field(
        8.0, ge=0, description="of χ against R2* (medians of the brain's R2* per ppm)"
    )
    chi: tuple[float, float] = Field(
        (-0.08, 0.06), description="χ below and above these counts as these (ppm)"
    )


def hybrid_contrast(
    chi: np.ndarray, r2star: np.ndarray, brain: np.ndarray, parameters: HybridParameters
) -> np.ndarray:
    """The contrast (X, Y, Z), in medians of the brain's R2*; 0 outside the brain.

    Parameters
    ----------
    chi : (X, Y, Z), ppm, relative to anything; NaN where it is not known, which adds nothing.
    r2star : (X, Y, Z), 1/s; NaN counts as 0.
    brain : (X, Y, Z) bool.

    Raises
    ------
    InputError
        If there is no R2*, or no χ, in the brain.
    """
    rate = np.nan_to_num(r2star.astype(np.float32))
    typical = float(np.median(rate[brain])) if brain.any() else 0.0
    known = brain & np.isfinite(chi)
    if typical <= 0 or not known.any():
        missing = "R2*" if typical <= 0 else "χ"
        raise InputError(
            Problem(
                "registration without a T1w",
                f"no {missing} in the brain mask",
                "maps of R2* and χ that show the brain",
                "Look at the mask and the maps of this scan, or add its T1w.",
            )
        )
    iron = np.where(known, chi - np.median(chi[known]), 0).astype(np.float32)
    contrast = np.clip(rate / typical, 0, parameters.highest_r2star)
    contrast -= parameters.weight * np.clip(iron, *parameters.chi)
    # fluid of high χ would be below 0, which is outside the brain
    return np.where(brain, np.maximum(contrast, DARKEST), 0).astype(np.float32)


def register_without_t1w(
    chi: Volume,
    r2star: np.ndarray,
    brain: np.ndarray,
    template: Template,
    registration: RegistrationParameters,
    hybrid: HybridParameters,
    threads: int = 1,
) -> RegisteredScan:
    """Register the template with the GRE of a scan by its own maps, on their grid.

    Maps as for :func:`hybrid_contrast`. Its ``gre_to_t1w`` is the identity; the quality is as in
    :func:`.scan.register_scan`, without what compares a T1w with the GRE, and has ``without_t1w``.
    """
    contrast = Volume(hybrid_contrast(chi.data, r2star, brain, hybrid), chi.affine)
    found = register_scan(contrast, [], template, registration, threads, contrast)
    measured = {key: value for key, value in found.quality.items() if key != "by_headers"}
    return replace(found, quality=measured | {"without_t1w": True})
