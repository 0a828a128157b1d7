"""Values of a clinical table against the ranges of the scales that they are measured on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from ..errors import Problem
from ..spelling import as_number
from .numbers import not_a_number
from .sheet import KNOWN_COLUMNS, ClinicalColumn, Sheet, is_missing, known_name, plain_name

MAXIMUM_ALSFRS_R = 48
IDENTIFYING_COLUMNS = frozenset((
    "name", "surname", "first_name", "last_name", "full_name", "patient_name", "initials",
    "birth_date", "birthdate", "dob", "date_of_birth", "birthday", "address", "phone", "telephone",
    "email", "mrn", "medical_record_number", "patient_id", "fiscal_code", "codice_fiscale",
    "tax_code", "ssn", "nhs_number",
))  # fmt: skip
"""Columns (lower-case, with underscores) that name a person."""
DELTA_FS_TOLERANCE = 0.1
"""Difference (points per month, and as a fraction) that rounding of ΔFS may explain."""


def check_values(
    sheet: Sheet, ranges: Mapping[str, tuple[float, float]] | None = None
) -> list[Problem]:
    """Out of range, not a number, unusual or contradictory: every cell of the known columns.

    ``ranges`` are those that the config sets in place of the known ones; ``None`` where the
    config has no such block, so that messages do not refer to it.
    """
    problems: list[Problem] = []
    in_config = "" if ranges is None else " Another scale's range goes into clinical_ranges."
    ranges = ranges or {}
    for name in sheet.columns:
        known = KNOWN_COLUMNS.get(known_name(name) or "")
        limits = ranges.get(name, ranges.get(known_name(name) or ""))
        if limits is not None:
            low, high = map(float, limits)
            known = replace(known or ClinicalColumn(name), low=low, high=high, above_zero=False)
        if known is not None:
            for row, who, cells in sheet.rows:
                if not is_missing(cells[name]):
                    problems += _check_cell(sheet, row, who, name, cells[name], known, in_config)
    return [*problems, *_check_delta_fs(sheet), *_check_identifying(sheet)]


def _check_identifying(sheet: Sheet) -> Iterator[Problem]:
    names = [name for name in sheet.columns if plain_name(name) in IDENTIFYING_COLUMNS]
    if names:
        yield Problem(
            f"{sheet.path}, header",
            f"the columns {', '.join(names)}",
            "a table that names nobody",
            "Results take over every column of the table: keep these elsewhere.",
            "warning",
        )


def _check_cell(
    sheet: Sheet, row: int, who: str, name: str, value: str, known: ClinicalColumn, hint: str
) -> Iterator[Problem]:
    where = sheet.cell(row, who, name)
    if known.values:
        if value.lower() not in map(str.lower, known.values):
            yield Problem(where, repr(value[:60]), known.allowed, "Correct it, or write n/a.")
        return
    number = as_number(value)
    if number is None:
        yield not_a_number(sheet, row, who, name, value)
    elif not known.allows(number):
        found = f"{value}, outside {known.allowed}"
        remedy = "Correct it, or write n/a if it is missing." + hint
        yield Problem(where, found, f"{known.description}: {known.allowed}", remedy)
    elif known.unusual is not None and number > known.unusual:
        expected = f"at most {known.unusual:g} {known.unit} in most cohorts"
        remedy = "See whether score and months are right; if so, leave it."
        yield Problem(where, value, expected, remedy, "warning")
    elif known.whole and number != int(number):
        expected = f"a whole number ({known.description})"
        yield Problem(where, value, expected, "See whether a typing error made it.", "warning")


def _check_delta_fs(sheet: Sheet) -> Iterator[Problem]:
    """ΔFS that does not follow from the ALSFRS-R and the months in the same row."""
    names = {known_name(name): name for name in sheet.columns}
    columns = [names.get(key) for key in ("delta_fs", "alsfrs_r", "months_since_onset")]
    if None in columns:
        return
    differ = []
    for _, who, cells in sheet.rows:
        given, score, months = (as_number(cells[str(name)]) for name in columns)
        if given is None or score is None or not months or months < 0:
            continue
        expected = (MAXIMUM_ALSFRS_R - score) / months
        if abs(given - expected) > DELTA_FS_TOLERANCE * (1 + abs(expected)):
            differ.append(f"{who} {given:g}, not {expected:.2f}")
    if differ:
        yield Problem(
            sheet.column(str(columns[0])),
            f"{len(differ)} of {len(sheet.rows)} values that do not fit ({'; '.join(differ)})",
            f"({MAXIMUM_ALSFRS_R} − {columns[1]}) / {columns[2]}",
            "See whether score, months and ΔFS belong to one visit; if so, leave it.",
            "warning",
        )
