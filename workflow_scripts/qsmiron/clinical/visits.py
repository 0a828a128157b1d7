"""The table of visits: clinical values by participant and session, and when each visit was.

It comes from ``sub-*_sessions.tsv``, the tables of ``phenotype/`` with a ``session_id``, and from a
clinical table with a row per visit. Time is months since baseline: a column of months, or the
dates of ``acq_time``, of which only the months between visits are kept. Only the standard library
is used, since the workflow is laid out with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from ..errors import Problem
from ..spelling import as_number, in_natural_order
from .numbers import not_a_number
from .phenotype import read_beside, rows_of_each, session_column, session_of
from .sheet import MISSING, SESSION, Sheet, is_missing, known_name, read_sheet

MONTHS_COLUMNS = ("months_since_baseline", "months_from_baseline", "months")
"""Columns of months since baseline that need not be named in the config."""
DATE_COLUMN = "acq_time"
DAYS_PER_MONTH = 365.25 / 12
AGE_TOLERANCE = 0.25
"""Years by which the ages of two visits may differ from the time between them, by rounding."""
_NOT_VALUES = (SESSION, "session", DATE_COLUMN)


@dataclass
class Visit:
    """A visit: ``months`` since baseline, None if unknown; ``values`` as text, by column.

    ``places`` names the cell of each column, for messages.
    """

    months: float | None = None
    values: dict[str, str] = field(default_factory=dict)
    places: dict[str, str] = field(default_factory=dict)


@dataclass
class Visits:
    """The visits of each participant (``sub-XX``), by session label without ``ses-``."""

    of: dict[str, dict[str, Visit]] = field(default_factory=dict)
    columns: list[str] = field(default_factory=list)
    months_column: str | None = None
    problems: list[Problem] = field(default_factory=list)

    @property
    def timed(self) -> dict[str, dict[str, float]]:
        """The months of each participant's sessions, where they are known."""
        found = {
            who: {label: one.months for label, one in visits.items() if one.months is not None}
            for who, visits in self.of.items()
        }
        return {who: months for who, months in found.items() if months}

    def columns_of(self, names: list[str]) -> dict[str, dict[str, list[str]]]:
        """Months and the named values of each visit, as text: what a job reads."""
        return {
            who: {
                label: [
                    MISSING if one.months is None else f"{one.months:.6g}",
                    *(one.values.get(name, MISSING) for name in names),
                ]
                for label, one in sorted(visits.items())
            }
            for who, visits in sorted(self.of.items())
        }


def read_visits(table: str | Path, months: str | None = None) -> Visits:
    """Read the visits that belong to a clinical table.

    Parameters
    ----------
    table
        The clinical table; with a row per visit it is the first source itself.
    months
        Column of months since baseline; ``None`` for one of :data:`MONTHS_COLUMNS`, or the dates.
        Of a column that two tables have, the first counts.
    """
    path = Path(table)
    visits = Visits()
    sheets = [read_sheet(path), *read_beside(path)]
    for number, sheet in enumerate(sheets):
        key = session_column(sheet) if number == 0 else SESSION
        if sheet.readable and key in sheet.columns:
            _take(visits, sheet, key)
    visits.columns = [name for name in visits.columns if name not in _NOT_VALUES]
    known = [months] if months else [name for name in MONTHS_COLUMNS if name in visits.columns]
    if visits.of and months and months not in visits.columns:
        visits.problems.append(
            Problem(
                "config, change.months",
                repr(months),
                f"a column of the visits: {', '.join(visits.columns) or 'there is none'}",
                "Correct the name, or leave it out where acq_time has the dates.",
            )
        )
    visits.months_column = known[0] if known else None
    _set_months(visits, named=months is not None)
    return visits


def _take(visits: Visits, sheet: Sheet, key: str) -> None:
    visits.columns += [name for name in sheet.columns if name not in visits.columns]
    for who, rows in rows_of_each(sheet).items():
        for number, cells in rows:
            label = session_of({SESSION: cells[key]})
            if is_missing(label):
                continue
            visit = visits.of.setdefault(who, {}).setdefault(label, Visit())
            for name, cell in cells.items():
                if name not in visit.values and not is_missing(cell):
                    visit.values[name] = cell
                    visit.places[name] = f"{sheet.cell(number, who, name)}, session {label}"


def _set_months(visits: Visits, named: bool) -> None:
    """By the column of months; of who has none there, by the dates, unless the column is named."""
    column = visits.months_column or ""
    for found in visits.of.values():
        if named or any(column in visit.values for visit in found.values()):
            for visit in found.values():
                visit.months = as_number(visit.values.get(column, ""))
            continue
        dates = {}
        for label, visit in found.items():
            try:
                date = datetime.fromisoformat(visit.values.get(DATE_COLUMN, "").rstrip("Z"))
            except ValueError:
                continue
            dates[label] = date.replace(tzinfo=None)
        for label, date in dates.items():
            days = (date - min(dates.values())).total_seconds() / 86400
            found[label].months = days / DAYS_PER_MONTH


def check_visits(visits: Visits) -> list[Problem]:
    """Everything wrong with the times of the visits; problems name no date."""
    return [*visits.problems, *_check_months(visits), *_check_order(visits), *_check_ages(visits)]


def _check_months(visits: Visits) -> Iterator[Problem]:
    column = visits.months_column or ""
    for found in visits.of.values():
        dated = not any(column in visit.values for visit in found.values())
        for visit in found.values():
            cell = visit.values.get(column)
            if cell is not None and (visit.months is None or visit.months < 0):
                yield Problem(
                    visit.places[column],
                    repr(cell[:60]),
                    "months since baseline, 0 or more",
                    "Write the number of months since the participant's first visit, or n/a.",
                )
            elif dated and DATE_COLUMN in visit.values and visit.months is None:
                yield Problem(
                    visit.places[DATE_COLUMN],
                    "no date",
                    "a date as YYYY-MM-DD, with a time or without",
                    "Write it so, or give the months since baseline in a column.",
                )


def _check_order(visits: Visits) -> Iterator[Problem]:
    for who, months in visits.timed.items():
        labels = in_natural_order(months)
        for one, other in pairwise(labels):
            if months[one] > months[other]:
                yield Problem(
                    _place(visits, who, other),
                    f"{months[other]:.4g} months, and {months[one]:.4g} of session {one}",
                    "sessions in the order of time",
                    "Correct the months or dates, or rename the sessions: the first is the "
                    "baseline.",
                )


def _check_ages(visits: Visits) -> Iterator[Problem]:
    """Ages that the time between the visits contradicts; whole ages may be one year off."""
    column = next((name for name in visits.columns if known_name(name) == "age"), None)
    for who, months in visits.timed.items():
        ages = {}
        for label in in_natural_order(months):
            text = visits.of[who][label].values.get(column or "", MISSING)
            if (age := as_number(text)) is not None:
                ages[label] = age
        if len(ages) < 2:
            continue
        first, *others = ages
        whole = all(age == int(age) for age in ages.values())
        for label in others:
            years = (months[label] - months[first]) / 12
            grown = ages[label] - ages[first]
            if abs(grown - years) >= (1 if whole else 0) + AGE_TOLERANCE:
                yield Problem(
                    visits.of[who][label].places[str(column)],
                    f"age {ages[label]:g}, {grown:g} years after session {first}",
                    f"about {ages[first] + years:.4g}, since {years * 12:.4g} months lie between",
                    "Correct the age, or the months or dates of the visits.",
                )


def _place(visits: Visits, who: str, label: str) -> str:
    visit = visits.of[who][label]
    dated = visit.places.get(DATE_COLUMN, f"{who}, session {label}")
    return visit.places.get(visits.months_column or "", dated)


def check_scores(visits: Visits, columns: list[str]) -> Iterator[Problem]:
    """Text where a number should stand, in columns whose change is looked at."""
    for who, found in visits.of.items():
        for visit in found.values():
            for name in columns:
                cell = visit.values.get(name)
                if cell is not None and as_number(cell) is None:
                    problem = not_a_number(Sheet(Path(who)), 0, who, name, cell)
                    yield Problem(
                        visit.places[name], problem.found, problem.expected, problem.remedy
                    )
                    break
