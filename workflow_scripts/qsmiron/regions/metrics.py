"""The metrics of a region: their order in tables, outcome family and unit."""

from __future__ import annotations

from typing import NamedTuple


class Metric(NamedTuple):
    """Outcome family and unit (``"1"`` for a pure number) of a metric."""

    family: str
    unit: str


METRICS: dict[str, Metric] = {
    "chi_mean": Metric("susceptibility", "ppm"),
    "chi_median": Metric("susceptibility", "ppm"),
    "chi_trimmed_mean": Metric("susceptibility", "ppm"),
    "chi_sd": Metric("distribution", "ppm"),
    "chi_iqr": Metric("distribution", "ppm"),
    "chi_skewness": Metric("distribution", "1"),
    "chi_kurtosis": Metric("distribution", "1"),
    "chi_p05": Metric("distribution", "ppm"),
    "chi_p95": Metric("distribution", "ppm"),
    "iron_line": Metric("iron_concentration", "mg/kg"),
    "iron_calibrated": Metric("iron_concentration", "mg/kg"),
    "deposit_volume": Metric("iron_deposits", "mm3"),
    "deposit_fraction": Metric("iron_deposits", "1"),
    "deposit_mass": Metric("iron_deposits", "mg"),
    "deposit_fraction_centred": Metric("iron_deposits", "1"),
    "r2star_mean": Metric("relaxation", "1/s"),
}

DEPOSITS = tuple(name for name, metric in METRICS.items() if metric.family == "iron_deposits")
