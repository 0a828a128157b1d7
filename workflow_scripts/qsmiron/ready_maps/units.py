"""Units of ready maps: declared, never guessed, and held against the values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T, echo_time, field_strength
from ..errors import InputError, Problem
from ..sidecars import place_of
from .settings import CHI_UNITS, R2STAR_UNITS, MapSettings

_SPELLINGS = {
    "s-1": "1/s", "s^-1": "1/s", "1/sec": "1/s", "ms-1": "1/ms", "ms^-1": "1/ms", "hz": "Hz",
    "radians": "rad", "radian": "rad",
}  # fmt: skip

_R2STAR_SCALES = {"1/s": 1.0, "Hz": 1.0, "1/ms": 1000.0}

_QUANTILE = 0.99

PLAUSIBLE_CHI_PPM = (0.005, 5.0)
"""The 99th percentile of |χ| in a head lies between: about 0.1 to 0.3 ppm, with artefacts 1. Of a
map in ppb it is above 100, of one in ppm that is taken for ppb below 0.001.
"""

PLAUSIBLE_R2STAR = (5.0, 2000.0)
"""The same of R2* (1/s): 40 to 100, with air spaces some hundreds."""


def chi_unit(sidecar: Mapping[str, Any], where: str, settings: MapSettings) -> str:
    """The unit of a map of χ; :class:`InputError` where none is declared, or two."""
    return _unit(sidecar, where, settings.units, CHI_UNITS, "units")


def r2star_unit(sidecar: Mapping[str, Any], where: str, settings: MapSettings) -> str:
    """The unit of a map of R2*; errors as of :func:`chi_unit`."""
    return _unit(sidecar, where, settings.r2star_units, R2STAR_UNITS, "r2star_units")


def _unit(
    sidecar: Mapping[str, Any],
    where: str,
    given: str | None,
    known: tuple[str, ...],
    key: str,
) -> str:
    listed = ", ".join(known)
    stated = sidecar.get("Units")
    if stated is None:
        if given is None:
            raise InputError(
                Problem(
                    place_of(sidecar, "Units", where),
                    "no such field, and no unit in the config",
                    f"one of {listed}",
                    f"Add it, or set maps.{key} in the config; units are never guessed.",
                )
            )
        return given
    text = str(stated).strip()
    unit = _SPELLINGS.get(text.lower(), text)
    unit = next((one for one in known if one.lower() == unit.lower()), unit)
    if unit not in known:
        raise InputError(
            Problem(
                place_of(sidecar, "Units", where), repr(text), f"one of {listed}", "Correct it."
            )
        )
    if given is not None and {given, unit} not in ({given}, {"1/s", "Hz"}):
        raise InputError(
            Problem(
                place_of(sidecar, "Units", where),
                f"{unit}, where maps.{key} in the config has {given}",
                "one unit",
                "Correct the one that is wrong.",
            )
        )
    return unit


def chi_scale(unit: str, sidecar: Mapping[str, Any], where: str, settings: MapSettings) -> float:
    """What values of a map of χ are divided by to be ppm.

    1 ppm of field turns the phase by 2π γ̄ B0 TE (rad) and the frequency by γ̄ B0 (Hz), with γ̄ in
    MHz/T. Raises :class:`InputError` where the field strength or the echo time is not known.
    """
    if unit == "ppm":
        return 1.0
    if unit == "ppb":
        return 1000.0
    hertz = GYROMAGNETIC_RATIO_MHZ_PER_T * _known(
        settings.field_strength, field_strength, sidecar, where, "field_strength", unit
    )
    if unit == "Hz":
        return hertz
    seconds = _known(settings.echo_time, echo_time, sidecar, where, "echo_time", unit)
    return 2 * np.pi * hertz * seconds


def r2star_scale(unit: str) -> float:
    """What values of a map of R2* are multiplied by to be 1/s."""
    return _R2STAR_SCALES[unit]


def _known(
    given: float | None, read: Any, sidecar: Mapping[str, Any], where: str, key: str, unit: str
) -> float:
    if given is not None:
        return given
    try:
        return float(read(sidecar, where))
    except InputError as error:
        raise InputError(
            *(
                Problem(
                    one.where,
                    one.found,
                    f"{one.expected}: a map in {unit} is converted with it",
                    f"{one.remedy} Or set maps.{key} in the config.",
                )
                for one in error.problems
                if isinstance(one, Problem)
            )
        ) from None


def check_chi_values(ppm: np.ndarray, unit: str, where: str) -> None:
    """Raise :class:`InputError` if χ (ppm; where the map has values) cannot be of its ``unit``."""
    low, high = PLAUSIBLE_CHI_PPM
    typical = _typical(ppm)
    if low <= typical <= high:
        return
    other = "ppb" if typical > high else "ppm"
    hint = f"It looks like {other}. " if unit in ("ppm", "ppb") and unit != other else ""
    raise InputError(
        Problem(
            where,
            f"|χ| of which the 99th percentile is {typical:.3g} ppm, taken as {unit}",
            f"{low:g} to {high:g} ppm in a head",
            f"{hint}Correct Units in its sidecar or maps.units in the config.",
        )
    )


def check_r2star_values(rates: np.ndarray, unit: str, where: str) -> None:
    """The same of R2* (1/s)."""
    low, high = PLAUSIBLE_R2STAR
    typical = _typical(rates)
    if low <= typical <= high and (rates < 0).mean() < 0.01:
        return
    raise InputError(
        Problem(
            where,
            f"R2* of which the 99th percentile is {typical:.3g} 1/s, taken as {unit}, "
            f"{(rates < 0).mean():.0%} of it below 0",
            f"{low:g} to {high:g} 1/s in a head, and none below 0",
            "It may be T2*, or of another unit: correct Units in its sidecar or "
            "maps.r2star_units in the config.",
        )
    )


def _typical(values: np.ndarray) -> float:
    return float(np.quantile(np.abs(values), _QUANTILE)) if values.size else 0.0
