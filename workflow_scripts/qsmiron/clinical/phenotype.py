"""What BIDS keeps beside ``participants.tsv``: ``phenotype/*.tsv`` and ``sub-*_sessions.tsv``.

Both are joined to it by participant and, where a participant has several sessions, by session.
"""

from __future__ import annotations

from pathlib import Path

from ..bids import LABEL
from ..errors import Problem
from .sheet import MISSING, ONE_ROW, SESSION, Sheet, read_sheet

NOT_CLINICAL = (SESSION, "acq_time")
"""Columns that are not joined: the key, and the date of a visit."""


def join_phenotype(sheet: Sheet, tables: list[Sheet]) -> None:
    """Add to a data set's ``participants.tsv`` the columns of the tables beside it.

    A column that ``participants.tsv`` or an earlier table has is left as it is. Of a participant
    with several rows (sessions) the row of the one session with images counts; if there is no such
    session, or several, the cells are missing, and a warning says so. What is wrong with the form
    of a table is a warning, since nothing may need it.
    """
    for table in tables:
        sheet.problems += [
            Problem(p.where, p.found, p.expected, f"{p.remedy} It is passed over.", "warning")
            for p in table.problems
            if p.expected != ONE_ROW
        ]
        if table.readable:
            _join(sheet, table)


def _join(sheet: Sheet, table: Sheet) -> None:
    rows: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for number, who, cells in table.rows:
        rows.setdefault(who, []).append((number, cells))
    for who, found in rows.items():
        if len(found) > 1:
            rows[who] = [one for one in found if _has_images(sheet.path.parent, who, one[1])]
    new = [name for name in table.columns if name not in (*NOT_CLINICAL, *sheet.columns)]
    several = [who for _, who, _ in sheet.rows if len(rows.get(who, (None,))) != 1]
    if several and new:
        sheet.problems.append(
            Problem(
                str(table.path),
                f"several rows for {', '.join(several[:8])}{' …' if several[8:] else ''}",
                f"{ONE_ROW}, or one session_id with images",
                f"Their {', '.join(new[:4])}{' …' if new[4:] else ''} count as missing: put the "
                "values to use into participants.tsv.",
                "warning",
            )
        )
    sheet.columns += new
    for name in new:
        origins: dict[str, int] = {}
        sheet.origins[name] = (table.path, origins)
        for _, who, cells in sheet.rows:
            found = rows.get(who, [])
            cells[name] = found[0][1][name] if len(found) == 1 else MISSING
            if len(found) == 1:
                origins[who] = found[0][0]


def _has_images(root: Path, who: str, cells: dict[str, str]) -> bool:
    """Whether the data set has a folder of images for the session of a row."""
    session = cells.get(SESSION, "").removeprefix("ses-")
    return bool(LABEL.fullmatch(session)) and (root / who / f"ses-{session}" / "anat").is_dir()


def tables_beside(participants: Path) -> list[Path]:
    """The files that belong to a data set's ``participants.tsv``; none to a table of another name.

    In the order of precedence: phenotype tables, then those of the participants' sessions.
    """
    if participants.name != "participants.tsv":
        return []
    return [*sorted(participants.parent.glob("phenotype/*.tsv")), *_session_files(participants)]


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
