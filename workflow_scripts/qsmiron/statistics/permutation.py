"""Permutation in the presence of covariates, after Freedman and Lane.

Freedman & Lane 1983, doi 10.1080/07350015.1983.10509354; Winkler et al. 2014,
doi 10.1016/j.neuroimage.2014.01.060. The outcome's residuals after the covariates are permuted,
the fit of the covariates is added back, and the full model is fitted again; p counts how often
|t| is at least as large as observed.

What is added back lies in the covariates' space and drops out of the regressor's t. With Q an
orthonormal basis of that space and x, e the unit residuals of regressor and outcome,

    r*² = (xᵀPe)² / (1 − ‖QᵀPe‖²),

so all cells and permutations are k + 1 matrix products, of x and Q in permuted order with e.
t² is increasing in r², hence r² is counted.

With a robust standard error the variance of the slope is Σ w u², u the residuals of the full model:
with Z the basis of the covariates and the unit regressor, and c = ZᵀPe,

    Σ w u² = wᵀ(Pe)² − 2 Σⱼ cⱼ (w Zⱼ)ᵀPe + cᵀ(ZᵀWZ)c,

again products of permuted columns with e and e². t² is put on the scale of r², t²/(t² + df).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from .rank_ancova import PartialTest

_CHUNK_NUMBERS = 2_000_000
_KEPT_NUMBERS = 50_000_000
# Ranks make many permutations tie with the observed order; rounding must not decide those.
_TIE = 1e-10
_EXPLAINED = 1e-12


@dataclass(frozen=True)
class Permutations:
    """``count`` random orders of ``n_subjects`` subjects, the same whenever they are asked for.

    A subset takes the whole permutation without the others: who would get the value of a subject
    outside gets that of the next inside along the cycle. Such an order is uniform too, and cells
    with different missing subjects share theirs for all but few subjects (a maximum or a median
    over cells needs that: independent ones would vary too little together). Of ``blocks`` (a whole
    number per subject) nobody leaves his own.
    """

    seed: int
    count: int
    n_subjects: int
    blocks: np.ndarray | None = None

    def orders(self, rows: np.ndarray, chunk: int) -> Iterator[np.ndarray]:
        """Orders of the subjects ``rows``, as positions 0 … len(rows)−1, chunk × len(rows)."""
        position = np.full(self.n_subjects, -1)
        position[rows] = np.arange(len(rows))
        for whole in self._whole_orders(chunk):
            subjects = whole[:, rows]
            which, where = np.nonzero(position[subjects] < 0)
            while which.size:
                following = whole[which, subjects[which, where]]
                subjects[which, where] = following
                outside = position[following] < 0
                which, where = which[outside], where[outside]
            yield position[subjects]

    def _whole_orders(self, chunk: int) -> Iterator[np.ndarray]:
        if self.count * self.n_subjects <= _KEPT_NUMBERS:
            for start in range(0, self.count, chunk):
                yield self._kept_orders[start : start + chunk]
            return
        generator = np.random.default_rng(self.seed)
        for start in range(0, self.count, chunk):
            keys = generator.random((min(chunk, self.count - start), self.n_subjects))
            yield self._sorted(keys)

    @cached_property
    def _kept_orders(self) -> np.ndarray:
        # Sorting is most of the work, and every set of cells with missing subjects of its own
        # asks for the orders again.
        generator = np.random.default_rng(self.seed)
        orders = np.empty((self.count, self.n_subjects), dtype=np.int32)
        for part in np.array_split(orders, self.count // 1000 + 1):
            part[:] = self._sorted(generator.random(part.shape))
        return orders

    def _sorted(self, keys: np.ndarray) -> np.ndarray:
        """Orders by random keys between 0 and 1; within blocks, where there are any."""
        if self.blocks is None:
            return np.argsort(keys, axis=1)
        orders = np.empty(keys.shape, dtype=np.int64)
        orders[:, np.argsort(self.blocks, kind="stable")] = np.argsort(keys + self.blocks, axis=1)
        return orders


def permuted_r_squared(
    test: PartialTest, basis: np.ndarray, permutations: Permutations, rows: np.ndarray
) -> Iterator[np.ndarray]:
    """Squared partial correlations under Freedman-Lane permutation, in chunks.

    Parameters
    ----------
    test
        The observed test, which holds the residuals. No cell may be without residuals.
    basis
        Basis of the covariates (``Nuisance.basis``), n × k.
    permutations, rows
        The orders, and which of their subjects these n are.

    Yields
    ------
    numpy.ndarray
        Permutations of the chunk × cells, float64.
    """
    widest = max(test.outcome_residuals.shape[1], permutations.n_subjects)
    chunk = max(1, _CHUNK_NUMBERS // widest)
    if test.weights is not None:
        yield from map(np.square, _robust_r(test, basis, permutations, rows, chunk))
        return
    for crossed, left in _products(test, basis, permutations, rows, chunk):
        squared = np.square(crossed)
        if left is not None:
            squared /= left
        yield squared


def permuted_r(
    test: PartialTest,
    basis: np.ndarray,
    permutations: Permutations,
    rows: np.ndarray,
    chunk: int,
) -> Iterator[np.ndarray]:
    """Partial correlations with their signs, ``chunk`` permutations at a time.

    The other arguments and what is yielded are those of :func:`permuted_r_squared`.
    """
    if test.weights is not None:
        yield from _robust_r(test, basis, permutations, rows, chunk)
        return
    for crossed, left in _products(test, basis, permutations, rows, chunk):
        yield crossed if left is None else crossed / np.sqrt(left)


def _robust_r(
    test: PartialTest,
    basis: np.ndarray,
    permutations: Permutations,
    rows: np.ndarray,
    chunk: int,
) -> Iterator[np.ndarray]:
    """T under permutation with a robust standard error, on the scale of r."""
    e = test.outcome_residuals / np.linalg.norm(test.outcome_residuals, axis=0)
    size = np.linalg.norm(test.regressor_residuals)
    z = np.column_stack([basis, test.regressor_residuals / size])
    # of the unit regressor, whose slope is the last of c
    weights = test.weights * size**2
    squares, crossed_weights = np.square(e), z.T @ (weights[:, None] * z)
    for orders in permutations.orders(rows, chunk):
        c = [column[orders] @ e for column in z.T]
        variance = weights[orders] @ squares
        for j, column in enumerate(z.T):
            across = sum(crossed_weights[j, k] * c[k] for k in range(len(c)))
            variance += c[j] * (across - 2 * ((weights * column)[orders] @ e))
        slope = c[-1]
        total = np.square(slope) + test.df * np.maximum(variance, 0)
        # an order that the model explains wholly leaves nothing to test
        yield np.divide(slope, np.sqrt(total), out=np.zeros_like(slope), where=total > _EXPLAINED)


def _products(
    test: PartialTest,
    basis: np.ndarray,
    permutations: Permutations,
    rows: np.ndarray,
    chunk: int,
) -> Iterator[tuple[np.ndarray, np.ndarray | None]]:
    """xᵀPe, and 1 − ‖QᵀPe‖² where there are covariates; permutations × cells."""
    e = test.outcome_residuals / np.linalg.norm(test.outcome_residuals, axis=0)
    x = test.regressor_residuals
    x = x if test.rank > 1 else x / np.linalg.norm(x)
    for orders in permutations.orders(rows, chunk):
        if test.rank == 1:
            crossed = x[orders] @ e
        else:  # the size of several correlations; what is squared has no sign
            crossed = np.sqrt(sum(np.square(column[orders] @ e) for column in x.T))
        if not basis.shape[1]:
            yield crossed, None
            continue
        left = np.ones_like(crossed)
        for column in basis.T:
            left -= np.square(column[orders] @ e)
        # An order that the covariates explain wholly leaves nothing to correlate, only rounding.
        explained = left < _EXPLAINED
        if explained.any():
            crossed[explained], left[explained] = 0, 1
        yield crossed, left


def r_squared_to_reach(test: PartialTest) -> np.ndarray:
    """Squared partial correlation that counts as no smaller than the observed one, per cell."""
    return np.square(test.r_of_t) * (1 - _TIE) - np.finfo(float).eps


def _unseen(squared: np.ndarray) -> None:
    """Look at nothing."""


def permutation_p(
    test: PartialTest,
    basis: np.ndarray,
    permutations: Permutations,
    rows: np.ndarray,
    see: Callable[[np.ndarray], None] = _unseen,
) -> np.ndarray:
    """Two-sided permutation p of every cell, (b + 1)/(B + 1).

    Arguments as in :func:`permuted_r_squared`; ``see`` is given each of its chunks as well. Without
    permutations (B = 0) p is NaN.
    """
    if permutations.count == 0:
        return np.full(test.r.shape, np.nan)
    threshold = r_squared_to_reach(test)
    exceed = np.zeros(test.r.shape, dtype=np.int64)
    for squared in permuted_r_squared(test, basis, permutations, rows):
        exceed += np.count_nonzero(squared >= threshold, axis=0)
        see(squared)
    return (exceed + 1) / (permutations.count + 1)
