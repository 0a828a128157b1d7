"""Covariates that repeat each other, or the very contrast or score that they should adjust.

Plain elimination, since this is imported while the workflow is laid out, without numpy. The tests
refuse the same (``statistics.covariates``), hours later.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence

from ..errors import Problem
from ..spelling import as_number, level_text, sorted_levels
from .sheet import Sheet, is_missing

_TOLERANCE = 1e-9


def check_adjustment(
    sheet: Sheet,
    covariates: Sequence[str],
    groups: Mapping[str, tuple[str, Sequence[str]]],
    scores: Sequence[str],
    smallest_group: int,
    categorical: Collection[str] = (),
) -> Iterator[Problem]:
    """Whether the covariates, columns of the table, can adjust the contrasts and scores.

    ``groups`` holds, by a contrast's name, its column and its two levels; ``categorical`` are
    columns whose numbers stand for categories.
    """
    if not covariates:
        return
    columns = Columns(sheet, covariates, categorical)
    if len(columns.rows) <= len(columns.names) + 2:
        yield Problem(
            f"{sheet.path}, columns {', '.join(covariates)}",
            f"{len(columns.rows)} participants with all covariates, "
            f"which make {len(columns.names)} columns",
            f"at least {len(columns.names) + 3} participants",
            "The rigorous arm will be n/a: fill in the table, or take covariates out of the "
            "config.",
            "warning",
        )
        return
    if repeated := columns.repeated():
        name, earlier = repeated
        yield Problem(
            f"{sheet.path}, column {name.split('[')[0]}",
            f"a covariate ({name}) that follows from {', '.join(earlier)}",
            f"covariates that vary independently over the {len(columns.rows)} participants",
            f"Take {name.split('[')[0]} out of covariates in the config.",
        )
    for contrast, (column, levels) in groups.items():
        yield from _check_groups(sheet, columns, contrast, column, levels, smallest_group)
    for score in scores:
        cells = [as_number(sheet.rows[number][2][score]) for number in columns.rows]
        if score not in covariates and None not in cells and columns.determine(cells):
            yield _determined(
                f"{sheet.path}, column {score}", columns, f"correlations with {score}"
            )


def _check_groups(
    sheet: Sheet,
    columns: Columns,
    contrast: str,
    column: str,
    levels: Sequence[str],
    smallest_group: int,
) -> Iterator[Problem]:
    where = f"config, contrasts.{contrast}"
    values = [level_text(sheet.rows[number][2][column]) for number in columns.rows]
    for level in levels:
        everybody = sum(level_text(cells[column]) == level for _, _, cells in sheet.rows)
        number = values.count(level)
        if number < smallest_group <= everybody:
            yield Problem(
                where,
                f"{number} of {everybody} participants with {level!r} have all covariates "
                f"({', '.join(dict.fromkeys(name.split('[')[0] for name in columns.names))})",
                f"at least {smallest_group} in a group",
                "The rigorous arm will be n/a: fill in the covariates, or take one out.",
                "warning",
            )
    if set(values) == set(levels) and columns.determine([value == levels[0] for value in values]):
        yield _determined(where, columns, f"the rigorous arm of {contrast}")


def _determined(where: str, columns: Columns, use: str) -> Problem:
    return Problem(
        where,
        f"values that follow from the covariates ({', '.join(columns.names)})",
        "covariates that leave it free",
        f"Adjusted for them nothing is left, and {use} will be n/a: take a covariate out of the "
        "config.",
        "warning",
    )


class Columns:
    """The rows of a table that are complete in all covariates, and the covariates' columns there.

    ``names`` are ``age`` for numbers and ``sex[M]`` for the indicator of a level; the first level
    (sorted) has none. ``rows`` are indices into the sheet's rows.
    """

    def __init__(
        self, sheet: Sheet, covariates: Sequence[str], categorical: Collection[str] = ()
    ) -> None:
        self.rows = [
            number
            for number, (_, _, cells) in enumerate(sheet.rows)
            if not any(is_missing(cells[name]) for name in covariates)
        ]
        self.names: list[str] = []
        self.values: list[list[float]] = []
        for name in covariates:
            cells = [sheet.rows[number][2][name] for number in self.rows]
            numbers = [as_number(cell) for cell in cells]
            if None not in numbers and name not in categorical:
                self._add(name, [float(number) for number in numbers if number is not None])
                continue
            cells = [level_text(cell) for cell in cells]
            for level in sorted_levels(cells)[1:]:
                self._add(f"{name}[{level}]", [float(cell == level) for cell in cells])

    def _add(self, name: str, values: list[float]) -> None:
        if len(set(values)) > 1:  # a constant is reported for what it is
            self.names.append(name)
            self.values.append(values)

    def repeated(self) -> tuple[str, list[str]] | None:
        """The first column that those before it determine, and their names."""
        if len(self.rows) <= len(self.names) + 2:
            return None
        basis: list[list[float]] = []
        for number, values in enumerate(self.values):
            rest = _remainder(values, basis)
            if rest is None:
                return self.names[number], self.names[:number]
            basis.append(rest)
        return None

    def determine(self, values: Sequence[float]) -> bool:
        """Whether the columns and a constant determine ``values``, one for each of the rows."""
        if len(self.rows) <= len(self.names) + 2 or len(set(values)) < 2:
            return False
        basis: list[list[float]] = []
        for column in self.values:
            rest = _remainder(column, basis)
            if rest is not None:
                basis.append(rest)
        return bool(basis) and _remainder(values, basis) is None


def _remainder(values: Sequence[float], basis: list[list[float]]) -> list[float] | None:
    """Unit vector of what ``values`` have beyond a constant and an orthonormal ``basis``.

    ``None`` where nothing is left.
    """
    mean = math.fsum(values) / len(values)
    rest = [value - mean for value in values]
    length = math.hypot(*rest)
    if length == 0:
        return None
    rest = [value / length for value in rest]
    for _ in range(2):  # once more, against the rounding of the first time
        for vector in basis:
            share = math.fsum(a * b for a, b in zip(rest, vector, strict=True))
            rest = [a - share * b for a, b in zip(rest, vector, strict=True)]
    length = math.hypot(*rest)
    return None if length < _TOLERANCE else [value / length for value in rest]
