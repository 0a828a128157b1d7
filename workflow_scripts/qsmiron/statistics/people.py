"""Patients and controls: who is which, and whose a contrast or a score is.

A score correlated over patients and controls together finds what tells the two apart: 58 % of
cohorts have p < .05 without any relation within a group. So a score is the patients' unless the
config says otherwise.
"""

from __future__ import annotations

import pandas as pd

from ..errors import InputError, Problem
from ..spelling import level_text
from .settings import People, Roles


def role_levels(clinical: pd.DataFrame, roles: Roles, where: str) -> pd.Series:
    """The role column as text, missing where it is; the table is indexed by participant_id.

    Raises
    ------
    InputError
        For a column that is not there, or one without any patient or control.
    """
    if roles.column not in clinical.columns:
        raise InputError(
            Problem(
                f"{where}, config roles",
                f"no column {roles.column}",
                f"one of {', '.join(map(str, clinical.columns))}",
                "Add the column, or mend roles.column in the config.",
            )
        )
    levels = clinical[roles.column].map(level_text, na_action="ignore").astype(object)
    for kind in ("patients", "controls"):
        named = getattr(roles, kind)
        if not levels.isin(named).any():
            raise InputError(
                Problem(
                    f"{where}, column {roles.column}",
                    f"nobody with {' or '.join(named)} "
                    f"(levels there: {', '.join(sorted(set(levels.dropna()))) or 'none'})",
                    f"the {kind}, as roles.{kind} of the config names them",
                    "Mend roles in the config, or the table.",
                )
            )
    return levels


def role_numbers(clinical: pd.DataFrame, roles: Roles | None, where: str) -> pd.Series | None:
    """1 in patients, 0 in controls, missing in others; None without roles."""
    if roles is None:
        return None
    levels = role_levels(clinical, roles, where)
    numbers = {**dict.fromkeys(roles.controls, 0.0), **dict.fromkeys(roles.patients, 1.0)}
    return levels.map(numbers).astype(float)


def belong(clinical: pd.DataFrame, roles: Roles | None, of: People, where: str) -> pd.Series:
    """Whether each participant is one of ``of``; without roles everybody is.

    Who is neither patient nor control belongs to everybody only. Errors as :func:`role_levels`.
    """
    if roles is None or of == "everybody":
        return pd.Series(True, index=clinical.index)
    return role_levels(clinical, roles, where).isin(getattr(roles, of))
