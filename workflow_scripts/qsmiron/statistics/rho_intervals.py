"""Confidence intervals of Spearman's and of the partial Spearman correlation."""

from __future__ import annotations

import numpy as np

from .resampling import NO_INTERVAL, Intervals, bca_intervals, resample

PERFECT = NO_INTERVAL + "the correlation is perfect"
_CHUNK_NUMBERS = 10_000_000
_SINGULAR = 1e-9


def rho_intervals(
    outcomes: np.ndarray, score: np.ndarray, covariates: np.ndarray, count: int, seed: int
) -> Intervals:
    """BCa interval of every cell's (partial) Spearman correlation with a score.

    Subjects are resampled; each resample is ranked anew.

    Parameters
    ----------
    outcomes
        Subjects × cells, complete, no constant column.
    score
        One number per subject.
    covariates
        Subjects × k, unranked; k = 0 in the arm without.
    count, seed
        Number of resamples, and their seed.
    """
    draws = resample(np.zeros(len(score), int), count, seed)
    weightings = (np.ones((1, len(score))), draws.weights, draws.left_out)
    directions = [_directions(score, covariates, weights) for weights in weightings]
    parts = []
    chunk = max(1, _CHUNK_NUMBERS // max(count, len(score)))
    for start in range(0, outcomes.shape[1], chunk):
        part = outcomes[:, start : start + chunk]
        observed, resampled, left_out = (
            _correlations(part, weights, direction)
            for weights, direction in zip(weightings, directions, strict=True)
        )
        found = bca_intervals(observed[0], resampled, left_out, draws.strata)
        perfect = np.abs(observed[0]) > 1 - _SINGULAR
        found.reason[perfect] = PERFECT
        for end in (found.low, found.high):
            end[perfect] = np.nan
        parts.append(found)
    return Intervals(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def rho_of_weights(
    outcomes: np.ndarray, score: np.ndarray, covariates: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Partial Spearman correlations (weights × cells) of weighted subjects, else as above.

    NaN where a resample leaves nothing of the score, or of an outcome, after the covariates.
    """
    return _correlations(outcomes, weights, _directions(score, covariates, weights))


def _correlations(outcomes: np.ndarray, weights: np.ndarray, directions: np.ndarray) -> np.ndarray:
    from .resampling_loops import weighted_rank_correlations

    return weighted_rank_correlations(*_in_order(outcomes), weights, directions, _SINGULAR**2)


def _directions(score: np.ndarray, covariates: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Weighted unit vectors (weights × n × (k+1)) of the ranked covariates, then of the score.

    Those of the covariates span their space; the score's is orthogonal to it, and NaN where the
    score is constant or a combination of the covariates.
    """
    from .resampling_loops import weighted_directions

    return weighted_directions(*_in_order(np.column_stack([covariates, score])), weights, _SINGULAR)


def _in_order(columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Subjects by rising value (columns × n), and where in that list the value is a new one."""
    order = np.ascontiguousarray(np.argsort(columns, axis=0, kind="stable").T)
    rising = np.take_along_axis(columns.T, order, axis=1)
    return order, np.diff(rising, axis=1, prepend=np.nan) != 0
