"""What the study that this workflow follows reports, as far as it is public: its abstract.

Pirozzi et al., Amyotroph Lateral Scler Frontotemporal Degener 2025,
doi 10.1080/21678421.2025.2522406. Values are those of SCIENCE §1 of the project; the metric of a
family is this project's primary one, since the abstract does not define its own.
"""

from __future__ import annotations

from typing import NamedTuple


class Finding(NamedTuple):
    """One reported finding. ``hemisphere``/``region`` are ``None`` where none is named.

    ``names`` is the contrast or the score as the default config names it; ``direction`` the sign
    of rho where reported.
    """

    kind: str
    names: str
    outcome: str
    family: str
    metric: str
    region: str | None
    hemisphere: str | None
    p: float
    rho: float | None = None


FINDINGS: tuple[Finding, ...] = (
    Finding("contrast", "progression", "iron deposits", "iron_deposits", "deposit_fraction",
            "amygdala", "L", 0.028),
    Finding("contrast", "progression", "iron deposits", "iron_deposits", "deposit_fraction",
            "amygdala", "R", 0.022),
    Finding("contrast", "progression", "susceptibility distribution", "distribution", "chi_sd",
            "hippocampus", "R", 0.0011),
    Finding("contrast", "phenotype", "susceptibility", "susceptibility", "chi_mean",
            "thalamus", "L", 0.0014),
    Finding("contrast", "phenotype", "susceptibility", "susceptibility", "chi_mean",
            "amygdala", "R", 0.001),
    Finding("score", "alsfrs_r", "susceptibility", "susceptibility", "chi_mean",
            "paracentral", "L", 0.026, 0.36),
    Finding("score", "umn_score", "iron concentration", "iron_concentration", "iron_line",
            None, None, 0.034, 0.35),
    Finding("score", "ecas_total", "iron deposits", "iron_deposits", "deposit_fraction",
            "thalamus", "L", 0.0041, -0.46),
)  # fmt: skip

EXPECTED: dict[str, str] = {"chi_right_left": "precentral", "chi_cortex_white": "precentral"}
"""Metric → the region that other studies report in ALS: the motor cortex relative to the white
matter next to it (Schweitzer et al. 2015, doi 10.2214/AJR.14.13459). It is shown first."""


def findings_of(kind: str, names: str) -> list[Finding]:
    """The findings reported for a contrast or score."""
    return [finding for finding in FINDINGS if (finding.kind, finding.names) == (kind, names)]
