"""Patients and controls in the clinical table: whom the config says to be which."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from ..errors import Problem
from ..spelling import level_text
from .sheet import Sheet, is_missing

CONTROL_WORDS = frozenset(
    ("control", "controls", "ctrl", "hc", "healthy", "healthycontrol", "healthycontrols", "hv")
)
"""Values, in small letters alone, that usually mean a control."""


def check_roles(sheet: Sheet, roles: Mapping[str, Any] | None) -> Iterator[Problem]:
    """What is wrong with the roles; without them, a column that looks as if it told of controls."""
    if roles is None:
        yield from _unnamed_controls(sheet)
        return
    column = str(roles.get("column"))
    if column not in sheet.columns:
        remedy = sheet.similar(column)
        yield Problem("config, roles.column", repr(column), f"a column of {sheet.path}", remedy)
        return
    found = {role_of(cells, column) for _, _, cells in sheet.rows} - {None}
    there = ", ".join(sorted(map(str, found))) or "it is empty"
    for kind in ("patients", "controls"):
        if not found & set(levels_of(roles, kind)):
            yield Problem(
                f"config, roles.{kind}",
                f"{' or '.join(levels_of(roles, kind))}, which no participant has",
                f"a value of column {column}: {there}",
                "Correct the config or the table.",
            )
    neither = [
        who
        for _, who, cells in sheet.rows
        if role_of(cells, column)
        not in (*levels_of(roles, "patients"), *levels_of(roles, "controls"))
    ]
    if neither:
        yield Problem(
            sheet.column(column),
            f"{len(neither)} participants who are neither patient nor control ({neither[0]} …)",
            "a value that roles name",
            "They take part in contrasts and scores of everybody only.",
            "warning",
        )


def _unnamed_controls(sheet: Sheet) -> Iterator[Problem]:
    for column in sheet.columns:
        words = {cells[column] for _, _, cells in sheet.rows}
        controls = [word for word in words if _plain(word) in CONTROL_WORDS]
        others = [word for word in words if word not in controls and not is_missing(word)]
        if controls and others:
            yield Problem(
                sheet.column(column),
                f"{controls[0]!r}, which looks like controls",
                "to know who is a patient: scores over both together find what tells them apart",
                f"If so: roles: {{column: {column}, patients: [{others[0]}], "
                f"controls: [{controls[0]}]}} in the config.",
                "warning",
            )


def _plain(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalpha())


def role_of(cells: Mapping[str, str], column: str) -> str | None:
    """The role that a row names, None where it names none."""
    value = cells.get(column, "")
    return None if is_missing(value) else level_text(value)


def levels_of(roles: Mapping[str, Any], kind: str) -> list[str]:
    """The values of the role column that mean patients, or controls."""
    given = roles.get(kind) or [kind.removesuffix("s")]
    return [level_text(value) for value in given]


def restricted(sheet: Sheet, roles: Mapping[str, Any] | None, of: str) -> Sheet:
    """The rows of ``patients``, ``controls`` or ``everybody``; without roles all."""
    if roles is None or of == "everybody" or roles.get("column") not in sheet.columns:
        return sheet
    wanted, column = levels_of(roles, of), str(roles["column"])
    return _with_rows(sheet, [row for row in sheet.rows if role_of(row[2], column) in wanted])


def with_roles(sheet: Sheet, roles: Mapping[str, Any] | None, columns: Collection[str]) -> Sheet:
    """The rows, with the role where one of these columns has no value."""
    if roles is None or roles.get("column") not in sheet.columns:
        return sheet
    role = str(roles["column"])
    rows = []
    for row, who, cells in sheet.rows:
        empty = [name for name in columns if name in cells and is_missing(cells[name])]
        rows.append((row, who, {**cells, **dict.fromkeys(empty, cells[role])}))
    return _with_rows(sheet, rows)


def _with_rows(sheet: Sheet, rows: list[tuple[int, str, dict[str, str]]]) -> Sheet:
    return Sheet(sheet.path, sheet.columns, rows, origins=sheet.origins)
