"""Correction sets, and what is corrected within them.

A set is one contrast (or score) × one outcome family × that family's primary metric × all regions,
within one arm, variant and atlas. Every other metric is a set of its own, and exploratory. Since no
set mixes metrics, the metric names the set.
"""

from __future__ import annotations

import numpy as np

PRIMARY_METRICS = {
    "susceptibility": "chi_mean",
    "distribution": "chi_sd",
    "iron_concentration": "iron_line",
    "iron_deposits": "deposit_fraction",
    "paramagnetic": "chi_para_mean",
    "diamagnetic": "chi_dia_mean",
    "asymmetry": "chi_right_left",
    "cortical_contrast": "chi_cortex_white",
}
"""Outcome family → the metric that its correction set is built on."""
COPIES = {"iron_line": "chi_mean"}
"""A monotone copy → the metric whose test it has, in other units. It makes no set of its own."""

DISTINCT_PRIMARY = {
    family: metric for family, metric in PRIMARY_METRICS.items() if metric not in COPIES
}
"""Those with a test of their own: what figures with a row per family, and counts of sets, take."""


def role(family: str, metric: str) -> str:
    """``primary`` or ``exploratory``."""
    return "primary" if PRIMARY_METRICS.get(family) == metric else "exploratory"


def q_values(p: np.ndarray, sets: np.ndarray) -> np.ndarray:
    """Benjamini-Hochberg q within each set; cells without p take no part and have none.

    Parameters
    ----------
    p
        Two-sided parametric p per cell, NaN where there is no test.
    sets
        Label of each cell's correction set.

    Notes
    -----
    Benjamini & Hochberg 1995, doi 10.1111/j.2517-6161.1995.tb02031.x.
    """
    from scipy.stats import false_discovery_control  # figures need only the names above

    q = np.full(p.shape, np.nan)
    tested = np.isfinite(p)
    for label in np.unique(sets[tested]):
        members = tested & (sets == label)
        q[members] = false_discovery_control(p[members])
    return q
