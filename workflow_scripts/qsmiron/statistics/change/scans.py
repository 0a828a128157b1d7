"""The scans of a cohort with several sessions: their values, whose they are, and when they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ...clinical.visits import Visits, read_visits
from ...errors import InputError, Problem
from ...spelling import as_number
from ...tables import read_table
from ..cells import COLUMNS, VISIT, Cells, cell_matrices
from ..covariates import Covariates
from ..inputs import Inputs, inputs_of

MONTHS_PER_YEAR = 12


@dataclass(frozen=True)
class Scans:
    """One variant and atlas: every scan whose time is known.

    ``cells`` has a row per scan; ``people`` are the participants, sorted, ``person`` the number of
    each scan's, ``sessions`` its label and ``time`` its time since baseline (months).
    """

    cells: Cells
    people: pd.Index
    person: np.ndarray
    sessions: np.ndarray
    time: np.ndarray

    @property
    def count(self) -> np.ndarray:
        """Number of scans per participant."""
        return np.bincount(self.person, minlength=len(self.people))

    def of(self, kept: np.ndarray) -> Scans:
        """Some of the scans (boolean per scan), and only their participants."""
        numbers, person = np.unique(self.person[kept], return_inverse=True)
        cells = replace(
            self.cells, participants=self.cells.participants[kept], values=self.cells.values[kept]
        )
        return Scans(cells, self.people[numbers], person, self.sessions[kept], self.time[kept])

    def with_values(self, values: np.ndarray) -> Cells:
        """Cells of participants in place of scans: ``values`` is participants × cells."""
        return replace(self.cells, participants=self.people, values=values)

    @property
    def baseline(self) -> Cells:
        """The values of everybody's first scan in time."""
        order = np.lexsort([self.time, self.person])
        first = order[np.unique(self.person[order], return_index=True)[1]]
        return self.with_values(self.cells.values[first])


@dataclass(frozen=True)
class ChangeInputs:
    """``data`` is the cross-section (each participant's baseline), ``scans`` all sessions."""

    data: Inputs
    visits: Visits
    scans: list[Scans]

    @property
    def unit(self) -> float:
        """Months of the time that rates are per."""
        return MONTHS_PER_YEAR if self.data.design.change.per == "year" else 1

    def values(self, column: str, scans: Scans) -> list[tuple[np.ndarray, np.ndarray]]:
        """Months and values of a column of the visits, for each participant of the scans.

        In the order of time; of every visit with both, scanned or not.
        """
        found = []
        for who in scans.people:
            pairs = [
                (visit.months, as_number(visit.values.get(column, "")))
                for visit in self.visits.of.get(who, {}).values()
            ]
            known = sorted((t, v) for t, v in pairs if t is not None and v is not None)
            array = np.array(known, dtype=float).reshape(-1, 2)
            found.append((array[:, 0], array[:, 1]))
        return found

    def covariates(self, scans: Scans, names: Sequence[str] | None = None) -> Covariates:
        """Covariates of the design, at baseline, of every participant."""
        wanted = None if names is None else tuple(names)
        return self.data.covariates(scans.with_values(np.empty((0, 0))), wanted)


def read_change_inputs(
    regions: str | Path,
    participants: str | Path,
    config: str | Path,
    quality: str | Path | None = None,
    region_voxels: str | Path | None = None,
) -> ChangeInputs:
    """Read the tables, and the visits that belong to the clinical table.

    Raises
    ------
    InputError
        As :func:`..inputs.read_inputs`, and where no scan's time is known.
    """
    table = read_table(regions, "regions", COLUMNS)
    data = inputs_of(table, regions, participants, config, None, quality, region_voxels)
    visits = read_visits(participants, data.design.change.months)
    problems = [problem for problem in visits.problems if problem.severity == "error"]
    if problems:
        raise InputError(*problems)
    scans = [one for one in map_scans(table, visits, str(regions)) if len(one.time)]
    if not scans:
        raise InputError(
            Problem(
                str(participants),
                "no months since baseline of any scan",
                "a column of months, or dates, in the tables of visits",
                "docs/inputs.md says where they may stand.",
            )
        )
    return ChangeInputs(data, visits, scans)


def map_scans(regions: pd.DataFrame, visits: Visits, where: str) -> list[Scans]:
    """The scans of a regions table whose time is known, one entry per (desc, atlas)."""
    # text is joined once a scan, not once a row: a large table has millions
    number = regions.groupby(VISIT, observed=True, dropna=False, sort=False).ngroup().to_numpy()
    first = np.unique(number, return_index=True)[1]
    names = regions[VISIT].iloc[first].astype(object)
    label = names["session"].where(names["session"].notna(), "")
    key = names["participant_id"] + "\t" + label.str.removeprefix("ses-")
    codes, keys = pd.factorize(key.to_numpy(object))
    scan = pd.Categorical.from_codes(codes[number], keys)
    by_scan = regions.assign(participant_id=scan, session=None)
    timed = visits.timed
    found = []
    for cells in cell_matrices(by_scan, None, where):
        parts = [name.split("\t") for name in cells.participants]
        months = np.array(
            [timed.get(who, {}).get(session, np.nan) for who, session in parts], dtype=float
        )
        person, people = pd.factorize(np.array([who for who, _ in parts], dtype=object), sort=True)
        sessions = np.array([session for _, session in parts], dtype=object)
        scans = Scans(cells, pd.Index(people, dtype=object), person, sessions, months)
        found.append(scans.of(np.isfinite(months)))
    return found
