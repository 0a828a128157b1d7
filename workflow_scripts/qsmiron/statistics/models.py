"""Designs beyond two groups and one score: more levels, trends, interactions, as terms of a model.

A term is a set of columns tested beside the others of its model. Every term with one column is what
a contrast is, with the model's other columns among the covariates (Frisch-Waugh-Lovell): the
difference of two of several groups has the indicators of the other groups beside it, so that its
error is that of the whole model.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from .groups import assign_group, get_numeric
from .inputs import Inputs
from .settings import FactorModel, InteractionModel, Level


@dataclass(frozen=True)
class Term:
    """``columns`` (participants × r) are tested, ``beside`` (participants × m) adjusted for.

    NaN where a participant has no part in it. ``ranked``: the outcome is ranked. ``group`` (NaN
    elsewhere, else 1 and 0) are the two groups that the effect size compares. Terms of one ``set``
    are corrected together. ``without`` are covariates of the design that the model has already.
    """

    name: str
    set: str
    columns: np.ndarray
    beside: np.ndarray
    ranked: bool = True
    group: np.ndarray | None = None
    without: tuple[str, ...] = ()


def terms_of(data: Inputs, name: str, participants: pd.Index) -> list[Term]:
    """The terms of one model of the design, for these participants.

    Raises
    ------
    InputError
        For a column that does not serve.
    """
    model = data.design.models[name]
    if isinstance(model, InteractionModel):
        return list(_interaction(data, model, participants))
    return list(_factor(data, model, participants))


def _factor(data: Inputs, model: FactorModel, participants: pd.Index) -> Iterator[Term]:
    level = _levels(data, model).reindex(participants).to_numpy(object)
    indicators = np.column_stack([level == each for each in model.levels]).astype(float)
    indicators[indicators.sum(axis=1) == 0] = np.nan
    nothing = np.zeros((len(level), 0))
    yield Term("omnibus", "omnibus", indicators[:, 1:], nothing)
    if model.ordered:
        yield Term("trend", "trend", (indicators @ np.arange(len(model.levels)))[:, None], nothing)
    for one, other in combinations(range(len(model.levels)), 2):
        others = np.delete(indicators, [one, other], axis=1)
        pair = np.where(indicators[:, [one, other]].any(axis=1), indicators[:, one], np.nan)
        pair[np.isnan(indicators[:, one])] = np.nan
        label = f"{model.levels[one]} − {model.levels[other]}"
        yield Term(label, "pairs", indicators[:, [one]], others, group=pair)


def _levels(data: Inputs, model: FactorModel) -> pd.Series:
    """The level of everybody, as a contrast of two of them has it."""
    two = model.contrast(model.levels[:2])
    found = assign_group(data.clinical, two, data.participants, data.design.roles)
    for level in model.levels[2:]:
        pair: tuple[Level, Level] = (model.levels[0], level)
        more = assign_group(
            data.clinical, model.contrast(pair), data.participants, data.design.roles
        )
        found = found.where(found.notna(), more)
    return found


def _interaction(data: Inputs, model: InteractionModel, participants: pd.Index) -> Iterator[Term]:
    contrast = data.design.pick_contrasts(model.contrast, data.config)[model.contrast]
    group = assign_group(data.clinical, contrast, data.participants, data.design.roles)
    first = group.map({contrast.levels[0]: 1.0, contrast.levels[1]: 0.0}).astype(float)
    first = first.reindex(participants).to_numpy(float)
    by = get_numeric(data.clinical, model.by, data.participants)
    by = by.reindex(participants).to_numpy(float)
    # centred, so that the product is not a copy of its parts
    middle = by - np.nanmean(np.where(np.isnan(first), np.nan, by))
    beside = np.column_stack([first, middle])
    own = (model.by,)
    # of values: ranks make interactions of main effects
    yield Term(
        f"{model.contrast} × {model.by}", "interaction", (first * middle)[:, None], beside,
        ranked=False, without=own,
    )  # fmt: skip
    for number, level in zip((1, 0), contrast.levels, strict=True):
        here = np.where(first == number, middle, np.nan)[:, None]
        nothing = np.zeros((len(here), 0))
        yield Term(f"{model.by} in {level}", f"in {level}", here, nothing, without=own)
