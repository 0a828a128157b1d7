"""Participants with several sessions: which of them the group results are made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from ..bids import ChosenSession, Scan, repeated_scans, scanned_sessions
from ..clinical.baseline import baseline_problems, baseline_sessions
from ..clinical.visits import read_visits
from ..errors import Problem


def check_sessions_of_cohort(
    root: Path,
    table: Path,
    scans: list[Scan],
    session: ChosenSession,
    grouped: bool,
    months: str | None = None,
) -> tuple[ChosenSession, list[Problem]]:
    """The session that serves the group results, and what is to be said of it.

    ``session`` is as in :func:`..clinical.phenotype.analysed_session`; without one it is each
    participant's baseline, by the visits that belong to the clinical ``table`` and their column of
    ``months``. ``grouped`` says that there are contrasts or scores, which take one scan per
    participant.
    """
    sessions = {who: labels for who, labels in scanned_sessions(scans).items() if labels}
    if session is None:
        baseline, untimed = baseline_sessions(read_visits(table, months), sessions)
        problems = baseline_problems(str(root), baseline, untimed) if grouped else ()
        return baseline or None, list(problems)
    return session, list(_absent(sessions, session)) if grouped else []


def without_regions(
    scans: list[Scan], session: ChosenSession, segmented: bool, by_own_contrasts: bool
) -> set[str]:
    """Participants whose images serve no group result: no phase, no labels, or another session.

    Labels need a T1w, unless scans may be ``segmented`` or registered ``by_own_contrasts``.
    """
    repeated = repeated_scans(scan for scan in scans if scan.has_phase)
    serving = {
        scan.participant_id
        for scan in scans
        if scan.has_chi
        and (
            scan.t1w is not None
            or segmented
            or scan.subject in repeated
            or (by_own_contrasts and scan.has_own_contrasts)
        )
        and scan.session in (None, _chosen(session, scan))
    }
    return {scan.participant_id for scan in scans} - serving


def _chosen(session: ChosenSession, scan: Scan) -> str | None:
    if isinstance(session, Mapping):
        return session.get(scan.participant_id, scan.session)
    return scan.session if session is None else session


def _absent(sessions: dict[str, list[str]], session: ChosenSession) -> Iterator[Problem]:
    def chosen(who: str, labels: list[str]) -> str | None:
        return session.get(who, labels[0]) if isinstance(session, Mapping) else session

    absent = {who: labels for who, labels in sessions.items() if chosen(who, labels) not in labels}
    if not absent:
        return
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
