"""Cells of a column of numbers that are none, and what each kind of them should be instead."""

from __future__ import annotations

import re
from collections.abc import Callable

from ..errors import Problem
from ..spelling import as_number, ascii_digits
from .sheet import KNOWN_COLUMNS, Sheet, known_name

_ALONE = "Write the number alone, or n/a if it is missing."
_DIGITS = r"[+-]?[0-9]*\.?[0-9]+"
_MONTH = r"(Jan|Feb|Ma[ryi]|Apr|Jun|Jul|Aug|Sep|O[ck]t|Nov|De[cz])[a-z]*\.?"


def _with_point(cell: str) -> str:
    return f"Write a decimal point: {cell.replace(',', '.')}."


def _either(cell: str) -> str:
    return f"{_with_point(cell)} If the comma parts thousands, write {cell.replace(',', '')}."


def _without_thousands(cell: str) -> str:
    # the last mark is the decimal one if it stands once and is not the one that parts thousands
    marks = re.findall(r"[^0-9+-]", cell)
    whole, fraction = cell, ""
    if len(marks) > 1 and marks.count(marks[-1]) == 1:
        whole, _, fraction = cell.rpartition(marks[-1])
    digits = re.sub(r"[^0-9+-]", "", whole) + ("." + fraction if fraction else "")
    return f"Write {digits}, without separators of thousands."


def _without_unit(cell: str) -> str:
    return f"Write {cell.rstrip('%‰ ')} alone, as in every other row; the unit goes into the name."


def _of_a_limit(_: str) -> str:
    return (
        "Write the number that stands for such values in your analysis (beyond a limit of "
        "detection, often half of the limit), or n/a."
    )


def _of_a_formula(_: str) -> str:
    return "It is an error of the spreadsheet: mend the formula, or write n/a."


def _of_a_date(_: str) -> str:
    return "It is a date, which spreadsheets make of numbers: write the number, or n/a."


_FORMS: tuple[tuple[str, Callable[[str], str]], ...] = (
    (r"[+-]?[0-9]{1,3},[0-9]{3}", _either),
    (r"[+-]?[0-9]*,[0-9]+", _with_point),
    (r"[+-]?[0-9]{1,3}((,[0-9]{3})+(\.[0-9]+)?|(\.[0-9]{3})+(,[0-9]+)?)", _without_thousands),
    (r"[+-]?[0-9]{1,3}([ '’][0-9]{3})+([.,][0-9]+)?", _without_thousands),
    (_DIGITS + r" ?[%‰]", _without_unit),
    (r"([<>≤≥~≈±]=? ?)+" + _DIGITS, _of_a_limit),
    (r"#[A-Z#/0!?]+", _of_a_formula),
    (r"[0-9]{1,4}([-/.])[0-9]{1,2}\1[0-9]{1,4}([T ].*)?", _of_a_date),
    (rf"(?i)[0-9]{{1,2}}[-. /]{_MONTH}([-. /][0-9]{{2,4}})?|{_MONTH}[-. ][0-9]{{1,4}}", _of_a_date),
    (_DIGITS + r" ?\(.*\)", lambda _: _ALONE),
)
"""Numbers in another dress, and what to write instead; of several that fit, the first counts."""


def _form(cell: str) -> Callable[[str], str] | None:
    return next((said for form, said in _FORMS if re.fullmatch(form, cell)), None)


def is_meant_as_number(value: str) -> bool:
    """Whether a cell holds a number, or one in another dress: ``1,5``, ``85%``, ``<5``.

    >>> is_meant_as_number("#DIV/0!"), is_meant_as_number("3T"), is_meant_as_number("A")
    (True, False, False)
    """
    return as_number(value) is not None or _form(ascii_digits(value)) is not None


def not_a_number(sheet: Sheet, row: int, who: str, column: str, value: str) -> Problem:
    """The problem of a text where a number should stand."""
    known = KNOWN_COLUMNS.get(known_name(column) or "")
    cell = ascii_digits(value)
    said = _form(cell)
    remedy = said(cell) if said else _ALONE
    expected = f"a number, {known.allowed}" if known else "a number"
    return Problem(sheet.cell(row, who, column), repr(value[:60]), expected, remedy)
