"""The results' participants.tsv: the clinical table, the derived groups, and what columns mean."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..clinical.sheet import KNOWN_COLUMNS, known_name
from ..tables import MISSING, Column, describe_columns
from ..volumes import read_json, write_text
from .groups import assign_group
from .settings import Contrast, DeltaFsContrast, GivenContrast, Roles

PREFIX = "group_"


def add_derived_groups(
    clinical: pd.DataFrame,
    contrasts: dict[str, Contrast],
    where: str,
    roles: Roles | None = None,
) -> pd.DataFrame:
    """Clinical table with a column ``group_NAME`` for every derived contrast.

    Contrasts that the table gives are checked all the same, so that a mistake in any contrast is
    found here.
    """
    table = clinical.copy()
    for name, contrast in contrasts.items():
        group = assign_group(clinical, contrast, where, roles)
        if not isinstance(contrast, GivenContrast):
            table[PREFIX + name] = group
    return table


def describe(
    table: pd.DataFrame, contrasts: dict[str, Contrast], source: str | Path
) -> dict[str, Column]:
    """Meaning of each column: from the clinical table's own JSON, else from what is known."""
    sidecar = Path(source).with_suffix(".json")
    given = read_json(sidecar) if sidecar.is_file() else {}
    columns = {"participant_id": Column("Participant, as in the images", text=True)}
    for name in map(str, table.columns):
        own = given.get(name)
        known = KNOWN_COLUMNS.get(known_name(name) or "")
        if isinstance(own, dict) and own.get("Description"):
            columns[name] = Column(str(own["Description"]), own.get("Units"))
        elif known:
            columns[name] = Column(known.description, known.unit or None)
        else:
            columns[name] = Column("Column of the clinical table")
    for name, contrast in contrasts.items():
        if PREFIX + name in columns and not isinstance(contrast, GivenContrast):
            columns[PREFIX + name] = Column(_rule(name, contrast), text=True)
    return columns


def _rule(name: str, contrast: Contrast) -> str:
    first, second = contrast.levels
    if isinstance(contrast, DeltaFsContrast):
        cut = "the cohort's median" if contrast.cut is None else f"{contrast.cut:g} per month"
        rule = f"{first}: {contrast.column} above {cut}"
    else:
        per_month = f" per month ({contrast.months})" if contrast.months else ""
        rule = (
            "exact k-means (k = 2) on the change from "
            f"{contrast.baseline} to {contrast.followup}{per_month}; "
            f"{first}: the faster decline"
        )
    return f"Contrast {name}. {rule}, else {second}"


def write_participants(table: pd.DataFrame, columns: dict[str, Column], path: str | Path) -> None:
    """Write a table indexed by participant_id: TSV with n/a, and the JSON of its columns."""
    text = table.rename_axis("participant_id").to_csv(
        sep="\t", na_rep=MISSING, float_format="%.10g"
    )
    write_text(Path(path), text)
    describe_columns(path, columns)
