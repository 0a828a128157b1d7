"""The regions table that is given in place of images: everything wrong with it, before any job."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from ..bids import ChosenSession
from ..errors import InputError, Problem
from ..regions.metrics import METRICS
from ..statistics.cells import one_session
from ..tables import MISSING, TABLES

HEMISPHERES = ("L", "R", "B")

_CELL = ["atlas", "index", "region", "hemisphere", "metric", "family", "unit"]
_WHO = ["participant_id", "session"]
_ROWS_AT_ONCE = 200_000
_MEND = "Mend the rows; docs/inputs.md describes the table."
_SHOWN = 8


@dataclass
class _Rows:
    """What is learnt of the table: its distinct cells and participants, with their first line.

    ``not_numbers`` and ``infinite`` have the first such value, its line and how many there are.
    """

    cells: dict[tuple[str, ...], int] = field(default_factory=dict)
    people: dict[tuple[str, ...], int] = field(default_factory=dict)
    not_numbers: tuple[str, int, int] | None = None
    infinite: tuple[str, int, int] | None = None


def check_regions_table(
    path: str | Path,
    known: Collection[str] | None = None,
    excluded: Collection[str] = (),
    wanted: Collection[str] = (),
    session: ChosenSession = None,
) -> list[Problem]:
    """Find everything wrong with a regions table (TSV); it is read in pieces.

    Parameters
    ----------
    path
        The table, with the columns of ``TABLES["regions"]``.
    known
        participant_id (``sub-XX``) of every row of the clinical table; ``None`` for any.
    excluded, wanted
        Labels of participants, as ``exclude`` and ``participant_label`` of the config name them;
        no ``wanted`` stands for all.
    session
        The session that is analysed, where there are sessions.
    """
    where = str(path)
    try:
        lacking = _lacking_columns(path)
        if lacking:
            return [_no_columns(where, lacking)]
        rows = _read(path)
    except FileNotFoundError:
        return [Problem(where, "no such file", "a table of region values", "Check the path.")]
    except (ValueError, OSError, EOFError, zlib.error) as error:
        found = f"not a table ({str(error).strip()})"
        return [Problem(where, found, "tab-separated text (UTF-8)", "Mend the file.")]
    if not rows.cells:
        return [Problem(where, "no rows", "measured regions", "Measure some subjects.")]
    return [
        *_check_values(where, rows),
        *_check_cells(where, rows.cells),
        *_check_labels(where, rows.cells),
        *_check_people(where, rows.people, known, excluded, wanted),
        *_check_sessions(where, rows.people, session),
    ]


def _lacking_columns(path: str | Path) -> list[str]:
    header = pd.read_csv(path, sep="\t", nrows=0, dtype=str)
    return [name for name in TABLES["regions"] if name not in header.columns]


def _no_columns(where: str, lacking: list[str]) -> Problem:
    nothing = len(lacking) == len(TABLES["regions"])
    found = "none of the columns" if nothing else f"no column {', '.join(lacking)}"
    expected = f"the tab-separated columns {', '.join(TABLES['regions'])}"
    return Problem(f"{where}, header", found, expected, _MEND)


def _read(path: str | Path) -> _Rows:
    rows = _Rows()
    pieces = pd.read_csv(
        path,
        sep="\t",
        na_values=[MISSING],
        keep_default_na=False,
        dtype=dict.fromkeys([*_CELL, *_WHO], str),  # categories would turn 01 into 1
        usecols=[*_WHO, *_CELL, "value"],
        chunksize=_ROWS_AT_ONCE,
    )
    for piece in pieces:
        for columns, found in ((_CELL, rows.cells), (_WHO, rows.people)):
            for line, *names in _first_of_each(piece, columns):
                found.setdefault(tuple(names), line)
        value = piece["value"]
        number = value if value.dtype.kind in "fi" else pd.to_numeric(value, errors="coerce")
        text = value.notna() & number.isna()
        rows.not_numbers = _counted(value[text], rows.not_numbers)
        rows.infinite = _counted(value[np.isinf(number)], rows.infinite)
    return rows


def _first_of_each(piece: pd.DataFrame, columns: list[str]) -> Iterator[tuple]:
    """Line and names (n/a where missing) of each distinct row of these columns."""
    combined = np.zeros(len(piece), dtype=np.int64)
    for name in columns:  # numbers combine much faster than names
        number, found = pd.factorize(piece[name], use_na_sentinel=False)
        combined, _ = pd.factorize(combined * len(found) + number)
    _, first = np.unique(combined, return_index=True)
    names = piece[columns].iloc[np.sort(first)].astype(object).fillna(MISSING)
    return (
        (line, *texts)
        for line, texts in zip(names.index + 2, names.itertuples(index=False), strict=True)
    )


def _counted(values: pd.Series, before: tuple[str, int, int] | None) -> tuple[str, int, int] | None:
    if values.empty:
        return before
    first = before or (str(values.iloc[0]), int(values.index[0]) + 2, 0)
    return first[0], first[1], first[2] + len(values)


def _check_values(where: str, rows: _Rows) -> Iterator[Problem]:
    if rows.not_numbers:
        text, line, count = rows.not_numbers
        yield Problem(
            f"{where}, line {line}, column value",
            f"{text!r}{_more(count)}",
            "a number with a decimal point, or n/a",
            _MEND,
        )
    if rows.infinite:
        text, line, count = rows.infinite
        yield Problem(
            f"{where}, line {line}, column value",
            f"{text!r}{_more(count)}",
            "a finite number, or n/a",
            "It counts as missing.",
            "warning",
        )


def _more(count: int) -> str:
    return f" (and {count - 1:,} more rows)" if count > 1 else ""


def _check_cells(where: str, cells: dict[tuple[str, ...], int]) -> Iterator[Problem]:
    """Each wrong text once, at its first line."""
    seen = set()
    for names, line in cells.items():
        for problem in _wrong_texts(dict(zip(_CELL, names, strict=True)), f"{where}, line {line}"):
            key = (problem.where.rpartition(", ")[2], problem.found)
            if key not in seen:
                seen.add(key)
                yield problem


def _wrong_texts(cell: dict[str, str], line: str) -> Iterator[Problem]:
    def problem(
        column: str, expected: str, remedy: str = _MEND, severity: str = "error"
    ) -> Problem:
        found = cell[column] or "an empty cell"
        if column in ("family", "unit"):
            found += f" for {cell['metric']}"
        return Problem(f"{line}, column {column}", found, expected, remedy, severity)

    if _whole_number(cell["index"]) is None:
        yield problem("index", "the label's number in the atlas, a whole one above 0")
    for column in ("atlas", "region", "metric"):
        if cell[column] in ("", MISSING):
            yield problem(column, f"the name of the {column}")
    if cell["hemisphere"] not in HEMISPHERES:
        yield problem("hemisphere", "L, R, or B for both or the midline")
    metric = METRICS.get(cell["metric"])
    families = sorted({one.family for one in METRICS.values()})
    if metric is None:
        if cell["metric"] not in ("", MISSING):
            remedy = "Rename it if it is one of these: it is no family's primary metric otherwise."
            yield problem("metric", f"one of {', '.join(METRICS)}", remedy, "warning")
        if cell["family"] in ("", MISSING):
            yield problem("family", f"an outcome family, such as {', '.join(families)}")
        return
    if cell["family"] != metric.family:
        yield problem("family", metric.family)
    if cell["unit"] in ("", MISSING):
        yield problem("unit", metric.unit, f"It is taken for {metric.unit}.", "warning")
    elif cell["unit"] != metric.unit:
        yield problem("unit", metric.unit, "Convert the values, and name their unit.")


def _whole_number(text: str) -> int | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number > 0 and number.is_integer() else None


def _check_labels(where: str, cells: dict[tuple[str, ...], int]) -> Iterator[Problem]:
    """A region has one index, and an index one region; otherwise its subjects would be split."""
    by_index: dict[tuple, dict[str, int]] = {}
    by_region: dict[tuple, dict[str, int]] = {}
    for (atlas, text, region, hemisphere, *_), line in cells.items():
        index = _whole_number(text)
        if index is None or MISSING in (region, hemisphere):
            continue
        by_index.setdefault((atlas, index), {}).setdefault(f"{region} {hemisphere}", line)
        by_region.setdefault((atlas, region, hemisphere), {}).setdefault(str(index), line)
    for (atlas, index), names in by_index.items():
        if len(names) > 1:
            yield Problem(
                f"{where}, line {list(names.values())[1]}, atlas {atlas}, index {index}",
                f"several regions ({_some(names)})",
                "one region for an index",
                "Name a region the same in all rows, or number regions apart.",
            )
    for (atlas, region, hemisphere), indices in by_region.items():
        if len(indices) > 1:
            yield Problem(
                f"{where}, line {list(indices.values())[1]}, atlas {atlas}, {region} {hemisphere}",
                f"several indices ({_some(indices)})",
                "one index for a region and hemisphere",
                "Give a region the same index in all rows, or name regions apart.",
            )


def _check_people(
    where: str,
    people: dict[tuple[str, ...], int],
    known: Collection[str] | None,
    excluded: Collection[str],
    wanted: Collection[str],
) -> Iterator[Problem]:
    names = list(dict.fromkeys(name for name, _ in people))
    if nameless := [line for (name, _), line in people.items() if name in ("", MISSING)]:
        column = f"{where}, line {nameless[0]}, column participant_id"
        yield Problem(column, "no participant", "the participant's id", _MEND)
    names = [name for name in names if name not in ("", MISSING)]
    if unknown := [name for name in names if known is not None and name not in known]:
        yield Problem(
            f"{where}, column participant_id",
            f"{_some(unknown)}, without a row in the clinical table",
            "participants of the clinical table, as sub- and the label",
            "Add the rows there (n/a for what is unknown), or take the participants out here.",
        )
    out = {label.removeprefix("sub-") for label in excluded}
    only = {label.removeprefix("sub-") for label in wanted}
    for key, left in (
        ("exclude", [name for name in names if name.removeprefix("sub-") in out]),
        (
            "participant_label",
            [name for name in names if only and name.removeprefix("sub-") not in only],
        ),
    ):
        if left:
            yield Problem(
                f"{where}, column participant_id",
                f"{_some(left)}, whom {key} of the config leaves out",
                "only participants that take part, for analysis_only takes every row",
                f"Name a copy of the table without their rows in regions_table, or change {key}.",
            )


def _check_sessions(
    where: str, people: dict[tuple[str, ...], int], session: ChosenSession
) -> Iterator[Problem]:
    visits = pd.DataFrame(list(people), columns=_WHO).replace({"session": {MISSING: None}})
    try:
        one_session(visits, session, where)
    except InputError as error:
        yield from (problem for problem in error.problems if isinstance(problem, Problem))


def _some(names: Collection[str]) -> str:
    shown = ", ".join(list(names)[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
