"""What the config declares about change over time.

Light on purpose, as :mod:`..settings`: the workflow's config check imports it.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from ...parameters import Parameters
from ...spelling import level_text, plain_names

Label = Annotated[str, BeforeValidator(level_text), Field(min_length=1)]


class Repeats(Parameters):
    """Which scans of a participant differ by measurement alone: what is given must all hold."""

    sessions: tuple[str, ...] = Field(
        (), description="Sessions (labels) that repeat each other, such as [1, 1b]; empty: any"
    )
    within_months: float | None = Field(
        None, ge=0, description="Longest time from a participant's first such scan (months)"
    )
    column: str | None = Field(
        None, description="Column of the clinical table that says who is stable; null: everybody"
    )
    levels: tuple[Label, ...] = Field((), description="Its values in stable participants")

    @field_validator("sessions", mode="before")
    @classmethod
    def _labels(cls, sessions: object) -> object:
        listed = sessions if isinstance(sessions, list | tuple) else [sessions]
        return [str(label).removeprefix("ses-") for label in listed]

    @model_validator(mode="after")
    def _names_something(self) -> Repeats:
        if not self.sessions and self.within_months is None and self.column is None:
            raise ValueError("sessions, within_months, or column with levels")
        if bool(self.column) != bool(self.levels):
            raise ValueError("column and levels together")
        return self


class ChangeSettings(Parameters):
    """How change over time is measured, where participants have several sessions."""

    months: str | None = Field(
        None,
        description="Column of months since baseline in the tables of visits; null: "
        "months_since_baseline, months_from_baseline or months, or from the dates (acq_time)",
    )
    per: Literal["year", "month"] = Field("year", description="Time that rates are given per")
    likelihood: Literal["reml", "ml"] = Field(
        "reml", description="Of the mixed models: restricted, or full"
    )
    random_slope: bool = Field(
        True, description="Rates differ between participants, where three visits can tell"
    )
    scores: tuple[str, ...] | None = Field(
        None, description="Columns whose change is looked at; null: scores that the visits have"
    )
    predictors: tuple[str, ...] = Field(
        ("delta_fs",),
        description="Columns of the clinical table that rates are tested against, where they exist",
    )
    repeats: Repeats | None = Field(
        None,
        description="Scans for the repeatability, such as {within_months: 1}, {sessions: [1, 1b]} "
        "or {column: diagnosis, levels: [healthy]}; null: none",
    )

    @field_validator("scores", "predictors", mode="before")
    @classmethod
    def _listed(cls, names: object) -> object:
        if names is not None and not isinstance(names, list | tuple):
            raise ValueError("a list of columns, such as [alsfrs_r]")
        return plain_names(names)
