"""A scan's images, read, checked against each other, and sorted by region."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..errors import InputError, Problem
from ..volumes import Volume, check_same_grid, read_mask, read_volume
from .label_table import Label
from .relative import mean_adjacent_white
from .selection import (
    Selection,
    SelectionParameters,
    check_inputs,
    needs_grey_matter,
    select,
    voxel_weights,
)
from .sources import SourceRegions
from .values import RegionValues, SortedRegions, Who, read_labels, sort_by_region, voxel_volume

# Resampling and scaled integers may leave a fraction this far outside 0 to 1.
_ROUNDING = 1e-3


class MeasuredScan(NamedTuple):
    """A scan's values by region; R2* and sources are None where they were not given.

    ``adjacent_white`` is the mean χ (ppm) of the white matter next to each region, NaN where there
    is none or no tissues were given.
    """

    chi: RegionValues
    r2star: SortedRegions | None
    sources: SourceRegions | None
    selection: Selection
    adjacent_white: np.ndarray


def read_scan(
    who: Who,
    chi: str | Path,
    labels: str | Path,
    table: Sequence[Label],
    mask: str | Path | None = None,
    r2star: str | Path | None = None,
    tissues: str | Path | None = None,
    weights: str | Path | None = None,
    parameters: SelectionParameters | None = None,
    sources: tuple[str | Path, str | Path] | None = None,
) -> MeasuredScan:
    """Read a scan's maps and sort them by region: χ (ppm), and what else is given.

    A voxel is reliable if χ is finite there and, with a ``mask``, inside it; of the reliable ones
    those count that the ``parameters`` select. R2* is taken from those where it is finite too.

    Parameters
    ----------
    tissues : path, optional
        Probabilities (0 to 1) of grey matter, white matter and fluid, shape (X, Y, Z, 3).
    weights : path, optional
        Fraction (0 to 1) of every voxel that belongs to its region, shape (X, Y, Z).
    sources : two paths, optional
        χ⁺ and χ⁻ (ppm); taken from the voxels that χ is, where they are finite.

    Raises
    ------
    InputError
        If the files are not on one grid, an option lacks its image, or a fraction is out of range.
    """
    parameters = parameters or SelectionParameters()
    check_inputs(parameters, table, tissues is not None, weights is not None)
    volume = read_volume(chi, finite=False)
    image = read_labels(labels, volume, table)
    reliable = np.isfinite(volume.data)
    if mask is not None:
        reliable &= read_mask(mask, volume)
    relaxation = None
    if r2star is not None:
        relaxation = read_volume(r2star, finite=False)
        check_same_grid(relaxation, volume, str(r2star))
        relaxation = relaxation.data
    grey_matter = None
    adjacent_white = np.full(len(table), np.nan)
    if tissues is not None:
        fractions = _read_fractions(tissues, volume, n_tissues=3)
        if needs_grey_matter(parameters, table):
            grey_matter = fractions[..., 0]
        white = reliable & (fractions[..., 1] >= parameters.adjacent_probability)
        adjacent_white = mean_adjacent_white(
            volume.data, image, table, white, volume.voxel_size, parameters.adjacent_distance
        )
    weighing = None
    if parameters.partial_volume_weights:
        weighing = voxel_weights(image, table, _read_fractions(weights, volume), grey_matter)
    selection = select(
        image,
        volume.data,
        reliable,
        table,
        volume.voxel_size,
        parameters,
        grey_matter,
        relaxation,
    )

    def sort(values: np.ndarray, measured: np.ndarray) -> SortedRegions:
        return sort_by_region(
            image,
            values,
            measured,
            [label.index for label in table],
            reliable=reliable,
            weights=weighing,
            composites={label.index: label.members for label in table if label.members},
            beyond=[label.n_beyond for label in table],
            minimum_coverage=parameters.minimum_coverage,
        )

    scan = RegionValues(who, sort(volume.data, selection.measured), voxel_volume(volume.affine))
    rates = None
    if relaxation is not None:
        rates = sort(relaxation, selection.measured & np.isfinite(relaxation))
    parts = _sorted_sources(sources, volume, selection, sort)
    return MeasuredScan(scan, rates, parts, selection, adjacent_white)


def _sorted_sources(
    paths: tuple[str | Path, str | Path] | None,
    like: Volume,
    selection: Selection,
    sort: Callable[[np.ndarray, np.ndarray], SortedRegions],
) -> SourceRegions | None:
    """χ⁺ and χ⁻ by region, in voxels that have both."""
    if paths is None:
        return None
    parts = []
    for path in paths:
        part = read_volume(path, finite=False)
        check_same_grid(part, like, str(path))
        parts.append(part.data)
    measured = selection.measured & np.isfinite(parts[0]) & np.isfinite(parts[1])
    return SourceRegions(*(sort(part, measured) for part in parts))


def _read_fractions(path: str | Path, like: Volume, n_tissues: int | None = None) -> np.ndarray:
    """Read an image of fractions, shape (X, Y, Z[, n_tissues]), clipped to 0 to 1."""
    volume = read_volume(path, dimensions=4 if n_tissues else 3)
    check_same_grid(volume, like, str(path))
    if n_tissues and volume.data.shape[3] != n_tissues:
        raise InputError(
            Problem(
                str(path),
                f"{volume.data.shape[3]} volumes",
                f"{n_tissues} volumes: grey matter, white matter, fluid",
                "Give the tissue probabilities in one file, in this order.",
            )
        )
    low, high = volume.data.min(), volume.data.max()
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        raise InputError(
            Problem(
                str(path),
                f"values from {low:g} to {high:g}",
                "fractions from 0 to 1",
                "Divide by the value that stands for a whole voxel.",
            )
        )
    return volume.data.clip(0, 1)
