"""Covariates of the rigorous arm: numbers as they are, categories by indicators."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from ..errors import InputError, Problem
from ..spelling import level_text, sorted_levels
from .cells import Pattern, missingness_patterns
from .groups import get_column
from .linear import first_dependent, nuisance_space


@dataclass(frozen=True)
class Covariates:
    """``values`` is subjects × columns, NaN where missing.

    ``names`` are the clinical columns, ``columns`` those of the matrix (``age``, ``sex[M]``).
    ``regional`` is one more covariate, whose value differs from region to region. ``categories``
    are the places of each category's indicators among the columns.
    """

    names: tuple[str, ...]
    columns: tuple[str, ...]
    values: np.ndarray
    regional: RegionalCovariate | None = None
    categories: tuple[slice, ...] = ()

    @property
    def complete(self) -> np.ndarray:
        """Boolean per subject: every covariate is known."""
        return np.isfinite(self.values).all(axis=1)

    @property
    def label(self) -> str | None:
        """The names as the result tables have them; ``None`` without covariates."""
        regional = [] if self.regional is None else [self.regional.name]
        return ",".join([*self.names, *regional]) or None

    def subset(self, kept: np.ndarray) -> Covariates:
        """Of some of the subjects (boolean per subject)."""
        regional = self.regional
        if regional is not None:
            regional = replace(regional, values=regional.values[kept])
        return replace(self, values=self.values[kept], regional=regional)

    def designs(
        self, values: np.ndarray, regions: np.ndarray, usable: np.ndarray
    ) -> Iterator[tuple[Pattern, np.ndarray]]:
        """Cells that have subjects and covariates in common, with those subjects' covariates.

        Parameters
        ----------
        values
            Subjects × cells, NaN where missing.
        regions
            Label of each cell's region in the atlas.
        usable
            Boolean per subject: has a group or score.

        Yields
        ------
        pattern, design
            As :func:`.missingness_patterns` yields them, of subjects with every covariate; the
            design has a row per subject of the pattern, and a column per covariate or per level
            (but one) that these subjects have.
        """
        if self.regional is None:
            for pattern in missingness_patterns(values, usable & self.complete):
                yield pattern, self._of_present_levels(self.values[pattern.rows])
            return
        for region in dict.fromkeys(regions):
            columns = np.flatnonzero(regions == region)
            extra = self.regional.of(region)
            complete = self.complete & np.isfinite(extra)
            for pattern in missingness_patterns(values[:, columns], usable & complete):
                design = self._of_present_levels(self.values[pattern.rows])
                design = np.column_stack([design, extra[pattern.rows]])
                yield Pattern(pattern.rows, columns[pattern.columns]), design

    def _of_present_levels(self, design: np.ndarray) -> np.ndarray:
        """Without the indicators of levels that none of these subjects has.

        Of a category with one level left an indicator stays: it is constant, and refused.
        """
        if not len(design):
            return design
        kept = np.ones(design.shape[1], dtype=bool)
        for place in self.categories:
            indicators = design[:, place]
            present = indicators.any(axis=0)
            if present.any() and indicators.any(axis=1).all():
                # nobody has the first level of all: the first that is there takes its place
                present[np.argmax(present)] = False
            if not present.any():
                present[0] = True
            kept[place] = present
        return design[:, kept]


@dataclass(frozen=True)
class RegionalCovariate:
    """A number of each region of each subject, such as its volume.

    ``values`` is subjects × regions, NaN where missing; ``regions`` are the regions' labels.
    """

    name: str
    regions: np.ndarray
    values: np.ndarray

    def of(self, region: int) -> np.ndarray:
        """The subjects' values for one region; NaN for a region that was not measured."""
        column = np.flatnonzero(self.regions == region)
        if not column.size:
            return np.full(len(self.values), np.nan)
        return self.values[:, column[0]]


def no_covariates(n_subjects: int) -> Covariates:
    """None at all."""
    return Covariates((), (), np.zeros((n_subjects, 0)))


def covariate_matrix(
    clinical: pd.DataFrame, names: tuple[str, ...], participants: pd.Index, where: str
) -> Covariates:
    """Code the covariates of the given participants.

    A numeric column is used as it is. A text column with levels a, b, c (sorted) becomes the
    indicators of b and c. Numbers that stand for categories (a site's number) are text in the
    table, or are read as text (``StudyDesign.categorical``).

    Raises
    ------
    InputError
        For a missing column, or if one covariate is a linear combination of others over all of
        these participants: then no test could use them.
    """
    columns: list[str] = []
    values: list[np.ndarray] = []
    categories: list[slice] = []
    for name in names:
        column = get_column(clinical, name, where).reindex(participants)
        if pd.api.types.is_numeric_dtype(column):
            columns.append(name)
            values.append(column.to_numpy(float))
            continue
        text = column.map(level_text, na_action="ignore").astype(object)
        levels = sorted_levels(text.dropna())
        # One level makes one constant column: without variation there is nothing to adjust for,
        # and the tests say so.
        shown = levels[1:] or levels or [""]
        categories.append(slice(len(columns), len(columns) + len(shown)))
        for level in shown:
            columns.append(f"{name}[{level}]")
            values.append(np.where(text.isna(), np.nan, (text == level).to_numpy(float)))
    matrix = np.column_stack(values) if values else np.zeros((len(participants), 0))
    covariates = Covariates(tuple(names), tuple(columns), matrix, categories=tuple(categories))
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
    number = first_dependent(design) + 1
    raise InputError(
        Problem(
            f"{where}, covariate {columns[number - 1]}",
            f"a linear combination of {', '.join(columns[: number - 1])}",
            f"covariates that vary independently over the {len(design)} participants",
            f"Take {columns[number - 1].split('[')[0]} out of covariates in the config.",
        )
    )
