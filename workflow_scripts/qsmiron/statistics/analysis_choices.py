"""What the multiverse varies of the analysis itself: covariates and metrics."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field, field_validator

from ..parameters import Parameters, without_nothing
from ..regions.metrics import METRICS
from ..spelling import plain_names
from .multiplicity import PRIMARY_METRICS


class AnalysisChoices(Parameters):
    """Other choices of the analysis of measured values, beside the design's own."""

    covariates: tuple[tuple[str, ...], ...] = Field(
        (), description="other sets of covariates, such as [[], [age]]"
    )
    harmonisation: tuple[Literal["none", "combat"], ...] = Field(
        (), description="other ways with sites, such as [combat]; see statistics.harmonisation"
    )
    metrics: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="other metrics of an outcome family, beside its primary one",
    )

    @field_validator("covariates", mode="before")
    @classmethod
    def _spelt_alike(cls, sets: Any) -> Any:
        return plain_names(sets)

    @field_validator("metrics", mode="before")
    @classmethod
    def _without_removed(cls, metrics: Any) -> Any:
        return without_nothing(metrics)

    @field_validator("metrics")
    @classmethod
    def _tested_metrics(cls, metrics: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        for family, names in metrics.items():
            if family not in PRIMARY_METRICS:
                raise ValueError(f"{family}: expected one of {', '.join(PRIMARY_METRICS)}")
            known = [name for name, metric in METRICS.items() if metric.family == family]
            for name in names:
                if name not in known:
                    raise ValueError(f"{family}: {name}: expected one of {', '.join(known)}")
        return metrics
