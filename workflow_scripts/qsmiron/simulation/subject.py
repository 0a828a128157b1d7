"""One patient of the demo cohort, from its row of the plan to signals with known truth."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..clinical import clinical_values
from ..errors import InputError, Problem
from .anatomy import (
    AnatomyParameters,
    HeadMap,
    Tissues,
    make_head_map,
    oblique_affine,
    rigid_motion,
    tissues_on_grid,
)
from .effects import EFFECTS
from .signal import (
    Fields,
    SequenceParameters,
    head_r2star,
    simulate_echoes,
    simulate_fields,
    simulate_t1w,
)
from .sources import SourceParameters, Sources, simulate_sources
from .susceptibility import SusceptibilityParameters, simulate_chi

GRE_EXTENT_MM = (192.0, 224.0, 184.0)
T1W_EXTENT_MM = (208.0, 244.0, 216.0)
T1W_CENTRE_MM = (0.0, 2.0, -10.0)
BELOW_MM = 48.0
"""How far the anatomy goes on below the gradient echo's field of view."""
SMALLEST_OBLIQUITY_DEG, LARGEST_OBLIQUITY_DEG = 5.0, 12.0
VOXEL_SIZE_RANGE_MM = (0.8, 4.0)


@dataclass(frozen=True)
class PlanRow:
    """One patient of the plan: what the images are made from, and nothing clinical.

    ``ventricles`` in mm, ``atrophy`` as a fraction, ``age`` in years; ``planted`` holds the true
    values by (region, hemisphere, metric), χ in ppm.
    """

    participant_id: str
    seed: int
    age: float
    ventricles: float
    atrophy: float
    planted: Mapping[tuple[str, str, str], float] = field(default_factory=dict)


@dataclass(frozen=True)
class SimulatedSubject:
    """Signals and truth of one patient.

    On the GRE grid (X, Y, Z; ``affine``): ``echoes`` (E, X, Y, Z) complex64, ``echo_times`` (s),
    ``chi`` (ppm, 0 outside the brain) and its ``sources``, ``fields`` (ppm), ``r2star`` (1/s), and
    ``tissues`` with the brain mask, the labels and the template coordinates. On the T1w grid:
    ``t1w`` and ``t1w_tissues``. ``gre_to_t1w`` (4, 4) takes RAS mm of the GRE to those of the T1w.
    """

    affine: np.ndarray
    echoes: np.ndarray
    echo_times: tuple[float, ...]
    field_strength: float
    chi: np.ndarray
    sources: Sources
    fields: Fields
    r2star: np.ndarray
    tissues: Tissues
    t1w: np.ndarray
    t1w_tissues: Tissues
    gre_to_t1w: np.ndarray
    head_map: HeadMap

    @property
    def brain(self) -> np.ndarray:
        """Brain mask on the GRE grid."""
        return self.tissues.brain

    @property
    def labels(self) -> np.ndarray:
        """Atlas labels on the GRE grid."""
        return self.tissues.labels


def read_plan(path: str | Path) -> dict[str, PlanRow]:
    """Read a plan (TSV), by participant_id.

    Raises
    ------
    InputError
        If a column is missing or a cell is not a number.
    """
    rows = {}
    cells = clinical_values(path)
    columns = {e.plan_column: (e.region, e.hemisphere, _planted_metric(e)) for e in EFFECTS}
    for who, row in cells.items():
        numbers = {}
        for key in ("seed", "age", "ventricles_mm", "atrophy", *columns):
            try:
                numbers[key] = float(row[key])
            except (KeyError, ValueError) as error:
                found = repr(row[key]) if key in row else "no such column"
                raise InputError(
                    Problem(
                        f"{path}, {who}, {key}",
                        found,
                        "a number",
                        "Restore the plan: python workflow_scripts/plan_cohort.py",
                    )
                ) from error
        rows[who] = PlanRow(
            who,
            int(numbers["seed"]),
            numbers["age"],
            numbers["ventricles_mm"],
            numbers["atrophy"],
            {cell: numbers[column] for column, cell in columns.items()},
        )
    return rows


def _planted_metric(effect: object) -> str:
    return effect.plan_column.removeprefix(f"{effect.region}_{effect.hemisphere}_")


def simulate_subject(
    plan: PlanRow,
    voxel_size: float = 2.0,
    threads: int = 1,
    anatomy: AnatomyParameters | None = None,
    susceptibility: SusceptibilityParameters | None = None,
    sequence: SequenceParameters | None = None,
    sources: SourceParameters | None = None,
) -> SimulatedSubject:
    """Simulate one patient.

    Parameters
    ----------
    plan : the patient's row.
    voxel_size : edge of the isotropic voxels of both images (mm, 0.8–4).
    threads : threads of the Fourier transforms; the result does not depend on them.
    anatomy, susceptibility, sequence, sources : parameters; their defaults make the demo.

    Raises
    ------
    InputError
        If ``voxel_size`` is out of range.
    """
    check_voxel_size(voxel_size)
    anatomy = anatomy or AnatomyParameters()
    rngs = _streams(plan)
    head_map = make_head_map(rngs.anatomy, plan.ventricles, plan.atrophy, anatomy)
    motion = rigid_motion(rngs.grid, anatomy.motion_sd)

    def brain_at(wide: Tissues) -> tuple[np.ndarray, Sources]:
        return _draw_brain(plan, wide, rngs, susceptibility, sources)

    return image_subject(
        head_map, np.eye(4), motion, brain_at, voxel_size, rngs.grid, rngs.signal, rngs.t1w,
        threads, sequence,
    )  # fmt: skip


@dataclass(frozen=True)
class Brain:
    """A patient's brain on the wide grid of the first visit: ``chi`` (ppm) and its sources.

    ``motion`` (4, 4) takes mm of the grid to mm of the head.
    """

    head_map: HeadMap
    tissues: Tissues
    motion: np.ndarray
    chi: np.ndarray
    sources: Sources


def first_brain(plan: PlanRow, voxel_size: float, anatomy: AnatomyParameters) -> Brain:
    """The brain that :func:`simulate_subject` images, before anything is measured of it."""
    rngs = _streams(plan)
    head_map = make_head_map(rngs.anatomy, plan.ventricles, plan.atrophy, anatomy)
    motion = rigid_motion(rngs.grid, anatomy.motion_sd)
    grid = _gre_grid(voxel_size, rngs.grid)
    wide = tissues_on_grid(head_map, grid.wide_shape, grid.wide_affine, motion)
    chi, parts = _draw_brain(plan, wide, rngs)
    return Brain(head_map, wide, motion, chi, parts)


def check_voxel_size(voxel_size: float) -> None:
    """Raise :class:`InputError` for a ``voxel_size`` (mm) that nothing is simulated at."""
    low, high = VOXEL_SIZE_RANGE_MM
    if not low <= voxel_size <= high:
        raise InputError(
            Problem(
                "voxel size of the simulation",
                f"{voxel_size:g} mm",
                f"{low:g} to {high:g} mm",
                "Set demo.voxel_size within that range.",
            )
        )


class _Streams(NamedTuple):
    anatomy: np.random.Generator
    grid: np.random.Generator
    chi: np.random.Generator
    signal: np.random.Generator
    t1w: np.random.Generator
    sources: np.random.Generator


def _streams(plan: PlanRow) -> _Streams:
    seeds = np.random.SeedSequence(plan.seed).spawn(len(_Streams._fields))
    return _Streams(*map(np.random.default_rng, seeds))


def _draw_brain(
    plan: PlanRow,
    wide: Tissues,
    rngs: _Streams,
    susceptibility: SusceptibilityParameters | None = None,
    sources: SourceParameters | None = None,
) -> tuple[np.ndarray, Sources]:
    chi = simulate_chi(wide, plan.age, plan.planted, rngs.chi, susceptibility)
    parts, chi = simulate_sources(chi, wide, plan.planted, rngs.sources, sources)
    return chi, parts


class _GreGrid(NamedTuple):
    affine: np.ndarray
    wide_shape: tuple[int, int, int]
    wide_affine: np.ndarray
    crop: tuple[slice, slice, slice]


def _gre_grid(voxel_size: float, rng: np.random.Generator) -> _GreGrid:
    """The image's grid, and the wider one on which the anatomy goes on below it."""
    below = round(BELOW_MM / voxel_size)
    image_shape = _shape(GRE_EXTENT_MM, voxel_size)
    affine = oblique_affine(image_shape, voxel_size, _oblique(rng), np.zeros(3))
    extended = affine.copy()
    extended[:3, 3] -= affine[:3, 2] * below
    shape = (*image_shape[:2], image_shape[2] + below)
    crop = (slice(0, shape[0]), slice(0, shape[1]), slice(below, shape[2]))
    return _GreGrid(affine, shape, extended, crop)


def image_subject(
    head_map: HeadMap,
    position: np.ndarray,
    motion: np.ndarray,
    brain_at: Callable[[Tissues], tuple[np.ndarray, Sources]],
    voxel_size: float,
    grid_rng: np.random.Generator,
    signal_rng: np.random.Generator,
    t1w_rng: np.random.Generator,
    threads: int = 1,
    sequence: SequenceParameters | None = None,
) -> SimulatedSubject:
    """Image a head: GRE and T1w.

    Parameters
    ----------
    head_map : the anatomy.
    position, motion : (4, 4); ``position`` takes mm of the T1w to mm of the head, ``motion`` those
        of the GRE to the T1w's.
    brain_at : gives χ (ppm) and sources of the brain on a grid whose tissues are given.
    grid_rng, signal_rng, t1w_rng : random streams of grids and noise.
    voxel_size, threads, sequence : as for :func:`simulate_subject`.
    """
    sequence = sequence or SequenceParameters()
    affine, shape, extended, crop = _gre_grid(voxel_size, grid_rng)
    wide = tissues_on_grid(head_map, shape, extended, position @ motion)
    chi, parts = brain_at(wide)
    fields = simulate_fields(chi, wide, crop, threads)
    tissues = _cropped(wide, crop, affine)
    chi = np.ascontiguousarray(chi[crop])
    parts = Sources(
        **{name: np.ascontiguousarray(part[crop]) for name, part in vars(parts).items()}
    )
    r2star = head_r2star(parts.r2 + parts.r2prime, tissues)
    echoes = simulate_echoes(fields.total, r2star, tissues, signal_rng, sequence)

    t1w_shape = _shape(T1W_EXTENT_MM, voxel_size)
    t1w_affine = oblique_affine(t1w_shape, voxel_size, _oblique(grid_rng), np.array(T1W_CENTRE_MM))
    t1w_tissues = tissues_on_grid(head_map, t1w_shape, t1w_affine, position)
    return SimulatedSubject(
        affine=affine,
        echoes=echoes,
        echo_times=sequence.echo_times,
        field_strength=sequence.field_strength,
        chi=chi,
        sources=parts,
        fields=fields,
        r2star=r2star,
        tissues=tissues,
        t1w=simulate_t1w(t1w_tissues, t1w_rng, sequence),
        t1w_tissues=t1w_tissues,
        gre_to_t1w=motion,
        head_map=head_map,
    )


def _shape(extent: tuple[float, float, float], voxel_size: float) -> tuple[int, int, int]:
    x, y, z = (2 * round(length / voxel_size / 2) for length in extent)
    return x, y, z


def _oblique(rng: np.random.Generator) -> np.ndarray:
    """Euler angles (°) of a slightly oblique grid, turned mostly about the left-right axis."""
    tilt = rng.uniform(SMALLEST_OBLIQUITY_DEG, LARGEST_OBLIQUITY_DEG) * rng.choice([-1, 1])
    return np.array([tilt, *rng.normal(0, 2, 2)])


def _cropped(tissues: Tissues, crop: tuple[slice, ...], affine: np.ndarray) -> Tissues:
    parts = {
        name: np.ascontiguousarray(value[..., *crop])
        for name, value in vars(tissues).items()
        if name != "affine"
    }
    return Tissues(affine=affine, **parts)
