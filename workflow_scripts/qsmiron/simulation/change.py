"""Change over time in the demo: rates of χ that are planted in regions, and who has them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PlantedRate:
    """A rate (ppm per year) that those of ``levels[0]`` of a ``contrast`` have, the others not."""

    effect: str
    region: str
    hemisphere: str
    contrast: str
    levels: tuple[str, str]
    rate: float
    assumption: str

    @property
    def plan_column(self) -> str:
        """The plan's column with each patient's true rate."""
        return f"{self.region}_{self.hemisphere}_chi_mean_per_year"


PLANTED_RATES: tuple[PlantedRate, ...] = (
    PlantedRate(
        "rate_amygdala_R", "amygdala", "R", "progression", ("fast", "slow"), 0.005,
        "Not in the abstract: χ of fast progressors rises by 5 ppb a year.",
    ),
    PlantedRate(
        "rate_hippocampus_L", "hippocampus", "L", "progression", ("fast", "slow"), 0.0,
        "Not in the abstract: a region that does not change, for comparison.",
    ),
)  # fmt: skip
