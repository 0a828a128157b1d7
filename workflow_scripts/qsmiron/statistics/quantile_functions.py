"""From the long table of quantiles to an array of subjects × regions × probabilities."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from ..bids import ChosenSession
from ..errors import InputError, Problem
from ..tables import MISSING, TABLES, keep_labels
from .cells import VARIANT, number_participants, one_session

FAMILY = "distribution"
RAW, CENTRED = "wasserstein", "wasserstein_centred"
_REGION = ["region", "hemisphere", "index"]
_PPB_PER_PPM = 1000.0
_MEDIAN = 0.5


@dataclass(frozen=True)
class QuantileFunctions:
    """One reconstruction variant and atlas: the χ distribution of every region of every subject.

    ``values`` is float64 in ppb, subjects × regions × probabilities, NaN where a subject has no
    such region; ``probabilities`` are evenly spaced and hold the median. ``participants`` names
    the rows; ``index`` is that of the tests: every region raw, then every region centred, with
    the columns of :data:`.cells.CELL`.
    """

    desc: str
    atlas: str
    participants: pd.Index
    index: pd.DataFrame
    probabilities: np.ndarray
    values: np.ndarray

    @property
    def median(self) -> int:
        """Position of the median among the probabilities."""
        return int(np.argmin(np.abs(self.probabilities - _MEDIAN)))

    @property
    def is_reference(self) -> np.ndarray:
        """Boolean per test: none, for what χ is relative to still has a distribution."""
        return np.zeros(len(self.index), dtype=bool)


def read_quantile_functions(
    path: str | Path, session: ChosenSession = None
) -> list[QuantileFunctions]:
    """Read a quantiles table (``TABLES["quantiles"]``), one entry per (desc, atlas).

    Only the needed columns are parsed, text as categories, as the table has hundreds of thousands
    of rows.

    Raises
    ------
    InputError
        For an unreadable table, a session that nobody has, probabilities that differ
        between participants or regions, are unevenly spaced or lack the median.
    """
    table = _read(path)
    if table.empty:
        return []
    table = one_session(table, session, str(path)).reset_index(drop=True)
    return list(_variants(table, str(path)))


def _read(path: str | Path) -> pd.DataFrame:
    text = ("participant_id", "session", *VARIANT, "region", "hemisphere")
    types = dict.fromkeys(text, "category") | {"probability": float, "chi": float}
    try:
        table = pd.read_csv(
            path,
            sep="\t",
            usecols=list(TABLES["quantiles"]),
            na_values=[MISSING],
            keep_default_na=False,
            dtype=types,
        )
        return keep_labels(table, path)
    except (OSError, ValueError) as error:
        raise InputError(
            Problem(
                str(path),
                f"not a quantiles table ({error})",
                f"a TSV with the columns {', '.join(TABLES['quantiles'])}",
                "Make it with measure_regions.py and gather_regions.py.",
            )
        ) from error


def _variants(table: pd.DataFrame, where: str) -> Iterator[QuantileFunctions]:
    for (desc, atlas), part in table.groupby(VARIANT, sort=False, observed=True, dropna=False):
        subject, participants = number_participants(part["participant_id"])
        region = part.groupby(_REGION, sort=False, observed=True, dropna=False).ngroup().to_numpy()
        regions = part[_REGION].drop_duplicates().astype(object).reset_index(drop=True)
        probabilities, which = np.unique(part["probability"].to_numpy(float), return_inverse=True)
        _need_grid(probabilities, where)
        shape = len(participants), len(regions), len(probabilities)
        flat = np.ravel_multi_index((subject, region, which), shape)
        _need_each_once(flat, part, len(probabilities), where)
        values = np.full(shape, np.nan)
        values.ravel()[flat] = part["chi"].to_numpy(float) * _PPB_PER_PPM
        yield QuantileFunctions(
            str(desc), str(atlas), participants, _tests(regions), probabilities, values
        )


def _tests(regions: pd.DataFrame) -> pd.DataFrame:
    return pd.concat(
        [regions.assign(metric=metric, family=FAMILY) for metric in (RAW, CENTRED)],
        ignore_index=True,
    )


def _need_grid(probabilities: np.ndarray, where: str) -> None:
    even = np.linspace(probabilities[0], probabilities[-1], len(probabilities))
    found = None
    if len(probabilities) < 2 or np.abs(probabilities - even).max() > 1e-6:
        found = f"{len(probabilities)} unevenly spaced probabilities"
    elif np.abs(probabilities - _MEDIAN).min() > 1e-6:
        found = "no median among the probabilities"
    if found:
        raise InputError(
            Problem(
                f"{where}, column probability",
                found,
                "the same even steps for every region, with 0.5 (.005, .010, …, .995)",
                "Make the table with measure_regions.py.",
            )
        )


def _need_each_once(flat: np.ndarray, part: pd.DataFrame, steps: int, where: str) -> None:
    count = np.bincount(flat // steps, minlength=flat.max() // steps + 1)
    wrong = np.isin(flat // steps, np.flatnonzero((count != steps) & (count != 0)))
    if not wrong.any():
        _, first = np.unique(flat, return_index=True)
        wrong[:] = True
        wrong[first] = False
    if wrong.any():
        row = part.iloc[int(np.argmax(wrong))]
        raise InputError(
            Problem(
                where,
                f"a quantile missing or twice in {row['region']} {row['hemisphere']} of "
                f"{row['participant_id']}",
                f"each of {steps} probabilities once",
                "Make the table with measure_regions.py and gather_regions.py.",
            )
        )
