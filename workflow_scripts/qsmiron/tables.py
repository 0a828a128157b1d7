"""The result tables: how they are written and read.

A table is a TSV with ``n/a`` for what is missing and a JSON beside it that describes each column.
Both come from the declarations in :mod:`.columns`, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from .columns import TABLES, Column
from .errors import InputError, Problem
from .volumes import write_json, write_text

MISSING = "n/a"


def write_table(table: pd.DataFrame, path: str | Path, name: str) -> None:
    """Write a table that :data:`TABLES` declares under ``name``: TSV, and its JSON beside it.

    Columns are put into the declared order; a missing one is filled with ``n/a``, an undeclared
    one raises ``KeyError``.
    """
    path = Path(path)
    columns = TABLES[name]
    undeclared = set(table.columns) - set(columns)
    if undeclared:
        raise KeyError(f"table {name}: undeclared columns {sorted(undeclared)}")
    table = table.reindex(columns=list(columns))
    write_text(path, table.to_csv(sep="\t", index=False, na_rep=MISSING, float_format="%.8g"))
    describe_columns(path, columns)


def describe_columns(path: str | Path, columns: dict[str, Column]) -> None:
    """Write the JSON that describes the columns of the TSV at ``path``."""
    write_json(
        Path(path).with_suffix(".json"),
        {
            key: {
                "Description": column.description,
                **({"Units": column.unit} if column.unit else {}),
            }
            for key, column in columns.items()
        },
    )


def read_table(
    path: str | Path, name: str | None = None, columns: Sequence[str] | None = None
) -> pd.DataFrame:
    """Read a TSV; ``n/a`` becomes missing, and text columns of a declared table stay strings.

    With ``columns``, of a long table, only these are read, and text as categories: a third of the
    time and of the memory.

    Raises
    ------
    InputError
        If the file is missing or empty, or lacks a column of the declared table ``name``.
    """
    path = Path(path)
    kind = str if columns is None else "category"
    text = {key: kind for key, column in TABLES.get(name or "", {}).items() if column.text}
    text["participant_id"] = kind
    wanted = list(TABLES.get(name or "", {})) if columns is None else list(columns)
    try:
        table = pd.read_csv(
            path,
            sep="\t",
            na_values=[MISSING],
            keep_default_na=False,
            dtype=text,
            usecols=None if columns is None else lambda key: key in wanted,
        )
    except FileNotFoundError as error:
        raise InputError(
            Problem(str(path), "no such file", "a TSV table", "Check the path.")
        ) from error
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise InputError(
            Problem(str(path), f"not a table ({error})", "a TSV table", "Mend the file.")
        ) from error
    missing = [key for key in wanted if key not in table.columns]
    if missing:
        raise InputError(
            Problem(
                str(path),
                f"no column {', '.join(missing)}",
                f"the columns of a {name} table",
                "Make it with this workflow, or add the columns.",
            )
        )
    return table if columns is None else keep_labels(table, path)


def keep_labels(table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    """Columns read as categories from the TSV at ``path``, as they are written there.

    pandas takes categories that are all digits for numbers: session 01 would become 1.
    """
    labels = table.select_dtypes("category")
    changed = [key for key in labels if pd.api.types.is_numeric_dtype(labels[key].cat.categories)]
    if changed:
        written = pd.read_csv(
            path, sep="\t", na_values=[MISSING], keep_default_na=False, dtype=str, usecols=changed
        )
        table = table.assign(**{key: written[key].astype("category") for key in changed})
    return table
