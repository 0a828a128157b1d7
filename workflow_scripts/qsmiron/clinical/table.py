"""The clinical table: reading it, and everything wrong with it.

A clinical table is a TSV with one row per participant and the column ``participant_id``, as BIDS
has it in ``participants.tsv``, to which those of its ``phenotype`` folder and ``*_sessions.tsv``
are joined. Values are used as they stand: no column is renamed, no value is repaired. Only the
standard library is imported at the top, since the workflow calls :func:`clinical_values` each time
it is parsed; :func:`read_clinical` imports pandas.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bids import ChosenSession
from ..errors import InputError, Problem
from ..spelling import as_number
from .design import check_design
from .models import check_confounded, check_models, check_sites
from .numbers import not_a_number
from .phenotype import join_phenotype, one_row_each, read_beside
from .ranges import check_values
from .sheet import (
    KNOWN_COLUMNS,
    MISSING,
    Sheet,
    is_missing,
    known_name,
    participant_id,
    read_sheet,
)

if TYPE_CHECKING:
    import pandas as pd


Measured = Mapping[str, Collection[str]]
"""The sessions of each participant with values, where no image files tell."""


def read_joined(
    path: str | Path, session: ChosenSession = None, measured: Measured | None = None
) -> Sheet:
    """Read a clinical table as text, with the columns of the tables beside it.

    ``session`` is the one that is analysed; see :func:`.phenotype.analysed_session`. ``measured``
    is as in :func:`.phenotype.join_phenotype`. Of a table with a row per visit, the rows of the
    scans that are analysed are left.
    """
    sheet = read_sheet(path)
    if sheet.readable:
        one_row_each(sheet, session, measured)
        join_phenotype(sheet, read_beside(sheet.path), session, measured)
    return sheet


def clinical_values(
    path: str | Path, session: ChosenSession = None, measured: Measured | None = None
) -> dict[str, dict[str, str]]:
    """Cells of a clinical table by participant_id (``sub-XX``) and column, as text.

    ``session`` and ``measured`` are as in :func:`read_joined`.
    Every spelling of a missing value becomes ``n/a``. Of rows with one id the first is kept, for
    :func:`check_clinical` reports them with everything else.

    Raises
    ------
    InputError
        If the file is missing, not UTF-8 text, or has no usable header.
    """
    sheet = read_joined(path, session, measured)
    if not sheet.readable:
        raise InputError(*sheet.problems)
    values: dict[str, dict[str, str]] = {}
    for _, who, cells in sheet.rows:
        values.setdefault(
            who, {name: MISSING if is_missing(cell) else cell for name, cell in cells.items()}
        )
    return values


def read_clinical(
    path: str | Path,
    text: Iterable[str] = (),
    session: ChosenSession = None,
    measured: Measured | None = None,
) -> pd.DataFrame:
    """Read a clinical table, indexed by participant_id (``sub-XX``).

    A column whose values are all numbers is float64 with NaN for missing; any other column, and
    those named in ``text``, holds strings with NaN for missing. ``session`` and ``measured`` are as
    in :func:`read_joined`.

    Raises
    ------
    InputError
        With every fault of the table's form (missing file, no participant_id, rows of different
        length, duplicate ids) and every text in a column of numbers.
    """
    import pandas as pd

    sheet = read_joined(path, session, measured)
    problems = [problem for problem in sheet.problems if problem.severity == "error"]
    kept = set(text)
    table: dict[str, Any] = {}
    for name in sheet.columns:
        known = KNOWN_COLUMNS.get(known_name(name) or "")
        cells = [None if is_missing(cells[name]) else cells[name] for _, _, cells in sheet.rows]
        numbers = [None if cell is None else as_number(cell) for cell in cells]
        unreadable = [
            (row, who, cell)
            for (row, who, _), cell, number in zip(sheet.rows, cells, numbers, strict=True)
            if cell is not None and number is None
        ]
        if unreadable and known and not known.values and name not in kept:
            problems += [not_a_number(sheet, row, who, name, cell) for row, who, cell in unreadable]
        if unreadable or name in kept or (known and known.values):
            table[name] = pd.Series(cells, dtype=object)
        else:
            table[name] = pd.Series(numbers, dtype=float)
    if problems:
        raise InputError(*problems)
    index = pd.Index([who for _, who, _ in sheet.rows], name="participant_id", dtype=object)
    return pd.DataFrame(table, columns=sheet.columns).set_axis(index, axis=0)


def check_clinical(
    path: str | Path,
    participants: Iterable[str] | None = None,
    contrasts: Mapping[str, Mapping[str, Any]] | None = None,
    scores: Iterable[str] = (),
    covariates: Iterable[str] = (),
    ranges: Mapping[str, tuple[float, float]] | None = None,
    analysed: Iterable[str] | None = None,
    session: ChosenSession = None,
    categorical: Collection[str] = (),
    roles: Mapping[str, Any] | None = None,
    scores_of: Mapping[str, str] | None = None,
    models: Mapping[str, Any] | None = None,
    statistics: Mapping[str, Any] | None = None,
    measured: Measured | None = None,
) -> list[Problem]:
    """Find everything wrong with a clinical table, and with what the config asks of it.

    Parameters
    ----------
    path
        The table (TSV).
    participants
        Participant ids whose values matter; ``None`` for every row. The form of the table is
        checked in all rows.
    contrasts, scores, covariates
        As in the config.
    ranges
        Allowed (lowest, highest) by column, in place of those of ``KNOWN_COLUMNS``.
    analysed
        Those of them whose images serve the group results, and who are counted in groups;
        ``None`` for all.
    session, measured
        As in :func:`read_joined`.
    categorical
        Columns whose numbers stand for categories, as in the config.
    roles, scores_of, models, statistics
        As in the config: who is a patient or control, whose scores are, and what else is tested.
    """
    sheet = read_joined(path, session, measured)
    if not sheet.readable:
        return sheet.problems
    chosen = _restricted(sheet, participants)
    counted = _restricted(chosen, analysed)
    return [
        *sheet.problems,
        *check_values(chosen, ranges),
        *check_design(
            counted,
            contrasts or {},
            list(scores),
            list(covariates),
            chosen,
            categorical,
            roles,
            scores_of,
        ),
        *check_models(counted, models or {}, roles),
        *check_sites(counted, statistics or {}),
        *check_confounded(counted, statistics or {}, contrasts or {}, roles),
    ]


def _restricted(sheet: Sheet, participants: Iterable[str] | None) -> Sheet:
    """The rows of these participants; ``None`` for all."""
    if participants is None:
        return sheet
    wanted = {participant_id(who) for who in participants}
    rows = [row for row in sheet.rows if row[1] in wanted]
    return Sheet(sheet.path, sheet.columns, rows, origins=sheet.origins)
