"""The sidecars of one scan: echo times, field strength, unit of the phase, protocol."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

from .. import acquisition
from ..errors import InputError, Problem
from ..raw_echo import check_echo_count
from ..raw_parts import IMAGE_TYPES, PART_NAMES, echo_numbers
from ..sidecars import place_of, stated_in
from .geometry import check_slices
from .headers import Header
from .inspected import Inspected
from .readout import LEAST_ECHOES_OF_BIPOLAR, declared_readout

SAME_ECHO_TIME_S = 1e-5
STRONGEST_FIELD_T = 25.0
"""No magnet for people is as strong: a larger number is not in tesla."""
FREQUENCY_TOLERANCE = 0.1
"""Scanners of a nominal field strength differ from it by a few per cent."""
STEPS_IN_RADIANS = 0.5
"""Integers that are this far apart (rad) cannot be a phase in rad."""

IDENTIFYING_FIELDS = (
    "PatientName",
    "PatientID",
    "PatientBirthDate",
    "PatientAddress",
    "PatientTelephoneNumbers",
    "OtherPatientIDs",
    "OtherPatientNames",
)
"""Fields that name a person; no field of a raw sidecar but the protocol's gets into results."""

_CONTRARY_TYPES = {
    "mag": ("phase", "real", "imag"),
    "phase": ("mag", "real", "imag"),
    "real": ("imag",),
    "imag": ("real",),
}
"""Real and imaginary parts made of magnitude and phase may still have the sidecar of these."""


def check_sidecars(seen: Inspected, phase_units: str | None, named: bool) -> None:
    """Note the problems of a scan's sidecars, and the protocol that they declare.

    ``phase_units`` and ``named`` are as in :func:`.images.inspect_scan`.
    """
    parts = seen.parts
    times: dict[str, dict[int, float]] = {part: {} for part in parts}
    fields: dict[Path, float] = {}
    described = False
    for part, files in parts.items():
        for echo, path in files.items():
            where = str(acquisition.sidecar_path(path))
            sidecar = seen.collect(lambda p=path: acquisition.read_sidecar(p))
            if sidecar is None:
                continue
            times[part] |= seen.collect(lambda e=echo, s=sidecar, w=where: _times(e, s, w)) or {}
            if echo is None and path in seen.headers:
                seen.collect(lambda s=sidecar, p=path: _check_count(seen.headers[p], s, p))
            b0 = seen.collect(lambda s=sidecar, w=where: acquisition.field_strength(s, w))
            if b0 is not None:
                fields[path] = b0
                seen.problems += _check_field(b0, sidecar, where)
            seen.problems += _check_image_type(part, sidecar, where)
            if part == "phase" and phase_units is not None:
                _check_units(seen, path, sidecar, phase_units, named)
            if not described:
                described = True
                seen.facts |= _protocol(sidecar)
                if len(echo_numbers(files)) >= LEAST_ECHOES_OF_BIPOLAR:
                    seen.readout = declared_readout(sidecar)
                seen.problems += _check_names_of_people(sidecar, where)
                if path in seen.headers:
                    seen.problems += check_slices(seen.headers[path], sidecar, path, where)
    _check_times(seen, times)
    _check_fields(seen, fields)


def _times(echo: int | None, sidecar: Mapping[str, Any], where: str) -> dict[int, float]:
    """Echo times (s) by number: that of a file's echo, or of all echoes in it."""
    if echo is None:
        return dict(enumerate(acquisition.echo_times(sidecar, where), start=1))
    return {echo: acquisition.echo_time(sidecar, where)}


def _check_count(header: Header, sidecar: Mapping[str, Any], path: Path) -> None:
    try:
        n_times = len(acquisition.echo_times(sidecar, ""))
    except InputError:
        return  # told of already
    shape = (*header.shape, header.n_volumes) if header.n_volumes > 1 else header.shape
    check_echo_count(path, shape, n_times)


def _check_units(
    seen: Inspected, path: Path, sidecar: dict[str, Any], phase_units: str, named: bool
) -> None:
    where = str(acquisition.sidecar_path(path))
    encoding = seen.collect(
        lambda: acquisition.phase_encoding_of_values(sidecar, phase_units, where)
    )
    if encoding is None:
        seen.undeclared.add(path)
        return
    declared = _declared(sidecar)
    if declared not in (None, encoding) and not named:
        seen.overruled[path] = str(declared)
    problems = [
        *_check_storage(encoding, seen.headers.get(path), path),
        *_check_manufacturer(phase_units, sidecar, where),
    ]
    seen.problems += problems
    if not any(problem.severity == "error" for problem in problems):
        seen.encodings[path] = encoding


def _declared(sidecar: Mapping[str, Any]) -> str | None:
    """The scale that the sidecar alone declares."""
    try:
        return acquisition.phase_encoding_of_values(sidecar, "declared", "")
    except InputError:
        return None


def _check_storage(units: str, header: Header | None, path: Path) -> Iterator[Problem]:
    """Integers a large step apart cannot be the radians that the sidecar declares."""
    if units == "rad" and header and header.integer and abs(header.slope) > STEPS_IN_RADIANS:
        yield Problem(
            f"{acquisition.sidecar_path(path)}, Units",
            "rad, but the image holds whole numbers without scaling",
            "the unit of the stored values",
            "Set acquisition.phase_units in the config to one of "
            + ", ".join(acquisition.PHASE_UNITS[2:])
            + ".",
        )


def _check_manufacturer(
    phase_units: str, sidecar: Mapping[str, Any], where: str
) -> Iterator[Problem]:
    """A scale of the config that is not that of the scanner's maker."""
    maker = str(sidecar.get("Manufacturer") or "")
    of_siemens = "siemens" in maker.lower()
    if phase_units.startswith("siemens") and not of_siemens:
        owner, other = "Siemens", "Philips stores milliradian"
    elif phase_units == "milliradian" and of_siemens:
        owner, other = "Philips", "Siemens stores siemens"
    else:
        return
    if maker:
        yield Problem(
            place_of(sidecar, "Manufacturer", where),
            f"{maker!r:.60} with acquisition.phase_units: {phase_units}",
            f"{owner}, whose scale that is",
            f"See whether phase_units in the config is right for this scanner ({other}); if so, "
            "leave it.",
            "warning",
        )


def _check_image_type(part: str, sidecar: Mapping[str, Any], where: str) -> Iterator[Problem]:
    """An ImageType that says the image is the other part, or real or imaginary."""
    given = sidecar.get("ImageType")
    if not isinstance(given, list):
        return
    types = {str(word).strip().upper() for word in given}
    others = set().union(*(IMAGE_TYPES[other] for other in _CONTRARY_TYPES[part]))
    if types & others and not types & IMAGE_TYPES[part]:
        yield Problem(
            place_of(sidecar, "ImageType", where),
            ", ".join(sorted(types & others)),
            f"{PART_NAMES[part]}, as the file's name says",
            "See which image it is, and rename the files (two parts swapped?).",
        )


def _check_names_of_people(sidecar: Mapping[str, Any], where: str) -> Iterator[Problem]:
    there = [key for key in IDENTIFYING_FIELDS if sidecar.get(key) not in (None, "", [])]
    if there:
        yield Problem(
            stated_in(sidecar, there[0], where),
            f"the fields {', '.join(there)}",
            "a sidecar that names nobody",
            "Results and report take none of them over; remove them (dcm2niix -ba y) before you "
            "share the data.",
            "warning",
        )


def _check_field(b0: float, sidecar: Mapping[str, Any], where: str) -> Iterator[Problem]:
    if b0 > STRONGEST_FIELD_T:
        yield Problem(
            place_of(sidecar, "MagneticFieldStrength", where),
            f"{b0:g}",
            "tesla, such as 3",
            "Give it in tesla.",
        )
        return
    frequency = sidecar.get("ImagingFrequency")
    if isinstance(frequency, int | float) and not isinstance(frequency, bool):
        expected = b0 * acquisition.GYROMAGNETIC_RATIO_MHZ_PER_T
        low, high = ((1 + sign * FREQUENCY_TOLERANCE) * expected for sign in (-1, 1))
        if not low <= frequency <= high:
            yield Problem(
                place_of(sidecar, "ImagingFrequency", where),
                f"{str(frequency)[:20]} MHz with MagneticFieldStrength {b0:g} T",
                f"about {expected:.0f} MHz at {b0:g} T",
                "Correct the one that is wrong.",
            )


def _check_times(
    seen: Inspected,
    times: Mapping[str, Mapping[int, float]],
) -> None:
    for part, by_echo in times.items():
        values = [by_echo[echo] for echo in sorted(by_echo)]
        if all(earlier < later for earlier, later in pairwise(values)):
            continue
        listed = ", ".join(f"{te * 1e3:g}" for te in values)
        seen.problems.append(
            Problem(
                f"{_sidecars(seen, part)}, EchoTime",
                f"{listed} ms",
                "echo times that increase from echo to echo",
                "Check the order of the files and their sidecars.",
            )
        )
    first, second = times
    for echo in sorted(set(times[first]) & set(times[second])):
        one, other = times[first][echo], times[second][echo]
        if abs(one - other) > SAME_ECHO_TIME_S:
            files = seen.parts[second]
            seen.problems.append(
                Problem(
                    f"{acquisition.sidecar_path(files.get(echo) or files[None])}, EchoTime",
                    f"{other:g} s where the {PART_NAMES[first]} has {one:g} s",
                    "one echo time for both parts",
                    "See which files belong together.",
                )
            )
    values = sorted(set(times[first].values()))
    numbers = [echo_numbers(files) for files in seen.parts.values()]
    if len(values) == len(numbers[0]) and numbers[0] == numbers[1]:
        seen.facts["echo times (ms)"] = " ".join(f"{te * 1e3:.2f}" for te in values)


def _sidecars(seen: Inspected, part: str) -> str:
    whole = seen.parts[part].get(None)
    if whole is not None:
        return str(acquisition.sidecar_path(whole))
    return f"{seen.name}_echo-*_part-{part}_MEGRE.json"


def _check_fields(seen: Inspected, fields: Mapping[Path, float]) -> None:
    if not fields:
        return
    usual, number = Counter(fields.values()).most_common(1)[0]
    seen.facts["field strength (T)"] = f"{usual:g}"
    seen.problems += [
        Problem(
            f"{acquisition.sidecar_path(path)}, MagneticFieldStrength",
            f"{b0:g}",
            f"{usual:g} T as in {number} of {len(fields)} files of the scan",
            "See which sidecars belong to the images.",
        )
        for path, b0 in fields.items()
        if b0 != usual
    ]


def _protocol(sidecar: Mapping[str, Any]) -> dict[str, str]:
    """What a sidecar says of the protocol, as text, for comparison within the cohort."""
    facts = {}
    for key, name in (
        ("Manufacturer", "manufacturer"),
        ("ManufacturersModelName", "scanner model"),
        ("RepetitionTime", "repetition time (s)"),
        ("FlipAngle", "flip angle (degrees)"),
        ("MRAcquisitionType", "2D or 3D"),
    ):
        value = sidecar.get(key)
        if isinstance(value, str | int | float) and not isinstance(value, bool):
            facts[name] = f"{value:.5g}" if isinstance(value, float) else str(value)[:60]
    return facts
