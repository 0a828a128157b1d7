"""From the long table of regions to matrices of subjects × cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import pandas as pd

from ..bids import ChosenSession
from ..errors import InputError, Problem
from ..spelling import in_natural_order
from .multiplicity import COPIES

VARIANT = ["desc", "atlas"]
PLACE = ["region", "hemisphere", "index"]
CELL = [*PLACE, "metric", "family"]
COLUMNS = ["participant_id", "session", *VARIANT, *CELL, "value"]
"""What is needed of a regions table; its text may be categories (``read_table(columns=)``)."""

VISIT = ["participant_id", "session"]

REFERENCED_METRIC = "chi_mean"
REFERENCE_MARGIN = 0.0005
"""ppm. Repeated scans of one subject differ by five times as much (SD)."""


class HasParticipants(Protocol):
    """What measures participants: :class:`Cells`, quantile functions."""

    @property
    def participants(self) -> pd.Index:
        """participant_id of every row."""


@dataclass(frozen=True)
class Cells:
    """One reconstruction variant and atlas: every metric of every region, of every subject.

    ``values`` is float64, subjects × cells, NaN where a value is missing; ``participants`` names
    its rows; ``index`` (one row per cell) has the columns of :data:`CELL`. Where sites were
    harmonised, ``harmonised`` says how, and ``measured`` are the values before.
    """

    desc: str
    atlas: str
    participants: pd.Index
    index: pd.DataFrame
    values: np.ndarray
    measured: np.ndarray | None = field(default=None, kw_only=True)
    harmonised: str | None = field(default=None, kw_only=True)

    def adjusted(self, covariates: str | None) -> str | None:
        """What values are adjusted for, as the tables have it: covariates and harmonised sites."""
        return ",".join(filter(None, [covariates, self.harmonised])) or None

    @property
    def is_reference(self) -> np.ndarray:
        """Boolean per cell: mean χ of what χ is relative to, zero in everybody but for its edge.

        And what copies it.
        """
        with np.errstate(invalid="ignore"):
            near = ~(np.abs(self.values) > REFERENCE_MARGIN).any(axis=0)
        metric = self.index["metric"].to_numpy(object)
        near &= np.isfinite(self.values).any(axis=0) & (metric == REFERENCED_METRIC)
        copies = [name for name, original in COPIES.items() if original == REFERENCED_METRIC]
        places = self.index[PLACE]
        there = pd.MultiIndex.from_frame(places).isin(pd.MultiIndex.from_frame(places[near]))
        return near | (there & np.isin(metric, copies))


@dataclass(frozen=True)
class Pattern:
    """Cells that the same subjects have values for: row and column numbers of the matrix."""

    rows: np.ndarray
    columns: np.ndarray


def cell_matrices(
    regions: pd.DataFrame, session: ChosenSession = None, where: str = "regions"
) -> list[Cells]:
    """Pivot a regions table into one matrix per (desc, atlas).

    Cells keep the order of the table. Participants are sorted, so that permutations and
    resamples do not depend on it.

    Parameters
    ----------
    regions
        Long table with at least :data:`COLUMNS` of ``TABLES["regions"]``.
    session
        Session to keep, where there are sessions, as in :func:`one_session`.
    where
        The table's path, for messages.

    Raises
    ------
    InputError
        For an empty table, a session that nobody has, or a cell that a participant has twice.
    """
    regions = one_session(regions, session, where).reset_index(drop=True)
    if regions.empty:
        raise InputError(Problem(where, "no rows", "measured regions", "Measure some subjects."))
    text = regions[VARIANT].astype(object).fillna("n/a")
    return [
        _pivot(regions.loc[part.index], str(desc), str(atlas), where)
        for (desc, atlas), part in text.groupby(VARIANT, sort=False)
    ]


def one_session(regions: pd.DataFrame, session: ChosenSession, where: str) -> pd.DataFrame:
    """Rows of one session of each participant.

    Parameters
    ----------
    regions
        A table with ``participant_id`` and ``session``.
    session
        The session of everybody, or that of each participant (of others every row is kept);
        ``None`` for the first of each.
    where
        The table's path, for messages.

    Raises
    ------
    InputError
        For a session that no row has.
    """
    if isinstance(session, str):
        wanted = session.removeprefix("ses-")
        kept = regions[regions["session"].astype(str).str.removeprefix("ses-") == wanted]
        if kept.empty:
            raise InputError(
                Problem(
                    f"{where}, column session",
                    f"no row of session {wanted}",
                    f"one of {', '.join(sorted(set(regions['session'].dropna()))) or 'none'}",
                    "Mend statistics.session in the config.",
                )
            )
        return kept
    chosen = first_sessions(regions) if session is None else session
    visits = _visits(regions)
    visits["kept"] = [
        chosen.get(who, label) == label for who, label in visits.itertuples(index=False)
    ]
    if visits["kept"].all():
        return regions
    pairs = regions[VISIT].astype(object)
    pairs = pairs.where(pairs.notna(), None)
    kept = pairs.merge(visits, on=VISIT, how="left")["kept"]
    return regions[kept.to_numpy(bool)]


def first_sessions(regions: pd.DataFrame) -> dict[str, str | None]:
    """The baseline of each participant of a table: the first session, in the order of the labels.

    ``None`` where a participant has no sessions.
    """
    labels: dict[str, list[str | None]] = {}
    for who, label in _visits(regions).itertuples(index=False):
        labels.setdefault(str(who), []).append(label)
    return {
        who: None if None in found else in_natural_order(map(str, found))[0]
        for who, found in labels.items()
    }


def measured_sessions(regions: pd.DataFrame) -> dict[str, set[str]]:
    """The sessions of each participant of a table."""
    found: dict[str, set[str]] = {}
    for who, label in _visits(regions).itertuples(index=False):
        found.setdefault(str(who), set()).update([] if label is None else [str(label)])
    return found


def _visits(regions: pd.DataFrame) -> pd.DataFrame:
    """The distinct pairs of participant and session, ``None`` for none."""
    visits = regions[VISIT].drop_duplicates().astype(object)
    return visits.where(visits.notna(), None)


def _pivot(part: pd.DataFrame, desc: str, atlas: str, where: str) -> Cells:
    subject, people = number_participants(part["participant_id"])
    cell, index = _number_cells(part[CELL])
    flat = subject * len(index) + cell
    repeated = pd.Series(flat).duplicated().to_numpy()
    if repeated.any():
        row = part.iloc[int(np.argmax(repeated))]
        raise InputError(
            Problem(
                where,
                f"{row['metric']} of {row['region']} {row['hemisphere']} twice for "
                f"{row['participant_id']} (desc {desc}, atlas {atlas})",
                "every value once",
                "Remove the repeated rows.",
            )
        )
    values = np.full(len(people) * len(index), np.nan)
    values[flat] = pd.to_numeric(part["value"]).to_numpy(float)
    values[~np.isfinite(values)] = np.nan
    return Cells(desc, atlas, people, index, values.reshape(-1, len(index)))


def number_participants(column: pd.Series) -> tuple[np.ndarray, pd.Index]:
    """Number of each row's participant, and the participants, sorted by name."""
    appearance, found = pd.factorize(column)
    names = np.asarray(found, dtype=object)
    order = np.argsort(names, kind="stable")
    number = np.empty(len(names), dtype=np.int64)
    number[order] = np.arange(len(names))
    return number[appearance], pd.Index(names[order], dtype=object)


def _number_cells(names: pd.DataFrame) -> tuple[np.ndarray, pd.DataFrame]:
    """Number of each row's cell, in order of appearance, and the cells' names, without categories.

    Numbers combine much faster than names, over millions of rows.
    """
    combined = np.zeros(len(names), dtype=np.int64)
    for key in names:
        number, found = pd.factorize(names[key], use_na_sentinel=False)
        combined = combined * len(found) + number
    cell, _ = pd.factorize(combined)
    _, first = np.unique(cell, return_index=True)
    return cell, _without_categories(names.iloc[first].reset_index(drop=True))


def _without_categories(table: pd.DataFrame) -> pd.DataFrame:
    kinds = {
        key: dtype.categories.dtype
        for key, dtype in table.dtypes.items()
        if isinstance(dtype, pd.CategoricalDtype)
    }
    return table.astype(kinds)


def missingness_patterns(values: np.ndarray, usable: np.ndarray) -> Iterator[Pattern]:
    """Group the cells by which of the usable subjects have a value.

    Parameters
    ----------
    values
        Subjects × cells, NaN where missing.
    usable
        Boolean per subject: has a group (or score) and, where needed, every covariate.

    Yields
    ------
    Pattern
        Every cell is in one pattern; a pattern may have no subjects.
    """
    present = np.isfinite(values) & usable[:, None]
    packed = np.ascontiguousarray(np.packbits(present, axis=0).T)
    keys = packed.view(np.dtype((np.void, packed.shape[1]))).ravel()
    _, first, inverse = np.unique(keys, return_index=True, return_inverse=True)
    for number in np.argsort(first):
        columns = np.flatnonzero(inverse == number)
        yield Pattern(np.flatnonzero(present[:, columns[0]]), columns)


def match_participants(
    cells: Sequence[HasParticipants], clinical: pd.DataFrame, where: str
) -> None:
    """Refuse measured participants whom the clinical table does not know.

    Raises
    ------
    InputError
        Naming them.
    """
    measured = pd.unique(np.concatenate([np.asarray(item.participants) for item in cells]))
    unknown = [name for name in measured if name not in clinical.index]
    if unknown:
        raise InputError(
            Problem(
                where,
                f"no row for {_some(unknown)}",
                "a row for every participant of the regions table",
                "Add the rows (n/a for what is unknown), or leave the participants out.",
            )
        )


def _some(names: list[str]) -> str:
    shown = ", ".join(map(str, names[:8]))
    return shown + (f" and {len(names) - 8} more" if len(names) > 8 else "")
