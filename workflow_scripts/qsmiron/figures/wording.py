"""Words and units of figures and report: metrics, regions, p values.

Tables keep ppm; readers get ppb. This is the one place that converts.
"""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

import numpy as np

PPB_PER_PPM = 1000.0


class Metric(NamedTuple):
    """How a metric is shown: words, unit, and the factor from the table's unit to that one."""

    label: str
    unit: str
    factor: float = 1.0

    @property
    def axis(self) -> str:
        """Axis label with the unit in parentheses."""
        return f"{self.label} ({self.unit})" if self.unit else self.label


METRICS: dict[str, Metric] = {
    "chi_mean": Metric("Mean χ", "ppb", PPB_PER_PPM),
    "chi_median": Metric("Median χ", "ppb", PPB_PER_PPM),
    "chi_trimmed_mean": Metric("Trimmed mean χ", "ppb", PPB_PER_PPM),
    "chi_sd": Metric("SD of χ", "ppb", PPB_PER_PPM),
    "chi_iqr": Metric("IQR of χ", "ppb", PPB_PER_PPM),
    "chi_skewness": Metric("Skewness of χ", ""),
    "chi_kurtosis": Metric("Excess kurtosis of χ", ""),
    "chi_p05": Metric("5th percentile of χ", "ppb", PPB_PER_PPM),
    "chi_p95": Metric("95th percentile of χ", "ppb", PPB_PER_PPM),
    "r2star_mean": Metric("Mean R2*", "s⁻¹"),
    "chi_para_mean": Metric("Mean χ⁺", "ppb", PPB_PER_PPM),
    "chi_para_median": Metric("Median χ⁺", "ppb", PPB_PER_PPM),
    "chi_para_sd": Metric("SD of χ⁺", "ppb", PPB_PER_PPM),
    "chi_dia_mean": Metric("Mean χ⁻", "ppb", PPB_PER_PPM),
    "chi_dia_median": Metric("Median χ⁻", "ppb", PPB_PER_PPM),
    "chi_dia_sd": Metric("SD of χ⁻", "ppb", PPB_PER_PPM),
    "chi_right_left": Metric("χ, right − left", "ppb", PPB_PER_PPM),
    "chi_cortex_white": Metric("χ, cortex − white matter", "ppb", PPB_PER_PPM),
    "iron_line": Metric("Iron, global line", "mg/kg"),
    "iron_calibrated": Metric("Iron, calibrated", "mg/kg"),
    "deposit_volume": Metric("Deposit volume", "mm³"),
    "deposit_fraction": Metric("Deposit fraction", "%", 100.0),
    "deposit_mass": Metric("Deposit iron mass", "mg"),
    "deposit_fraction_centred": Metric("Deposit fraction, centred", "%", 100.0),
    "wasserstein": Metric("χ distribution", "ppb", PPB_PER_PPM),
    "wasserstein_centred": Metric("χ distribution, centred", "ppb", PPB_PER_PPM),
}

FAMILY_LABELS = {
    "susceptibility": "Susceptibility",
    "distribution": "Susceptibility distribution",
    "iron_concentration": "Iron concentration",
    "iron_deposits": "Iron deposits",
    "relaxation": "Relaxation",
    "paramagnetic": "Paramagnetic sources",
    "diamagnetic": "Diamagnetic sources",
    "asymmetry": "Asymmetry",
    "cortical_contrast": "Cortical contrast",
}

SCORE_LABELS = {
    "age": "Age (years)",
    "months_since_onset": "Months since onset",
    "alsfrs_r": "ALSFRS-R (0–48)",
    "alsfrs_r_followup": "ALSFRS-R at follow-up (0–48)",
    "delta_fs": "ΔFS (points per month)",
    "umn_score": "UMN score",
    "ecas_total": "ECAS total (0–136)",
    "ecas_als_specific": "ECAS ALS-specific (0–100)",
    "ecas_nonspecific": "ECAS non-specific (0–36)",
    "kings_stage": "King's stage",
    "mitos_stage": "MiToS stage",
}

_PARTS = (
    "rostral|caudal|isthmus|pars|superior|inferior|middle|lateral|medial|transverse|anterior|"
    "posterior|cingulate|frontal|temporal|parietal|occipital|orbitofrontal|orbitalis|opercularis|"
    "triangularis|pole"
)


def metric(name: str) -> Metric:
    """How the metric ``name`` is shown; an unknown one under its own name, unconverted."""
    return METRICS.get(name, Metric(name.replace("_", " "), ""))


def score_label(name: str) -> str:
    """Axis label of a clinical score."""
    return SCORE_LABELS.get(name, name.replace("_", " "))


def score_name(name: str) -> str:
    """A clinical score in running text: its label without unit or range."""
    return score_label(name).split(" (")[0]


def region_name(region: str) -> str:
    """A region's name with spaces: ``rostralmiddlefrontal`` → ``rostral middle frontal``."""
    if region == "bankssts":
        return "banks of STS"
    if re.fullmatch(f"(?:{_PARTS})+", region):
        return " ".join(re.findall(_PARTS, region))
    return region.replace("_", " ")


def region_label(region: str, hemisphere: str) -> str:
    """A region with its side: ``R hippocampus``; no side for the midline."""
    side = f"{hemisphere} " if hemisphere in ("L", "R") else ""
    return side + region_name(region)


def abbreviated(words: str, most: int) -> str:
    """``words`` of at most ``most`` characters; what is left out of the middle is an ellipsis."""
    if len(words) <= most:
        return words
    head = most // 2
    return f"{words[:head].rstrip()}…{words[len(words) - (most - 1 - head) :].lstrip()}"


def _bare(text: str) -> str:
    return text.replace("0.", ".", 1) if text.startswith(("0.", "-0.")) else text


def format_p(value: Any, symbol: str = "p") -> str:
    """``p = .028``, ``p < .0001``, ``p n/a``; two significant digits below .1."""
    number = format_probability(value)
    if number == "n/a":
        return f"{symbol} n/a"
    return f"{symbol} {number}" if number.startswith("<") else f"{symbol} = {number}"


def format_probability(value: Any) -> str:
    """A probability without its leading zero: ``.0014``, ``.34``, ``< .0001``, ``n/a``."""
    if value is None or not math.isfinite(value):
        return "n/a"
    if value < 1e-4:
        return "< .0001"
    if value > 0.995:
        return "1.00"
    # the power of ten is that of the rounded number: .000999 is .0010
    digits = max(2, 1 - math.floor(math.log10(float(f"{value:.1e}"))))
    return _bare(f"{value:.{digits}f}")


def format_coefficient(value: Any) -> str:
    """rho, δ: two decimals, no leading zero, a true minus sign; ``n/a`` where missing."""
    if value is None or not math.isfinite(value):
        return "n/a"
    return _bare(f"{value:+.2f}".lstrip("+") if value >= 0 else f"{value:.2f}").replace("-", "−")


def shown_values(name: str, values: Any) -> np.ndarray:
    """A metric's ``values`` in the unit that is shown (χ: ppm → ppb; fractions: %)."""
    return np.asarray(values, float) * metric(name).factor
