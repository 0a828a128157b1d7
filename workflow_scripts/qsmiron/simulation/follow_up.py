"""A further visit of a simulated patient: the same head at another place, changed where planned.

Susceptibility belongs to the head and not to a grid: texture, veins and deposits are those of the
first visit, looked up where each voxel of the new grid lies, and the mean of every region on its
true labels is that of the first visit plus the planned change. So two visits without change have
the same true regional χ to rounding. Position, grids and noise are the visit's own.
"""

from __future__ import annotations

import csv
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from scipy import ndimage

from ..errors import InputError, Problem
from ..spaces import apply_affine, grid_points
from .anatomy import AnatomyParameters, Tissues, rigid_motion
from .atlas_regions import is_deep, label
from .change import PLANTED_RATES
from .sources import Sources
from .subject import (
    Brain,
    PlanRow,
    SimulatedSubject,
    check_voxel_size,
    first_brain,
    image_subject,
)
from .susceptibility import PPB, SusceptibilityParameters

POSITION_SD = 4.0
"""SD of the head's position between visits, per axis (mm and degrees)."""


@dataclass(frozen=True)
class VisitRow:
    """A further visit of the plan: when it is, and what has changed until then.

    ``months`` since the first visit; ``rates`` by (region, hemisphere), ppm per year.
    """

    session: str
    seed: int
    months: float
    rates: Mapping[tuple[str, str], float] = field(default_factory=dict)


def read_visits(path: str | Path) -> dict[tuple[str, str], VisitRow]:
    """Read a plan of visits (TSV), by participant_id and session.

    Raises
    ------
    InputError
        If a column is missing or a cell is not a number.
    """
    rows = {}
    columns = {rate.plan_column: (rate.region, rate.hemisphere) for rate in PLANTED_RATES}
    for row in _rows(path):
        try:
            who, session = row["participant_id"], row["session"]
            numbers = {key: float(row[key]) for key in ("seed", "months_since_baseline", *columns)}
        except (KeyError, ValueError) as error:
            found, remedy = str(error), "Restore the plan: python workflow_scripts/plan_cohort.py"
            raise InputError(Problem(str(path), found, "a plan of visits", remedy)) from error
        rates = {cell: numbers[column] for column, cell in columns.items()}
        months, seed = numbers["months_since_baseline"], int(numbers["seed"])
        rows[who, session] = VisitRow(session, seed, months, rates)
    return rows


def _rows(path: str | Path) -> list[dict[str, str]]:
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file, delimiter="\t"))
    except OSError as error:
        found, remedy = str(error.strerror), "Check the path."
        raise InputError(Problem(str(path), found, "a plan of visits", remedy)) from error


def simulate_visit(
    plan: PlanRow,
    visit: VisitRow,
    voxel_size: float = 2.0,
    threads: int = 1,
    anatomy: AnatomyParameters | None = None,
) -> SimulatedSubject:
    """Simulate a further visit of a patient; parameters as of :func:`.subject.simulate_subject`."""
    check_voxel_size(voxel_size)
    anatomy = anatomy or AnatomyParameters()
    first = first_brain(plan, voxel_size, anatomy)
    grid_rng, signal_rng, t1w_rng = _streams(visit)
    position = rigid_motion(grid_rng, POSITION_SD)
    motion = rigid_motion(grid_rng, anatomy.motion_sd)

    def brain_at(wide: Tissues) -> tuple[np.ndarray, Sources]:
        return carry(first, wide, position @ motion, visit)

    return image_subject(
        first.head_map, position, motion, brain_at, voxel_size, grid_rng, signal_rng, t1w_rng,
        threads,
    )  # fmt: skip


def head_position(visit: VisitRow) -> np.ndarray:
    """Takes mm of the visit's T1w to mm of the first visit's (4, 4)."""
    return rigid_motion(_streams(visit)[0], POSITION_SD)


def _streams(visit: VisitRow) -> list[np.random.Generator]:
    """Of grids and places, of the signal's noise, of the T1w's."""
    return [np.random.default_rng(seed) for seed in np.random.SeedSequence(visit.seed).spawn(3)]


def carry(
    first: Brain, tissues: Tissues, to_head: np.ndarray, visit: VisitRow
) -> tuple[np.ndarray, Sources]:
    """χ (X, Y, Z; ppm) and sources of the first visit's brain on the grid of ``tissues``.

    ``to_head`` (4, 4) takes mm of that grid to mm of the head.
    """
    place = np.linalg.inv(first.tissues.affine) @ np.linalg.inv(first.motion) @ to_head
    index = apply_affine(place, grid_points(tissues.brain.shape, tissues.affine)[tissues.brain])
    last = np.array(first.tissues.brain.shape) - 1
    nearest = tuple(np.clip(np.rint(index).astype(int), 0, last).T)
    # a voxel at the surface may lie just outside the first visit's brain
    inner = ndimage.distance_transform_edt(
        ~first.tissues.brain, return_distances=False, return_indices=True
    )
    nearest = tuple(axis[nearest] for axis in inner)

    def carried(values: np.ndarray) -> np.ndarray:
        whole = np.zeros(tissues.brain.shape, np.float32)
        whole[tissues.brain] = values[nearest]
        return whole

    rest = first.chi - _tissue_chi(first.tissues)
    there = first.tissues.labels[nearest]
    count = np.bincount(first.tissues.labels[first.tissues.brain])
    values = rest[nearest].astype(float)
    mean = _region_means(rest, first.tissues, len(count))
    labels = tissues.labels[tissues.brain]
    values = np.where(there == labels, values, mean[labels])
    chi = _tissue_chi(tissues)
    chi[tissues.brain] += values.astype(np.float32)
    wanted = _region_means(first.chi, first.tissues, len(count))
    for (region, hemisphere), rate in visit.rates.items():
        wanted[label(region, hemisphere)] += rate * visit.months / 12
    moved = wanted - _region_means(chi, tissues, len(count))
    moved[0] = 0
    chi[tissues.brain] += moved[labels].astype(np.float32)
    parts = Sources(**{name: carried(part) for name, part in vars(first.sources).items()})
    return chi, parts


def _tissue_chi(tissues: Tissues) -> np.ndarray:
    """χ (ppm) of the tissues alone, 0 in the deep structures, as in :mod:`.susceptibility`."""
    p = SusceptibilityParameters()
    mixture = p.white * tissues.white + p.grey * tissues.grey + p.fluid * tissues.fluid
    plain = np.where(is_deep()[tissues.labels], 0, mixture) * tissues.brain
    return (plain * PPB).astype(np.float32)


def _region_means(values: np.ndarray, tissues: Tissues, number: int) -> np.ndarray:
    labels = tissues.labels[tissues.brain]
    total = np.bincount(labels, values[tissues.brain].astype(float), number)
    return total / np.maximum(np.bincount(labels, minlength=number), 1)
