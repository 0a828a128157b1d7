"""Covariates of the rigorous arm: numbers as they are, categories by indicators."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..errors import InputError, Problem
from .groups import get_column
from .linear import nuisance_space
from .settings import level_text


@dataclass(frozen=True)
class Covariates:
    """``values`` is subjects × columns, NaN where missing.

    ``names`` are the clinical columns, ``columns`` those of the matrix (``age``, ``sex[M]``).
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray

    @property
    def complete(self) -> np.ndarray:
        """Boolean per subject: every covariate is known."""
        return np.isfinite(self.values).all(axis=1)

    @property
    def label(self) -> str | None:
        """The names as the result tables have them; ``None`` without covariates."""
        return ",".join(self.names) or None


def covariate_matrix(
    clinical: pd.DataFrame, names: tuple[str, ...], participants: pd.Index, where: str
) -> Covariates:
    """Code the covariates of the given participants.

    A numeric column is used as it is. A text column with levels a, b, c (sorted) becomes the
    indicators of b and c. Numbers that stand for categories (a site's number) must therefore be
    text in the table (``site-1``).

    Raises
    ------
    InputError
        For a missing column, or if one covariate is a linear combination of others over all of
        these participants: then no test could use them.
    """
    columns: list[str] = []
    values: list[np.ndarray] = []
    for name in names:
        column = get_column(clinical, name, where).reindex(participants)
        if pd.api.types.is_numeric_dtype(column):
            columns.append(name)
            values.append(column.to_numpy(float))
            continue
        text = column.map(level_text, na_action="ignore").astype(object)
        levels = sorted(set(text.dropna()))
        # One level makes one constant column: without variation there is nothing to adjust for,
        # and the tests say so.
        for level in levels[1:] or levels or [""]:
            columns.append(f"{name}[{level}]")
            values.append(np.where(text.isna(), np.nan, (text == level).to_numpy(float)))
    matrix = np.column_stack(values) if values else np.zeros((len(participants), 0))
    covariates = Covariates(tuple(names), tuple(columns), matrix)
    _refuse_collinear(covariates, where)
    return covariates


def _refuse_collinear(covariates: Covariates, where: str) -> None:
    complete = covariates.values[covariates.complete]
    # With as few subjects as parameters any covariates are collinear, and a covariate may happen
    # to be constant in a small or uniform cohort (all male): the tests are then n/a with a reason.
    # Covariates that repeat each other are a mistake of the config.
    varying = np.ptp(complete, axis=0) > 0 if complete.size else np.zeros(0, dtype=bool)
    columns = [name for name, varies in zip(covariates.columns, varying, strict=False) if varies]
    design = complete[:, varying] if complete.size else complete
    if len(design) <= design.shape[1] + 2 or nuisance_space(design).full_rank:
        return
    number = next(
        count for count in range(2, len(columns) + 1)
        if not nuisance_space(design[:, :count]).full_rank
    )  # fmt: skip
    raise InputError(
        Problem(
            f"{where}, covariate {columns[number - 1]}",
            f"a linear combination of {', '.join(columns[: number - 1])}",
            f"covariates that vary independently over the {len(design)} participants",
            f"Take {columns[number - 1].split('[')[0]} out of covariates in the config.",
        )
    )
