"""Covariates that come from the images: quality of the scan, volume of the region.

They stand in ``covariates`` of the config under their own names, beside columns of the clinical
table.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..bids import ChosenSession
from ..errors import InputError, Problem
from ..scan_covariates import REGION_VOLUME, SCAN_COVARIATES
from ..tables import read_table
from .cells import HasParticipants, one_session
from .covariates import RegionalCovariate


@dataclass(frozen=True)
class ScanTables:
    """The tables ``quality`` and ``region_voxels`` of a cohort, of one session; either may lack.

    ``where`` names them, for messages.
    """

    quality: pd.DataFrame | None
    region_voxels: pd.DataFrame | None
    where: str

    def columns(self, names: tuple[str, ...], desc: str) -> pd.DataFrame:
        """The covariates ``names`` of every participant (index participant_id).

        A branch, which has no quality of its own, takes the first variant's.

        Raises
        ------
        InputError
            Without a quality table.
        """
        if self.quality is None:
            raise _no_table(names[0], "quality")
        rows = _of_variant(self.quality, desc)
        return rows.set_index("participant_id")[list(names)].astype(float)

    def region_volume(self, cells: HasParticipants, desc: str, atlas: str) -> RegionalCovariate:
        """The volume (mm3) of every region of the participants of ``cells``.

        Raises
        ------
        InputError
            Without a region_voxels table.
        """
        if self.region_voxels is None:
            raise _no_table(REGION_VOLUME, "region_voxels")
        rows = _of_variant(self.region_voxels[self.region_voxels["atlas"] == atlas], desc)
        wide = rows.pivot(index="participant_id", columns="index", values="volume")
        wide = wide.reindex(cells.participants)
        return RegionalCovariate(REGION_VOLUME, wide.columns.to_numpy(), wide.to_numpy(float))


def read_scan_tables(
    quality: str | Path | None, region_voxels: str | Path | None, session: ChosenSession
) -> ScanTables:
    """Read the tables that are named."""
    tables = [
        None if path is None else one_session(read_table(path, name), session, str(path))
        for path, name in ((quality, "quality"), (region_voxels, "region_voxels"))
    ]
    return ScanTables(*tables, where=", ".join(str(path) for path in (quality, region_voxels)))


def split_covariates(
    names: tuple[str, ...], clinical_columns: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...], bool]:
    """Names of clinical columns, of columns of the quality table; and whether volume is asked.

    A column of the clinical table is never replaced by the scans' of the same name.
    """
    from_scans = {*SCAN_COVARIATES, REGION_VOLUME} - set(clinical_columns)
    clinical = tuple(name for name in names if name not in from_scans)
    scan = tuple(name for name in names if name in from_scans - {REGION_VOLUME})
    return clinical, scan, REGION_VOLUME in from_scans & set(names)


def _of_variant(table: pd.DataFrame, desc: str) -> pd.DataFrame:
    known = list(table["desc"].unique())
    wanted = desc if desc in known else known[0]
    return table[table["desc"] == wanted]


def _no_table(covariate: str, name: str) -> InputError:
    return InputError(
        Problem(
            f"config, covariate {covariate}",
            f"no table {name}",
            f"the table {name} of the cohort's scans",
            f"Name it with --{name.replace('_', '-')}, or take the covariate out.",
        )
    )
