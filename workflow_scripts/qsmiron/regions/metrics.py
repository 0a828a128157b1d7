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
    "chi_para_mean": Metric("paramagnetic", "ppm"),
    "chi_para_median": Metric("paramagnetic", "ppm"),
    "chi_para_sd": Metric("paramagnetic", "ppm"),
    "chi_dia_mean": Metric("diamagnetic", "ppm"),
    "chi_dia_median": Metric("diamagnetic", "ppm"),
    "chi_dia_sd": Metric("diamagnetic", "ppm"),
    "chi_right_left": Metric("asymmetry", "ppm"),
    "chi_cortex_white": Metric("cortical_contrast", "ppm"),
}

SOURCE_FAMILIES = ("paramagnetic", "diamagnetic")
"""Those that need χ⁺ and χ⁻."""

DEPOSITS = tuple(name for name, metric in METRICS.items() if metric.family == "iron_deposits")
