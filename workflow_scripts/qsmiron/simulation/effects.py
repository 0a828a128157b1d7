"""The effects that the abstract reports, as they are planted in the demo cohort, and a few more.

Source: Pirozzi et al., Amyotroph Lateral Scler Frontotemporal Degener 2025,
doi 10.1080/21678421.2025.2522406 (abstract). What it leaves open is the ``assumption`` of each.
"""

from __future__ import annotations

from dataclasses import dataclass

DIRECTION = "The abstract names no direction: the first level is taken as the higher one."


@dataclass(frozen=True)
class Effect:
    """One planted effect; ``spread`` is the SD between patients of the planted cell (its unit).

    ``centre`` is the mean over patients. χ in ppm, fractions dimensionless. ``p`` is the reported
    p; ``rho`` the reported correlation, None for a group difference. ``levels`` is empty for a
    score. Where ``reported`` is false the abstract has no such effect, and ``p`` is ours.
    ``cancels`` names the plan column whose sum with this one is the same in all patients.
    """

    effect: str
    family: str
    metric: str
    region: str
    hemisphere: str
    contrast_or_score: str
    levels: tuple[str, ...]
    p: float
    rho: float | None
    centre: float
    spread: float
    assumption: str
    reported: bool = True
    cancels: str | None = None

    @property
    def plan_column(self) -> str:
        """The plan's column that holds each patient's true value."""
        planted = "chi_mean" if self.metric.startswith("iron") else self.metric
        return f"{self.region}_{self.hemisphere}_{planted}"

    @property
    def measure(self) -> str:
        """What the recovery table reports: mean_difference or rho."""
        return "mean_difference" if self.rho is None else "rho"

    @property
    def direction(self) -> str:
        """Sign of the planted effect."""
        falls = self.rho is not None and self.rho < 0
        return "negative" if falls or self.cancels else "positive"


_PROGRESSION = ("progression", ("fast", "slow"))
_PHENOTYPE = ("phenotype", ("UMN+", "other"))
_DEPOSITS = (
    "Deposits are the fraction of voxels above a fixed threshold of the region, 5 % on average. "
)
_CANCELLING = "Not in the abstract: iron and myelin rise together, so that net χ stays as it is."

EFFECTS: tuple[Effect, ...] = (
    Effect(
        "deposits_amygdala_L", "iron_deposits", "deposit_fraction", "amygdala", "L",
        *_PROGRESSION, 0.028, None, 0.05, 0.025, _DEPOSITS + DIRECTION,
    ),
    Effect(
        "deposits_amygdala_R", "iron_deposits", "deposit_fraction", "amygdala", "R",
        *_PROGRESSION, 0.022, None, 0.05, 0.025, _DEPOSITS + DIRECTION,
    ),
    Effect(
        "distribution_hippocampus_R", "distribution", "chi_sd", "hippocampus", "R",
        *_PROGRESSION, 0.0011, None, 0.025, 0.006,
        "The abstract does not say what of the distribution differs: its SD. " + DIRECTION,
    ),
    Effect(
        "susceptibility_thalamus_L", "susceptibility", "chi_mean", "thalamus", "L",
        *_PHENOTYPE, 0.0014, None, 0.008, 0.009, DIRECTION,
    ),
    Effect(
        "susceptibility_amygdala_R", "susceptibility", "chi_mean", "amygdala", "R",
        *_PHENOTYPE, 0.001, None, -0.003, 0.010, DIRECTION,
    ),
    Effect(
        "alsfrs_r_paracentral_L", "susceptibility", "chi_mean", "paracentral", "L",
        "alsfrs_r", (), 0.026, 0.36, 0.012, 0.010,
        "'QSM' of the abstract is taken as the regional mean.",
    ),
    Effect(
        "umn_score_precentral_L", "iron_concentration", "iron_line", "precentral", "L",
        "umn_score", (), 0.034, 0.35, 0.018, 0.010,
        "The abstract names no region: the left precentral cortex. Planted as its mean χ, of which "
        "iron concentration by the line is an increasing function.",
    ),
    Effect(
        "ecas_thalamus_L", "iron_deposits", "deposit_fraction", "thalamus", "L",
        "ecas_total", (), 0.0041, -0.46, 0.05, 0.025, _DEPOSITS.strip(),
    ),
    Effect(
        "iron_precentral_R", "paramagnetic", "chi_para_mean", "precentral", "R",
        *_PHENOTYPE, 0.001, None, 0.029, 0.010,
        "Not in the abstract: iron alone, so that net χ rises with it.", reported=False,
    ),
    Effect(
        "myelin_brainstem", "diamagnetic", "chi_dia_mean", "brainstem", "B",
        *_PROGRESSION, 0.001, None, -0.045, 0.010,
        "Not in the abstract: loss of myelin alone, where the corticospinal tract passes.",
        reported=False,
    ),
    Effect(
        "cancelling_iron_paracentral_R", "paramagnetic", "chi_para_mean", "paracentral", "R",
        *_PROGRESSION, 0.001, None, 0.028, 0.010, _CANCELLING, reported=False,
    ),
    Effect(
        "cancelling_myelin_paracentral_R", "diamagnetic", "chi_dia_mean", "paracentral", "R",
        *_PROGRESSION, 0.001, None, -0.024, 0.010, _CANCELLING, reported=False,
        cancels="paracentral_R_chi_para_mean",
    ),
)  # fmt: skip
