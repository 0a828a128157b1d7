"""The block ``maps`` of the configuration: where ready maps lie, and what they hold."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from ..bids import image_template
from ..config_paths import expanded
from ..parameters import Parameters

CHI_UNITS = ("ppm", "ppb", "rad", "Hz")
"""Units of susceptibility. rad and Hz are of the phase and the frequency that 1 ppm of field makes,
which takes the field strength, and for rad the echo time.
"""

R2STAR_UNITS = ("1/s", "Hz", "1/ms")
"""Units of R2*; Hz is 1/s."""

UNREFERENCED = "none"


class MapSettings(Parameters):
    """Maps that were made elsewhere."""

    chi: str | None = Field(
        None,
        description="susceptibility maps in place of those from the phase: their path, absolute or "
        "below bids_dir, with {subject}, {session}, {folder} and {entities} in it, and * in the "
        "file's name for any characters, such as "
        "derivatives/qsmxt/{folder}/anat/{entities}*_Chimap.nii.gz",
    )
    r2star: str | None = Field(None, description="R2* maps that go with them, on the same grid")
    units: Literal[CHI_UNITS] | None = Field(  # type: ignore[valid-type]
        None, description="of the susceptibility; null: Units of the maps' sidecars"
    )
    r2star_units: Literal[R2STAR_UNITS] | None = Field(  # type: ignore[valid-type]
        None, description="of R2*; null: Units of the maps' sidecars"
    )
    reference: str | None = Field(
        None,
        description="what the maps are relative to, such as csf: they are left so; none: nothing, "
        "so that reconstruction.reference applies; null: ReferenceRegion of the maps' sidecars, "
        "none where they have no such field",
    )
    field_strength: float | None = Field(
        None,
        gt=0,
        le=20,
        description="B0 (T) of maps in rad or Hz; null: by the maps' sidecars",
    )
    echo_time: float | None = Field(
        None,
        gt=0,
        lt=1,
        description="echo time (s) of maps in rad; null: EchoTime of the maps' sidecars",
    )
    mixed: bool = Field(
        False,
        description="whether group results may be made of scans with a ready map and scans whose "
        "map comes from the phase; they are refused otherwise",
    )

    @field_validator("chi", "r2star")
    @classmethod
    def _template(cls, path: str | None) -> str | None:
        if path is None:
            return None
        folder, _, _ = path.rpartition("/")
        if "*" in folder:
            raise ValueError("expected * in the file's name only, and no folder with it")
        return image_template(expanded(path))

    @model_validator(mode="after")
    def _chi_first(self) -> MapSettings:
        if self.r2star and not self.chi:
            raise ValueError("expected chi beside r2star: R2* alone is mapped from the magnitude")
        return self

    @property
    def templates(self) -> dict[str, str]:
        """The paths that are given, by the name of the map."""
        given = {"chi": self.chi, "r2star": self.r2star}
        return {name: path for name, path in given.items() if path}

    @property
    def values_json(self) -> str:
        """What the jobs that read a map must know of it, as a JSON object."""
        return self.model_dump_json(exclude={"chi", "r2star", "mixed"}, exclude_none=True)
