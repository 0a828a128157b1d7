"""Family-wise p of every cell over its correction set: single-step max-T by permutation.

Westfall & Young 1993, Resampling-Based Multiple Testing (Wiley); Nichols & Holmes 2002,
doi 10.1002/hbm.1058. p = (b + 1)/(B + 1), b the permutations in which the largest |t| of the set
reaches the cell's own.

All cells share their permutations: each is an order of all subjects, and a cell with missing
subjects takes the order that the others have in it. |t| of cells with different degrees of
freedom does not compare, so every |t| is put on the scale of its two-sided parametric p, and the
maximum is the smallest p. Where all cells of a set have the same subjects, this is the maximum of
|t| itself.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import special

from .permutation import r_squared_to_reach
from .rank_ancova import PartialTest


class FamilyWise:
    """Collects, set by set, the most extreme cell of every permutation.

    Parameters
    ----------
    sets
        Label of each cell's correction set.
    count
        Number of permutations.
    """

    def __init__(self, sets: np.ndarray, count: int) -> None:
        names, self._set = np.unique(sets.astype(str), return_inverse=True)
        self._smallest = np.ones((count, len(names)))
        self._observed = np.full(len(sets), np.nan)

    def watch(self, columns: np.ndarray, test: PartialTest) -> Callable[[np.ndarray], None]:
        """Take the cells ``columns`` into their sets.

        Returns
        -------
        callable
            To be given their squared partial correlations under permutation (permutations ×
            cells) in pieces, from the first permutation on.
        """
        self._observed[columns] = _p_of_r_squared(r_squared_to_reach(test), test.df, test.rank)
        order = np.argsort(self._set[columns], kind="stable")
        present, starts = np.unique(self._set[columns][order], return_index=True)
        done = 0

        def see(squared: np.ndarray) -> None:
            nonlocal done
            largest = np.maximum.reduceat(squared[:, order], starts, axis=1)
            part = slice(done, done + len(squared))
            smallest = self._smallest[part]
            smallest[:, present] = np.minimum(
                smallest[:, present], _p_of_r_squared(largest, test.df, test.rank)
            )
            done += len(squared)

        return see

    def p(self) -> np.ndarray:
        """Family-wise p of every cell; NaN where it was not watched, or without permutations."""
        count = len(self._smallest)
        p = np.full(self._observed.shape, np.nan)
        for cell in np.flatnonzero(np.isfinite(self._observed)) if count else ():
            reached = self._smallest[:, self._set[cell]] <= self._observed[cell]
            p[cell] = (np.count_nonzero(reached) + 1) / (count + 1)
        return p


def _p_of_r_squared(r_squared: np.ndarray, df: int, rank: int) -> np.ndarray:
    """Two-sided p of t = r √(df / (1 − r²)), or of F: the incomplete beta function of 1 − r²."""
    return special.betainc(df / 2, rank / 2, np.clip(1 - r_squared, 0, 1))
