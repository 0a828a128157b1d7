"""What every group analysis starts from: the design, the clinical table and the cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..clinical import read_clinical
from ..tables import read_table
from .cells import Cells, cell_matrices, match_participants
from .covariates import Covariates, covariate_matrix
from .groups import assign_group
from .settings import StudyDesign, read_study_design


@dataclass(frozen=True)
class Inputs:
    """``clinical`` is indexed by participant_id; ``cells`` has one entry per (desc, atlas).

    ``config`` and ``participants`` are the files' names, for messages.
    """

    design: StudyDesign
    clinical: pd.DataFrame
    cells: list[Cells]
    config: str
    participants: str

    def covariates(self, cells: Cells) -> Covariates:
        """Covariates of the config for the participants of ``cells``."""
        return covariate_matrix(
            self.clinical, self.design.covariates, cells.participants, self.participants
        )


def over_contrasts(
    data: Inputs, analyse: Callable[..., pd.DataFrame], contrast: str | None = None
) -> pd.DataFrame:
    """Rows of ``analyse(cells, name, levels, group, covariates, statistics)``, put together.

    Over every contrast of the design (or the one named) and every variant and atlas; empty if
    the design has no contrast.
    """
    tables = []
    for name, settings in data.design.pick_contrasts(contrast, data.config).items():
        group = assign_group(data.clinical, settings, data.participants)
        tables += [
            analyse(
                cells, name, settings.levels, group, data.covariates(cells), data.design.statistics
            )
            for cells in data.cells
        ]
    return pd.concat(tables) if tables else pd.DataFrame()


def read_inputs(regions: str | Path, participants: str | Path, config: str | Path) -> Inputs:
    """Read regions table, clinical table and config; each file is read once.

    Raises
    ------
    InputError
        For whatever is wrong with one of them, or measured participants without a clinical row.
    """
    design = read_study_design(config)
    clinical = read_clinical(participants)
    cells = cell_matrices(read_table(regions, "regions"), design.statistics.session, str(regions))
    match_participants(cells, clinical, str(participants))
    return Inputs(design, clinical, cells, str(config), str(participants))
