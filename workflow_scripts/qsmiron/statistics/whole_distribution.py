"""Permutation test of the difference between two groups' χ distributions, region by region.

The 1-Wasserstein distance between the groups' mean quantile functions, that is the mean over
probabilities of their absolute difference (Vallender 1974, doi 10.1137/1118101, for quantile
functions on the line), against its distribution under permutation of subjects. With covariates,
every subject's quantile function is residualised on them, probability by probability, and the
residual functions E are permuted after Freedman & Lane (see :mod:`.permutation`). With a = 1/n₁
in the first group and −1/n₂ in the second, and R the residual maker, a permutation gives a'R(PE),
so that Ra is permuted instead of E. Fitting the covariates again takes a share of the permuted
residuals that they do not have in the observed order; each permuted distance is divided by the
root of what is left, ‖RPE‖²/‖E‖² over all probabilities, just as the residuals' size stands below
the t of one outcome. Without this the test is liberal (.060 for .05 in 38 subjects with two
covariates).

Raw, it is mostly a test of location; after each subject's median is subtracted, of shape. Both
are linear in the functions, and one product serves both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from .linear import Nuisance
from .permutation import Permutations

_CHUNK_NUMBERS = 4_000_000
_TIE = 1e-10


class Distances(NamedTuple):
    """Distances of the observed groups (row 0) and of each permutation: (1 + B) × regions.

    The permuted ones are at the size of the observed residuals.
    """

    raw: np.ndarray
    centred: np.ndarray


class DistanceTest(NamedTuple):
    """Per cell: the distance over its mean under permutation, p, and family-wise p.

    The mean is over the permutations with the observed order among them.
    """

    ratio: np.ndarray
    p: np.ndarray
    p_maxt: np.ndarray


def permuted_distances(
    functions: np.ndarray,
    median: int,
    first: np.ndarray,
    nuisance: Nuisance,
    permutations: Permutations,
    rows: np.ndarray,
) -> Distances:
    """Distances between the groups' mean (residual) quantile functions, in the functions' unit.

    Parameters
    ----------
    functions
        Subjects × regions × probabilities (evenly spaced), complete.
    median
        Position of the median among the probabilities.
    first
        Boolean per subject: belongs to the first level.
    nuisance
        Space of the covariates; empty in the arm without.
    permutations, rows
        The orders, and which of their subjects these are.
    """
    n, n_regions, steps = functions.shape
    residuals = nuisance.residuals(functions.reshape(n, -1))
    curves_of = residuals.reshape(n, n_regions, steps)
    forms = [_form(curves) for curves in (curves_of, curves_of - curves_of[:, :, median, None])]
    difference = nuisance.residuals(np.where(first, 1 / first.sum(), -1 / (~first).sum()))
    found = Distances(*(np.empty((permutations.count + 1, n_regions)) for _ in range(2)))
    done = 0
    for orders in _with_the_observed(n, permutations, rows, residuals.shape[1]):
        curves = (difference[orders] @ residuals).reshape(len(orders), n_regions, steps)
        raw, centred = (_share_left(form, nuisance.basis, orders) for form in forms)
        part = slice(done, done + len(orders))
        middle = curves[:, :, median, None]
        found.centred[part] = np.abs(curves - middle).mean(axis=2) / np.sqrt(centred)
        found.raw[part] = np.abs(curves, out=curves).mean(axis=2) / np.sqrt(raw)
        done += len(orders)
    return found


def _form(curves: np.ndarray) -> np.ndarray:
    """What gives the squared size of a sum of subjects' curves, region by region, n × regions × m.

    Inner products of the curves (m = n) with trace 1 or, where subjects outnumber probabilities,
    the curves themselves (m probabilities) scaled to a squared size of 1 in all.
    """
    if len(curves) > curves.shape[2]:
        size = np.sqrt(np.square(curves).sum(axis=(0, 2)))[:, None]
        return curves / np.where(size > 0, size, 1)
    gram = np.einsum("irp,jrp->irj", curves, curves, optimize=True)
    trace = np.einsum("iri->r", gram)[:, None]
    return gram / np.where(trace > 0, trace, 1)


def _share_left(form: np.ndarray, basis: np.ndarray, orders: np.ndarray) -> np.ndarray:
    """Share of the permuted residuals that stays after the covariates, orders × regions."""
    n, n_regions, m = form.shape
    share = np.ones((len(orders), n_regions))
    for column in basis.T:
        placed = column[orders]
        product = (placed @ form.reshape(n, -1)).reshape(len(orders), n_regions, m)
        if m == n:
            share -= np.einsum("brj,bj->br", product, placed)
        else:
            share -= np.einsum("brp,brp->br", product, product)
    return np.maximum(share, np.finfo(float).eps)


def _with_the_observed(
    n: int, permutations: Permutations, rows: np.ndarray, numbers: int
) -> Iterator[np.ndarray]:
    yield np.arange(n)[None]
    yield from permutations.orders(rows, max(1, _CHUNK_NUMBERS // numbers))


def distance_test(distances: np.ndarray) -> DistanceTest:
    """Test the cells of one correction set.

    Parameters
    ----------
    distances
        (1 + B) × cells, row 0 observed; NaN columns are cells without a test. Cells share their
        permutations.

    Notes
    -----
    p = (b + 1)/(B + 1). Distances of a variable region are larger than those of a uniform one,
    and their distribution has another shape, so the family-wise p is single-step min-P (Westfall
    & Young 1993): every permutation's distance is put on the scale of its own permutation p.
    Many permutations share the smallest p that so few can give; among them the larger ratio is
    the more extreme, else no cell could pass with fewer than 20 permutations per cell.
    """
    count = len(distances)
    tested = np.isfinite(distances).all(axis=0) & (count > 1)
    found = DistanceTest(*(np.full(distances.shape[1], np.nan) for _ in range(3)))
    if tested.any():
        ratios = distances[:, tested] / distances[:, tested].mean(axis=0)
        smaller = np.column_stack(
            [np.searchsorted(np.sort(x), x * (1 - _TIE) - _TIE) for x in ratios.T]
        )
        found.ratio[tested] = ratios[0]
        found.p[tested] = (count - smaller[0]) / count
        extremity = smaller + ratios / (1 + ratios)
        largest = extremity.max(axis=1)[:, None]
        found.p_maxt[tested] = np.count_nonzero(largest >= extremity[0] - _TIE, axis=0) / count
    return found
