"""Linear mixed models with one grouping factor, of many outcomes that share a design.

y = Xβ + Zb + e per subject, with b ~ N(0, σ²G) and e ~ N(0, σ²I): a random intercept (Z = 1), or a
random intercept and slope. G = LLᵀ, L lower triangular, its entries θ (Bates et al. 2015,
doi 10.18637/jss.v067.i01). β and σ are profiled out, and what is left is minimised over θ: for a
random intercept in one dimension, exactly.

With M = L(I + LᵀZᵀZL)⁻¹Lᵀ of each subject, V⁻¹ = (I − ZMZᵀ)/σ² (Woodbury), so that all that is
needed of the data are sums per subject: any number of outcomes is fitted at once.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Literal, NamedTuple

import numpy as np

Likelihood = Literal["reml", "ml"]

_GRID = np.concatenate([[0.0], np.geomspace(1e-3, 1e3, 25)])
_GOLDEN = (np.sqrt(5) - 1) / 2
_SECTIONS = 48
_TIE = 1e-9
"""Difference of deviances that is rounding."""
_NEWTON_STEPS = 25
_HALVINGS = 12
_STEP = 1e-4
_FLAT = 1e-6
"""Slope of the deviance (per SD of the outcome's residuals) that counts as none."""
_SINGULAR = 1e-3
"""A standard deviation of random effects, over σ, that counts as zero."""


@dataclass(frozen=True)
class Problem:
    """Outcomes and their design, as sums over the scans of each subject.

    Outcomes and columns are standardised: ``fixed`` (N × p) is orthonormal, R of ``fixed·R`` the
    way back, ``ols`` (outcomes × p) and ``scale`` (outcomes) what was taken off the outcomes.
    """

    n: int
    p: int
    fixed: np.ndarray
    back: np.ndarray
    ols: np.ndarray
    scale: np.ndarray
    crossed: np.ndarray  # Zᵀ(orthonormal X) per subject: m × q × p
    random: np.ndarray  # ZᵀZ per subject: m × q × q
    outcome: np.ndarray  # Zᵀy per subject: outcomes × m × q
    fixed_outcome: np.ndarray  # (orthonormal X)ᵀy: outcomes × p
    squares: np.ndarray  # yᵀy: outcomes
    reml: bool

    @cached_property
    def _pairs(self) -> np.ndarray:
        """Every product of two rows of ``crossed`` of one subject: (m·q·q) × (p·p)."""
        both = np.einsum("map,mbr->mabpr", self.crossed, self.crossed)
        return both.reshape(-1, self.p**2)

    def of(self, outcomes: np.ndarray) -> Problem:
        """The problem of some of the outcomes (their numbers)."""
        return replace(
            self, ols=self.ols[outcomes], scale=self.scale[outcomes],
            outcome=self.outcome[outcomes], fixed_outcome=self.fixed_outcome[outcomes],
            squares=self.squares[outcomes],
        )  # fmt: skip

    def solve(self, theta: np.ndarray) -> Solution:
        """Generalised least squares at θ (outcomes × 1, or × 3 with a slope)."""
        information, right, explained, log_det = (
            self._of_sizes(theta) if theta.shape[1] == 1 else self._of_subjects(theta)
        )
        covariance = np.linalg.inv(information)
        beta = (covariance @ right[..., None])[..., 0]
        rss = self.squares - explained - (right * beta).sum(axis=1)
        log_information = np.linalg.slogdet(information)[1] if self.reml else 0.0
        return Solution(beta, covariance, np.maximum(rss, 1e-300), log_det + log_information)

    def _of_subjects(self, theta: np.ndarray) -> _Equations:
        middle, log_det = _middle(theta, self.random)
        taken = (middle @ self.outcome[..., None])[..., 0]
        n_outcomes = len(theta)
        pairs = (middle.reshape(n_outcomes, -1) @ self._pairs).reshape(-1, self.p, self.p)
        crossed = taken.reshape(n_outcomes, -1) @ self.crossed.reshape(-1, self.p)
        explained = (taken * self.outcome).sum(axis=(1, 2))
        return _Equations(np.eye(self.p) - pairs, self.fixed_outcome - crossed, explained, log_det)

    def _of_sizes(self, theta: np.ndarray) -> _Equations:
        """The same of a random intercept: subjects with as many scans have the same weight."""
        sizes, count, pairs = self._sizes
        crossed, squares = self._outcomes_of_sizes
        squared = np.square(theta)
        weight = squared / (1 + squared * sizes)
        return _Equations(
            np.eye(self.p) - (weight @ pairs).reshape(-1, self.p, self.p),
            self.fixed_outcome - np.einsum("ck,ckp->cp", weight, crossed),
            (weight * squares).sum(axis=1),
            np.log1p(squared * sizes) @ count,
        )

    @cached_property
    def _groups(self) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of scans that subjects have, and (sizes × m) who has each."""
        sizes, number = np.unique(self.random[:, 0, 0], return_inverse=True)
        return sizes, (number == np.arange(len(sizes))[:, None]).astype(float)

    @cached_property
    def _sizes(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """These numbers, how many have each, and the sums of their ``_pairs`` (sizes × p·p)."""
        sizes, member = self._groups
        return sizes, member.sum(axis=1), member @ self._pairs

    @cached_property
    def _outcomes_of_sizes(self) -> tuple[np.ndarray, np.ndarray]:
        """Sums over subjects of each size: crossed × outcome (outcomes × sizes × p), outcome²."""
        sums = self.outcome[..., 0]
        crossed = np.stack([(sums * who) @ self.crossed[:, 0] for who in self._groups[1]], axis=1)
        return crossed, np.square(sums) @ self._groups[1].T

    @property
    def freedom(self) -> int:
        """N, or N − p under REML: what σ² is estimated with."""
        return self.n - self.p if self.reml else self.n

    def profiled(self, theta: np.ndarray) -> np.ndarray:
        """−2 log (restricted) likelihood at θ with the best β and σ, up to a constant."""
        found = self.solve(theta)
        return found.log_det + self.freedom * np.log(found.rss / self.freedom)

    def deviance(self, parameters: np.ndarray) -> np.ndarray:
        """The same at θ and σ (the last column), with the best β."""
        found = self.solve(parameters[:, :-1])
        variance = np.square(parameters[:, -1])
        return found.log_det + self.freedom * np.log(variance) + found.rss / variance


class _Equations(NamedTuple):
    """Normal equations at θ, of every outcome: XᵀV⁻¹X, XᵀV⁻¹y, yᵀy − yᵀV⁻¹y and log det V."""

    information: np.ndarray
    right: np.ndarray
    explained: np.ndarray
    log_det: np.ndarray


@dataclass(frozen=True)
class Solution:
    """β, its covariance over σ², the weighted residual sum of squares, the log determinants."""

    beta: np.ndarray
    covariance: np.ndarray
    rss: np.ndarray
    log_det: np.ndarray


@dataclass(frozen=True)
class MixedFit:
    """Fitted models of every outcome.

    ``theta`` (outcomes × 1 or 3) are the entries of L, ``sigma`` (outcomes) the residual SD in the
    outcome's unit, ``beta`` (outcomes × p) and ``covariance`` (outcomes × p × p) of the columns
    given. ``converged``: the optimum was found, and of a slope no variance or correlation at its
    bound.
    """

    problem: Problem
    theta: np.ndarray
    sigma: np.ndarray
    beta: np.ndarray
    covariance: np.ndarray
    converged: np.ndarray

    def estimate(self, contrast: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """A contrast of β (p) and its standard error, per outcome."""
        variance = np.einsum("p,cpr,r->c", contrast, self.covariance, contrast)
        return self.beta @ contrast, np.sqrt(variance)


def fit_mixed(
    outcomes: np.ndarray,
    fixed: np.ndarray,
    subjects: np.ndarray,
    likelihood: Likelihood = "reml",
    slope: np.ndarray | None = None,
) -> MixedFit:
    """Fit y ~ fixed + (1 | subject), or + (1 + slope | subject), to every outcome.

    Parameters
    ----------
    outcomes
        Scans × outcomes, complete.
    fixed
        Scans × p, the intercept among the columns, of full rank.
    subjects
        A whole number per scan.
    likelihood
        ``reml`` or ``ml``.
    slope
        Number per scan whose slope differs from subject to subject.
    """
    problem, unit = _problem(outcomes, fixed, subjects, likelihood, slope)
    if slope is None:
        theta, converged = _smallest_in_one(problem), np.ones(outcomes.shape[1], dtype=bool)
    else:
        alone, _ = _problem(outcomes, fixed, subjects, likelihood, None)
        theta, converged = _smallest_in_three(problem, _smallest_in_one(alone)[:, 0])
    found = problem.solve(theta)
    sigma = np.sqrt(found.rss / problem.freedom)
    inverse = np.linalg.inv(problem.back)
    spread = (sigma * problem.scale)[:, None, None]
    covariance = inverse @ (np.square(spread) * found.covariance) @ inverse.T
    beta = (problem.ols + found.beta * problem.scale[:, None]) @ inverse.T
    return MixedFit(problem, theta, sigma * problem.scale, beta, covariance, converged & unit)


def _problem(
    outcomes: np.ndarray,
    fixed: np.ndarray,
    subjects: np.ndarray,
    likelihood: Likelihood,
    slope: np.ndarray | None,
) -> tuple[Problem, np.ndarray]:
    n, p = fixed.shape
    columns = [np.ones(n)]
    if slope is not None:
        middle = slope - slope.mean()
        columns.append(middle / middle.std())
    basis, back = np.linalg.qr(fixed)
    ols = outcomes.T @ basis
    left = outcomes.T - ols @ basis.T
    # of orthonormal columns the rest has nothing: what is fitted is what the subjects change
    scale = np.sqrt(np.square(left).sum(axis=1) / max(n - p, 1))
    spread = scale > 0
    left = left / np.where(spread, scale, 1)[:, None]
    number = np.unique(subjects, return_inverse=True)[1]
    random = np.column_stack(columns)
    m = int(number.max()) + 1

    def summed(values: np.ndarray) -> np.ndarray:
        total = np.zeros((m, *values.shape[1:]))
        np.add.at(total, number, values)
        return total

    crossed = summed(random[:, :, None] * basis[:, None, :])
    squares = summed(random[:, :, None] * random[:, None, :])
    outcome = summed(random[:, :, None] * left.T[:, None, :]).transpose(2, 0, 1)
    problem = Problem(
        n, p, fixed, back, ols, np.where(spread, scale, 1), crossed, squares, outcome,
        left @ basis, np.square(left).sum(axis=1), likelihood == "reml",
    )  # fmt: skip
    return problem, spread


def _middle(theta: np.ndarray, random: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """M of every outcome and subject (outcomes × m × q × q), and log det(I + LᵀZᵀZL), summed."""
    lower = np.zeros((len(theta), 1, 2, 2))
    lower[:, 0, 0, 0] = theta[:, 0]
    lower[:, 0, 1, 0], lower[:, 0, 1, 1] = theta[:, 1], theta[:, 2]
    upper = lower.swapaxes(-1, -2)
    inner = upper @ random @ lower + np.eye(2)
    a, b, d = inner[..., 0, 0], inner[..., 0, 1], inner[..., 1, 1]
    det = a * d - b * b
    inverse = np.stack([d, -b, -b, a], axis=-1).reshape(inner.shape) / det[..., None, None]
    return lower @ inverse @ upper, np.log(det).sum(axis=1)


def _smallest_in_one(problem: Problem) -> np.ndarray:
    """θ of the random intercept: the best of a grid, then golden sections between its neighbours.

    The deviance has one minimum there in all but freak cases, and the grid finds the deepest.
    """
    count = len(problem.squares)
    values = np.stack([problem.profiled(np.full((count, 1), each)) for each in _GRID])
    best = values.argmin(axis=0)
    low = _GRID[np.maximum(best - 1, 0)]
    high = _GRID[np.minimum(best + 1, len(_GRID) - 1)]
    left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
    at_left, at_right = problem.profiled(left[:, None]), problem.profiled(right[:, None])
    for _ in range(_SECTIONS):
        lower = at_left < at_right
        high, low = np.where(lower, right, high), np.where(lower, low, left)
        new = np.where(lower, high - _GOLDEN * (high - low), low + _GOLDEN * (high - low))
        at_new = problem.profiled(new[:, None])
        left, right = np.where(lower, new, right), np.where(lower, left, new)
        at_left, at_right = np.where(lower, at_new, at_right), np.where(lower, at_left, at_new)
    theta = (low + high) / 2
    nothing = problem.profiled(np.zeros((count, 1)))
    return np.where(nothing <= problem.profiled(theta[:, None]) + _TIE, 0.0, theta)[:, None]


def _smallest_in_three(problem: Problem, intercept: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """θ of intercept and slope by damped Newton steps on numerical derivatives, and whether found.

    A fit at a bound (no variance of intercept or slope, or a correlation of ±1) counts as not.
    """
    start = np.maximum(intercept, 0.1)
    theta = np.column_stack([start, np.zeros_like(start), np.minimum(0.5 * start, 0.5)])
    value = problem.profiled(theta)
    open_ = np.arange(len(theta))
    for _ in range(_NEWTON_STEPS):
        part = problem.of(open_)
        gradient, hessian = derivatives(part.profiled, theta[open_], _STEP)
        moving = np.abs(gradient).max(axis=1) > _FLAT
        if not moving.any():
            break
        part, open_ = part.of(np.flatnonzero(moving)), open_[moving]
        sizes, vectors = np.linalg.eigh(hessian[moving])
        damped = np.maximum(np.abs(sizes), 1e-2)
        along = np.einsum("cji,cj->ci", vectors, gradient[moving]) / damped
        step = -np.einsum("cij,cj->ci", vectors, along)
        step /= np.maximum(np.abs(step).max(axis=1, keepdims=True) / 2, 1)
        length, better = np.ones(len(step)), np.zeros(len(step), dtype=bool)
        for _ in range(_HALVINGS):
            tried = theta[open_] + length[:, None] * step
            at_tried = part.profiled(tried)
            gained = ~better & (at_tried < value[open_])
            theta[open_[gained]], value[open_[gained]] = tried[gained], at_tried[gained]
            better |= gained
            if better.all():
                break
            length = np.where(better, length, length / 2)
        open_ = open_[better]
        if not open_.size:
            break
    theta *= np.where(theta[:, :1] < 0, [-1, -1, 1], 1)
    theta[:, 2] = np.abs(theta[:, 2])
    gradient = gradient_of(problem.profiled, theta, _STEP)
    inside = (theta[:, 0] > _SINGULAR) & (theta[:, 2] > _SINGULAR)
    return theta, inside & (np.abs(gradient).max(axis=1) < 100 * _FLAT)


Function = Callable[[np.ndarray], np.ndarray]
"""A number for each row of parameters."""


def gradient_of(function: Function, at: np.ndarray, step: float) -> np.ndarray:
    """Gradient of a function of each row, by central differences."""
    steps = step * np.maximum(np.abs(at), 1)
    gradient = np.empty(at.shape)
    for i in range(at.shape[1]):
        up, down = _moved(function, at, steps, (i, 1)), _moved(function, at, steps, (i, -1))
        gradient[:, i] = (up - down) / (2 * steps[:, i])
    return gradient


def derivatives(function: Function, at: np.ndarray, step: float) -> tuple[np.ndarray, np.ndarray]:
    """Gradient and Hessian of a function of each row, by central differences."""
    count, size = at.shape
    steps = step * np.maximum(np.abs(at), 1)
    middle = function(at)
    gradient, hessian = np.empty((count, size)), np.empty((count, size, size))
    for i in range(size):
        up, down = _moved(function, at, steps, (i, 1)), _moved(function, at, steps, (i, -1))
        gradient[:, i] = (up - down) / (2 * steps[:, i])
        hessian[:, i, i] = (up - 2 * middle + down) / np.square(steps[:, i])
        for j in range(i):
            crossed = sum(
                one * other * _moved(function, at, steps, (i, one), (j, other))
                for one in (1, -1)
                for other in (1, -1)
            )
            hessian[:, i, j] = hessian[:, j, i] = crossed / (4 * steps[:, i] * steps[:, j])
    return gradient, hessian


def _moved(
    function: Function, at: np.ndarray, steps: np.ndarray, *signs: tuple[int, int]
) -> np.ndarray:
    """The function a step away along some columns (column, direction)."""
    there = at.copy()
    for column, sign in signs:
        there[:, column] += sign * steps[:, column]
    return function(there)
