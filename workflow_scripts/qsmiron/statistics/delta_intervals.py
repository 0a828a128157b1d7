"""Confidence intervals of Cliff's δ, after covariates or without."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .linear import Nuisance
from .resampling import NO_INTERVAL, Intervals, bca_intervals, resample

SEPARATED = NO_INTERVAL + "the groups are fully separated"
_CHUNK_NUMBERS = 10_000_000
_SAME = 1e-10
_SINGULAR = 1e-9


def delta_intervals(
    outcomes: np.ndarray, first: np.ndarray, nuisance: Nuisance, count: int, seed: int
) -> Intervals:
    """BCa interval of every cell's δ between the residuals of the groups after the covariates.

    Each group is resampled apart, and the covariates are fitted anew in every resample (a group
    difference is the less certain the more the covariates differ between the groups).

    Parameters
    ----------
    outcomes
        Subjects × cells, complete, no constant column.
    first
        Boolean per subject: belongs to the first level.
    nuisance
        Space of the covariates, empty in the arm without.
    count, seed
        Number of resamples, and their seed.
    """
    draws = resample(np.where(first, 0, 1), count, seed)
    parts = []
    chunk = max(1, _CHUNK_NUMBERS // (max(count, len(first)) * (1 + nuisance.basis.shape[1])))
    for start in range(0, outcomes.shape[1], chunk):
        part = np.ascontiguousarray(outcomes[:, start : start + chunk])
        observed, resampled, left_out = (
            deltas_of_weights(part, first, nuisance, weights)
            for weights in (np.ones((1, len(first))), draws.weights, draws.left_out)
        )
        found = bca_intervals(observed[0], resampled, left_out, draws.strata)
        separated = np.abs(observed[0]) == 1
        found.reason[separated] = SEPARATED
        for end in (found.low, found.high):
            end[separated] = np.nan
        parts.append(found)
    return Intervals(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def deltas_of_weights(
    outcomes: np.ndarray, first: np.ndarray, nuisance: Nuisance, weights: np.ndarray
) -> np.ndarray:
    """δ of the residuals (weights × cells) where subjects count as often as ``weights`` says.

    The residuals are those of the weighted least-squares fit on intercept and covariates.
    """
    from .resampling_loops import deltas_in_order, weighted_deltas

    centred = outcomes - outcomes.mean(axis=0)
    same = _SAME * np.abs(centred).max(axis=0)
    order = np.ascontiguousarray(np.argsort(nuisance.residuals(outcomes), axis=0).T)
    k = nuisance.basis.shape[1]
    if not k:
        rising = np.take_along_axis(centred.T, order, axis=1)
        new_value = np.diff(rising, axis=1, prepend=-np.inf) > same[:, None]
        return deltas_in_order(order, new_value, first, np.ascontiguousarray(weights.T))
    basis = np.ascontiguousarray(nuisance.basis)
    slopes = np.empty((len(weights), k, outcomes.shape[1]))
    for part, solver in _slope_solvers(basis, weights):
        slopes[part] = (solver.reshape(-1, len(first)) @ centred).reshape(-1, k, len(centred.T))
    return weighted_deltas(
        np.ascontiguousarray(centred.T), order, basis, slopes, weights, first, same
    )


def _slope_solvers(basis: np.ndarray, weights: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Matrices (weights × k × n) that turn an outcome into its slopes on the covariates."""
    n = len(basis)
    design = np.column_stack([np.full(n, n**-0.5), basis])
    chunk = max(1, _CHUNK_NUMBERS // design.size)
    for start in range(0, len(weights), chunk):
        part = slice(start, start + chunk)
        weighted = design.T * weights[part, None, :]
        inverse = np.linalg.pinv(weighted @ design, rcond=_SINGULAR, hermitian=True)
        yield part, (inverse @ weighted)[:, 1:]
