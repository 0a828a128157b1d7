"""What the config declares about the group statistics: contrasts, scores, covariates, procedure.

Light on purpose (no pandas, no scipy): the workflow's config check imports it.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Discriminator,
    Field,
    Tag,
    ValidationInfo,
    field_validator,
    model_validator,
)

from ..config_files import read_settings
from ..errors import InputError, Problem
from ..parameters import Parameters, parse_parameters, without_nothing
from ..scan_covariates import SCAN_COVARIATES
from ..spelling import level_text, plain_names
from .change.settings import ChangeSettings

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*")


def _file_name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(
            "a name of letters, digits and _ . + - (no . + - first), since files are named after "
            "it: rename it, and where it is a column, in the table too, such as FVC_percent for "
            "FVC (%)"
        )
    return name


Name = Annotated[str, AfterValidator(_file_name)]
Level = Annotated[str, BeforeValidator(level_text), Field(min_length=1)]
Levels = tuple[Level, Level]


People = Literal["patients", "controls", "everybody"]


class Roles(Parameters):
    """Who is a patient and who a control, by a column of the clinical table."""

    column: str = Field(description="Column of the clinical table")
    patients: tuple[Level, ...] = Field(
        ("patient",), min_length=1, description="Its values in patients"
    )
    controls: tuple[Level, ...] = Field(
        ("control",), min_length=1, description="Its values in controls"
    )

    @field_validator("controls")
    @classmethod
    def _apart(cls, controls: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        both = set(controls) & set(info.data.get("patients", ()))
        if both:
            raise ValueError(f"values that patients do not have; {', '.join(sorted(both))} is one")
        return controls


class _Contrast(Parameters):
    of: People | None = Field(
        None,
        description="Whose it is, where roles are given; null: the patients' if it is derived, "
        "else everybody's who has a level",
    )
    levels: Levels = Field(
        description="The two levels; a positive effect means the first above the second"
    )

    @field_validator("levels")
    @classmethod
    def _levels_differ(cls, levels: Levels) -> Levels:
        if levels[0] == levels[1]:
            raise ValueError(f"two levels that differ; the two levels are the same: {levels[0]}")
        return levels


class GivenContrast(_Contrast):
    """A column of the clinical table says who belongs to which level."""

    derive: Literal["given"] = Field("given", description="The column holds the levels")
    column: str = Field(description="Column of the clinical table that holds the levels")


class DeltaFsContrast(_Contrast):
    """The first level is who declines faster than a cut on ΔFS (ALSFRS-R points per month)."""

    derive: Literal["delta_fs_cut"] = Field(description="Cut on ΔFS")
    column: str = Field("delta_fs", description="Column of ΔFS (points per month)")
    cut: float | None = Field(
        None, description="First level: ΔFS above it (points per month); null: cohort's median"
    )
    levels: Levels = Field(("fast", "slow"), description="Names of the faster and the other level")


class KmeansContrast(_Contrast):
    """Exact k-means (k = 2) on the ALSFRS-R change; the first level is the faster decline.

    Follow-up times that differ make the change one of time as well: with their column it is the
    change per month.
    """

    derive: Literal["kmeans_change"] = Field(description="k-means on the change")
    baseline: str = Field("alsfrs_r", description="Column of the baseline ALSFRS-R (points)")
    followup: str = Field(
        "alsfrs_r_followup", description="Column of the follow-up ALSFRS-R (points)"
    )
    months: str | None = Field(
        None, description="Column of the months between the two; null: the change is not divided"
    )
    levels: Levels = Field(("fast", "slow"), description="Names of the faster and the other level")


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        return str(value.get("derive", "given"))
    return str(getattr(value, "derive", "given"))


Contrast = Annotated[
    Annotated[GivenContrast, Tag("given")]
    | Annotated[DeltaFsContrast, Tag("delta_fs_cut")]
    | Annotated[KmeansContrast, Tag("kmeans_change")],
    Discriminator(_kind),
]


def amounts_of(contrast: Any) -> tuple[str, ...]:
    """The columns of numbers that a derived contrast is made of."""
    if isinstance(contrast, KmeansContrast):
        months = (contrast.months,) if contrast.months else ()
        return contrast.baseline, contrast.followup, *months
    return (contrast.column,) if isinstance(contrast, DeltaFsContrast) else ()


class FactorModel(Parameters):
    """More than two levels of a column: all together, and every two of them."""

    column: str = Field(description="Column of the clinical table that holds the levels")
    levels: tuple[Level, ...] = Field(
        min_length=3, description="Three levels or more; a pair is the earlier minus the later"
    )
    ordered: bool = Field(False, description="They are ordered: their trend is tested as well")
    of: People | None = Field(None, description="As of a contrast")

    @field_validator("levels")
    @classmethod
    def _levels_differ(cls, levels: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(levels)) < len(levels):
            raise ValueError("levels that differ")
        return levels

    def contrast(self, levels: Levels) -> GivenContrast:
        """Two of the levels as a contrast."""
        return GivenContrast(column=self.column, levels=levels, of=self.of)


class InteractionModel(Parameters):
    """Whether what goes with a number differs between the two groups of a contrast."""

    contrast: Name = Field(description="Name of a contrast")
    by: str = Field(description="Column of numbers, such as age or a score")


Model = Annotated[
    Annotated[FactorModel, Tag("factor")] | Annotated[InteractionModel, Tag("interaction")],
    Discriminator(
        lambda value: (
            "interaction"
            if (isinstance(value, dict) and "contrast" in value)
            or isinstance(value, InteractionModel)
            else "factor"
        )
    ),
]


class Statistics(Parameters):
    """How the tests are done."""

    permutations: int = Field(
        10_000, ge=0, le=1_000_000, description="Freedman-Lane permutations; 0: no permutation p"
    )
    seed: int = Field(1, ge=0, description="Seed of every permutation and bootstrap")
    bootstrap: int = Field(
        2000,
        ge=0,
        le=100_000,
        description="Bootstrap resamples of the confidence intervals; 0: no intervals",
    )
    null_permutations: int = Field(
        500, ge=20, le=100_000, description="Permutations of the labels for the null rates"
    )
    alpha: float = Field(0.05, gt=0, lt=1, description="Nominal level of the null rates")
    standard_error: Literal["usual", "hc3"] = Field(
        "usual",
        description="Of the rigorous arm's t; hc3 for groups that differ in a covariate",
    )
    exchangeability_blocks: str | None = Field(
        None, description="Column, such as site, within whose levels alone is permuted"
    )
    variance_groups: str | None = Field(
        None, description="Column, such as site, whose levels have residual variances of their own"
    )
    harmonisation: Literal["none", "combat"] = Field(
        "none",
        description="Sites brought to common location and scale before every test; the covariates "
        "are protected",
    )
    harmonisation_sites: str = Field("site", description="Column of the sites for combat")
    planning_effects: tuple[Annotated[float, Field(gt=0)], ...] = Field(
        (5.0, 10.0), description="Differences that a sample is planned for (ppb)"
    )
    planning_power: float = Field(0.8, gt=0.05, lt=1, description="Power that it is planned for")
    session: str | dict[str, str] | None = Field(
        None,
        description="Session to analyse, where participants have several: a label, or that of each "
        "such as {sub-01: '2'}; default: each participant's earliest",
    )


class StudyDesign(Parameters):
    """The blocks of the config that the group statistics need."""

    contrasts: dict[Name, Contrast] = Field(
        default_factory=lambda: {
            "progression": GivenContrast(column="progression", levels=("fast", "slow")),
            "phenotype": GivenContrast(column="phenotype", levels=("UMN+", "other")),
        },
        description="Two-group comparisons, by name",
    )
    scores: tuple[Name, ...] = Field(
        ("alsfrs_r", "umn_score", "ecas_total"), description="Columns to correlate with"
    )
    models: dict[Name, Model] = Field(
        default_factory=dict,
        description="More than two groups, such as {stage: {column: kings_stage, levels: [1, 2, "
        "3]}}, and interactions, such as {speed_age: {contrast: progression, by: age}}",
    )
    roles: Roles | None = Field(
        None,
        description="Patients and controls, such as {column: diagnosis, patients: [ALS], "
        "controls: [healthy]}; null: nobody is known to be either",
    )
    scores_of: dict[str, People] = Field(
        default_factory=dict,
        description="Whose a score is, where it is not the patients', such as {moca: everybody}",
    )
    covariates: tuple[str, ...] = Field(
        ("age", "sex"),
        description="Columns that the rigorous arm adjusts for; also region_volume, "
        + ", ".join(SCAN_COVARIATES)
        + ", which come from the scans",
    )
    categorical: tuple[str, ...] = Field(
        (),
        description="Columns whose numbers stand for categories, such as [site] of sites 1, 2, 3: "
        "as covariates they are indicators, not slopes",
    )
    statistics: Statistics = Field(default_factory=Statistics, description="Procedure")
    change: ChangeSettings = Field(
        default_factory=ChangeSettings, description="Change over time, of several sessions"
    )

    @field_validator("contrasts", "models", mode="before")
    @classmethod
    def _without_removed(cls, contrasts: Any) -> Any:
        return without_nothing(plain_names(contrasts))

    @field_validator("scores", "covariates", "categorical", mode="before")
    @classmethod
    def _listed(cls, names: Any) -> Any:
        if not isinstance(names, list | tuple):
            raise ValueError("a list of columns, such as [age, sex]")
        return plain_names(names)

    @field_validator("scores", "covariates", "categorical")
    @classmethod
    def _names_once(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"each name once; {', '.join(twice)} stands there more than once")
        return names

    @field_validator("categorical")
    @classmethod
    def _not_amounts(cls, names: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        contrasts = info.data.get("contrasts", {}).values()
        amounts = {column for contrast in contrasts for column in amounts_of(contrast)}
        amounts.update(info.data.get("scores", ()))
        both = [name for name in names if name in amounts]
        if both:
            raise ValueError(f"columns that no score or cut is made of; {', '.join(both)} is one")
        return names

    @field_validator("scores_of")
    @classmethod
    def _of_scores(cls, whose: dict[str, People], info: ValidationInfo) -> dict[str, People]:
        unknown = [name for name in whose if name not in info.data.get("scores", ())]
        if unknown:
            raise ValueError(f"names of scores; {', '.join(unknown)} is none")
        return whose

    @model_validator(mode="after")
    def _roles_are_known(self) -> StudyDesign:
        asked = [name for name, one in self.contrasts.items() if one.of not in (None, "everybody")]
        asked += [name for name, of in self.scores_of.items() if of != "everybody"]
        asked += [
            name
            for name, one in self.models.items()
            if isinstance(one, FactorModel) and one.of not in (None, "everybody")
        ]
        unknown = [
            name
            for name, one in self.models.items()
            if isinstance(one, InteractionModel) and one.contrast not in self.contrasts
        ]
        if unknown:
            raise ValueError(f"names of contrasts; {', '.join(unknown)} of models has none")
        if asked and self.roles is None:
            raise ValueError(f"roles, since {', '.join(asked)} is of patients or controls")
        return self

    def people(self, use: str, where: str) -> Roles:
        """The roles; an :class:`InputError` says that ``use`` needs them."""
        if self.roles is None:
            raise InputError(
                Problem(
                    f"{where}, roles",
                    "nothing",
                    f"who is a patient and who a control, for {use}",
                    "For example roles: {column: diagnosis, patients: [ALS], controls: [healthy]}.",
                )
            )
        return self.roles

    def people_of(self, score: str) -> People:
        """Whose a score is."""
        return self.scores_of.get(score, "patients")

    def pick_contrasts(self, name: str | None, where: str = "config") -> dict[str, Contrast]:
        """All contrasts, or the one called ``name``; an unknown name is an :class:`InputError`."""
        return {key: self.contrasts[key] for key in _pick(name, self.contrasts, "contrast", where)}

    def pick_models(self, name: str | None, where: str = "config") -> list[str]:
        """All models, or the one called ``name``; an unknown name is an :class:`InputError`."""
        return _pick(name, self.models, "model", where)

    def pick_scores(self, name: str | None, where: str = "config") -> list[str]:
        """All scores, or the one called ``name``; an unknown name is an :class:`InputError`."""
        return _pick(name, self.scores, "score", where)


def _pick(name: str | None, known: Any, kind: str, where: str) -> list[str]:
    if name is None:
        return list(known)
    if name not in known:
        raise InputError(
            Problem(
                where,
                f"no {kind} called {name}",
                f"one of {', '.join(known) or '(none is declared)'}",
                f"Declare it under {kind}s, or ask for one that is declared.",
            )
        )
    return [name]


def read_study_design(path: str | Path) -> StudyDesign:
    """Read the blocks of the group statistics from a workflow config (YAML or JSON).

    The file is read once, so that a pipe will do. Other blocks are left to whom they concern.

    Raises
    ------
    InputError
        For an unreadable file, or naming an unknown key or a value out of range in these blocks.
    """
    content = read_settings(path)
    blocks = {key: content[key] for key in StudyDesign.model_fields if key in content}
    return parse_parameters(StudyDesign, blocks, str(path))
