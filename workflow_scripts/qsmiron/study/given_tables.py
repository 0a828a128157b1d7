"""The tables that a study without images starts from: it makes none of them."""

from __future__ import annotations

import mmap
from collections.abc import Collection, Iterable
from pathlib import Path

from ..errors import InputError, Problem
from ..scan_covariates import REGION_VOLUME, SCAN_COVARIATES

COVARIATE_TABLES: dict[str, tuple[str, ...]] = {
    "quality.tsv": SCAN_COVARIATES,
    "region_voxels.tsv": (REGION_VOLUME,),
}
"""The tables of the group that have covariates of the scans, and which."""


def check_given_tables(
    regions_table: str, group: str | Path, covariates: Collection[str], columns: Collection[str]
) -> None:
    """Raise :class:`InputError` unless the tables exist that a study without images reads.

    Parameters
    ----------
    regions_table
        Path of the regions table.
    group
        The folder of the cohort's tables in the results folder.
    covariates
        Every covariate of the config, those of the multiverse included.
    columns
        Columns of the clinical table, which go before the scans' of the same name.
    """
    problems = []
    if not Path(regions_table).is_file():
        problems.append(
            Problem(
                f"config, regions_table {regions_table}",
                "no such file",
                "a table of region values, which analysis_only starts from",
                "Check the path, or run without analysis_only to measure the images. "
                "docs/inputs.md describes the table.",
            )
        )
    for name, served in COVARIATE_TABLES.items():
        path = Path(group) / name
        asked = [one for one in served if one in covariates and one not in columns]
        if asked and not path.is_file():
            problems.append(
                Problem(
                    str(path),
                    f"no such file, but the covariate {', '.join(asked)}",
                    "the table with this covariate, for analysis_only makes none",
                    "Use the results folder of the run that measured the regions, put the "
                    "covariate into the clinical table as a column, or take it out of the config.",
                )
            )
    if problems:
        raise InputError(*problems)


def names_in(table: str | Path, column: str, names: Iterable[str]) -> list[str]:
    """Those of ``names`` that a column of a table (TSV) holds.

    The text is searched as it lies on the disk: splitting the rows of a thousand scans would take
    seconds, each time that the workflow is read. A table that cannot be searched has none.
    """
    try:
        with Path(table).open("rb") as file:
            header = file.readline().rstrip(b"\r\n").split(b"\t")
            place = header.index(column.encode())
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as text:
                return [name for name in names if _has(text, name.encode(), place)]
    except (OSError, ValueError):
        return []


def _has(text: mmap.mmap, name: bytes, place: int) -> bool:
    """Whether a cell in the column at ``place``, from 0, below the header is ``name``."""
    at = text.find(name, max(text.find(b"\n"), 0))
    while at > 0:
        whole = (
            text[at - 1 : at] in b"\t\n" and text[at + len(name) : at + len(name) + 1] in b"\t\r\n"
        )
        if whole and text[text.rfind(b"\n", 0, at) + 1 : at].count(b"\t") == place:
            return True
        at = text.find(name, at + 1)
    return False
