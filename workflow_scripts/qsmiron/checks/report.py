"""Problems as a person reads them on a terminal, and as a program does."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import InputError, Problem
from ..overwriting import lies_in, looked_at
from ..volumes import read_json
from .cohort import Inspection

LINES_PER_GROUP = 20
"""Places that are listed one a line; of further ones only the participants are named."""

OBLIQUITY = "obliquity (degrees)"

_ECHO = re.compile(r"_echo-([0-9]+)_")
_SUBJECT = re.compile(r"sub-[A-Za-z0-9]+")
_COLOURS = {"error": "\033[1;31m", "warning": "\033[1;33m"}
_PLAIN = "\033[0m"


def printable(text: str) -> str:
    """Text whose control characters and undecodable bytes are shown as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def counted(number: int, noun: str) -> str:
    """``1 error``, ``2 errors``, ``no errors``."""
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"


def as_json(inspection: Inspection, bids_dir: str) -> dict[str, Any]:
    """The inspection as a JSON object, with the protocol of each scan."""

    def entries(problems: Sequence[Problem]) -> list[dict[str, str]]:
        return [
            {
                key: printable(getattr(problem, key))
                for key in ("severity", "where", "found", "expected", "remedy")
            }
            for problem in problems
        ]

    return {
        "bids_dir": printable(bids_dir),
        "status": "error" if inspection.errors else "ok",
        "participants": inspection.n_participants,
        "scans": inspection.n_scans,
        "images": inspection.n_images,
        "protocol": [
            {
                "scan": f"{seen.scan.folder}/{seen.scan.entities}",
                **{name: printable(value) for name, value in seen.facts.items()},
                **({} if seen.obliquity is None else {OBLIQUITY: round(seen.obliquity, 2)}),
            }
            for seen in inspection.scans
        ],
        "errors": entries(inspection.errors),
        "warnings": entries(inspection.warnings),
    }


def check_report_place(path: str | Path, bids_dir: str | Path) -> None:
    """Raise :class:`.InputError` if a report would replace a file of the data set.

    An earlier report may lie there.
    """
    if not Path(path).exists() or not lies_in(path, bids_dir):
        return
    try:
        with looked_at():
            earlier = {"status", "protocol", "errors"} <= read_json(path).keys()
    except InputError:
        earlier = False
    if not earlier:
        found, expected = "a file of the data set", "a new file, or an earlier report"
        raise InputError(Problem(str(path), found, expected, "Give --report another path."))


def as_text(
    inspection: Inspection, bids_dir: str, width: int | None = None, colour: bool = False
) -> str:
    """The inspection as text: protocol, errors, warnings, and one line that sums up.

    Problems that want the same remedy stand together; paths are relative to the data set.
    ``width`` is that of a terminal; without one each place keeps to one line, for searching.
    """
    blocks = [f"Input check of {printable(bids_dir)}"]
    if inspection.scans:
        blocks.append(_protocol(inspection))
    for severity, title, problems in (
        ("error", "ERRORS", inspection.errors),
        ("warning", "WARNINGS", inspection.warnings),
    ):
        if problems:
            head = f"{title} ({len(problems)})"
            blocks.append(f"{_COLOURS[severity]}{head}{_PLAIN}" if colour else head)
            blocks += _groups(problems, bids_dir, width)
    blocks.append(_summary(inspection))
    return "\n\n".join(blocks)


def _protocol(inspection: Inspection) -> str:
    """One line per property: its usual value, and in how many scans where not in all."""
    rows = []
    for name in dict.fromkeys(name for seen in inspection.scans for name in seen.facts):
        values = Counter(seen.facts[name] for seen in inspection.scans if name in seen.facts)
        ((usual, number),) = values.most_common(1)
        some = "" if number == len(inspection.scans) else f"  ({number} of {inspection.n_scans})"
        rows.append((name, printable(usual) + some))
    angles = [seen.obliquity for seen in inspection.scans if seen.obliquity is not None]
    if angles:
        low, high = f"{min(angles):.1f}", f"{max(angles):.1f}"
        rows.append((OBLIQUITY, low if low == high else f"{low} to {high}"))
    width = max((len(name) for name, _ in rows), default=0)
    return "\n".join(f"     {name:{width}}  {text}" for name, text in rows)


def _summary(inspection: Inspection) -> str:
    errors = counted(len(inspection.errors), "error")
    warnings = counted(len(inspection.warnings), "warning")
    seen = ", ".join(
        (
            counted(inspection.n_participants, "participant"),
            counted(inspection.n_scans, "scan"),
            counted(inspection.n_images, "image"),
        )
    )
    if inspection.errors:
        return (
            f"STOPPED: {errors} and {warnings} in {seen}.\nNothing was computed; mend the errors."
        )
    return f"OK: {seen} checked, {warnings}."


def _groups(problems: Sequence[Problem], bids_dir: str, width: int | None) -> list[str]:
    groups: dict[tuple[str, str], list[Problem]] = {}
    for problem in problems:
        groups.setdefault((problem.expected, problem.remedy), []).append(problem)
    text_width = max(width or 100, 60)
    place_width = text_width if width else 10**6
    blocks = []
    for number, ((expected, remedy), members) in enumerate(groups.items(), start=1):
        lead = f"{number:3d}. "
        lines = []
        places = _places(members, bids_dir)
        for place in places[:LINES_PER_GROUP]:
            lines.append(_wrap(place, lead, " " * 5, place_width, hang=4))
            lead = " " * 5
        if rest := places[LINES_PER_GROUP:]:
            who = sorted({name for place in rest for name in _SUBJECT.findall(place)})
            text = f"… and {len(rest)} more like these" + (f": {', '.join(who)}" if who else "")
            lines.append(_wrap(text, lead, " " * 5, text_width))
        lines.append(_wrap(expected, "     expected  ", " " * 15, text_width))
        lines.append(_wrap(remedy, "     remedy    ", " " * 15, text_width))
        blocks.append("\n".join(lines))
    return blocks


def _places(problems: Sequence[Problem], bids_dir: str) -> list[str]:
    """``where: found`` for each problem; echoes that share it are put into braces."""
    prefix = bids_dir.rstrip("/") + "/"
    echoes: dict[str, list[str]] = {}
    for problem in problems:
        place = f"{problem.where.removeprefix(prefix)}: {problem.found.replace(prefix, '')}"
        numbers = echoes.setdefault(_ECHO.sub("_echo-\0_", place, count=1), [])
        if match := _ECHO.search(place):
            numbers.append(match[1])
    return [
        printable(
            place.replace("\0", numbers[0] if len(numbers) == 1 else f"{{{','.join(numbers)}}}")
            if numbers
            else place
        )
        for place, numbers in echoes.items()
    ]


def _wrap(text: str, lead: str, indent: str, width: int, hang: int = 0) -> str:
    return textwrap.fill(
        printable(text),
        width,
        initial_indent=lead,
        subsequent_indent=indent + " " * hang,
        break_long_words=False,
        break_on_hyphens=False,
    )
