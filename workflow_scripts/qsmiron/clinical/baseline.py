"""Which of a participant's sessions is the baseline: the earliest one.

When a session took place stands in the tables of visits (:mod:`.visits`). Where that is not known
of all of a participant's sessions, the label that comes first is taken, which must be said.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from ..errors import Problem
from ..spelling import in_natural_order
from .visits import DATE_COLUMN, MONTHS_COLUMNS, Visits

_SHOWN = 8


def baseline_sessions(
    visits: Visits, sessions: Mapping[str, Collection[str]]
) -> tuple[dict[str, str], list[str]]:
    """The earliest session of each participant who has several, and who has no time to tell it by.

    ``sessions`` are the labels by participant_id. Of the latter participants the label that comes
    first (``2`` before ``10``) is taken.
    """
    found, untimed, timed = {}, [], visits.timed
    for who, labels in sessions.items():
        ordered = in_natural_order(set(labels))
        if len(ordered) < 2:
            continue
        months = timed.get(who, {})
        if all(label in months for label in ordered):
            found[who] = min(ordered, key=months.__getitem__)
        else:
            found[who] = ordered[0]
            untimed.append(who)
    return found, untimed


def baseline_problems(
    where: str, baseline: Mapping[str, str], untimed: Collection[str]
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
        "warning",
    )
    if untimed:
        yield Problem(
            where,
            f"no time of each session of {len(untimed)} participants: "
            + _listed({who: baseline[who] for who in untimed}),
            f"{MONTHS_COLUMNS[0]} or {DATE_COLUMN} of every session in sub-*_sessions.tsv",
            "The label that comes first is taken for their baseline. Add the "
            "column, or name the session.",
            "warning",
        )


def _listed(baseline: Mapping[str, str]) -> str:
    labels = set(baseline.values())
    if len(labels) == 1 and len(baseline) > _SHOWN:
        return f"ses-{labels.pop()} of all"
    shown = [f"{who} (ses-{label})" for who, label in baseline.items()]
    return ", ".join(shown[:_SHOWN]) + (" …" if shown[_SHOWN:] else "")
