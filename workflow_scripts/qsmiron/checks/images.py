"""The images and sidecars of one scan: complete, alike, and declared well enough to compute."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from ..bids import Scan
from ..errors import Problem
from ..raw_parts import PART_NAMES, Parts, echo_numbers
from .b0 import check_b0, direction_of, obliquity
from .geometry import check_grids
from .headers import read_header
from .inspected import Inspected
from .pairs import choose_pair
from .sidecars import check_sidecars


def inspect_scan(
    scan: Scan, phase_units: str | None, named: bool = False, b0: Any = "affine"
) -> Inspected:
    """Check one scan by its file names, headers and sidecars.

    ``phase_units`` is ``declared`` or what the config sets in its place; ``None`` leaves the
    unit unchecked, where the config names one that does not exist. ``named`` says that the config
    sets it for this scan, and not for all. ``b0`` is its ``acquisition.b0_direction``.
    """
    seen = Inspected(scan)
    seen.parts, ambiguous = choose_pair(scan.parts, seen.name)
    seen.problems += ambiguous
    seen.problems += check_echoes(seen.name, seen.parts)
    whole = {files[None] for files in scan.parts.values() if None in files}
    for path in scan.files:
        header = read_header(path, all_echoes=path in whole)
        if isinstance(header, Problem):
            seen.problems.append(header)
        else:
            seen.headers[path] = header
    seen.problems += check_grids(seen)
    seen.problems += check_b0(seen, b0)
    check_sidecars(seen, phase_units, named)
    first_part, second_part = seen.parts.values()
    first = next((seen.headers[path] for path in first_part.values() if path in seen.headers), None)
    if echo_numbers(first_part) == echo_numbers(second_part):
        seen.facts["number of echoes"] = str(len(echo_numbers(first_part)))
    if first is not None:
        seen.facts["matrix"] = " x ".join(map(str, first.shape))
        seen.facts["voxel size (mm)"] = " x ".join(f"{edge:.2f}" for edge in first.voxel_size)
        seen.obliquity = obliquity(direction_of(first, b0))
    return seen


def check_echoes(where: str, parts: Parts) -> Iterator[Problem]:
    """Echoes that are missing in one part or in both, and scans with a single one.

    ``parts`` has the files of a pair of parts, ``where`` the scan's folder and entities.
    """
    numbers = {part: set(echo_numbers(files)) for part, files in parts.items()}
    first, second = numbers
    both = f"{PART_NAMES[first]} and {PART_NAMES[second]}"
    for part, other in ((second, first), (first, second)):
        if not numbers[part]:
            left_out = part == "phase"
            otherwise = (
                "without them the scan is left out"
                if left_out
                else "or list the participant under exclude in the config"
            )
            yield Problem(
                f"{where}_*_MEGRE",
                f"{len(parts[other])} {PART_NAMES[other]} files and no {PART_NAMES[part]} file",
                f"{both} of every echo",
                f"Export the {PART_NAMES[part]} images too; {otherwise}.",
                "warning" if left_out else "error",
            )
    for part, other in ((first, second), (second, first)) if all(numbers.values()) else ():
        absent = sorted(numbers[other] - numbers[part])
        if None in parts[part] and absent:
            yield Problem(
                str(parts[part][None]),
                f"{len(numbers[part])} echoes, where the {PART_NAMES[other]} has "
                f"{len(numbers[other])}",
                f"{both} of every echo",
                "See which files belong together, and the list EchoTime in their sidecars.",
            )
            continue
        for echo in absent:
            counts = (
                f"{len(numbers[first])} {PART_NAMES[first]} and "
                f"{len(numbers[second])} {PART_NAMES[second]} "
            )
            counts += "echoes" if None in parts[other] else "files"
            yield Problem(
                f"{where}_echo-{echo}_part-{part}_MEGRE.nii.gz",
                f"no such file ({counts})",
                f"{both} of every echo",
                "Add the file, or remove that echo from both parts.",
            )
    echoes = sorted(set().union(*numbers.values()))
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
