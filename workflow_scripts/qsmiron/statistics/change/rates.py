"""Each participant's rate of change: the least-squares slope over the own visits.

Its standard error takes the spread within participants from everybody, since two visits have none
of their own: SE = s / √Σ(t − t̄)², with s the residual SD around all participants' own lines, or,
where nobody has three visits, that of a mixed model with one rate for everybody (which holds what
differs between the participants' rates as well).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from ...regions.metrics import METRICS
from ..cells import missingness_patterns
from .mixed_model import fit_mixed
from .scans import ChangeInputs, Scans

_FEWEST_SCANS = 6
_MIN_OWN_DF = 10
"""Degrees of freedom around the participants' own lines that their spread is taken from."""


@dataclass(frozen=True)
class Rates:
    """``values`` and ``errors`` are participants × cells, per year or month; NaN for no rate.

    ``n_scans`` counts the scans, ``months`` is the time between the first and the last.
    """

    values: np.ndarray
    errors: np.ndarray
    n_scans: np.ndarray
    months: np.ndarray


def rates_of(scans: Scans, unit: float) -> Rates:
    """Rates of every participant in every cell, per ``unit`` months."""
    values = scans.cells.values
    shape = (len(scans.people), values.shape[1])
    count = np.zeros(shape)
    time_sum, value_sum = np.zeros(shape), np.zeros(shape)
    there = np.isfinite(values)
    time = np.where(there, scans.time[:, None] / unit, 0.0)
    filled = np.where(there, values, 0.0)
    np.add.at(count, scans.person, there.astype(float))
    np.add.at(time_sum, scans.person, time)
    np.add.at(value_sum, scans.person, filled)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle, level = time_sum / count, value_sum / count
    off = np.where(there, time - middle[scans.person], 0.0)
    change = np.where(there, filled - level[scans.person], 0.0)
    squares, products = np.zeros(shape), np.zeros(shape)
    np.add.at(squares, scans.person, off**2)
    np.add.at(products, scans.person, off * change)
    known = squares > 0
    rates = np.full(shape, np.nan)
    rates[known] = products[known] / squares[known]
    spread = _spread(scans, there, off, change, rates, known)
    errors = np.full(shape, np.nan)
    errors[known] = (spread / np.sqrt(np.where(known, squares, 1)))[known]
    low = np.full(shape, np.inf)
    high = np.full(shape, -np.inf)
    np.minimum.at(low, scans.person, np.where(there, scans.time[:, None], np.inf))
    np.maximum.at(high, scans.person, np.where(there, scans.time[:, None], -np.inf))
    return Rates(rates, errors, count, np.where(count > 0, high - low, np.nan))


def _spread(
    scans: Scans,
    there: np.ndarray,
    off: np.ndarray,
    change: np.ndarray,
    rates: np.ndarray,
    known: np.ndarray,
) -> np.ndarray:
    """Residual SD within participants, of every cell."""
    slope = np.where(known, rates, 0.0)[scans.person]
    used = there & known[scans.person]
    left = np.where(used, change - slope * off, 0.0)
    df = used.sum(axis=0) - 2 * known.sum(axis=0)
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = np.sqrt(np.square(left).sum(axis=0) / df)
    spread[df < _MIN_OWN_DF] = np.nan
    unknown = np.flatnonzero(~np.isfinite(spread))
    values = np.where(used, scans.cells.values, np.nan)[:, unknown]
    for pattern in missingness_patterns(values, np.ones(len(used), dtype=bool)):
        rows = pattern.rows
        if len(rows) < _FEWEST_SCANS or not np.ptp(scans.time[rows]):
            continue
        outcomes = values[np.ix_(rows, pattern.columns)]
        varying = np.ptp(outcomes, axis=0) > 0
        fixed = np.column_stack([np.ones(len(rows)), scans.time[rows]])
        fit = fit_mixed(outcomes[:, varying], fixed, scans.person[rows])
        spread[unknown[pattern.columns[varying]]] = fit.sigma
    return spread


def rates_table(inputs: ChangeInputs) -> pd.DataFrame:
    """Every participant's rates: columns of ``TABLES["rates"]``."""
    tables = []
    per = inputs.data.design.change.per
    for scans in inputs.scans:
        rates = rates_of(scans, inputs.unit)
        person, cell = np.nonzero(np.isfinite(rates.values))
        index = scans.cells.index.iloc[cell].reset_index(drop=True)
        tables.append(
            index.assign(
                participant_id=scans.people[person],
                desc=scans.cells.desc,
                atlas=scans.cells.atlas,
                n_scans=rates.n_scans[person, cell].astype(int),
                months=rates.months[person, cell],
                rate=rates.values[person, cell],
                se=rates.errors[person, cell],
                unit=[unit_per(metric, per) for metric in index["metric"]],
            )
        )
    return pd.concat(tables, ignore_index=True)


def unit_of(metric: str) -> str:
    """The unit of a metric; none is named for one from elsewhere."""
    known = METRICS.get(metric)
    return "" if known is None or known.unit == "1" else known.unit


def unit_per(metric: str, per: str) -> str:
    """The unit of its rate, such as ``ppm/year``."""
    return f"{unit_of(metric) or '1'}/{per}"
