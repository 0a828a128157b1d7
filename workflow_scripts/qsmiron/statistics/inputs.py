"""What every group analysis starts from: the design, the clinical table and the cells."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from ..clinical import read_clinical
from ..spelling import level_text
from ..tables import read_table
from .cells import (
    COLUMNS,
    Cells,
    cell_matrices,
    first_sessions,
    match_participants,
    measured_sessions,
)
from .covariates import Covariates, covariate_matrix
from .groups import get_column
from .harmonisation import harmonise
from .permutation import Permutations
from .quantile_functions import QuantileFunctions, read_quantile_functions
from .scan_covariates import ScanTables, read_scan_tables, split_covariates
from .settings import StudyDesign, read_study_design


@dataclass(frozen=True)
class Inputs:
    """``clinical`` is indexed by participant_id; ``cells`` has one entry per (desc, atlas).

    So have ``functions``, the quantile functions; none where they were not given.

    ``config`` and ``participants`` are the files' names, for messages.
    """

    design: StudyDesign
    clinical: pd.DataFrame
    cells: list[Cells]
    config: str
    participants: str
    functions: list[QuantileFunctions]
    scans: ScanTables

    def column_codes(self, column: str | None, participants: pd.Index) -> np.ndarray | None:
        """The levels of a clinical column as whole numbers, −1 where missing; None for no column.

        Raises
        ------
        InputError
            For a column that is not there.
        """
        if column is None:
            return None
        values = get_column(self.clinical, column, self.participants).reindex(participants)
        return pd.factorize(values, sort=True)[0]

    def harmonised(self, cells: Cells, how: str | None = None) -> Cells:
        """The cells, harmonised as the design says, or as ``how``.

        Raises
        ------
        InputError
            As :func:`.harmonise`, and for a column of sites that is not there.
        """
        settings = self.design.statistics
        if cells.measured is not None:
            cells = replace(cells, values=cells.measured, measured=None, harmonised=None)
        if (how or settings.harmonisation) == "none":
            return cells
        sites, _ = self.sites(cells.participants)
        return harmonise(cells, sites, self.protected(cells), settings.harmonisation_sites)

    def sites(self, participants: pd.Index) -> tuple[np.ndarray, list[str]]:
        """Number of each participant's site, −1 where missing, and the sites' names."""
        column = self.design.statistics.harmonisation_sites
        values = get_column(self.clinical, column, self.participants).reindex(participants)
        codes, names = pd.factorize(values.map(level_text, na_action="ignore"), sort=True)
        return codes, [str(name) for name in names]

    def protected(self, cells: Cells) -> Covariates:
        """The covariates that harmonising leaves in the values: the design's, without the sites."""
        column = self.design.statistics.harmonisation_sites
        names = tuple(name for name in self.design.covariates if name != column)
        return replace(self.covariates(cells, names), regional=None)

    def permutations(self, participants: pd.Index, count: int | None = None) -> Permutations:
        """Orders of these participants, within the design's blocks of exchangeability."""
        settings = self.design.statistics
        blocks = self.column_codes(settings.exchangeability_blocks, participants)
        number = settings.permutations if count is None else count
        return Permutations(settings.seed, number, len(participants), blocks)

    def in_blocks(self, participants: pd.Index) -> np.ndarray:
        """Boolean per participant: has a block and a variance group, where the design has them."""
        settings = self.design.statistics
        known = np.ones(len(participants), dtype=bool)
        for column in (settings.exchangeability_blocks, settings.variance_groups):
            codes = self.column_codes(column, participants)
            known &= codes >= 0 if codes is not None else True
        return known

    def covariates(
        self, cells: Cells | QuantileFunctions, names: tuple[str, ...] | None = None
    ) -> Covariates:
        """Covariates of the config, or those named, for the participants of ``cells``.

        Raises
        ------
        InputError
            As :func:`.covariate_matrix`, and for a covariate of the scans without their table.
        """
        names = self.design.covariates if names is None else names
        table = self.clinical
        clinical, scan, volume = split_covariates(names, table.columns)
        if scan:
            table = table.join(self.scans.columns(scan, cells.desc))
        ordered = tuple(name for name in names if name in (*clinical, *scan))
        found = covariate_matrix(table, ordered, cells.participants, self.participants)
        if volume:
            regional = self.scans.region_volume(cells, cells.desc, cells.atlas)
            found = replace(found, regional=regional)
        return found


def read_inputs(
    regions: str | Path,
    participants: str | Path,
    config: str | Path,
    quantiles: str | Path | None = None,
    quality: str | Path | None = None,
    region_voxels: str | Path | None = None,
) -> Inputs:
    """Read regions table, clinical table, config and the further tables named, each once.

    Raises
    ------
    InputError
        For whatever is wrong with one of them, or measured participants without a clinical row.
    """
    design = read_study_design(config)
    table = read_table(regions, "regions", COLUMNS)
    session = design.statistics.session
    measured = measured_sessions(table)
    clinical = read_clinical(participants, design.categorical, session, measured)
    session = session or first_sessions(table)  # that of every further table, too
    cells = cell_matrices(table, session, str(regions))
    functions = read_quantile_functions(quantiles, session) if quantiles else []
    match_participants([*cells, *functions], clinical, str(participants))
    scans = read_scan_tables(quality, region_voxels, session)
    data = Inputs(design, clinical, cells, str(config), str(participants), functions, scans)
    return replace(data, cells=[data.harmonised(part) for part in cells])
