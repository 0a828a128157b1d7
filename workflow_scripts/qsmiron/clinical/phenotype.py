"""What BIDS keeps beside ``participants.tsv``: ``phenotype/*.tsv`` and ``sub-*_sessions.tsv``.

Both are joined to it by participant and, where a participant has several sessions, by session.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from ..bids import LABEL, ChosenSession
from ..errors import Problem
from ..stored_files import is_hidden, is_unfetched
from .sheet import MISSING, ONE_ROW, SESSION, Sheet, is_missing, participant_id, read_sheet

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


def join_phenotype(sheet: Sheet, tables: list[Sheet], session: ChosenSession = None) -> None:
    """Add to a data set's ``participants.tsv`` the columns of the tables beside it.

    A column that ``participants.tsv`` or an earlier table has is left as it is. A row of a session
    counts if the participant's images are of that session, and of ``session`` where it is given;
    if no row does, or several, the cells are missing, and a warning says so. What is wrong with the
    form of a table is a warning, since nothing may need it; one that is to be fetched is an error.
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
            _join(sheet, table, session)


def _join(sheet: Sheet, table: Sheet, session: ChosenSession) -> None:
    rows: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for number, who, cells in table.rows:
        rows.setdefault(who, []).append((number, cells))
    root, visits = sheet.path.parent, SESSION in table.columns
    fitting = {
        who: _of_the_scan(found, _imaged(root, who, session) if visits else set())
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


def _of_the_scan(
    rows: list[tuple[int, dict[str, str]]], imaged: set[str]
) -> list[tuple[int, dict[str, str]]]:
    """A participant's rows that go with the images of these sessions."""
    labels = [cells.get(SESSION, MISSING).removeprefix("ses-") for _, cells in rows]
    if len(rows) == 1 and (is_missing(labels[0]) or not imaged):
        return rows
    return [row for row, label in zip(rows, labels, strict=True) if label in imaged]


def _imaged(root: Path, who: str, session: ChosenSession) -> set[str]:
    """The labels of a participant's sessions with images; at most ``session`` where it is given."""
    if isinstance(session, Mapping):
        if who in session:
            return {session[who]}
        session = None
    if not LABEL.fullmatch(who.removeprefix("sub-")):
        return set()
    labels = {path.parent.name.removeprefix("ses-") for path in (root / who).glob("ses-*/anat")}
    return labels & {session} if session else labels


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
