"""Who belongs to which level of a contrast: a given column, a cut on ΔFS, or k-means.

A subject in neither level (another value, or a missing one) has no group and drops out of the
contrast.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ..errors import InputError, Problem
from ..spelling import level_text
from .people import belong, role_levels
from .settings import Contrast, DeltaFsContrast, GivenContrast, Roles, StudyDesign


def assign_group(
    clinical: pd.DataFrame, contrast: Contrast, where: str, roles: Roles | None = None
) -> pd.Series:
    """Level of every participant of the clinical table, as text; missing where there is none.

    Parameters
    ----------
    clinical
        Indexed by participant_id; numeric columns numeric, missing as NaN.
    contrast
        One of the contrasts of :mod:`.settings`. Medians and clusters are those of this table.
    where
        The table's path, for messages.
    roles
        Who is a patient and who a control. Who has no value in the column of a given contrast has
        the level of the role, so that ``levels: [fast, control]`` compares the two.

    Raises
    ------
    InputError
        For a missing or non-numeric column, or a level that no participant has.
    """
    derived = not isinstance(contrast, GivenContrast)
    of = contrast.of or ("patients" if derived else "everybody")
    role = None if roles is None else role_levels(clinical, roles, where)
    members = belong(clinical, roles, of, where)
    group = _group_of(clinical[members], contrast, where, role)
    return group.reindex(clinical.index).astype(object).where(lambda found: found.notna(), None)


def _group_of(
    clinical: pd.DataFrame, contrast: Contrast, where: str, role: pd.Series | None
) -> pd.Series:
    if isinstance(contrast, GivenContrast):
        column = get_column(clinical, contrast.column, where)
        group = column.map(level_text, na_action="ignore").astype(object)
        if role is not None:
            group = group.where(group.notna(), role.reindex(group.index))
        _need_levels(group, contrast, f"{where}, column {contrast.column}")
        return group.where(group.isin(contrast.levels), None)
    if isinstance(contrast, DeltaFsContrast):
        speed = get_numeric(clinical, contrast.column, where)
        cut = speed.median() if contrast.cut is None else contrast.cut
        faster = speed > cut
        source = f"{where}, column {contrast.column} cut at {cut:g} per month"
    else:
        before = get_numeric(clinical, contrast.baseline, where)
        speed = before - get_numeric(clinical, contrast.followup, where)
        source = f"{where}, change from {contrast.baseline} to {contrast.followup}"
        if contrast.months:
            months = get_numeric(clinical, contrast.months, where)
            _need_positive(months, f"{where}, column {contrast.months}")
            speed = speed / months
        known = speed.dropna()
        if known.nunique() < 2:
            raise InputError(
                Problem(
                    source,
                    f"{known.nunique()} distinct value(s)",
                    "at least two distinct changes to cluster",
                    "Complete both columns, or choose another contrast.",
                )
            )
        faster = speed > two_means_cut(known.to_numpy(float))
    first, second = contrast.levels
    group = pd.Series(np.where(faster, first, second), index=clinical.index, dtype=object)
    group = group.where(speed.notna(), None)
    _need_levels(group, contrast, source)
    return group


def two_means_cut(values: np.ndarray) -> float:
    """Cut between the two clusters of exact one-dimensional k-means (k = 2).

    Optimal clusters on a line are intervals, so trying every gap between distinct sorted values
    and taking the least within-cluster sum of squares is exact; no random start is needed. Of
    equally good cuts the lowest is taken.

    Parameters
    ----------
    values
        At least two distinct finite numbers.

    Returns
    -------
    float
        Midpoint of the gap: the upper cluster is what lies above it.
    """
    ordered = np.sort(np.asarray(values, float))
    # Centring keeps the differences of squares accurate for values far from zero.
    centred = ordered - ordered.mean()
    below = np.arange(1, ordered.size)
    sums = np.cumsum(centred)[:-1]
    between = sums**2 / below + sums**2 / (ordered.size - below)
    between[np.diff(ordered) == 0] = -np.inf
    best = int(np.argmax(between >= between.max() * (1 - 1e-12)))
    return float((ordered[best] + ordered[best + 1]) / 2)


def get_column(clinical: pd.DataFrame, name: str, where: str) -> pd.Series:
    """Return a column of the clinical table; an :class:`InputError` names a missing one."""
    if name not in clinical.columns:
        raise InputError(
            Problem(
                where,
                f"no column {name}",
                f"one of {', '.join(map(str, clinical.columns))}",
                "Add the column, or mend the name in the config.",
            )
        )
    return clinical[name]


def get_numeric(clinical: pd.DataFrame, name: str, where: str) -> pd.Series:
    """Return a numeric column as float; an :class:`InputError` names one that is missing or text.

    A column without any value counts as numeric.
    """
    column = get_column(clinical, name, where)
    if column.notna().any() and not pd.api.types.is_numeric_dtype(column):
        numbers = pd.to_numeric(column, errors="coerce")
        bad = column[column.notna() & numbers.isna()]
        example = f"{bad.iloc[0]!r} for {bad.index[0]}" if len(bad) else "text"
        raise InputError(
            Problem(f"{where}, column {name}", example, "numbers or n/a", "Mend the value.")
        )
    return pd.to_numeric(column, errors="coerce").astype(float)


def score_values(clinical: pd.DataFrame, design: StudyDesign, score: str, where: str) -> pd.Series:
    """A score of those whose it is, by participant_id; missing in all others."""
    whose = belong(clinical, design.roles, design.people_of(score), where)
    return get_numeric(clinical, score, where).where(whose)


def _need_positive(months: pd.Series, where: str) -> None:
    wrong = months[months <= 0]
    if len(wrong):
        raise InputError(
            Problem(
                where,
                f"{wrong.iloc[0]:g} for {wrong.index[0]}",
                "months above 0, or n/a",
                "Mend the value.",
            )
        )


def _need_levels(group: pd.Series, contrast: Contrast, where: str) -> None:
    present = sorted(set(group.dropna()))
    absent = [level for level in contrast.levels if level not in present]
    if absent:
        raise InputError(
            Problem(
                where,
                f"nobody with level {' or '.join(absent)} "
                f"(levels there: {', '.join(present) or 'none'})",
                f"participants of both levels, {' and '.join(contrast.levels)}",
                "Mend the contrast's levels or cut in the config, or the table.",
            )
        )
