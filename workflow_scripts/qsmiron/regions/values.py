"""The values of a map sorted by region: what every metric is computed from.

One pass over the volume replaces a search for each label. The sorted values also make results
independent of the order of voxels in a file (its orientation), to the last bit.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import InputError, Problem
from ..volumes import Volume, check_same_grid, read_volume, write_bytes

if TYPE_CHECKING:
    # Reads tables, and with pandas: a third of a second of every start of the workflow.
    from .label_table import Label


@dataclass(frozen=True)
class StoredArray:
    """A one-dimensional array inside an NPZ file, of which each slice is read when it is asked for.

    ``start`` is the position (bytes) of its first value in the file.
    """

    path: Path
    dtype: np.dtype
    start: int

    def __getitem__(self, part: slice) -> np.ndarray:
        first = self.start + int(part.start) * self.dtype.itemsize
        return np.fromfile(self.path, self.dtype, int(part.stop - part.start), offset=first)


@dataclass(frozen=True)
class SortedRegions:
    """A map's values by region.

    Attributes
    ----------
    index : ndarray of int64, shape (R,)
        Labels, ascending.
    n_label_voxels : ndarray of int64, shape (R,)
        Voxels that bear the label, measured or not.
    n_beyond : ndarray of int64, shape (R,)
        Voxels that the region would have beyond the field of view.
    n_reliable : ndarray of int64, shape (R,)
        Label voxels inside the reliable mask with a value, whatever else was left out.
    offsets : ndarray of int64, shape (R + 1,)
        Region ``i`` is ``values[offsets[i]:offsets[i + 1]]``.
    values : ndarray or StoredArray of float32, shape (N,)
        Measured values, ascending in each region.
    weights : ndarray of float32, shape (N,), optional
        Weights of these values in weighted means, in the same order.
    minimum_coverage : float
        A region with less coverage than this is withheld: its values count for nothing.
    """

    index: np.ndarray
    n_label_voxels: np.ndarray
    n_beyond: np.ndarray
    n_reliable: np.ndarray
    offsets: np.ndarray
    values: np.ndarray | StoredArray
    weights: np.ndarray | None = None
    minimum_coverage: float = 0.0

    @cached_property
    def n_voxels(self) -> np.ndarray:
        """Measured voxels of each region, shape (R,); those of withheld regions too."""
        return np.diff(self.offsets)

    @cached_property
    def coverage(self) -> np.ndarray:
        """Reliable voxels / all of the region, shape (R,); 0 for a region without a voxel.

        What lies beyond the field of view is a part of the region that is not covered.
        """
        return self.n_reliable / np.maximum(self.n_label_voxels + self.n_beyond, 1)

    @cached_property
    def withheld(self) -> np.ndarray:
        """Whether a region's coverage is below the minimum, shape (R,)."""
        return self.coverage < self.minimum_coverage

    def of(self, region: int) -> np.ndarray:
        """Ascending float32 values of the region at this position (not label).

        Empty for a withheld region, so that nothing is ever computed from it.
        """
        return self.values[self._slice(region)]

    def size_of(self, region: int) -> int:
        """Number of the values of :meth:`of`."""
        part = self._slice(region)
        return int(part.stop - part.start)

    def weights_of(self, region: int) -> np.ndarray | None:
        """Weights of the values of :meth:`of`, in that order; None if all weigh the same."""
        return None if self.weights is None else self.weights[self._slice(region)]

    def _slice(self, region: int) -> slice:
        start, stop = self.offsets[region], self.offsets[region + 1]
        return slice(start, start if self.withheld[region] else stop)


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
        If the grid differs, a label is not a whole, non-negative number, the table lacks it, or it
        is the table's index of a composite.
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
    unknown = np.setdiff1d(labels, [0, *(label.index for label in table if not label.members)])
    composites = np.intersect1d(unknown, [label.index for label in table if label.members])
    if composites.size:
        raise InputError(
            Problem(
                str(path),
                f"voxels with the label of a composite: {', '.join(map(str, composites))}",
                "voxels with the labels of its members only",
                "Remove the row's members from the label table, or relabel those voxels.",
            )
        )
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


def locate(labels: np.ndarray, index: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Labelled voxels (positions in the flattened image) and each one's position in ``index``.

    Both of shape (n,), in the order of the voxels. ``ValueError`` for a label that ``index``
    (ascending) lacks.
    """
    index = np.asarray(index, dtype=np.int64)
    voxels = np.flatnonzero(labels)
    found = labels.reshape(-1)[voxels]
    region = np.searchsorted(index, found)
    if found.size and (found.max() > index[-1] or (index[region] != found).any()):
        raise ValueError("a label that is not in the index")
    return voxels, region


def sort_by_region(
    labels: np.ndarray,
    values: np.ndarray,
    measured: np.ndarray,
    index: Sequence[int],
    *,
    reliable: np.ndarray | None = None,
    weights: np.ndarray | None = None,
    composites: Mapping[int, Sequence[int]] | None = None,
    beyond: Sequence[int] | None = None,
    minimum_coverage: float = 0.0,
) -> SortedRegions:
    """Sort the ``values`` of all labelled voxels by region, then by value.

    Parameters
    ----------
    labels : ndarray of int, shape (X, Y, Z)
        0 is background; other labels must all be in ``index`` and no composite's own
        (``ValueError`` if not).
    values : ndarray of float, shape (X, Y, Z)
    measured : ndarray of bool, shape (X, Y, Z)
        Voxels that count; the others only enter ``n_label_voxels``. A value of 0 counts.
    index : sequence of int
        Labels of the table, ascending.
    reliable : ndarray of bool, shape (X, Y, Z), optional
        Voxels that coverage is computed from; by default ``measured``.
    weights : ndarray of float, shape (X, Y, Z), optional
    composites : mapping of int to sequence of int, optional
        Labels of the members of each composite: its voxels are all of theirs.
    beyond : sequence of int, length R, optional
        Voxels of each region beyond the field of view; none by default. A composite's are its
        members'.
    minimum_coverage : float
        See :class:`SortedRegions`.
    """
    voxels, region = locate(labels, index)
    n_label_voxels = np.bincount(region, minlength=len(index))
    inside = measured.reshape(-1)[voxels]
    n_reliable = n_voxels = np.bincount(region[inside], minlength=len(index))
    if reliable is not None:
        n_reliable = np.bincount(region[reliable.reshape(-1)[voxels]], minlength=len(index))
    region, voxels = region[inside], voxels[inside]
    chosen = values.reshape(-1)[voxels].astype(np.float32)
    weighing = None if weights is None else weights.reshape(-1)[voxels].astype(np.float32)
    # Of equal values the lighter comes first, lest a weighted sum depend on the voxels' order.
    keys = (chosen, region) if weighing is None else (weighing, chosen, region)
    order = np.lexsort(keys)
    offsets = np.concatenate([[0], n_voxels.cumsum()])
    plain = SortedRegions(
        np.asarray(index, dtype=np.int64),
        n_label_voxels,
        np.asarray([0] * len(index) if beyond is None else beyond, dtype=np.int64),
        n_reliable,
        offsets,
        chosen[order],
        None if weighing is None else weighing[order],
        minimum_coverage,
    )
    return _with_composites(plain, composites) if composites else plain


def _with_composites(
    plain: SortedRegions, composites: Mapping[int, Sequence[int]]
) -> SortedRegions:
    """The regions with the sorted union of their members' values in every composite."""
    members = {
        int(np.searchsorted(plain.index, label)): np.searchsorted(plain.index, sorted(parts))
        for label, parts in composites.items()
    }
    if plain.n_label_voxels[list(members)].any():
        raise ValueError("a voxel with the label of a composite")
    counts = {
        name: getattr(plain, name).copy() for name in ("n_label_voxels", "n_beyond", "n_reliable")
    }
    pieces = []
    for region in range(len(plain.index)):
        parts = members.get(region, [region])
        # Not .of(): a member that is withheld by itself is still a part of the whole.
        piece = np.concatenate(
            [np.arange(plain.offsets[part], plain.offsets[part + 1]) for part in parts]
        )
        if region in members:
            for count in counts.values():
                count[region] = count[parts].sum()
            keys = [plain.values[piece]]
            if plain.weights is not None:
                keys.insert(0, plain.weights[piece])
            piece = piece[np.lexsort(keys)]
        pieces.append(piece)
    order = np.concatenate(pieces)
    return replace(
        plain,
        **counts,
        offsets=np.concatenate([[0], np.cumsum([piece.size for piece in pieces])]),
        values=plain.values[order],
        weights=None if plain.weights is None else plain.weights[order],
    )


def write_values(path: str | Path, values: RegionValues) -> None:
    """Write the values as an NPZ of plain arrays (no pickle), atomically; same values, same bytes.

    Arrays: the texts of :class:`Who`; ``index``, ``n_label_voxels``, ``n_beyond``, ``n_reliable``,
    ``coverage`` (R,); ``offsets`` (R + 1,); ``chi`` (N,) float32, ppm; ``voxel_volume`` in mm³;
    ``minimum_coverage``. Weights are not stored: no metric that is computed later uses them.
    """
    chi = values.chi
    buffer = io.BytesIO()
    np.savez(
        buffer,
        allow_pickle=False,
        **{key: np.array(text) for key, text in asdict(values.who).items()},
        index=chi.index,
        n_label_voxels=chi.n_label_voxels,
        n_beyond=chi.n_beyond,
        n_reliable=chi.n_reliable,
        coverage=chi.coverage,
        offsets=chi.offsets,
        chi=chi.values,
        voxel_volume=np.array(values.voxel_volume),
        minimum_coverage=np.array(chi.minimum_coverage),
    )
    write_bytes(path, buffer.getvalue())


def read_values(path: str | Path, table: Sequence[Label], *, lazily: bool = False) -> RegionValues:
    """Read what :func:`write_values` wrote.

    ``lazily`` leaves the susceptibilities in the file, each region's to be read when it is asked
    for: a cohort's values need not fit into memory.

    Raises
    ------
    InputError
        If the file is missing, is no such file, or was measured with other labels than ``table``.
    """
    path = Path(path)
    try:
        with np.load(path, allow_pickle=False) as file:
            who = Who(**{key: str(file[key]) for key in Who.__dataclass_fields__})
            names = ("index", "n_label_voxels", "n_beyond", "n_reliable", "offsets")
            counts = [file[name] for name in names]
            chi = SortedRegions(
                *counts,
                _stored_array(path, "chi", size=int(counts[-1][-1])) if lazily else file["chi"],
                minimum_coverage=float(file["minimum_coverage"]),
            )
            values = RegionValues(who, chi, float(file["voxel_volume"]))
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


def _stored_array(path: Path, name: str, size: int) -> StoredArray:
    """Where an array of ``size`` values lies in an NPZ; ValueError if it is not whole or packed."""
    with zipfile.ZipFile(path) as archive:
        entry = archive.getinfo(f"{name}.npy")
        with archive.open(entry) as member:
            np.lib.format.read_magic(member)
            shape, _, dtype = np.lib.format.read_array_header_1_0(member)
            header = member.tell()
    if entry.compress_type != zipfile.ZIP_STORED or shape != (size,):
        raise ValueError("an array that cannot be read in parts")
    with path.open("rb") as file:
        file.seek(entry.header_offset + 26)  # two lengths end the fixed part of a member's header
        lengths = int.from_bytes(file.read(2), "little") + int.from_bytes(file.read(2), "little")
    return StoredArray(path, dtype, entry.header_offset + 30 + lengths + header)
