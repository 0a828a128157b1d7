"""What BIDS keeps beside ``participants.tsv``: ``phenotype/*.tsv`` and ``sub-*_sessions.tsv``.

Both are joined to it by participant and, where a participant has several sessions, by session.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from ..bids import LABEL, ChosenSession
from ..errors import Problem
from ..spelling import in_natural_order
from ..stored_files import is_hidden, is_unfetched
from .sheet import (
    MISSING,
    ONE_ROW,
    SESSION,
    SESSION_ALIAS,
    Sheet,
    is_missing,
    participant_id,
    read_sheet,
)

NOT_CLINICAL = (SESSION, "acq_time")
"""Columns that are not joined: the key, and the date of a visit."""


def analysed_session(session_label: Collection[str], session: ChosenSession) -> ChosenSession:
    """The label of the session whose scans and clinical values go together.

    ``session`` is what the config names for the statistics; without it, the only session that
    ``session_label`` selects. ``None`` where a participant's own images decide.
    """
    if isinstance(session, Mapping):
        return {participant_id(who): label.removeprefix("ses-") for who, label in session.items()}
    named = [session] if session else list(session_label)
    return named[0].removeprefix("ses-") if len(named) == 1 else None


def session_for(who: str, session: ChosenSession) -> str | None:
    """The session of one participant; None where it is theirs to tell."""
    return session.get(who) if isinstance(session, Mapping) else session


def join_phenotype(
    sheet: Sheet,
    tables: list[Sheet],
    session: ChosenSession = None,
    measured: Mapping[str, Collection[str]] | None = None,
) -> None:
    """Add to a data set's ``participants.tsv`` the columns of the tables beside it.

    A column that ``participants.tsv`` or an earlier table has is left as it is. A row of a session
    counts if the participant's images are of that session, and of ``session`` where it is given; of
    several, and where none has images, the first (the baseline). If none does, or several rows of
    it, the cells are missing, and a warning says so. ``measured`` are the sessions of each
    participant with values, where that is no matter of image files. What is wrong with the form of
    a table is a warning, since nothing may need it; one that is to be fetched is an error.
    """
    for table in tables:
        sheet.problems += [
            p
            if is_unfetched(p)
            else Problem(p.where, p.found, p.expected, f"{p.remedy} It is passed over.", "warning")
            for p in table.problems
            if p.expected != ONE_ROW
        ]
        if table.readable:
            _join(sheet, table, session, measured)


def _join(
    sheet: Sheet,
    table: Sheet,
    session: ChosenSession,
    measured: Mapping[str, Collection[str]] | None,
) -> None:
    rows = rows_of_each(table)
    root, visits = sheet.path.parent, SESSION in table.columns
    fitting = {
        who: rows_of_scan(
            found,
            scanned(root, who, session, measured) if visits else set(),
            session_for(who, session),
        )
        for who, found in rows.items()
    }
    new = [name for name in table.columns if name not in (*NOT_CLINICAL, *sheet.columns)]
    unclear = [who for _, who, _ in sheet.rows if who in rows and len(fitting[who]) != 1]
    for who, found, expected, remedy in (
        (
            [one for one in unclear if len(rows[one]) > 1],
            "several rows",
            f"{ONE_ROW}, or one session_id with images",
            "choose a session (session_label in the config), or put the values to use",
        ),
        (
            [one for one in unclear if len(rows[one]) == 1],
            "a row of another session than the images",
            "a row of their session",
            "put the values to use",
        ),
    ):
        if who and new:
            sheet.problems.append(
                Problem(
                    str(table.path),
                    f"{found} for {', '.join(who[:8])}{' …' if who[8:] else ''}",
                    expected,
                    f"Their {', '.join(new[:4])}{' …' if new[4:] else ''} count as missing: "
                    f"{remedy} into participants.tsv.",
                    "warning",
                )
            )
    sheet.columns += new
    for name in new:
        origins: dict[str, int] = {}
        sheet.origins[name] = (table.path, origins)
        for _, who, cells in sheet.rows:
            found = fitting.get(who, [])
            cells[name] = found[0][1][name] if len(found) == 1 else MISSING
            if len(found) == 1:
                origins[who] = found[0][0]


Row = tuple[int, dict[str, str]]


def rows_of_scan(rows: list[Row], imaged: Collection[str], session: str | None) -> list[Row]:
    """A participant's rows that go with the images of these sessions; of the first of several.

    Without images it is ``session``, or else the first as well.
    """
    labels = [session_of(cells) for _, cells in rows]
    if len(rows) == 1 and (is_missing(labels[0]) or not imaged):
        return rows
    known = {label for label in labels if not is_missing(label)}
    wanted = set(imaged) or ({session} if session else known)
    fitting = in_natural_order(known & wanted)
    return [row for row, label in zip(rows, labels, strict=True) if label in fitting[:1]]


def session_of(cells: Mapping[str, str]) -> str:
    """The label of a row's session."""
    return cells.get(SESSION, MISSING).removeprefix("ses-")


def scanned(
    root: Path,
    who: str,
    session: ChosenSession,
    measured: Mapping[str, Collection[str]] | None = None,
) -> set[str]:
    """The labels of a participant's sessions with images; at most ``session`` where it is given."""
    session = session_for(who, session)
    if measured is not None:
        labels = {label.removeprefix("ses-") for label in measured.get(who, ())}
    elif LABEL.fullmatch(who.removeprefix("sub-")):
        folders = (root / who).glob("ses-*/anat")
        labels = {path.parent.name.removeprefix("ses-") for path in folders}
    else:
        labels = set()
    return labels & {session} if session else labels


def one_row_each(
    sheet: Sheet, session: ChosenSession, measured: Mapping[str, Collection[str]] | None = None
) -> None:
    """Of a clinical table with a row per visit, keep the one that goes with each scan.

    Where no scan is known it is the first visit's. A table of one row per participant stays as it
    is. Arguments as in :func:`join_phenotype`.
    """
    key = session_column(sheet)
    if key is None:
        return
    kept: list[tuple[int, str, dict[str, str]]] = []
    for who, found in rows_of_each(sheet).items():
        rows = [(row, cells | {SESSION: cells[key]}) for row, cells in found]
        there = scanned(sheet.path.parent, who, session, measured)
        fitting = rows_of_scan(rows, there, session_for(who, session))
        if not fitting:
            sheet.problems.append(
                Problem(
                    str(sheet.path),
                    f"no row of {who} for session {', '.join(sorted(there))}",
                    "a row of the session that is analysed",
                    "Their values count as missing: add the row.",
                    "warning",
                )
            )
        row, cells = fitting[0] if fitting else (found[0][0], dict.fromkeys(sheet.columns, MISSING))
        kept.append((row, who, {name: cells[name] for name in sheet.columns if name != key}))
    sheet.rows = kept
    sheet.columns = [name for name in sheet.columns if name not in (key, "acq_time")]


def session_column(sheet: Sheet) -> str | None:
    """The column of sessions of a table with several rows of a participant; None of another."""
    if len({who for _, who, _ in sheet.rows}) == len(sheet.rows):
        return None
    return next((name for name in (SESSION, SESSION_ALIAS) if name in sheet.columns), None)


def rows_of_each(sheet: Sheet) -> dict[str, list[Row]]:
    """The rows of each participant."""
    rows: dict[str, list[Row]] = {}
    for number, who, cells in sheet.rows:
        rows.setdefault(who, []).append((number, cells))
    return rows


def tables_beside(participants: Path) -> list[Path]:
    """The files that belong to a data set's ``participants.tsv``; none to a table of another name.

    In the order of precedence: phenotype tables, then those of the participants' sessions.
    """
    if participants.name != "participants.tsv":
        return []
    found = sorted(participants.parent.glob("phenotype/*.tsv"))
    tables = [path for path in found if not is_hidden(path.name)]
    return [*tables, *_session_files(participants)]


def read_beside(participants: Path) -> list[Sheet]:
    """Read these files; the sessions of all participants are one table."""
    files = tables_beside(participants)
    sessions = [path for path in files if path.name.endswith("_sessions.tsv")]
    tables = [read_sheet(path) for path in files if path not in sessions]
    if not sessions:
        return tables
    whole = Sheet(participants.parent / "sub-*/sub-*_sessions.tsv", readable=True)
    for path in sessions:
        one = read_sheet(path, participant=path.parent.name)
        whole.problems += one.problems
        whole.columns += [name for name in one.columns if name not in whole.columns]
        whole.rows += one.rows
    for _, _, cells in whole.rows:
        for name in whole.columns:
            cells.setdefault(name, MISSING)
    return [*tables, whole]


def _session_files(participants: Path) -> list[Path]:
    found = sorted(participants.parent.glob("sub-*/sub-*_sessions.tsv"))
    return [path for path in found if path.name == f"{path.parent.name}_sessions.tsv"]
