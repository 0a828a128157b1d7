"""Quality of each scan: what was measured on the way, and what deserves a look.

Flags never exclude anybody by themselves; a scan without any region is not used because there is
nothing to use. Where registration gave up, its ``registration.json`` holds only ``failed``, the
reason, and the scan has no regions. A scan of which a job failed has a row that says so, and why.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from .acquisition import b0_direction, field_strength, read_sidecar
from .b0 import SIDECAR_FIELD
from .errors import InputError
from .failures import Failure
from .parameters import Parameters
from .results import Results
from .shared_columns import WITHOUT_T1W
from .volumes import Volume, read_json, read_mask, read_volume, sidecar_path

PLAUSIBLE_CHI_PPB: dict[str, tuple[float, float]] = {
    "pallidum": (110, 190),
    "putamen": (40, 100),
    "caudate": (25, 70),
    "thalamus": (-10, 25),
    "hippocampus": (-15, 15),
    "amygdala": (-25, 15),
}
"""Usual mean χ at 3 T around the age of 60 (ppb); outside it a scan is worth a look."""

IRON_RICH = ("pallidum", "putamen", "caudate")
"""Nuclei whose χ is above that of the brain as a whole in every adult."""

TISSUES = ("tissues", "tissues" + WITHOUT_T1W)
"""Sources of labels of whole tissues (brain, grey matter …), which do not count as regions."""

REGISTRATION_NUMBERS = (
    "registration_similarity",
    "gre_similarity",
    "gre_sharpness",
    "brain_overlap",
    "rotation",
    "translation",
    "jacobian_min",
    "jacobian_max",
)
"""What the quality table shows of ``registration.json``."""


READY_MAP = "ready map"
"""``chi_source`` of a scan whose χ was made elsewhere."""

NO_PHASE = "no phase: left out"
"""Flag of a scan that has magnitude images alone."""


FEW_ECHOES = {1: "one echo: no R2*, no χ⁺ and χ⁻", 2: "two echoes: no χ⁺ and χ⁻"}
"""Flags of scans with fewer echoes than the maps of relaxation take."""


class QualityParameters(Parameters):
    """When something is flagged."""

    registration_similarity: float = Field(
        0.45, description="least local correlation of T1w and template"
    )
    gre_sharpness: float = Field(
        2.2,
        description="least mutual information of T1w and GRE, over its mean when one is 6 mm off",
    )
    brain_overlap: float = Field(0.9, description="least Dice of the T1w's and template's brain")
    brain_in_gre: float = Field(0.95, description="least fraction of the brain in the GRE's view")
    reliable_fraction: float = Field(0.7, description="least reliable mask / brain mask")
    coverage: float = Field(0.5, description="least coverage of a region")
    motion: float = Field(10.0, description="largest motion between T1w and GRE (mm)")
    rotation: float = Field(10.0, description="largest rotation between T1w and GRE (degrees)")
    volume_z: float = Field(5.0, description="largest |z| of a region's volume in the cohort")
    brain_volume: tuple[float, float] = Field((900, 2000), description="brain mask (mL)")
    alternating_phase: float = Field(
        0.2,
        description="largest phase that even and odd echoes disagree by, across the brain (rad); "
        "monopolar readouts have below 0.05, and 0.2 makes an error of 8 ppb in the field",
    )
    plausibility_slack: float = Field(15.0, description="beyond the usual range of χ (ppb)")


@dataclass(frozen=True)
class ScanRecord:
    """What the jobs of one scan left behind.

    ``brain`` and ``reliable`` are masks on the grid with the affine ``grid``, ``noise`` the SD of
    the total field's noise (ppm) on it (None of a ready map); ``reference`` the
    fields of the χ map's sidecar; ``registration`` is empty without a T1w and holds ``failed``,
    the reason, where it gave up; ``regions`` holds the scan's rows of the regions table (n/a as
    NaN), ``volumes`` those of :func:`.volume_outliers.volume_scores` (None: not compared).
    ``b0_direction`` is the one that was used, along the array axes (None: z of ``grid``);
    ``field_map`` holds the fields of the field map's sidecar.
    """

    participant_id: str
    session: str | None
    desc: str
    n_echoes: int
    field_strength: float
    grid: np.ndarray
    brain: np.ndarray
    reliable: np.ndarray
    noise: np.ndarray | None
    reference: Mapping[str, Any]
    registration: Mapping[str, Any]
    regions: pd.DataFrame
    volumes: pd.DataFrame | None = None
    b0_direction: Sequence[float] | None = None
    field_map: Mapping[str, Any] = field(default_factory=dict)


def read_scan(
    paths: Results,
    n_echoes: int,
    sidecar: str,
    regions: pd.DataFrame,
    volumes: pd.DataFrame | None = None,
) -> ScanRecord:
    """Read what the jobs of the scan at ``paths`` left behind.

    ``sidecar`` is the JSON beside its first magnitude echo, or ready map, which may inherit others,
    ``regions``
    the cohort's regions table, ``volumes`` the volume scores of the whole cohort.
    """
    participant, _, session = paths.folder.partition("/")
    session = session.removeprefix("ses-") or None

    def own(table: pd.DataFrame) -> pd.DataFrame:
        mine = (table["participant_id"] == participant) & (table["desc"] == paths.desc)
        return table[mine & (table["session"] == session)] if session else table[mine]

    registered = Path(paths.registration_quality)
    reference = read_json(sidecar_path(paths.chi))
    ready = _is_ready(reference)
    brain = read_volume(paths.brain_mask)
    return ScanRecord(
        participant_id=participant,
        session=session,
        desc=paths.desc,
        n_echoes=n_echoes,
        field_strength=_b0(sidecar, ready),
        grid=brain.affine,
        brain=brain.data > 0.5,
        reliable=read_mask(paths.reliable_mask, like=brain),
        noise=None if ready else read_volume(paths.field_noise, finite=False).data,
        reference=reference,
        registration=read_json(registered) if registered.exists() else {},
        regions=own(regions),
        volumes=None if volumes is None else own(volumes),
        b0_direction=_described(paths.reliable_mask).get(SIDECAR_FIELD),
        field_map={} if ready else _described(paths.field_noise),
    )


def _is_ready(described: Mapping[str, Any]) -> bool:
    """Whether a map of χ was made elsewhere, by its sidecar."""
    steps = described.get("EstimationAlgorithm")
    return isinstance(steps, Mapping) and "ready_map" in steps


def _b0(sidecar: str, ready: bool) -> float:
    """B0 (T); NaN where nothing beside a ready map tells it."""
    try:
        return field_strength(read_sidecar(sidecar), sidecar)
    except InputError:
        if not ready:
            raise
        return np.nan


def _described(image: str) -> dict[str, Any]:
    """The sidecar of a result; empty where an earlier version wrote none."""
    path = sidecar_path(image)
    return read_json(path) if path.exists() else {}


def quality_row(scan: ScanRecord, parameters: QualityParameters) -> dict[str, Any]:
    """The scan's row of the quality table (columns as :data:`.tables.TABLES` declares them)."""
    voxel_ml = float(np.prod(Volume(scan.brain, scan.grid).voxel_size)) / 1000
    regions = scan.regions[~scan.regions["labels_source"].isin(TISSUES)]
    chi = regions[regions["metric"] == "chi_mean"]
    measured = chi.dropna(subset="value")
    pallida = measured.loc[measured["region"] == "pallidum", "value"]
    row: dict[str, Any] = {
        "participant_id": scan.participant_id,
        "session": scan.session,
        "desc": scan.desc,
        "labels_source": ", ".join(sorted(regions["labels_source"].dropna().unique())) or np.nan,
        "chi_source": READY_MAP if _is_ready(scan.reference) else "phase",
        "n_echoes": scan.n_echoes or np.nan,
        "field_strength": scan.field_strength,
        "obliquity": obliquity(scan.grid, scan.b0_direction),
        "brain_volume": scan.brain.sum() * voxel_ml,
        "reliable_fraction": (scan.reliable & scan.brain).sum() / max(scan.brain.sum(), 1),
        "field_noise": np.nan if scan.noise is None else _median(scan.noise[scan.brain]),
        "alternating_slope": _number(scan.field_map, "AlternatingPhaseSlope"),
        "alternating_constant": _number(scan.field_map, "AlternatingPhaseConstant"),
        "reference_mean": scan.reference.get("ReferenceMean"),
        "reference_sd": scan.reference.get("ReferenceSD"),
        "reference_volume": scan.reference.get("ReferenceVolume"),
        "n_regions": len(measured),
        "min_coverage": chi["coverage"].min() if len(chi) else np.nan,
        "pallidum_chi": pallida.mean() if len(pallida) else np.nan,
    }
    row |= {key: _number(scan.registration, key) for key in REGISTRATION_NUMBERS}
    row |= _volume_numbers(scan.volumes, parameters.volume_z)
    flags = list(_flags(row, scan, measured, parameters))
    row["flags"] = "; ".join(flags) or np.nan
    row["used"] = "yes" if len(measured) else "no"
    return row


def row_without_phase(folder: str, desc: str) -> dict[str, Any]:
    """The row of a scan that is left out because it has no phase; ``folder`` as ``Scan`` has it."""
    participant, _, session = folder.partition("/")
    return {
        "participant_id": participant,
        "session": session.removeprefix("ses-") or None,
        "desc": desc,
        "used": "no",
        "flags": NO_PHASE,
    }


def failed_row(failure: Failure, desc: str) -> dict[str, Any]:
    """The row of a scan that is left out because a job failed."""
    return {
        "participant_id": failure.participant_id,
        "session": failure.session,
        "desc": desc,
        "used": "no",
        "flags": _as_flag(f"{failure.rule} failed: {failure.reason} (log: {failure.log})"),
    }


def obliquity(affine: np.ndarray, direction: Sequence[float] | None = None) -> float:
    """Angle (degrees) between the slices' normal, the third array axis, and B0.

    ``direction`` is B0 along the array axes, where it is not the z of the affine.
    """
    along = b0_direction(affine) if direction is None else direction
    return float(np.degrees(np.arccos(min(1.0, abs(along[2])))))


def _median(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(np.median(values)) if values.size else np.nan


def _number(registration: Mapping[str, Any], key: str) -> float:
    value = registration.get(key)
    return np.nan if value is None else float(value)


def _volume_numbers(volumes: pd.DataFrame | None, limit: float) -> dict[str, float]:
    judged = pd.Series(dtype=float) if volumes is None else volumes["z"].dropna()
    if judged.empty:
        return {"volume_outliers": np.nan, "largest_volume_z": np.nan}
    return {
        "volume_outliers": int((judged.abs() > limit).sum()),
        "largest_volume_z": judged.loc[judged.abs().idxmax()],
    }


def _flags(
    row: Mapping[str, Any], scan: ScanRecord, measured: pd.DataFrame, limits: QualityParameters
) -> Iterator[str]:
    if not scan.registration:
        # a segmentation drawn on the GRE gives regions without any registration
        yield "no T1w: no regions" if measured.empty else "no registration"
    elif "failed" in scan.registration:
        yield _as_flag(f"registration failed: {scan.registration['failed']}")
    else:
        yield from _registration_flags(scan.registration, limits)
    if not _is_ready(scan.reference) and (missing := FEW_ECHOES.get(scan.n_echoes)):
        yield missing
    low, high = limits.brain_volume
    if not low <= row["brain_volume"] <= high:
        yield f"brain volume {row['brain_volume']:.0f} mL"
    if row["reliable_fraction"] < limits.reliable_fraction:
        yield f"reliable mask covers {row['reliable_fraction']:.0%} of the brain"
    if _is_ready(scan.reference):
        if inverted := _inverted(measured, _white_matter(scan.regions)):
            yield (
                f"susceptibility of the wrong sign: {inverted}, not above white matter, so see "
                "whether the ready map is to be multiplied by -1"
            )
    elif inverted := _inverted(measured):
        yield (
            f"susceptibility of the wrong sign: {inverted}, so turn that of "
            "reconstruction.field_map.parameters.phase_sign (1 by default)"
        )
    if flag := _readout_flag(row, scan.field_map, limits.alternating_phase):
        yield flag
    poor = measured[measured["coverage"] < limits.coverage]
    if len(poor):
        yield f"coverage below {limits.coverage:g}: " + _listed(_names(poor))
    if row["volume_outliers"] > 0:
        yield _volume_flag(scan.volumes, limits.volume_z)
    for region, (lowest, highest) in PLAUSIBLE_CHI_PPB.items():
        ppb = measured.loc[measured["region"] == region, "value"].mean() * 1000
        slack = limits.plausibility_slack
        if not np.isnan(ppb) and not lowest - slack <= ppb <= highest + slack:
            yield f"{region} {ppb:.0f} ppb (usual {lowest:g} to {highest:g})"


def _readout_flag(row: Mapping[str, Any], field_map: Mapping[str, Any], limit: float) -> str:
    """What an undeclared bipolar readout leaves; once it is removed, next to nothing is left."""
    slope, constant = row["alternating_slope"], row["alternating_constant"]
    if not (slope > limit or constant > limit):
        return ""
    text = (
        f"even and odd echoes disagree by {slope:.2f} rad across the brain and {constant:.2f} rad "
        "on average"
    )
    parameters = field_map.get("Parameters")
    if isinstance(parameters, Mapping) and parameters.get("readout") == "bipolar":
        return f"{text}, though the readout is taken for bipolar"
    return (
        f"{text}, as a bipolar readout does: if so, set "
        "reconstruction.field_map.parameters.readout: bipolar"
    )


def _inverted(measured: pd.DataFrame, base: float = 0.0) -> str:
    """The iron-rich nuclei with their χ where it is below ``base`` (ppb) in all; one alone may be
    calcified.
    """
    ppb = measured.groupby("region")["value"].mean().reindex(IRON_RICH).dropna() * 1000
    if ppb.empty or (ppb > base).any():
        return ""
    return ", ".join(f"{region} {value:.0f} ppb" for region, value in ppb.items())


def _white_matter(regions: pd.DataFrame) -> float:
    """Mean χ of white matter (ppb), by which the reference of a map does not matter; else 0."""
    rows = regions[regions["labels_source"].isin(TISSUES) & (regions["metric"] == "chi_mean")]
    ppb = rows.loc[rows["region"] == "white_matter", "value"].dropna() * 1000
    return float(ppb.mean()) if len(ppb) else 0.0


def _as_flag(text: str) -> str:
    """One flag, one line: the table separates flags by semicolons."""
    return " ".join(text.replace(";", ",").split())


def _registration_flags(found: Mapping[str, Any], limits: QualityParameters) -> Iterator[str]:
    by_headers, without_t1w = (bool(found.get(key)) for key in ("by_headers", "without_t1w"))
    if without_t1w:
        yield "no T1w: labels by R2* and χ, less exact"
    if by_headers:
        yield "T1w and map lie as their headers say: no magnitude tells"
    similarity, sharpness = (
        _number(found, key) for key in ("registration_similarity", "gre_sharpness")
    )
    if not similarity >= limits.registration_similarity:
        yield f"T1w and template agree poorly (local r = {similarity:.2f})"
    if not (by_headers or without_t1w or sharpness >= limits.gre_sharpness):
        yield f"T1w and GRE agree little better than 6 mm apart (by a factor of {sharpness:.1f})"
    if (overlap := _number(found, "brain_overlap")) < limits.brain_overlap:
        yield f"the brains of T1w and template overlap poorly (Dice {overlap:.2f})"
    if _number(found, "jacobian_min") <= 0:
        yield "the template's deformation folds"
    if (covered := _number(found, "brain_in_gre")) < limits.brain_in_gre:
        yield f"the GRE covers {covered:.0%} of the brain"
    if (distance := _number(found, "translation")) > limits.motion:
        yield f"T1w and GRE lie {distance:.0f} mm apart"
    if (angle := _number(found, "rotation")) > limits.rotation:
        yield f"T1w and GRE are turned by {angle:.0f} degrees"


def _volume_flag(volumes: pd.DataFrame, limit: float) -> str:
    odd = volumes[volumes["z"].abs() > limit]
    odd = odd.loc[odd["z"].abs().sort_values(ascending=False, kind="stable").index]
    names = [f"{name} (z = {z:.1f})" for name, z in zip(_names(odd), odd["z"], strict=True)]
    count = "1 region" if len(odd) == 1 else f"{len(odd)} regions"
    return f"{count} of unusual volume: " + _listed(names)


def _names(rows: pd.DataFrame) -> list[str]:
    return [f"{row.hemisphere} {row.region}" for row in rows.itertuples()]


def _listed(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
