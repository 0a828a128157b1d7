"""The blocks of a stage of reconstruction in the configuration: method, what differs, choices."""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import Field, field_validator

from .bids import image_template
from .config_paths import expanded
from .masks import EXTRACTORS
from .parameters import Parameters
from .registration.hybrid import HybridParameters
from .relaxation.spin_echo import MESE, SpinEchoParameters


class Overrides(Parameters):
    """A stage with one method: what differs from its defaults."""

    parameters: dict[str, Any] = Field(default_factory=dict, description="what differs")

    @property
    def parameters_json(self) -> str:
        """The overrides as the JSON object that scripts take."""
        return json.dumps(self.parameters, sort_keys=True)


class Registration(Overrides):
    """Template, T1w and GRE; ``parameters`` are those of the registration itself."""

    without_t1w: bool = Field(
        True,
        description="whether a scan with R2* and no T1w, also of another visit, is registered by a "
        "hybrid contrast of its R2* and χ; its labels are less exact. Otherwise it gets maps only",
    )
    hybrid: HybridParameters = HybridParameters()


class Step(Overrides):
    """A stage that offers several methods: which one, and what differs from its defaults."""

    method: str = Field(description="name of the method")


class MaskStep(Overrides):
    """Where the brain mask of the GRE comes from: the template, unless a scan has no T1w."""

    user: str | None = Field(
        None,
        description="your own masks instead: their path, absolute or below bids_dir, with "
        "{subject}, {session}, {folder} and {entities} in it, such as "
        "derivatives/masks/{folder}/{entities}_mask.nii.gz",
    )
    extractor: Literal[tuple(EXTRACTORS)] = Field(  # type: ignore[valid-type]
        "brightness",
        description="of scans without T1w; deepbet is a network to be installed beforehand "
        "(envs/requirements-deepbet.txt)",
    )

    @field_validator("user")
    @classmethod
    def _template(cls, user: str | None) -> str | None:
        return None if user is None else image_template(expanded(user))

    @property
    def extractor_module(self) -> str:
        """The module of the extractor, for the digest of a job's code."""
        return f"{__package__}.{EXTRACTORS[self.extractor].module}"


class SourceStep(Step):
    """Iron apart from myelin: whether, by which method, and with which R2."""

    run: bool = Field(
        True, description="whether χ⁺ and χ⁻ are made of scans that have at least three echoes"
    )
    r2: str | None = Field(
        None,
        description="R2 maps (1/s) on the grid of the GRE: their path, absolute or below bids_dir, "
        "with {subject}, {session}, {folder} and {entities} in it; MESE: fitted to the multi-echo "
        "spin echo of each scan; every scan needs one, lest people with and without be compared; "
        "null: R2 is assumed by the method",
    )
    spin_echo: SpinEchoParameters = Field(
        SpinEchoParameters(), description="fit of R2 to the spin echoes"
    )

    @field_validator("r2")
    @classmethod
    def _template(cls, path: str | None) -> str | None:
        return path if path in (None, MESE) else image_template(expanded(path))

    @property
    def r2_maps(self) -> str | None:
        """The path of the user's own R2 maps, where they are used."""
        return None if not self.run or self.r2 == MESE else self.r2

    @property
    def fits_r2(self) -> bool:
        """Whether R2 is fitted to spin echoes."""
        return self.run and self.r2 == MESE


class ReconstructionChoices(Parameters):
    """Other methods of the stages of reconstruction, as ``variants`` would name them."""

    field_map: tuple[dict[str, Any], ...] = Field((), description="instead of the field map's")
    background_field: tuple[dict[str, Any], ...] = Field(
        ({"method": "vsharp"}, {"method": "pdf"}), description="instead of the background removal's"
    )
    inversion: tuple[dict[str, Any], ...] = Field(
        ({"method": "rts"},), description="instead of the inversion's"
    )
    sources: tuple[dict[str, Any], ...] = Field(
        (
            {"method": "r2prime"},
            {"method": "r2star"},
            {"method": "source_tv", "r2": None, "parameters": {"r2_without_sources": 10}},
        ),
        description="instead of the separation's method, parameters or r2, for findings of χ⁺ and "
        "χ⁻ alone; the last one assumes another R2 (1/s), also where R2 is measured",
    )
