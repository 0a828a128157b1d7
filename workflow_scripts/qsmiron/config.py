"""The configuration: every key with its unit, range and default.

``config/config.yaml`` is the file a user edits; these classes are what it may hold. An unknown key
or a value out of range stops the run at once with the key's name. The parameters of a method are
validated by the class that stands beside the method.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, ValidationError, field_validator, model_validator

from . import background, inversion, phase, relaxation, sources
from .acquisition import PHASE_UNITS, setting_of_scan
from .bids import LABEL, image_template
from .config_paths import ConfigPath, expanded
from .config_steps import MaskStep, ReconstructionChoices, Registration, SourceStep, Step
from .config_values import B0Setting, Labels, Ranges, Selected
from .errors import InputError, Problem
from .masks.gre import GreMaskParameters
from .methods import Method, get_method
from .parameters import Parameters, explain, parse_parameters, without_nothing
from .ready_maps.settings import MapSettings
from .reference import REGIONS as REFERENCE_REGIONS
from .regions.deposits import IronParameters
from .regions.selection import SelectionParameters
from .registration.scan import RegistrationParameters
from .spelling import plain_names
from .statistics.analysis_choices import AnalysisChoices
from .statistics.settings import StudyDesign

CONFIG_NAME = "config"

STAGES: dict[str, dict[str, Method]] = {
    "field_map": phase.METHODS,
    "background_field": background.METHODS,
    "inversion": inversion.METHODS,
    "r2star": relaxation.METHODS,
    "sources": sources.METHODS,
}
"""The stages of reconstruction that offer a choice of methods, in the order of the data flow."""


class Reference(Parameters):
    """What susceptibility is relative to."""

    region: Annotated[str, AfterValidator(plain_names)] = Field(
        "brain",
        description="brain: mean of its reliable part; csf: of the ventricles' fluid, which takes "
        "two echoes; none: χ is left as it is; with atlas: the name of one of its regions, both "
        "hemispheres",
    )
    atlas: str | None = Field(None, description="the atlas whose region it is; takes a T1w")

    @model_validator(mode="after")
    def _known(self) -> Reference:
        if self.atlas is None and self.region not in REFERENCE_REGIONS:
            expected = ", ".join(REFERENCE_REGIONS)
            raise ValueError(f"expected region to be one of {expected}, or atlas beside it")
        return self

    @property
    def needs_fluid(self) -> bool:
        """Whether R2* and magnitude must show where fluid is."""
        return self.atlas is None and self.region == "csf"


class Reconstruction(Parameters):
    """The chain from phase and magnitude to susceptibility, R2* and the sources of both."""

    mask: MaskStep = MaskStep()
    field_map: Step = Step(method=phase.DEFAULT)
    background_field: Step = Step(method=background.DEFAULT)
    inversion: Step = Step(method=inversion.DEFAULT)
    reference: Reference = Reference()
    r2star: Step = Step(method=relaxation.DEFAULT)
    sources: SourceStep = SourceStep(method=sources.DEFAULT)

    @property
    def own_images(self) -> dict[str, str]:
        """Paths of the user's own images of each scan → the keys that give them."""
        given = ((self.mask.user, "mask.user"), (self.sources.r2_maps, "sources.r2"))
        return {path: key for path, key in given if path}


class Demo(Parameters):
    """The built-in cohort."""

    participants: int = Field(38, ge=2, le=38, description="patients: the first n of the plan")
    controls: int = Field(
        0,
        ge=0,
        le=38,
        description="controls beside them, of like age and sex, without the planted effects; with "
        "roles and a contrast of patients and controls where roles are not given",
    )
    voxel_size: float = Field(2.0, ge=0.8, le=4.0, description="edge of a voxel (mm)")
    visits: int = Field(1, ge=1, le=4, description="visits of each patient")

    @model_validator(mode="after")
    def _either(self) -> Demo:
        if self.controls and self.visits > 1:
            raise ValueError("expected controls or several visits, since the demo plans no both")
        return self


class AcquisitionSettings(Parameters):
    """What sidecars and headers may leave open."""

    phase_units: Literal[PHASE_UNITS] = Field(  # type: ignore[valid-type]
        "declared", description="declared: by the sidecars' Units and Manufacturer"
    )
    phase_units_of: dict[str, Literal[PHASE_UNITS]] = Field(  # type: ignore[valid-type]
        default_factory=dict,
        description="units of single scans in place of phase_units, by participant (sub-01), "
        "session (sub-01/ses-1) or a pattern of them (sub-2*)",
    )
    b0_direction: B0Setting = Field(
        "affine",
        description="where B0 points in the GRE: affine, z of its sform, or of its qform where the "
        "sform has no code; sform or qform, z of that form, which is then taken for the "
        "scanner's; or [x, y, z] along the voxel axes as stored, such as [0, 0.34, 0.94]",
    )
    b0_direction_of: dict[str, B0Setting] = Field(
        default_factory=dict,
        description="b0_direction of single scans, named as under phase_units_of",
    )

    def units_of(self, folder: str) -> str:
        """The unit of the phase of the scan in ``folder`` (``sub-X`` or ``sub-X/ses-Y``)."""
        return setting_of_scan(folder, self.phase_units, self.phase_units_of)

    def b0_of(self, folder: str) -> str | tuple[float, float, float]:
        """How the direction of B0 is told for the scan in ``folder``."""
        return setting_of_scan(folder, self.b0_direction, self.b0_direction_of)


TISSUES = "tissues"
"""The image of an atlas whose regions are each subject's own tissue classes."""


SHIPPED_ATLAS = "DK"
"""The atlas of the shipped configuration, which stays the first unless it is removed."""


class Atlas(Parameters):
    """Regions: an atlas' labels, or each subject's own segmentation."""

    image: ConfigPath | None = Field(
        None,
        description="NIfTI of labels in the space of the template; null: Desikan-Killiany; "
        "tissues: the grey and white matter and fluid of each subject's T1w",
    )
    label_table: ConfigPath = Field(
        description="TSV with index, name[, hemisphere, structure, members]"
    )
    template: ConfigPath | None = Field(
        None,
        description="T1w image that the labels belong to, with or without skull; null: "
        "MNI152NLin2009aSym",
    )
    segmentation: str | None = Field(
        None,
        description="subjects' own labels in place of the image: their path, absolute or below "
        "bids_dir, with {subject}, {session}, {folder} and {entities} in it, such as "
        "derivatives/freesurfer/sub-{subject}/mri/aparc+aseg.mgz; a scan without the file takes "
        "the image",
    )
    segmentation_space: Literal["T1w", "GRE"] = Field(
        "T1w", description="the scan in whose scanner coordinates the segmentation lies"
    )
    segmentation_required: bool = Field(
        False, description="stop where a scan has no segmentation, instead of taking the image"
    )
    colour_table: ConfigPath | None = Field(
        None,
        description="names of the segmentation's numbers (FreeSurferColorLUT.txt or TSV), which "
        "are matched with the label table's; null: the numbers are those of the label table",
    )

    @field_validator("segmentation")
    @classmethod
    def _template_of_paths(cls, path: str | None) -> str | None:
        return None if path is None else image_template(expanded(path))

    @model_validator(mode="after")
    def _one_source(self) -> Atlas:
        if self.image == TISSUES and (self.template or self.segmentation):
            raise ValueError("expected no template and no segmentation beside the image tissues")
        if self.template and self.image is None:
            raise ValueError("expected an image beside the template that it belongs to")
        return self


class Multiverse(AnalysisChoices):
    """Other defensible choices: every combination of them is a branch of the analysis."""

    covariates: tuple[tuple[str, ...], ...] = Field(
        ((), ("age",)), description="other sets of covariates"
    )
    metrics: dict[str, tuple[str, ...]] = Field(
        {
            "susceptibility": ("chi_median", "chi_trimmed_mean"),
            "distribution": ("chi_iqr",),
            "iron_deposits": ("deposit_volume", "deposit_mass"),
            "paramagnetic": ("chi_para_median",),
            "diamagnetic": ("chi_dia_median",),
        },
        description="other metrics of an outcome family, beside its primary one",
    )
    reference: tuple[Reference, ...] = Field(
        (Reference(region="csf"),), description="other references of χ"
    )
    regions: tuple[dict[str, Any], ...] = Field(
        ({"deep_erosion": 2},), description="changes of the block regions"
    )
    iron: tuple[dict[str, Any], ...] = Field(
        (), description="changes of the block iron, such as {deposit_percentile: 90}"
    )
    reconstruction: ReconstructionChoices = ReconstructionChoices()


class Threads(Parameters):
    """Threads of one job."""

    registration: int = Field(1, ge=1, le=64, description="of a registration")
    reconstruction: int = Field(1, ge=1, le=64, description="of a stage of reconstruction")
    statistics: int = Field(1, ge=1, le=64, description="of a job of the group results")


class Config(StudyDesign):
    """The whole configuration; contrasts, scores, covariates and statistics are the design's."""

    bids_dir: ConfigPath | None = Field(
        None, description="BIDS data set with MEGRE and T1w; null: the demo cohort"
    )
    results_dir: ConfigPath = Field("results", description="folder of the results")
    clinical_table: ConfigPath | None = Field(
        None, description="TSV with one row per participant; null: the data set's participants.tsv"
    )
    clinical_ranges: Ranges = Field(
        default_factory=dict,
        description="allowed [lowest, highest] of clinical columns, in place of the usual ones",
    )
    participant_label: Labels = Field(
        default_factory=list, description="only these participants; empty: all"
    )
    session_label: Labels = Field(
        default_factory=list, description="only these sessions; empty: all"
    )
    exclude: Labels = Field(default_factory=list, description="participants to leave out")
    select: Selected = Field(
        default_factory=dict,
        description="which of several GRE acquisitions of a session is taken, by entities of its "
        "name such as {acq: highres, run: 1}, or by suffix (MEGRE, T2starw); a session without "
        "the label gives what has no such entity",
    )
    select_t1w: Selected = Field(
        default_factory=dict, description="which of several T1w images, such as {acq: mprage}"
    )
    analysis_only: bool = Field(False, description="start from regions_table, without images")
    regions_table: ConfigPath | None = Field(
        None, description="where analysis_only starts; null: group/regions.tsv of the results"
    )
    demo: Demo = Demo()
    acquisition: AcquisitionSettings = AcquisitionSettings()
    maps: MapSettings = MapSettings()
    reconstruction: Reconstruction = Reconstruction()
    variants: dict[str, dict[str, Any]] = Field(default_factory=lambda: {"main": {}})
    registration: Registration = Registration()
    atlases: dict[str, Atlas]
    regions: SelectionParameters = SelectionParameters()
    iron: IronParameters = IronParameters()
    target_maps: bool = Field(
        False,
        description="whether every run makes the maps in the template's space, at 1 mm, with the "
        "mask that all scans share; otherwise only the target target_maps does",
    )
    multiverse: Multiverse = Multiverse()
    on_subject_failure: Literal["stop", "exclude"] = Field(
        "stop",
        description="when a job of a scan fails, the other scans are finished; then stop: the run "
        "ends without the results of the cohort; exclude: these are made without the scan",
    )
    threads: Threads = Threads()

    @field_validator("atlases", "variants", mode="before")
    @classmethod
    def _without_null(cls, entries: Any) -> Any:
        return without_nothing(entries)

    @field_validator("atlases")
    @classmethod
    def _in_order(cls, atlases: dict[str, Atlas]) -> dict[str, Atlas]:
        # Figures show the first. Snakemake puts what a user's file adds before what it extends.
        def rank(name: str) -> int:
            return 2 if atlases[name].image == TISSUES else int(name != SHIPPED_ATLAS)

        return {name: atlases[name] for name in sorted(atlases, key=rank)}

    @field_validator("variants", "atlases")
    @classmethod
    def _named(cls, entries: dict[str, Any]) -> dict[str, Any]:
        for name in entries:
            if not LABEL.fullmatch(name):
                raise ValueError(f"names of letters and digits only; {name!r} is none")
        return entries

    @field_validator("variants")
    @classmethod
    def _one_at_least(cls, variants: dict[str, Any]) -> dict[str, Any]:
        if not variants:
            raise ValueError("one variant at least, such as main: {}")
        return variants


def load_config(values: dict[str, Any]) -> Config:
    """Validate a configuration, and the parameters of every method that a variant uses.

    Raises
    ------
    InputError
        Naming each unknown key and each value out of range.
    """
    try:
        config = Config.model_validate(values)
    except ValidationError as error:
        raise explain(error, CONFIG_NAME, Config) from error
    where = f"{CONFIG_NAME}, registration.parameters"
    parse_parameters(RegistrationParameters, config.registration.parameters, where)
    for label in config.variants:
        check_methods(variant(config, label), f"{CONFIG_NAME}, variants.{label}")
    return config


def variant(config: Config, label: str) -> Reconstruction:
    """The reconstruction chain of a variant: the common chain with the variant's changes."""
    return changed_chain(config.reconstruction, config.variants[label], f"variants.{label}")


def changed_chain(
    chain: Reconstruction, changed: Mapping[str, dict[str, Any]], where: str
) -> Reconstruction:
    """A chain with other methods or parameters in some stages; ``where`` is the config's block.

    Raises
    ------
    InputError
        For an unknown stage, or a stage's value that is not allowed.
    """
    values = chain.model_dump()
    for stage, changes in changed.items():
        if stage not in values:
            raise InputError(
                Problem(
                    f"{CONFIG_NAME}, {where}.{stage}",
                    "a key that does not exist",
                    f"one of {', '.join(values)}",
                    "Correct the name of the stage.",
                )
            )
        if "method" in changes and changes["method"] != values[stage].get("method"):
            # The parameters of another method mean nothing to this one.
            kept = {key: value for key, value in values[stage].items() if key != "parameters"}
            values[stage] = {**kept, **changes}
        else:
            values[stage] = {**values[stage], **changes}
    try:
        return Reconstruction.model_validate(values)
    except ValidationError as error:
        raise explain(error, f"{CONFIG_NAME}, {where}", Reconstruction) from error


def check_methods(chain: Reconstruction, where: str) -> None:
    """Raise :class:`InputError` for an unknown method, or parameters that it does not take."""
    parse_parameters(GreMaskParameters, chain.mask.parameters, f"{where}, mask.parameters")
    for stage, registry in STAGES.items():
        step = getattr(chain, stage)
        model, _ = get_method(registry, step.method, f"{where}, {stage}.method").load()
        parse_parameters(model, step.parameters, f"{where}, {stage}.parameters")
