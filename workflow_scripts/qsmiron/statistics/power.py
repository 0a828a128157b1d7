"""Power of the tests in normal data: what a cohort of this size can find, and what it cannot.

Difference of two groups: the noncentral t of two samples (Cohen 1988, Statistical Power Analysis
for the Behavioral Sciences, chapter 2). Correlation: Fisher's z with variance 1/(n − 3). A rank
test needs slightly more: it counts as the same test in a share of the subjects, 3/π in
Mann-Whitney (Hodges & Lehmann 1956, doi 10.1214/aoms/1177728261) and 1/1.06 in Spearman (Fieller,
Hartley & Pearson 1957, doi 10.1093/biomet/44.3-4.470). All p are two-sided.

Corrected over the regions of a set, an effect must pass the level over their number (Bonferroni),
which is what the family-wise p and the first q below .05 ask of a lone effect in about independent
regions; correlated ones ask a little less.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy import special

MANN_WHITNEY_EFFICIENCY = 3 / np.pi
SPEARMAN_EFFICIENCY = 1 / 1.06


class Difference(NamedTuple):
    """A difference of two groups: Cohen's d, and Cliff's δ of normal groups that far apart."""

    d: float
    delta: float


def delta_of_d(d: float) -> float:
    """Cliff's δ of two normal groups of equal SD whose means differ by ``d`` SD."""
    return float(2 * special.ndtr(d / np.sqrt(2)) - 1)


def group_power(
    d: float,
    n_1: int,
    n_2: int,
    alpha: float = 0.05,
    efficiency: float = 1.0,
    covariates: int = 0,
) -> float:
    """Power to find a difference of ``d`` SD between groups of ``n_1`` and ``n_2`` subjects.

    ``efficiency`` is 1 for the t test; ``covariates`` cost a degree of freedom each.
    """
    from statsmodels.stats.power import TTestIndPower

    return float(
        TTestIndPower().power(
            d * np.sqrt(efficiency), n_1, alpha, n_2 / n_1, df=n_1 + n_2 - 2 - covariates
        )
    )


def correlation_power(
    rho: float, n: int, alpha: float = 0.05, efficiency: float = 1.0, covariates: int = 0
) -> float:
    """Power to find a correlation ``rho`` in ``n`` subjects.

    ``efficiency`` is 1 for Pearson's; a partial correlation has as many subjects fewer as
    ``covariates``.
    """
    z = np.arctanh(rho) * np.sqrt((n - 3 - covariates) * efficiency)
    critical = special.ndtri(1 - alpha / 2)
    return float(special.ndtr(z - critical) + special.ndtr(-z - critical))


def detectable_difference(
    n_1: int, n_2: int, alpha: float = 0.05, power: float = 0.8, efficiency: float = 1.0
) -> Difference | None:
    """The smallest difference that is found with this power.

    ``None`` where a group has fewer than two subjects.
    """
    from statsmodels.stats.power import TTestIndPower

    if min(n_1, n_2) < 2:
        return None
    d = TTestIndPower().solve_power(None, n_1, alpha, power, n_2 / n_1) / np.sqrt(efficiency)
    return Difference(float(d), delta_of_d(d))


def detectable_correlation(
    n: int, alpha: float = 0.05, power: float = 0.8, efficiency: float = 1.0
) -> float | None:
    """The smallest |ρ| that is found with this power; ``None`` for fewer than four subjects.

    Chances that the sign is found wrong are left out (1e-6 at the default).
    """
    if n < 4:
        return None
    needed = special.ndtri(1 - alpha / 2) + special.ndtri(power)
    return float(np.tanh(needed / np.sqrt((n - 3) * efficiency)))
