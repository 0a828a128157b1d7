"""Which of a participant's sessions is the baseline: the earliest one.

When a session took place stands in the tables beside ``participants.tsv``: months since baseline,
or the date that BIDS calls ``acq_time``. Where neither is there for all of a participant's
sessions, the first label in alphabetical order is taken, which must be said.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from ..errors import Problem
from ..spelling import as_number
from .phenotype import read_beside
from .sheet import MISSING, SESSION, participant_id

MONTHS = "months_since_baseline"
DATE = "acq_time"

_ISO_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_SHOWN = 8


def baseline_sessions(
    table: str | Path, sessions: Mapping[str, Collection[str]]
) -> tuple[dict[str, str], list[str]]:
    """The earliest session of each participant who has several, and who has no time to tell it by.

    ``table`` is the clinical table, ``sessions`` the labels by participant_id. Of the latter
    participants the first label in alphabetical order is taken.
    """
    several = {who: sorted(set(labels)) for who, labels in sessions.items() if len(set(labels)) > 1}
    if not several:
        return {}, []
    times = {column: _times(Path(table), column) for column in (MONTHS, DATE)}
    found, untimed = {}, []
    for who, labels in several.items():
        for known in times.values():
            if all((who, label) in known for label in labels):
                found[who] = min(labels, key=lambda label: (known[who, label], label))
                break
        else:
            found[who] = labels[0]
            untimed.append(who)
    return found, untimed


def _times(table: Path, column: str) -> dict[tuple[str, str], float | str]:
    """When each session of each participant was; dates as text, which ISO 8601 keeps in order."""
    found: dict[tuple[str, str], float | str] = {}
    for sheet in read_beside(table):
        if not sheet.readable or not {SESSION, column} <= set(sheet.columns):
            continue
        for _, who, cells in sheet.rows:
            cell = cells.get(column, MISSING)
            time = as_number(cell) if column == MONTHS else _ISO_DATE.match(cell) and cell
            if time is not None:
                label = cells[SESSION].removeprefix("ses-")
                found.setdefault((participant_id(who), label), time)
    return found


def baseline_problems(
    where: str, baseline: Mapping[str, str], untimed: Collection[str], severity: str = "warning"
) -> Iterator[Problem]:
    """What is to be said of participants with several sessions, where none was chosen."""
    if not baseline:
        return
    yield Problem(
        where,
        f"{len(baseline)} participants with several sessions",
        "one session per participant in the tests that compare participants",
        f"They take the baseline: {_listed(baseline)}. For another one set statistics: {{session: "
        "...} in the config; for the images of one alone, session_label: [...].",
        severity,
    )
    if untimed:
        yield Problem(
            where,
            f"no time of each session of {len(untimed)} participants: "
            + _listed({who: baseline[who] for who in untimed}),
            f"{MONTHS} or {DATE} of every session in sub-*_sessions.tsv",
            "The label that comes first in the alphabet is taken for their baseline. Add the "
            "column, or name the session.",
            severity,
        )


def _listed(baseline: Mapping[str, str]) -> str:
    labels = set(baseline.values())
    if len(labels) == 1 and len(baseline) > _SHOWN:
        return f"ses-{labels.pop()} of all"
    shown = [f"{who} (ses-{label})" for who, label in baseline.items()]
    return ", ".join(shown[:_SHOWN]) + (" …" if shown[_SHOWN:] else "")
