"""The values of a map sorted by region: what every metric is computed from.

One pass over the volume replaces a search for each label. The sorted values also make results
independent of the order of voxels in a file (its orientation), to the last bit.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..errors import InputError, Problem
from ..volumes import Volume, check_same_grid, read_mask, read_volume, write_bytes
from .label_table import Label


@dataclass(frozen=True)
class SortedRegions:
    """A map's values by region.

    Attributes
    ----------
    index : ndarray of int64, shape (R,)
        Labels, ascending.
    n_label_voxels : ndarray of int64, shape (R,)
        Voxels that bear the label, measured or not.
    offsets : ndarray of int64, shape (R + 1,)
        Region ``i`` is ``values[offsets[i]:offsets[i + 1]]``.
    values : ndarray of float32, shape (N,)
        Measured values, ascending in each region.
    """

    index: np.ndarray
    n_label_voxels: np.ndarray
    offsets: np.ndarray
    values: np.ndarray

    @cached_property
    def n_voxels(self) -> np.ndarray:
        """Measured voxels of each region, shape (R,)."""
        return np.diff(self.offsets)

    @cached_property
    def coverage(self) -> np.ndarray:
        """Measured voxels / label voxels, shape (R,); 0 for a label without a voxel."""
        return self.n_voxels / np.maximum(self.n_label_voxels, 1)

    def of(self, region: int) -> np.ndarray:
        """Ascending float32 values of the region at this position (not label)."""
        return self.values[self.offsets[region] : self.offsets[region + 1]]


@dataclass(frozen=True)
class Who:
    """Whose values they are, from which reconstruction, by which labels; session may be empty."""

    participant_id: str
    session: str = ""
    desc: str = "main"
    atlas: str = "DK"
    labels_source: str = "atlas"


@dataclass(frozen=True)
class RegionValues:
    """Susceptibility (ppm) of a scan's regions and the volume (mm³) of its voxels."""

    who: Who
    chi: SortedRegions
    voxel_volume: float


def voxel_volume(affine: np.ndarray) -> float:
    """Volume (mm³) of a voxel of the grid with this ``affine`` (4, 4)."""
    return float(abs(np.linalg.det(np.asarray(affine, float)[:3, :3])))


def read_labels(path: str | Path, like: Volume, table: Sequence[Label]) -> np.ndarray:
    """Read a label image on the grid of ``like`` as int64, shape (X, Y, Z); 0 is background.

    Raises
    ------
    InputError
        If the grid differs, a label is not a whole, non-negative number, or the table lacks it.
    """
    volume = read_volume(path, dtype=np.float64)
    check_same_grid(volume, like, str(path))
    labels = volume.data.astype(np.int64)
    if (labels != volume.data).any() or labels.min(initial=0) < 0:
        wrong = volume.data[(labels != volume.data) | (labels < 0)]
        raise InputError(
            Problem(
                str(path),
                f"{wrong.size} voxels that are no label (such as {wrong[0]:g})",
                "whole numbers from 0 up",
                "Give a label image, resampled with nearest-neighbour interpolation.",
            )
        )
    unknown = np.setdiff1d(labels, [0, *(label.index for label in table)])
    if unknown.size:
        raise InputError(
            Problem(
                str(path),
                f"labels that the label table lacks: {', '.join(map(str, unknown))}",
                "only labels of the table, and 0",
                "Add them to the label table, or give the table that belongs to this image.",
            )
        )
    return labels


def sort_by_region(
    labels: np.ndarray, values: np.ndarray, measured: np.ndarray, index: Sequence[int]
) -> SortedRegions:
    """Sort the ``values`` of all labelled voxels by region, then by value.

    Parameters
    ----------
    labels : ndarray of int, shape (X, Y, Z)
        0 is background; other labels must all be in ``index`` (``ValueError`` if not).
    values : ndarray of float, shape (X, Y, Z)
    measured : ndarray of bool, shape (X, Y, Z)
        Voxels that count; the others only enter ``n_label_voxels``. A value of 0 counts.
    index : sequence of int
        Labels of the table, ascending.
    """
    index = np.asarray(index, dtype=np.int64)
    voxels = np.flatnonzero(labels)
    found = labels.reshape(-1)[voxels]
    region = np.searchsorted(index, found)
    if found.size and (found.max() > index[-1] or (index[region] != found).any()):
        raise ValueError("a label that is not in the index")
    n_label_voxels = np.bincount(region, minlength=len(index))
    inside = measured.reshape(-1)[voxels]
    region, chosen = region[inside], values.reshape(-1)[voxels[inside]].astype(np.float32)
    order = np.lexsort((chosen, region))
    offsets = np.concatenate([[0], np.bincount(region, minlength=len(index)).cumsum()])
    return SortedRegions(index, n_label_voxels, offsets, chosen[order])


def read_scan(
    who: Who,
    chi: str | Path,
    labels: str | Path,
    table: Sequence[Label],
    mask: str | Path | None = None,
    r2star: str | Path | None = None,
) -> tuple[RegionValues, SortedRegions | None]:
    """Read a scan's maps and sort them by region: χ (ppm), and R2* (1/s) if it is given.

    A voxel counts if χ is finite there and, with a ``mask``, inside it; R2* is taken from those
    voxels where it is finite too. All files are on one grid (:class:`InputError` if not).
    """
    volume = read_volume(chi, finite=False)
    image = read_labels(labels, volume, table)
    measured = np.isfinite(volume.data)
    if mask is not None:
        measured &= read_mask(mask, volume)
    index = [label.index for label in table]
    regions = sort_by_region(image, volume.data, measured, index)
    scan = RegionValues(who, regions, voxel_volume(volume.affine))
    if r2star is None:
        return scan, None
    relaxation = read_volume(r2star, finite=False)
    check_same_grid(relaxation, volume, str(r2star))
    measured &= np.isfinite(relaxation.data)
    return scan, sort_by_region(image, relaxation.data, measured, index)


def write_values(path: str | Path, values: RegionValues) -> None:
    """Write the values as an NPZ of plain arrays (no pickle), atomically; same values, same bytes.

    Arrays: the texts of :class:`Who`; ``index``, ``n_label_voxels``, ``coverage`` (R,);
    ``offsets`` (R + 1,); ``chi`` (N,) float32, ppm; ``voxel_volume`` in mm³.
    """
    chi = values.chi
    buffer = io.BytesIO()
    np.savez(
        buffer,
        allow_pickle=False,
        **{key: np.array(text) for key, text in asdict(values.who).items()},
        index=chi.index,
        n_label_voxels=chi.n_label_voxels,
        coverage=chi.coverage,
        offsets=chi.offsets,
        chi=chi.values,
        voxel_volume=np.array(values.voxel_volume),
    )
    write_bytes(path, buffer.getvalue())


def read_values(path: str | Path, table: Sequence[Label]) -> RegionValues:
    """Read what :func:`write_values` wrote.

    Raises
    ------
    InputError
        If the file is missing, is no such file, or was measured with other labels than ``table``.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            who = Who(**{key: str(file[key]) for key in Who.__dataclass_fields__})
            arrays = (file["index"], file["n_label_voxels"], file["offsets"], file["chi"])
            values = RegionValues(who, SortedRegions(*arrays), float(file["voxel_volume"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile) as error:
        found = "no such file" if isinstance(error, FileNotFoundError) else "no region values"
        remedy = "Make it with measure_regions.py --values."
        raise InputError(
            Problem(str(path), found, "the region values of a scan (.npz)", remedy)
        ) from error
    if not np.array_equal(values.chi.index, [label.index for label in table]):
        raise InputError(
            Problem(
                str(path),
                f"{len(values.chi.index)} regions of the atlas {who.atlas}",
                f"the {len(table)} labels of the label table",
                "Give the label table that the values were measured with.",
            )
        )
    return values
