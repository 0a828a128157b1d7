"""Quality of each scan: what was measured on the way, and what deserves a look.

Flags never exclude anybody by themselves; a scan without any region is not used because there is
nothing to use.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pydantic import Field

from .acquisition import b0_direction, field_strength
from .bids import Results
from .parameters import Parameters
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


class QualityParameters(Parameters):
    """When something is flagged."""

    registration_similarity: float = Field(0.7, description="least correlation of T1w, template")
    gre_similarity: float = Field(0.2, description="least mutual information of T1w, GRE (nats)")
    brain_in_gre: float = Field(0.95, description="least fraction of the brain in the GRE's view")
    reliable_fraction: float = Field(0.7, description="least reliable mask / brain mask")
    coverage: float = Field(0.5, description="least coverage of a region")
    motion: float = Field(10.0, description="largest motion between T1w and GRE (mm)")
    brain_volume: tuple[float, float] = Field((900, 2000), description="brain mask (mL)")
    plausibility_slack: float = Field(15.0, description="beyond the usual range of χ (ppb)")


@dataclass(frozen=True)
class ScanRecord:
    """What the jobs of one scan left behind.

    ``chi`` carries only the grid; ``brain`` and ``reliable`` are masks on it; ``reference`` the
    fields of the χ map's sidecar; ``registration`` is empty without a T1w; ``regions`` holds the
    scan's rows of the regions table (n/a as NaN).
    """

    participant_id: str
    session: str | None
    desc: str
    n_echoes: int
    field_strength: float
    grid: np.ndarray
    brain: np.ndarray
    reliable: np.ndarray
    reference: Mapping[str, Any]
    registration: Mapping[str, float]
    regions: pd.DataFrame


def read_scan(paths: Results, n_echoes: int, sidecar: str, regions: pd.DataFrame) -> ScanRecord:
    """Read what the jobs of the scan at ``paths`` left behind.

    ``sidecar`` is the JSON of its first magnitude echo, ``regions`` the cohort's regions table.
    """
    participant, _, session = paths.folder.partition("/")
    session = session.removeprefix("ses-") or None
    rows = regions[(regions["participant_id"] == participant) & (regions["desc"] == paths.desc)]
    if session:
        rows = rows[rows["session"] == session]
    registered = Path(paths.registration_quality)
    brain = read_volume(paths.brain_mask)
    return ScanRecord(
        participant_id=participant,
        session=session,
        desc=paths.desc,
        n_echoes=n_echoes,
        field_strength=field_strength(read_json(sidecar), sidecar),
        grid=brain.affine,
        brain=brain.data > 0.5,
        reliable=read_mask(paths.reliable_mask, like=brain),
        reference=read_json(sidecar_path(paths.chi)),
        registration=read_json(registered) if registered.exists() else {},
        regions=rows,
    )


def quality_row(scan: ScanRecord, parameters: QualityParameters) -> dict[str, Any]:
    """The scan's row of the quality table (columns as :data:`.tables.TABLES` declares them)."""
    voxel_ml = float(np.prod(Volume(scan.brain, scan.grid).voxel_size)) / 1000
    chi = scan.regions[scan.regions["metric"] == "chi_mean"]
    measured = chi.dropna(subset="value")
    pallida = measured.loc[measured["region"] == "pallidum", "value"]
    row: dict[str, Any] = {
        "participant_id": scan.participant_id,
        "session": scan.session,
        "desc": scan.desc,
        "n_echoes": scan.n_echoes,
        "field_strength": scan.field_strength,
        "obliquity": obliquity(scan.grid),
        "brain_volume": scan.brain.sum() * voxel_ml,
        "reliable_fraction": (scan.reliable & scan.brain).sum() / max(scan.brain.sum(), 1),
        "reference_mean": scan.reference.get("ReferenceMean"),
        "reference_sd": scan.reference.get("ReferenceSD"),
        "reference_volume": scan.reference.get("ReferenceVolume"),
        "n_regions": len(measured),
        "min_coverage": chi["coverage"].min() if len(chi) else np.nan,
        "pallidum_chi": pallida.mean() if len(pallida) else np.nan,
    }
    for key in ("registration_similarity", "gre_similarity", "jacobian_min", "jacobian_max"):
        row[key] = scan.registration.get(key, np.nan)
    flags = list(_flags(row, scan, measured, parameters))
    row["flags"] = "; ".join(flags) or np.nan
    row["used"] = "yes" if len(measured) else "no"
    return row


def obliquity(affine: np.ndarray) -> float:
    """Angle (degrees) between the slices' normal, the third array axis, and B0."""
    return float(np.degrees(np.arccos(min(1.0, abs(b0_direction(affine)[2])))))


def _flags(
    row: Mapping[str, Any], scan: ScanRecord, measured: pd.DataFrame, limits: QualityParameters
) -> Any:
    if not scan.registration:
        yield "no T1w: no regions"
    else:
        yield from _registration_flags(scan.registration, limits)
    low, high = limits.brain_volume
    if not low <= row["brain_volume"] <= high:
        yield f"brain volume {row['brain_volume']:.0f} mL"
    if row["reliable_fraction"] < limits.reliable_fraction:
        yield f"reliable mask covers {row['reliable_fraction']:.0%} of the brain"
    if row["pallidum_chi"] <= 0:
        yield "pallidum not positive: wrong sign of the phase?"
    poor = measured[measured["coverage"] < limits.coverage]
    if len(poor):
        yield f"coverage below {limits.coverage:g}: " + _names(poor)
    for region, (lowest, highest) in PLAUSIBLE_CHI_PPB.items():
        ppb = measured.loc[measured["region"] == region, "value"].mean() * 1000
        slack = limits.plausibility_slack
        if not np.isnan(ppb) and not lowest - slack <= ppb <= highest + slack:
            yield f"{region} {ppb:.0f} ppb (usual {lowest:g} to {highest:g})"


def _registration_flags(measured: Mapping[str, float], limits: QualityParameters) -> Any:
    similarity = measured["registration_similarity"]
    if not similarity >= limits.registration_similarity:
        yield f"T1w and template agree poorly (r = {similarity:.2f})"
    if not measured["gre_similarity"] >= limits.gre_similarity:
        yield f"T1w and GRE agree poorly ({measured['gre_similarity']:.2f} nats)"
    if measured["jacobian_min"] <= 0:
        yield "the template's deformation folds"
    if measured["brain_in_gre"] < limits.brain_in_gre:
        yield f"the GRE covers {measured['brain_in_gre']:.0%} of the brain"
    if measured["translation"] > limits.motion:
        yield f"T1w and GRE lie {measured['translation']:.0f} mm apart"


def _names(rows: pd.DataFrame) -> str:
    names = [f"{row.hemisphere} {row.region}" for row in rows.itertuples()]
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
