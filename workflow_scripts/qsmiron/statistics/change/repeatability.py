"""Repeatability of every cell, from scans of a participant that differ by measurement alone.

One-way analysis of variance by participant: the within-subject SD is √MSW; ICC(1,1) is
(MSB − MSW) / (MSB + (k₀ − 1) MSW), k₀ the number of scans per participant or, where that differs,
its analogue (N − Σkᵢ²/N)/(n − 1); the smallest detectable change of one participant between two
scans is 1.96 √2 times the SD. Intervals are of χ² for the SD and of F for the ICC (exact where all
have the same number of scans). Shrout and Fleiss 1979, doi 10.1037/0033-2909.86.2.420; Bland and
Altman 1996, doi 10.1136/bmj.313.7055.472.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from ...spelling import level_text
from ..cell_results import CellResults
from ..cells import missingness_patterns
from ..groups import get_column
from .rates import unit_of
from .scans import ChangeInputs, Scans
from .settings import Repeats

DETECTABLE = 1.96 * np.sqrt(2)
"""Of the difference of two scans, in within-subject SD."""
_NUMBERS = ("n", "n_scans", "effect", "ci_low", "ci_high", "df", "p")
_MIN_PAIRS = 3


@dataclass(frozen=True)
class Repeatability:
    """Per cell: ``sd`` and ``icc`` with intervals (low, high); ``df`` within participants."""

    sd: np.ndarray
    sd_interval: tuple[np.ndarray, np.ndarray]
    icc: np.ndarray
    icc_interval: tuple[np.ndarray, np.ndarray]
    df: int


def repeatability(values: np.ndarray, person: np.ndarray) -> Repeatability:
    """Of complete values (scans × cells), every participant with two scans or more."""
    number = np.unique(person, return_inverse=True)[1]
    count = np.bincount(number).astype(float)
    n, total = len(count), len(values)
    sums = np.zeros((n, values.shape[1]))
    np.add.at(sums, number, values)
    means = sums / count[:, None]
    within = np.square(values - means[number]).sum(axis=0) / (total - n)
    off = means - values.mean(axis=0)
    between = (count[:, None] * np.square(off)).sum(axis=0) / (n - 1)
    k = (total - np.square(count).sum() / total) / (n - 1)
    df = total - n
    sd = np.sqrt(within)
    chi = stats.chi2.ppf([0.975, 0.025], df)
    with np.errstate(divide="ignore", invalid="ignore"):
        f = between / within
    low = f / stats.f.ppf(0.975, n - 1, df)
    high = f * stats.f.ppf(0.975, df, n - 1)

    def icc(ratio: np.ndarray) -> np.ndarray:
        return (ratio - 1) / (ratio + k - 1)

    return Repeatability(
        sd, (sd * np.sqrt(df / chi[0]), sd * np.sqrt(df / chi[1])), icc(f), (icc(low), icc(high)),
        int(df),
    )  # fmt: skip


def repeated_scans(inputs: ChangeInputs, scans: Scans, repeats: Repeats) -> np.ndarray:
    """Boolean per scan: one of two or more of a participant that the config names as repeats."""
    kept = np.ones(len(scans.time), dtype=bool)
    if repeats.column is not None:
        data = inputs.data
        column = get_column(data.clinical, repeats.column, data.participants)
        level = column.reindex(scans.people).map(level_text, na_action="ignore")
        kept &= level.isin(repeats.levels).to_numpy(bool)[scans.person]
    if repeats.sessions:
        kept &= np.isin(scans.sessions.astype(str), repeats.sessions)
    if repeats.within_months is not None:
        first = np.full(len(scans.people), np.inf)
        np.minimum.at(first, scans.person[kept], scans.time[kept])
        kept &= scans.time - first[scans.person] <= repeats.within_months
    return kept


def repeatability_table(inputs: ChangeInputs, scans: Scans, repeats: Repeats) -> pd.DataFrame:
    """Rows of the table ``change``: within-subject SD, ICC and smallest detectable change."""
    names = ("within_subject_sd", "icc", "smallest_detectable_change")
    results = [CellResults(scans.cells, _NUMBERS) for _ in names]
    values = scans.cells.values
    usable = repeated_scans(inputs, scans, repeats)
    for pattern in missingness_patterns(values, usable):
        person = scans.person[pattern.rows]
        several = np.bincount(person, minlength=len(scans.people))[person] > 1
        rows, person = pattern.rows[several], person[several]
        n = len(np.unique(person))
        for each in results:
            each.set(pattern.columns, n=n, n_scans=len(rows))
        if n < _MIN_PAIRS:
            for each in results:
                each.refuse(pattern.columns, f"fewer than {_MIN_PAIRS} subjects with repeats")
            continue
        flat = np.ptp(values[np.ix_(rows, pattern.columns)], axis=0) == 0
        for each in results:
            each.refuse(pattern.columns[flat], "constant metric")
        kept = results[0].open(pattern.columns)
        if not kept.size:
            continue
        found = repeatability(values[np.ix_(rows, kept)], person)
        triples = (
            (found.sd, found.sd_interval),
            (found.icc, found.icc_interval),
            (DETECTABLE * found.sd, tuple(DETECTABLE * end for end in found.sd_interval)),
        )
        for each, (effect, (low, high)) in zip(results, triples, strict=True):
            each.set(kept, effect=effect, ci_low=low, ci_high=high, df=found.df)
    metrics = scans.cells.index["metric"]
    tables = [
        each.table(
            test="repeatability", term=name, effect_name=name,
            unit=[None if name == "icc" else unit_of(metric) for metric in metrics],
        )
        for name, each in zip(names, results, strict=True)
    ]  # fmt: skip
    return pd.concat(tables, ignore_index=True)
