"""Which files of a scan are read: one pair of parts, each in one file or in one per echo."""

from __future__ import annotations

from pathlib import Path

from ..errors import Problem
from ..raw_parts import PAIRS, Parts


def choose_pair(parts: Parts, where: str) -> tuple[Parts, list[Problem]]:
    """The pair of parts to look at, and what makes the choice ambiguous.

    ``where`` is the scan's folder and entities. Both parts of the pair are there, if without files.
    """
    problems = []
    there = [pair for pair in PAIRS if any(parts.get(part) for part in pair)]
    if len(there) > 1:
        listed = [_named(parts, pair) for pair in there]
        problems.append(
            Problem(
                f"{where}_*_MEGRE",
                f"magnitude or phase ({listed[0]}) and real or imaginary parts ({listed[1]})",
                "one of these pairs: magnitude and phase, or real and imaginary",
                "Keep the pair to use, and move the others out of the data set, for example to "
                "sourcedata/.",
            )
        )
    chosen: dict[str, dict[int | None, Path]] = {}
    for part in there[0]:
        files = dict(parts.get(part, {}))
        whole = files.pop(None, None)
        if whole is not None and files:
            first = next(iter(files.values()))
            problems.append(
                Problem(
                    str(whole),
                    f"all echoes in one file by its name, beside {first.name}",
                    "one file per echo and part, or one for all echoes",
                    "Move one or the other out of the data set; a file of one echo is named by its "
                    "number, such as _echo-1_part-mag.",
                )
            )
        chosen[part] = files if files or whole is None else {None: whole}
    return chosen, problems


def _named(parts: Parts, pair: tuple[str, str]) -> str:
    names = [path.name for part in pair for path in parts.get(part, {}).values()]
    return names[0] + (f" and {len(names) - 1} more" if names[1:] else "")
