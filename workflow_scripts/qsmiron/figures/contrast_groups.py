"""Who belongs to which level of a contrast, for the figures that show every patient."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import pandas as pd

from ..clinical import read_clinical
from ..statistics.groups import assign_group
from ..statistics.settings import StudyDesign

Groups = dict[str, list[str]]
"""Level → participant_ids, the first level first."""


def members(
    clinical: pd.DataFrame,
    design: StudyDesign,
    contrast: str,
    where: str = "participants",
    measured: Collection[str] | None = None,
) -> Groups:
    """The participants of both levels of ``contrast``, in the table's order.

    Assigned as the statistics do it, from everybody in ``clinical`` (indexed by participant_id);
    with ``measured``, only these are named. ``where`` is the table's path, for messages.

    Raises
    ------
    InputError
        For a contrast that the config does not declare, or a column that is not there.
    """
    settings = design.pick_contrasts(contrast)[contrast]
    group = assign_group(clinical, settings, where, design.roles)
    if measured is not None:
        group = group[group.index.isin(list(measured))]
    return {level: list(group.index[group == level]) for level in settings.levels}


def read_members(
    path: str, design: StudyDesign, contrast: str, measured: Mapping[str, Collection[str]]
) -> Groups:
    """:func:`members` from the clinical table at ``path``, read as the statistics read it.

    ``measured`` are the sessions of each participant that is drawn.
    """
    session = design.statistics.session
    clinical = read_clinical(path, design.categorical, session, measured)
    return members(clinical, design, contrast, path, measured)
