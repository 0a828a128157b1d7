"""Numbers that are no amounts: codes of missing values, and codes of categories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from statistics import median

from ..errors import Problem
from ..spelling import as_number, level_text
from .sheet import KNOWN_COLUMNS, Sheet, is_missing, known_name, plain_name

_SD_PER_MAD = 1.4826
_FAR = 6
_FEW = 8

_MISSING_CODES = frozenset(
    sign * float(digit * times) for digit in "789" for times in (2, 3, 4, 5, 6) for sign in (1, -1)
) | {-1.0, -7.0, -8.0, -9.0}
"""What forms and statistics packages write for missing, refused and not applicable."""
_FEWEST_OTHERS = 3
_GAP = 0.5
"""A positive code lies above the other values by more than this share of their range."""

_CODES_AT_MOST = 6
"""Distinct whole numbers up to which a column may be one of codes."""
_REPEATED = 2
"""Participants for each of them, on average: a few participants have few values of anything."""
_NAMES_OF_CATEGORIES = frozenset((
    "site", "centre", "center", "hospital", "clinic", "scanner", "machine", "device", "vendor",
    "manufacturer", "model", "coil", "batch", "protocol", "sequence", "software", "version",
    "upgrade", "cohort", "study", "group", "arm", "rater", "reader", "operator", "handedness",
    "ethnicity", "race", "country", "genotype", "diagnosis", "phenotype", "subtype",
))  # fmt: skip
"""Words in the names of columns whose numbers have no order."""

_WORDS_FOR_MISSING = frozenset((
    "unknown", "not known", "missing", "not available", "not applicable", "n.a.", "n.d.", "nd",
    "refused", "?", "??", ".", "-", "--", "*", "#",
))  # fmt: skip


def check_codes_for_missing(sheet: Sheet, column: str) -> Iterator[Problem]:
    """Values of a column of unknown scale that look like codes of missing values."""
    for row, who, number in _coded(sheet, column):
        yield Problem(
            sheet.cell(row, who, column),
            f"{number:g}, which no other value is near",
            "n/a for a missing value: a code such as -99 or 999 is taken for a measured number",
            "Write n/a if it stands for missing; if it was measured, leave it.",
            "warning",
        )


def _coded(sheet: Sheet, column: str) -> list[tuple[int, str, float]]:
    """Row, participant and number of each such value."""
    known = KNOWN_COLUMNS.get(known_name(column) or "")
    if known and not known.values:
        return []  # its range says what is none
    numbers = _numbers(sheet, column)
    others = [number for _, _, number in numbers if number not in _MISSING_CODES]
    if len(others) < _FEWEST_OTHERS:
        return []
    low, high = min(others), max(others)
    return [
        (row, who, number)
        for row, who, number in numbers
        if number in _MISSING_CODES
        and (low >= 0 if number < 0 else number - high > _GAP * (high - low))
    ]


def _numbers(sheet: Sheet, column: str) -> list[tuple[int, str, float]]:
    cells = ((row, who, as_number(cells[column])) for row, who, cells in sheet.rows)
    return [(row, who, number) for row, who, number in cells if number is not None]


def check_far_out_covariate(sheet: Sheet, column: str) -> Iterator[Problem]:
    """Values so far from the others that they alone would decide the covariate's slope."""
    yield from _far_out(
        sheet,
        column,
        "a covariate without far outliers: rank ANCOVA takes it as it is, and one such "
        "value bends the adjustment of everybody",
        "Correct it if it is wrong; otherwise use the covariate's logarithm or rank.",
    )


def check_far_out_score(sheet: Sheet, column: str) -> Iterator[Problem]:
    """The same of a score or of a column that groups are made of, whose scale is unknown."""
    if known_name(column) is None:
        yield from _far_out(
            sheet,
            column,
            "measured values only: ranks bend little, but a code for missing is taken for the "
            "highest or lowest value",
            "Correct it if it is wrong, write n/a if it stands for missing; if it was measured, "
            "leave it.",
        )


def _far_out(sheet: Sheet, column: str, expected: str, remedy: str) -> Iterator[Problem]:
    coded = {row for row, _, _ in _coded(sheet, column)}
    numbers = [one for one in _numbers(sheet, column) if one[0] not in coded]
    if len(numbers) < _FEW:
        return
    middle = median(number for _, _, number in numbers)
    spread = _SD_PER_MAD * median(abs(number - middle) for _, _, number in numbers)
    for row, who, number in numbers:
        if spread and abs(number - middle) > _FAR * spread:
            found = (
                f"{number:g}, {abs(number - middle) / spread:.0f} robust SD from the median "
                f"{middle:g}"
            )
            yield Problem(sheet.cell(row, who, column), found, expected, remedy, "warning")


def check_numbers_for_categories(sheet: Sheet, column: str) -> Iterator[Problem]:
    """A covariate of numbers that may be a category: a site's number has no slope.

    Of two values the slope and the indicator are the same.
    """
    known = KNOWN_COLUMNS.get(known_name(column) or "")
    numbers = [number for _, _, number in _numbers(sheet, column)]
    values = sorted(set(numbers))
    if (known and not known.values) or len(values) < 3 or any(v != int(v) for v in values):
        return
    named = not _NAMES_OF_CATEGORIES.isdisjoint(plain_name(column).split("_"))
    few = len(values) <= _CODES_AT_MOST and len(numbers) >= _REPEATED * len(values)
    if named or few:
        shown = ", ".join(f"{value:g}" for value in values[:_CODES_AT_MOST])
        shown += ", …" if len(values) > _CODES_AT_MOST else ""
        yield Problem(
            sheet.column(column),
            f"{len(values)} distinct whole numbers ({shown}), taken as amounts with one slope",
            "amounts or grades; numbers that stand for categories, such as sites, are declared",
            f"If they are categories, add categorical: [{column}] to the config; if not, leave it.",
            "warning",
        )


def check_categories(sheet: Sheet, column: str) -> Iterator[Problem]:
    """Categories that mean one and would count as two, and values that mean missing."""
    spellings: dict[str, Counter[str]] = {}
    levels = [
        (row, who, level_text(cells[column]))
        for row, who, cells in sheet.rows
        if not is_missing(cells[column])
    ]
    for _, _, level in levels:
        plain = level.lower()[:1] if known_name(column) == "sex" else level.lower()
        spellings.setdefault(plain, Counter())[level] += 1
    for counts in spellings.values():
        if len(counts) > 1:
            (usual, _), *others = counts.most_common()
            yield Problem(
                sheet.column(column),
                ", ".join(f"{value!r} ({number} times)" for value, number in others)
                + f" beside {usual!r}",
                "one spelling of each category, since each counts as a category of its own",
                f"Write {usual!r} throughout.",
            )
    numeric = {level for level in spellings if as_number(level) is not None}
    coded = {row for row, _, _ in _coded(sheet, column)}
    for row, who, level in levels:
        lone = numeric != set(spellings) and as_number(level) in _MISSING_CODES
        if level.lower() in _WORDS_FOR_MISSING or lone or row in coded:
            yield Problem(
                sheet.cell(row, who, column),
                repr(level),
                "n/a for a missing value: any other text counts as a category of its own",
                "Write n/a if it stands for missing; if it is a category, leave it.",
                "warning",
            )
