"""The images and sidecars of one scan: complete, alike, and declared well enough to compute."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from .. import acquisition
from ..bids import Scan
from ..errors import InputError, Problem
from ..volumes import GRID_TOLERANCE_MM
from .headers import Header, read_header

SAME_ECHO_TIME_S = 1e-5
STRONGEST_FIELD_T = 25.0
"""No magnet for people is as strong: a larger number is not in tesla."""
FREQUENCY_TOLERANCE = 0.1
"""Scanners of a nominal field strength differ from it by a few per cent."""
STEPS_IN_RADIANS = 0.5
"""Integers that are this far apart (rad) cannot be a phase in rad."""


@dataclass
class Inspected:
    """What was learnt of a scan: ``facts`` of its protocol, and every problem."""

    scan: Scan
    facts: dict[str, Any] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def inspect_scan(scan: Scan, phase_units: str | None) -> Inspected:
    """Check one scan by its file names, headers and sidecars.

    ``phase_units`` is ``declared`` or what the config sets in its place; ``None`` leaves the
    unit unchecked, where the config names one that does not exist.
    """
    seen = Inspected(scan)
    parts = {
        "mag": {echo_number(path): path for path in scan.magnitude},
        "phase": {echo_number(path): path for path in scan.phase},
    }
    seen.problems += check_echoes(scan, parts)
    headers: dict[Path, Header] = {}
    for path in scan.files:
        header = read_header(path)
        if isinstance(header, Problem):
            seen.problems.append(header)
        else:
            headers[path] = header
    seen.problems += _check_grids(scan, headers)
    _inspect_sidecars(seen, parts, phase_units, headers)
    first = next((headers[path] for path in scan.magnitude if path in headers), None)
    if set(parts["mag"]) == set(parts["phase"]):
        seen.facts["number of echoes"] = str(len(parts["mag"]))
    if first is not None:
        seen.facts["matrix"] = " x ".join(map(str, first.shape))
        seen.facts["voxel size (mm)"] = " x ".join(f"{edge:.2f}" for edge in first.voxel_size)
    return seen


def echo_number(path: Path) -> int:
    """The echo entity of a MEGRE file's name."""
    return int(path.name.split("_echo-")[1].split("_")[0])


def check_echoes(scan: Scan, parts: dict[str, dict[int, Path]]) -> Iterator[Problem]:
    """Echoes that are missing in one part or in both, and scans with a single one."""
    magnitude, phase = set(parts["mag"]), set(parts["phase"])
    anat = scan.files[0].parent
    where = f"{anat}/{scan.entities}"
    if not phase:
        yield Problem(
            f"{where}_*_MEGRE",
            f"{len(magnitude)} magnitude files and no phase file",
            "magnitude and phase of every echo",
            "Export the phase images too, or list the participant under exclude in the config.",
        )
    elif not magnitude:
        yield Problem(
            f"{where}_*_MEGRE",
            f"{len(phase)} phase files and no magnitude file",
            "magnitude and phase of every echo",
            "Export the magnitude images too, or list the participant under exclude.",
        )
    else:
        for part, there, other in (("mag", magnitude, phase), ("phase", phase, magnitude)):
            for echo in sorted(other - there):
                counts = f"{len(magnitude)} magnitude and {len(phase)} phase files"
                yield Problem(
                    f"{where}_echo-{echo}_part-{part}_MEGRE.nii.gz",
                    f"no such file ({counts})",
                    "magnitude and phase of every echo",
                    "Add the file, or remove that echo from both parts.",
                )
    echoes = sorted(magnitude | phase)
    if echoes != list(range(echoes[0], echoes[-1] + 1)) or echoes[0] not in (0, 1):
        absent = sorted(set(range(1, echoes[-1] + 1)) - set(echoes))
        yield Problem(
            f"{where}_*_MEGRE",
            f"echoes {', '.join(map(str, echoes))}, but not {', '.join(map(str, absent))}",
            "echoes numbered from 1 without a gap",
            "Add the missing echo; if it was left out on purpose, renumber the others.",
        )
    if len(echoes) == 1:
        yield Problem(
            f"{where}_*_MEGRE",
            "a single echo",
            "several echoes",
            "It is used, but the phase offset stays in the field and there is no R2*.",
            "warning",
        )


def _check_grids(scan: Scan, headers: dict[Path, Header]) -> Iterator[Problem]:
    """Echoes and parts that do not share one grid, and grids without an orientation."""
    echoes = [path for path in (*scan.magnitude, *scan.phase) if path in headers]
    remedy = "Give images of one acquisition: export this echo again, in one run with the others."
    for path in echoes[1:]:
        this, first = headers[path], headers[echoes[0]]
        if this.shape != first.shape:
            yield Problem(
                str(path),
                f"the shape {this.shape}",
                f"{first.shape} as in echo {echo_number(echoes[0])}",
                remedy,
            )
        elif not np.allclose(this.affine, first.affine, rtol=0, atol=GRID_TOLERANCE_MM):
            yield Problem(
                str(path),
                f"another position or orientation (affine {_affine(this.affine)})",
                f"that of echo {echo_number(echoes[0])} (affine {_affine(first.affine)})",
                remedy,
            )
    blind = [path for path in headers if not headers[path].oriented]
    for path in blind:
        yield Problem(
            str(path),
            "no orientation (sform and qform codes are 0)",
            "the orientation that the scanner gave",
            "Convert it from DICOM again: the direction of B0 is taken to be the third axis.",
            "warning",
        )


def _affine(affine: np.ndarray) -> str:
    return "; ".join(" ".join(f"{value:.2f}" for value in row) for row in affine[:3])


def _inspect_sidecars(
    seen: Inspected,
    parts: dict[str, dict[int, Path]],
    phase_units: str | None,
    headers: dict[Path, Header],
) -> None:
    times: dict[str, dict[int, float]] = {"mag": {}, "phase": {}}
    fields: dict[Path, float] = {}
    described = False
    for part, files in parts.items():
        for echo, path in files.items():
            where = str(acquisition.sidecar_path(path))
            sidecar = _collect(seen, lambda p=path: acquisition.read_sidecar(p))
            if sidecar is None:
                continue
            te = _collect(seen, lambda s=sidecar, w=where: acquisition.echo_time(s, w))
            b0 = _collect(seen, lambda s=sidecar, w=where: acquisition.field_strength(s, w))
            if te is not None:
                times[part][echo] = te
            if b0 is not None:
                fields[path] = b0
                seen.problems += _check_field(b0, sidecar, where)
            if part == "phase" and phase_units is not None:
                units = _collect(
                    seen,
                    lambda s=sidecar, w=where, u=phase_units: acquisition.phase_encoding_of_values(
                        s, u, w
                    ),
                )
                seen.problems += _check_storage(units, headers.get(path), path)
            if not described:
                described = True
                seen.facts |= _protocol(sidecar)
    _check_times(seen, times, parts)
    _check_fields(seen, fields)


def _collect(seen: Inspected, ask: Callable[[], Any]) -> Any:
    """The answer, or ``None`` with the problem noted."""
    try:
        return ask()
    except InputError as error:
        seen.problems += [p for p in error.problems if isinstance(p, Problem)]
        return None


def _check_field(b0: float, sidecar: dict[str, Any], where: str) -> Iterator[Problem]:
    if b0 > STRONGEST_FIELD_T:
        yield Problem(
            f"{where}, MagneticFieldStrength", f"{b0:g}", "tesla, such as 3", "Give it in tesla."
        )
        return
    frequency = sidecar.get("ImagingFrequency")
    if isinstance(frequency, int | float) and not isinstance(frequency, bool):
        expected = b0 * acquisition.GYROMAGNETIC_RATIO_MHZ_PER_T
        if not abs(frequency - expected) <= FREQUENCY_TOLERANCE * expected:
            yield Problem(
                f"{where}, ImagingFrequency",
                f"{frequency:g} MHz with MagneticFieldStrength {b0:g} T",
                f"about {expected:.0f} MHz at {b0:g} T",
                "Correct the one that is wrong.",
            )


def _check_storage(units: str | None, header: Header | None, path: Path) -> Iterator[Problem]:
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


def _check_times(
    seen: Inspected, times: dict[str, dict[int, float]], parts: dict[str, dict[int, Path]]
) -> None:
    where = f"{seen.scan.files[0].parent}/{seen.scan.entities}"
    for part, by_echo in times.items():
        values = [by_echo[echo] for echo in sorted(by_echo)]
        if all(earlier < later for earlier, later in pairwise(values)):
            continue
        listed = ", ".join(f"{te * 1e3:g}" for te in values)
        seen.problems.append(
            Problem(
                f"{where}_echo-*_part-{part}_MEGRE.json, EchoTime",
                f"{listed} ms",
                "echo times that increase from echo to echo",
                "Check the order of the files and their sidecars.",
            )
        )
    for echo in sorted(set(times["mag"]) & set(times["phase"])):
        magnitude, phase = times["mag"][echo], times["phase"][echo]
        if abs(magnitude - phase) > SAME_ECHO_TIME_S:
            seen.problems.append(
                Problem(
                    f"{acquisition.sidecar_path(parts['phase'][echo])}, EchoTime",
                    f"{phase:g} s where the magnitude has {magnitude:g} s",
                    "one echo time for both parts",
                    "See which files belong together.",
                )
            )
    values = sorted(set(times["mag"].values()))
    if len(values) == len(parts["mag"]) and set(parts["mag"]) == set(parts["phase"]):
        seen.facts["echo times (ms)"] = " ".join(f"{te * 1e3:.2f}" for te in values)


def _check_fields(seen: Inspected, fields: dict[Path, float]) -> None:
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


def _protocol(sidecar: dict[str, Any]) -> dict[str, str]:
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
            facts[name] = f"{value:.5g}" if isinstance(value, float) else str(value)
    return facts
