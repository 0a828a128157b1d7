"""Covariates that repeat each other, or the very contrast or score that they should adjust.

Plain elimination, since this is read while the workflow is laid out, without numpy. The tests
themselves refuse the same (`statistics.covariates`), hours later.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from .sheet import Sheet, as_number, is_missing, known_name

_TOLERANCE = 1e-9


class Columns:
    """The rows of a table that are complete in all covariates, and the covariates' columns there.

    ``names`` are ``age`` for numbers and ``sex[M]`` for the indicator of a level; the first level
    (sorted) has none. ``rows`` are indices into the sheet's rows.
    """

    def __init__(self, sheet: Sheet, covariates: Sequence[str]) -> None:
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
            if None not in numbers:
                self._add(name, [float(number) for number in numbers if number is not None])
                continue
            levels = [_level(name, cell) for cell in cells]
            for level in sorted(set(levels))[1:]:
                self._add(f"{name}[{level}]", [float(cell == level) for cell in levels])

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


def _level(column: str, cell: str) -> str:
    """A category as text; the two sexes in any spelling."""
    text = cell.strip()
    return text[:1].upper() if known_name(column) == "sex" else text


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
