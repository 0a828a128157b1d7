"""The images and sidecars of one scan: complete, alike, and declared well enough to compute."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ..bids import Scan
from ..errors import Problem
from .geometry import check_grids, obliquity
from .headers import read_header
from .inspected import Inspected, echo_number
from .sidecars import check_sidecars


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
    seen.problems += check_echoes(seen, parts)
    for path in scan.files:
        header = read_header(path)
        if isinstance(header, Problem):
            seen.problems.append(header)
        else:
            seen.headers[path] = header
    seen.problems += check_grids(seen)
    check_sidecars(seen, parts, phase_units)
    first = next((seen.headers[path] for path in scan.magnitude if path in seen.headers), None)
    if set(parts["mag"]) == set(parts["phase"]):
        seen.facts["number of echoes"] = str(len(parts["mag"]))
    if first is not None:
        seen.facts["matrix"] = " x ".join(map(str, first.shape))
        seen.facts["voxel size (mm)"] = " x ".join(f"{edge:.2f}" for edge in first.voxel_size)
        seen.obliquity = obliquity(first.affine)
    return seen


def check_echoes(seen: Inspected, parts: dict[str, dict[int, Path]]) -> Iterator[Problem]:
    """Echoes that are missing in one part or in both, and scans with a single one."""
    magnitude, phase = set(parts["mag"]), set(parts["phase"])
    where = seen.name
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
    if echoes[-1] - echoes[0] + 1 != len(echoes) or echoes[0] not in (0, 1):
        absent = (number for number in range(1, echoes[-1]) if number not in echoes)
        yield Problem(
            f"{where}_*_MEGRE",
            f"echoes {', '.join(map(str, echoes))}, but not {_listed(absent)}",
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


def _listed(numbers: Iterator[int]) -> str:
    first = list(islice(numbers, 13))  # a mistyped number may leave millions out
    return ", ".join(map(str, first[:12])) + (" …" if first[12:] else "")
