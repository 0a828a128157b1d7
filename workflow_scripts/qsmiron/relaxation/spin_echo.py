"""R2 (1/s) from a multi-echo spin echo: the decay of its echoes, without the first.

Refocusing pulses are not exactly 180 degrees, so later echoes hold stimulated echoes and the first
holds none: it lies below the decay of the others, whose rate is left too small by some per cent
where pulses are bad (Hennig 1988, doi 10.1002/mrm.1910070406; McPhee & Wilman 2018, doi
10.1002/mrm.26959). The fit is that of :mod:`.loglinear`, with its floor of noise.
"""

from __future__ import annotations

import numpy as np
from pydantic import Field

from ..errors import InputError, Problem
from .loglinear import LoglinearParameters, fit_loglinear

MESE = "MESE"
"""BIDS' suffix of multi-echo spin echoes, and what the config calls R2 that is fitted to them."""

LEAST_ECHOES = 3
"""Echoes of a fit that knows its noise."""


class SpinEchoParameters(LoglinearParameters):
    """Parameters of the fit."""

    skipped_echoes: int = Field(
        1, ge=0, description="first echoes left out: they hold no stimulated echoes (1)"
    )
    largest: float = Field(
        200.0, gt=0, description="R2 above this is set to it, below 0 to 0 (1/s)"
    )


def fit_r2(
    magnitude: np.ndarray,
    echo_times: np.ndarray,
    mask: np.ndarray,
    parameters: SpinEchoParameters,
) -> np.ndarray:
    """R2 (X, Y, Z; float32, 1/s), 0 outside ``mask``.

    ``magnitude`` (E, X, Y, Z), any unit; ``echo_times`` (E,), s, increasing. Raises
    :class:`InputError` if fewer than :data:`LEAST_ECHOES` echoes are left to fit.
    """
    skipped = parameters.skipped_echoes
    if len(echo_times) - skipped < LEAST_ECHOES:
        raise InputError(
            Problem(
                "spin echoes",
                f"{len(echo_times)} echoes, of which the first {skipped} are left out",
                f"at least {LEAST_ECHOES} to fit R2 to",
                "Give all echoes, or set sources.spin_echo.skipped_echoes to fewer.",
            )
        )
    return fit_loglinear(magnitude[skipped:], echo_times[skipped:], mask, parameters)
