"""Differences of protocol within the cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from ..errors import Problem
from .inspected import Inspected

_NAMED_AT_MOST = 12


def check_protocol(root: Path, inspected: Sequence[Inspected]) -> Iterator[Problem]:
    """Warn, property by property, of scans that were not acquired like the others."""
    names = list(dict.fromkeys(name for seen in inspected for name in seen.facts))
    for name in names:
        scans: dict[str, list[str]] = {}
        for seen in inspected:
            if name in seen.facts:
                scans.setdefault(seen.facts[name], []).append(seen.scan.folder.replace("/", " "))
        if len(scans) < 2:
            continue
        ranked = Counter({value: len(who) for value, who in scans.items()}).most_common()
        usual, number = ranked[0]
        others = "; ".join(f"{value} in {_named(scans[value])}" for value, _ in ranked[1:])
        yield Problem(
            f"{root}/sub-*, {name}",
            others,
            f"{usual}, as in {number} of {sum(map(len, scans.values()))} scans",
            "Results of different protocols are hard to compare: see that groups do not differ in "
            "it, or list the scans under exclude.",
            "warning",
        )


def _named(who: list[str]) -> str:
    rest = len(who) - _NAMED_AT_MOST
    return ", ".join(who[:_NAMED_AT_MOST]) + (f" and {rest} more" if rest > 0 else "")
