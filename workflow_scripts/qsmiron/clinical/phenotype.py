"""The tables of BIDS' ``phenotype`` folder, joined to ``participants.tsv`` by participant."""

from __future__ import annotations

from pathlib import Path

from ..errors import Problem
from .sheet import MISSING, ONE_ROW, SESSION, Sheet


def join_phenotype(sheet: Sheet, tables: list[Sheet]) -> None:
    """Add to a data set's ``participants.tsv`` the columns of the tables beside it.

    A column that ``participants.tsv`` or an earlier table has is left as it is. A participant with
    several rows (sessions) in a table has no single value: its cells are missing, and a warning
    says so. What is wrong with the form of a table is a warning, since nothing may need it.
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
    new = [name for name in table.columns if name not in (SESSION, *sheet.columns)]
    several = [who for _, who, _ in sheet.rows if len(rows.get(who, ())) > 1]
    if several and new:
        sheet.problems.append(
            Problem(
                str(table.path),
                f"several rows for {', '.join(several[:8])}{' …' if several[8:] else ''}",
                ONE_ROW,
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


def phenotype_tables(participants: Path) -> list[Path]:
    """The tables beside a data set's ``participants.tsv``; none beside a table of another name."""
    if participants.name != "participants.tsv":
        return []
    return sorted(participants.parent.glob("phenotype/*.tsv"))
