"""What the scanner says of an acquisition: echo times, field strength, direction, phase units.

Everything comes from declarations (sidecar fields, the affine), never from the look of the data:
a phase image whose values contradict its declaration is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .errors import InputError, Problem
from .sidecars import Sidecar, merged, place_of, sidecar_path, sidecars_of, stated_in
from .volumes import Volume, read_json, voxel_size

Setting = TypeVar("Setting")

GYROMAGNETIC_RATIO_MHZ_PER_T = 42.577478
"""γ̄ of the proton in MHz/T; field (Hz) = γ̄ · B0 · field (ppm)."""

LONGEST_ECHO_TIME_S = 1.0
"""No gradient echo is this long: a larger number is in milliseconds."""

LEAST_SHARE_OF_RANGE = 0.01
"""Phase in integers that spans less of its range is in rad already, or empty."""

LARGEST_SIDECAR_BYTES = 2**24
"""No sidecar of an image is longer; what is longer is not read."""

_SLACK_OF_RANGE = 0.01
"""Rounding and interpolation take values so far beyond a scale's ends."""

PHASE_UNITS = ("declared", "rad", "siemens", "siemens_unsigned", "milliradian")
"""What ``phase_units`` may be set to; ``declared`` trusts the sidecar's Units and Manufacturer."""

_SCALES = {
    # value → rad as value · scale + offset, and the range that the declaration allows
    "rad": (1.0, 0.0, (-np.pi, np.pi)),
    "siemens": (np.pi / 4096, 0.0, (-4096.0, 4096.0)),
    "siemens_unsigned": (2 * np.pi / 4096, -np.pi, (0.0, 4096.0)),
    "milliradian": (1e-3, 0.0, (-3142.0, 3142.0)),
}


def b0_direction(affine: np.ndarray) -> np.ndarray:
    """The scanner's z axis as a unit vector (3,) along the array axes of a grid.

    With oblique slices it is not (0, 0, 1): the direction cosines of the affine carry it.
    """
    cosines = np.asarray(affine, float)[:3, :3] / np.asarray(voxel_size(affine))
    direction = np.linalg.solve(cosines, np.array([0.0, 0.0, 1.0]))
    return direction / np.linalg.norm(direction)


def read_sidecar(image: str | Path) -> Sidecar:
    """What the JSON files that apply to an image say of it; see :func:`.sidecars.sidecars_of`.

    Raises
    ------
    InputError
        If there is none, or one is broken, absurd or in contradiction to another of its folder.
    """
    files = sidecars_of(image) or [sidecar_path(image)]
    return merged(image, [(path, _read(path)) for path in files])


def _read(path: Path) -> dict[str, Any]:
    if path.is_file() and path.stat().st_size > LARGEST_SIDECAR_BYTES:
        raise InputError(
            Problem(
                str(path),
                f"a file of {path.stat().st_size / 2**20:.0f} MiB",
                "a JSON sidecar of a few kilobytes",
                "See what it is; it was not read.",
            )
        )
    return read_json(path)


def required_number(
    sidecar: Mapping[str, Any], key: str, where: str, remedy: str = "Add it to the JSON sidecar."
) -> float:
    """A positive number from a sidecar; :class:`InputError` naming file and key otherwise."""
    value = sidecar.get(key)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < 1e300:
        found = "no such field" if key not in sidecar else f"{value!r:.60}"
        raise InputError(Problem(place_of(sidecar, key, where), found, "a number above 0", remedy))
    return float(value)


def echo_time(sidecar: Mapping[str, Any], where: str) -> float:
    """EchoTime in s; :class:`InputError` if it is missing or in milliseconds."""
    seconds = required_number(
        sidecar,
        "EchoTime",
        where,
        "Add it to the JSON sidecar. An image without one may be no echo but a map that the "
        "scanner computed: then move the map out and renumber the echoes.",
    )
    if seconds > LONGEST_ECHO_TIME_S:
        raise InputError(
            Problem(
                place_of(sidecar, "EchoTime", where),
                f"{seconds:g}",
                "seconds (a gradient echo is below 1 s)",
                "It looks like milliseconds: divide it by 1000.",
            )
        )
    return seconds


def echo_times(sidecar: Mapping[str, Any], where: str) -> list[float]:
    """Echo times in s of a file that holds all echoes: the list ``EchoTime`` or ``EchoTimes``.

    A single number is a list of one. Raises :class:`InputError` where there is neither, where the
    two lists differ, or for a time that is none or in milliseconds.
    """
    lists = {k: sidecar[k] for k in ("EchoTime", "EchoTimes") if isinstance(sidecar.get(k), list)}
    if not lists:
        return [echo_time(sidecar, where)]
    key, given = next(iter(lists.items()))
    if any(other != given for other in lists.values()) or not given:
        raise InputError(
            Problem(
                place_of(sidecar, key, where),
                "another list than in EchoTimes" if given else "an empty list",
                "the time of every echo, in s",
                "Correct the JSON sidecar.",
            )
        )
    where = stated_in(sidecar, key, where)
    return [echo_time({"EchoTime": te}, where) for te in given]


def field_strength(sidecar: Mapping[str, Any], where: str) -> float:
    """MagneticFieldStrength in T; where there is none, ImagingFrequency (MHz) over γ̄."""
    if "MagneticFieldStrength" not in sidecar and "ImagingFrequency" in sidecar:
        frequency = required_number(sidecar, "ImagingFrequency", where)
        return round(frequency / GYROMAGNETIC_RATIO_MHZ_PER_T, 4)
    return required_number(sidecar, "MagneticFieldStrength", where)


def check_echo_times(echo_times: np.ndarray, where: str) -> None:
    """Raise :class:`InputError` unless the echo times (s) increase strictly."""
    if np.any(np.diff(echo_times) <= 0):
        raise InputError(
            Problem(
                f"{where}, EchoTime",
                ", ".join(f"{te:g}" for te in echo_times) + " s",
                "echo times that increase from echo to echo",
                "Check the order of the files and their sidecars.",
            )
        )


def setting_of_scan(folder: str, usual: Setting, named: Mapping[str, Setting]) -> Setting:
    """What holds of the scan in ``folder`` (``sub-X`` or ``sub-X/ses-Y``): unit, direction of B0.

    That of the first pattern in ``named`` which its participant or folder matches (``*`` stands
    for any characters), else the ``usual`` one.
    """
    names = (folder.split("/")[0], folder)
    for pattern, value in named.items():
        if any(fnmatchcase(name, pattern) for name in names):
            return value
    return usual


def phase_encoding_of_values(sidecar: Mapping[str, Any], units: str, where: str) -> str:
    """Which scale turns stored values into rad: a key of the table above.

    ``units`` is ``declared`` or one of :data:`PHASE_UNITS` set in the config. Raises
    :class:`InputError` where the sidecar declares too little to know.
    """
    if units not in PHASE_UNITS:
        raise InputError(
            Problem(
                "acquisition.phase_units",
                repr(units),
                "one of " + ", ".join(PHASE_UNITS),
                "Correct the config or the option.",
            )
        )
    if units != "declared":
        return units
    declared = str(sidecar.get("Units", "")).strip().lower()
    if declared in ("rad", "radian", "radians"):
        return "rad"
    if declared == "arbitrary" and "siemens" in str(sidecar.get("Manufacturer", "")).lower():
        return "siemens"
    raise InputError(
        Problem(
            place_of(sidecar, "Units", where),
            f"{repr(sidecar['Units']) if 'Units' in sidecar else 'no such field'} from "
            f"{sidecar.get('Manufacturer') or 'an unnamed manufacturer'}",
            "rad, or arbitrary from a manufacturer whose scale is fixed (Siemens)",
            "Set acquisition.phase_units in the config to one of "
            + ", ".join(PHASE_UNITS[1:])
            + ".",
        )
    )


def phase_in_radians(
    volume: Volume, sidecar: Mapping[str, Any], units: str, where: str
) -> np.ndarray:
    """Stored phase values (X, Y, Z) as float32 rad, within ±π where they are wrapped.

    Raises
    ------
    InputError
        If the values lie outside what their declaration allows, or show that another one holds.
    """
    encoding = phase_encoding_of_values(sidecar, units, where)
    check_phase_range(encoding, float(volume.data.min()), float(volume.data.max()), where)
    return values_in_radians(volume.data, encoding)


def values_in_radians(values: np.ndarray, encoding: str) -> np.ndarray:
    """Values of one of the encodings as float32 rad; those above π less a whole turn.

    Rounded once, at the end: the same phase in another encoding gives the same numbers.
    """
    scale, offset, _ = _SCALES[encoding]
    radians = values * np.float64(scale) + offset
    if encoding == "rad":
        radians[radians > np.float32(np.pi)] -= 2 * np.pi
    return radians.astype(np.float32)


def phase_range(encoding: str) -> tuple[float, float]:
    """The stored values that mean −π and π."""
    return _SCALES[encoding][2]


def check_phase_range(encoding: str, low: float, high: float, where: str) -> None:
    """Raise :class:`InputError` if values from ``low`` to ``high`` contradict their encoding.

    Radians may be stored from −π to π or from 0 to 2π: these are the same phase. The scale is
    never taken from the values; they only tell that a declared one cannot be.
    """
    _, _, (lowest, highest) = _SCALES[encoding]
    slack = _SLACK_OF_RANGE * (highest - lowest)
    inside = lowest - slack <= low and high <= highest + slack
    if encoding == "rad":
        inside = inside or (low >= -slack and high <= 2 * np.pi + slack)
    if (
        not inside
        or (encoding == "siemens" and low >= 0 and high > 0.75 * highest)
        or (encoding == "siemens" and _ends_at_pi_in_milliradians(low, high))
        or (encoding != "rad" and high - low < LEAST_SHARE_OF_RANGE * (highest - lowest))
    ):
        raise _contradiction(encoding, low, high, (lowest, highest), where)


def _ends_at_pi_in_milliradians(low: float, high: float) -> bool:
    """Both ends at ±π in milliradians, as noise leaves them; by chance no other scale does so."""
    return abs(low + 1e3 * np.pi) < 2 and abs(high - 1e3 * np.pi) < 2


def fitting_encodings(low: float, high: float) -> list[str]:
    """Encodings that values from ``low`` to ``high`` would fit: for messages, never to compute."""
    if _ends_at_pi_in_milliradians(low, high):
        return ["milliradian"]
    return [
        name
        for name, (_, _, (lowest, highest)) in _SCALES.items()
        if lowest - 1 <= low and high <= highest + 1 and high - low > 0.6 * (highest - lowest)
    ]


def _contradiction(
    encoding: str, low: float, high: float, allowed: tuple[float, float], where: str
) -> InputError:
    names = [name for name in fitting_encodings(low, high) if name != encoding]
    if names:
        lines = " or ".join(f"acquisition.phase_units: {name}" for name in names)
        remedy = (
            f"It looks like {' or '.join(names)}: if so, set {lines} in the config, or name the "
            "scan under phase_units_of where others have another unit."
        )
    elif encoding == "rad" and 2 * np.pi < high - low < 400:
        what = "degrees" if 300 < high - low < 361 else "unwrapped phase or a field map"
        remedy = f"It looks like {what}: give the wrapped phase as the scanner stores it."
    else:
        remedy = (
            "It fits none of the scales that acquisition.phase_units knows "
            f"({', '.join(PHASE_UNITS[1:])}): see whether it is a phase image."
        )
    return InputError(
        Problem(
            where,
            f"phase values from {low:g} to {high:g}",
            f"{encoding} values, {allowed[0]:g} to {allowed[1]:g}",
            remedy,
        )
    )
