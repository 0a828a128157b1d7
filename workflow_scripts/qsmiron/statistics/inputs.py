"""What every group analysis starts from: the design, the clinical table and the cells."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from ..clinical import read_clinical
from ..tables import read_table
from .cells import Cells, HasParticipants, cell_matrices, match_participants
from .covariates import Covariates, covariate_matrix
from .groups import assign_group
from .quantile_functions import QuantileFunctions, read_quantile_functions
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

    def covariates(self, cells: HasParticipants) -> Covariates:
        """Covariates of the config for the participants of ``cells``."""
        return covariate_matrix(
            self.clinical, self.design.covariates, cells.participants, self.participants
        )


def over_contrasts(
    data: Inputs,
    analyses: Sequence[tuple[Sequence[Any], Callable[..., pd.DataFrame]]],
    contrast: str | None = None,
) -> pd.DataFrame:
    """Rows of every contrast of the design (or the one named), put together.

    ``analyses`` pairs what is measured (``data.cells``, ``data.functions``) with what makes rows
    of it, ``analyse(measured, name, levels, group, covariates, statistics)``. The result is empty
    if the design has no contrast.
    """
    tables = []
    for name, settings in data.design.pick_contrasts(contrast, data.config).items():
        group = assign_group(data.clinical, settings, data.participants)
        tables += [
            analyse(
                part, name, settings.levels, group, data.covariates(part), data.design.statistics
            )
            for measured, analyse in analyses
            for part in measured
        ]
    return pd.concat(tables) if tables else pd.DataFrame()


def read_inputs(
    regions: str | Path,
    participants: str | Path,
    config: str | Path,
    quantiles: str | Path | None = None,
) -> Inputs:
    """Read regions table, clinical table, config and, if named, the quantiles table, each once.

    Raises
    ------
    InputError
        For whatever is wrong with one of them, or measured participants without a clinical row.
    """
    design = read_study_design(config)
    clinical = read_clinical(participants)
    session = design.statistics.session
    cells = cell_matrices(read_table(regions, "regions"), session, str(regions))
    functions = read_quantile_functions(quantiles, session) if quantiles else []
    match_participants([*cells, *functions], clinical, str(participants))
    return Inputs(design, clinical, cells, str(config), str(participants), functions)
