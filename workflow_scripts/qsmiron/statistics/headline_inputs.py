"""What the work on headline findings reads: the main branch's cells, the branches', the tests."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter, ValidationError

from ..errors import InputError, Problem
from ..parameters import explain
from ..tables import read_table
from .cells import Cells, cell_matrices, match_participants
from .headlines import Headline, headlines
from .inputs import Inputs
from .multiplicity import PRIMARY_METRICS
from .regressors import Regressor

_TEST_TABLES = {"contrast": "group_tests", "score": "correlations"}
_Stage = Literal[
    "field_map", "background_field", "inversion", "reference", "sources", "regions", "iron"
]


def main_cells(
    data: Inputs,
    where: str,
    desc: str | None = None,
    atlas: str | None = None,
    preferred: Sequence[str] = (),
) -> Cells:
    """The measurements of one variant and atlas, in which headlines are looked for.

    Parameters
    ----------
    data
        Its cells are those of the regions table, ``where``.
    desc, atlas
        Which variant and atlas; ``None`` for one with a primary metric, of several the one that is
        named first in ``preferred`` or else stands first in the table.

    Raises
    ------
    InputError
        If the table has none that is named.
    """
    wanted = [one for one in data.cells if one.desc == (desc or one.desc)]
    wanted = [one for one in wanted if one.atlas == (atlas or one.atlas)]
    if not wanted:
        named = {"desc": desc, "atlas": atlas}
        found = ", ".join(f"{key} {name}" for key, name in named.items() if name)
        known = ", ".join(f"{cells.desc} {cells.atlas}" for cells in data.cells)
        raise InputError(Problem(where, f"no rows of {found}", f"one of {known}", "Name one."))
    places = {name: place for place, name in reversed(list(enumerate(preferred)))}

    def rank(cells: Cells) -> tuple[int, ...]:
        # headlines are of primary metrics
        lacking = not cells.index["metric"].isin(PRIMARY_METRICS.values()).any()
        names = (cells.desc, cells.atlas)
        return (int(lacking), *(places.get(name, len(preferred)) for name in names))

    return min(wanted, key=rank)


def read_branches(paths: Sequence[str | Path], data: Inputs, main: Cells) -> list[Cells]:
    """The main branch, then the measurements of each further regions table, of the same atlas.

    Raises
    ------
    InputError
        For a table without this atlas, or of a branch that is there already.
    """
    session = data.design.statistics.session
    found = {main.desc: main}
    for path in paths:
        table = read_table(path, "regions")
        here = cell_matrices(table[table["atlas"] == main.atlas], session, str(path))
        match_participants(here, data.clinical, data.participants)
        for cells in here:
            if cells.desc in found:
                raise InputError(
                    Problem(
                        f"{path}, column desc",
                        f"{cells.desc} once more",
                        "every branch in one table only, the main one in the first",
                        "Name each table once.",
                    )
                )
            found[cells.desc] = data.harmonised(cells)
    return list(found.values())


def read_choices(text: str, where: str) -> dict[str, dict[str, str]]:
    """What each branch (``desc``) chose, by stage, in words, from a JSON object.

    Raises
    ------
    InputError
        For anything else.
    """
    try:
        return TypeAdapter(dict[str, dict[_Stage, str]]).validate_json(text)
    except ValidationError as error:
        raise explain(error, where) from error


def read_headlines(path: str | Path, regressor: Regressor, desc: str, atlas: str) -> list[Headline]:
    """The headline findings of a contrast or score, from the table of its tests."""
    table = read_table(path, _TEST_TABLES[regressor.kind])
    table = table[
        (table[regressor.kind] == regressor.name)
        & (table["desc"] == desc)
        & (table["atlas"] == atlas)
    ].reset_index(drop=True)
    return headlines(table, regressor.kind, regressor.name)
