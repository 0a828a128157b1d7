"""Participants with several sessions: which of them the group results are made of."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..bids import Scan
from ..errors import Problem


def check_sessions_of_cohort(
    root: Path, scans: list[Scan], session: str | None, grouped: bool
) -> Iterator[Problem]:
    """Sessions to choose from, and participants without the one that is chosen.

    ``session`` is as in :func:`..clinical.phenotype.analysed_session`; ``grouped`` says that there
    are contrasts or scores, which take one scan per participant.
    """
    sessions: dict[str, list[str]] = {}
    for scan in scans:
        if scan.session and scan.session not in sessions.setdefault(scan.participant_id, []):
            sessions[scan.participant_id].append(scan.session)
    if session is None:
        several = {who: labels for who, labels in sessions.items() if labels[1:]}
        if several:
            yield Problem(
                str(root),
                f"{len(several)} participants with several sessions: {_listed(several)}",
                "one session per participant in the group tests",
                "Choose one in the config: session_label: [...] for its images alone, statistics: "
                "{session: ...} for maps of all; the tests take participants as independent.",
                "error" if grouped else "warning",
            )
        return
    absent = {who: labels for who, labels in sessions.items() if session not in labels}
    if absent and grouped:
        nobody = len(absent) == len(sessions)
        yield Problem(
            "config, statistics.session",
            f"{session!r}, which {len(absent)} of {len(sessions)} participants with sessions have "
            f"no images of: {_listed(absent)}",
            "images of that session",
            "Correct it." if nobody else "They get maps, but are left out of the group results.",
            "error" if nobody else "warning",
        )


def _listed(sessions: dict[str, list[str]]) -> str:
    shown = [f"{who} ({', '.join(labels)})" for who, labels in sessions.items()]
    return "; ".join(shown[:8]) + (" …" if shown[8:] else "")
