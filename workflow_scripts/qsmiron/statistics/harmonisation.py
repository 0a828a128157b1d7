"""Sites harmonised before every test, where the config asks for it.

The design's covariates are protected and the tested groups and scores are not: a difference that
sites of unequal shares of the groups account for is taken away with the sites. Protected, it would
be tested as if nothing had been estimated, and too often be found (Nygaard et al. 2016,
doi 10.1093/biostatistics/kxv027).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd

from ..errors import InputError, Problem
from .cells import Cells
from .combat import combat
from .covariates import Covariates
from .linear import nuisance_space
from .settings import Levels

LEAST_AT_A_SITE = 3


def harmonise(cells: Cells, codes: np.ndarray, covariates: Covariates, column: str) -> Cells:
    """Every metric of one variant and atlas, harmonised by ComBat over its regions.

    Parameters
    ----------
    cells
        As they were measured.
    codes
        Each participant's site as a whole number, −1 where missing.
    covariates
        Those that are protected. Who lacks one, or the site, has no value any more.
    column
        Of the sites in the clinical table, for messages.

    Raises
    ------
    InputError
        For fewer than two sites, one with fewer than three participants, or sites that covariates
        tell apart wholly.
    """
    known = (codes >= 0) & covariates.complete
    where = f"config, statistics.harmonisation_sites, column {column}"
    _, sites, counts = np.unique(codes[known], return_inverse=True, return_counts=True)
    if len(counts) < 2 or counts.min() < LEAST_AT_A_SITE:
        found = f"{len(counts)} sites with {', '.join(map(str, counts)) or 'no'} participants"
        expected = f"two sites at least, with {LEAST_AT_A_SITE} participants with all covariates"
        remedy = "Take smaller sites together or leave them out; or statistics.harmonisation: none."
        raise InputError(Problem(where, found, expected, remedy))
    indicators = (sites[:, None] == np.arange(1, len(counts))).astype(float)
    protected = covariates.values[known]
    if not nuisance_space(np.column_stack([indicators, protected])).full_rank:
        found = f"sites that {covariates.label} tell apart, or covariates that do not vary"
        expected = "covariates that vary within the sites"
        raise InputError(Problem(where, found, expected, "Take the covariate out, or the sites."))
    values = np.full(cells.values.shape, np.nan)
    metrics = cells.index["metric"].to_numpy(object)
    for metric in dict.fromkeys(metrics):
        places = np.flatnonzero(metrics == metric)
        values[np.ix_(known, places)] = combat(
            cells.values[np.ix_(known, places)], sites, protected
        )
    # χ relative to this region has nothing to harmonise
    values[:, cells.is_reference] = cells.values[:, cells.is_reference]
    return replace(cells, values=values, measured=cells.values, harmonised=f"combat({column})")


def refuse_confounded(group: pd.Series, sites: pd.Series, levels: Levels, where: str) -> None:
    """Raise :class:`.InputError` if no site has participants of both groups.

    ``group`` is 1, 0 or missing by participant_id, and ``sites`` the site.
    """
    first, second = (set(sites[group == value].dropna()) for value in (1, 0))
    if first and second and not first & second:
        raise InputError(
            Problem(
                where,
                f"{levels[0]} and {levels[1]} at different sites",
                "a site that has both: harmonising sites takes the groups' difference away",
                "statistics.harmonisation: none; the groups differ by their sites as well.",
            )
        )
