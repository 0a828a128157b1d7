"""Which voxels of a region are measured, and how much each one counts in a mean.

Of the voxels inside the reliable mask, first those near the border of a deep nucleus and those of
cortex with too little grey matter go; then, judged together on the voxels that are left, veins and
outliers. Every option is off by default: each changes what a region's value means.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..errors import InputError, Problem
from ..parameters import Parameters
from .values import locate

if TYPE_CHECKING:
    # Reads tables, and with pandas: a third of a second of every start of the workflow.
    from .label_table import Label

CORTEX, DEEP = "cortex", "subcortex"
"""The structures of a label table that options apply to."""

COUNTS = ("label", "beyond", "reliable", "eroded", "below_grey_matter", "vein", "outlier", "used")
"""What is counted of a region: reliable = eroded + below_grey_matter + vein + outlier + used;
label are its voxels in the field of view, beyond those that it would have outside."""

# A normal distribution's SD over its median absolute deviation.
_SD_PER_MAD = 1.4826
# A NIfTI header holds voxel sizes as float32: .8 mm there is not exactly .8 mm.
_TOLERANCE_MM = 1e-3


class SelectionParameters(Parameters):
    """The config's block ``regions``."""

    deep_erosion: float = Field(
        0.0,
        ge=0,
        le=20,
        description="Regions of structure subcortex lose the voxels whose centre is within this "
        "distance of the centre of a voxel outside the region (mm); 0: none",
    )
    cortex_grey_matter: float = Field(
        0.0,
        ge=0,
        le=1,
        description="Least grey-matter probability of a voxel in regions of structure cortex "
        "(fraction); never applied to other regions; 0: no limit",
    )
    exclude_veins: bool = Field(
        False,
        description="Leave out voxels whose χ and R2* both exceed the region's median by more than "
        "vein_robust_sd; also takes deposits away, hence off",
    )
    vein_robust_sd: float = Field(
        3.0, gt=0, description="How far above the median a vein is (robust SDs: 1.4826 · MAD)"
    )
    outlier_robust_sd: float | None = Field(
        None,
        gt=0,
        description="Leave out voxels whose χ is farther than this from the region's median, on "
        "either side (robust SDs); also takes deposits away, hence off (null)",
    )
    minimum_coverage: float = Field(
        0.0,
        ge=0,
        le=1,
        description="All values of a region with less of its voxels inside the reliable mask are "
        "n/a (fraction); what lies beyond the field of view is not inside; a composite is judged "
        "as a whole",
    )
    adjacent_distance: float = Field(
        5.0,
        gt=0,
        le=20,
        description="White matter within this distance of a region of structure cortex is what "
        "chi_cortex_white compares it with (mm)",
    )
    adjacent_probability: float = Field(
        0.9,
        ge=0,
        le=1,
        description="Least white-matter probability of a voxel of it (fraction)",
    )
    partial_volume_weights: bool = Field(
        False,
        description="Weight every voxel by the fraction of it that belongs to its region, in "
        "cortex times the grey-matter probability, in chi_mean, r2star_mean and what "
        "follows from the mean of χ (iron, asymmetry, contrast with white matter); all other "
        "metrics stay unweighted",
    )


@dataclass(frozen=True)
class Selection:
    """The voxels to measure, ``measured`` (X, Y, Z) boolean, and what became of the others.

    ``counts`` has an array of int64, shape (R,), for each of :data:`COUNTS`; a composite's are the
    sums of its members'. ``remarks`` tells, in sentences for a log, which option had no effect.
    """

    measured: np.ndarray
    counts: dict[str, np.ndarray]
    remarks: tuple[str, ...] = ()


def needs_grey_matter(parameters: SelectionParameters, table: Sequence[Label]) -> bool:
    """Whether an option asks for the grey-matter probability, and there is cortex to use it in."""
    wanted = parameters.cortex_grey_matter > 0 or parameters.partial_volume_weights
    return wanted and bool(_of_structure(table, CORTEX).any())


def check_inputs(
    parameters: SelectionParameters, table: Sequence[Label], tissues: bool, weights: bool
) -> None:
    """Raise :class:`InputError` if an option needs the tissue or the weights image, not given."""
    option = "cortex_grey_matter" if parameters.cortex_grey_matter else "partial_volume_weights"
    needed = [
        ("--tissues", "tissue probabilities", tissues or not needs_grey_matter(parameters, table)),
        ("--weights", "weights of the voxels", weights or not parameters.partial_volume_weights),
    ]
    problems = [
        Problem(
            name,
            "no image",
            f"the {what}, which {option if name == '--tissues' else 'partial_volume_weights'} uses",
            f"Give {name}, or switch the option off.",
        )
        for name, what, given in needed
        if not given
    ]
    if problems:
        raise InputError(*problems)


def select(
    labels: np.ndarray,
    chi: np.ndarray,
    reliable: np.ndarray,
    table: Sequence[Label],
    voxel_size: Sequence[float],
    parameters: SelectionParameters,
    grey_matter: np.ndarray | None = None,
    r2star: np.ndarray | None = None,
) -> Selection:
    """Select the voxels to measure.

    Parameters
    ----------
    labels : ndarray of int, shape (X, Y, Z)
        0 is background; other labels must all be in the table.
    chi : ndarray of float, shape (X, Y, Z)
        In ppm; finite in all of ``reliable``.
    reliable : ndarray of bool, shape (X, Y, Z)
    table : sequence of Label, length R
        Ascending.
    voxel_size : sequence of float, length 3
        In mm.
    parameters : SelectionParameters
    grey_matter : ndarray of float, shape (X, Y, Z), optional
        Probability from 0 to 1; needed if :func:`needs_grey_matter` says so.
    r2star : ndarray of float, shape (X, Y, Z), optional
        In 1/s; a voxel where it is not finite is no vein. Without it, no voxel is.
    """
    voxels, region = locate(labels, [label.index for label in table])
    remarks = []
    left = reliable.reshape(-1)[voxels]
    kept = {"label": np.ones(left.shape, bool), "reliable": left.copy()}

    def take_out(name: str, where: np.ndarray) -> None:
        kept[name] = left & where
        left[where] = False

    nowhere = np.zeros(left.shape, bool)
    near_border = nowhere
    if parameters.deep_erosion > 0:
        if parameters.deep_erosion + _TOLERANCE_MM < min(voxel_size):
            remarks.append(
                f"deep_erosion of {parameters.deep_erosion:g} mm is less than a voxel "
                f"({' x '.join(f'{edge:g}' for edge in voxel_size)} mm): nothing is eroded"
            )
        elif not _of_structure(table, DEEP).any():
            remarks.append(f"deep_erosion: no region of the label table has structure {DEEP}")
        else:
            border = _border(labels, table, parameters.deep_erosion, voxel_size)
            near_border = border.reshape(-1)[voxels]
    take_out("eroded", near_border)

    too_little = nowhere
    if parameters.cortex_grey_matter > 0:
        cortex = _of_structure(table, CORTEX)
        if not cortex.any():
            remarks.append(
                f"cortex_grey_matter: no region of the label table has structure {CORTEX}"
            )
        else:
            enough = grey_matter.reshape(-1)[voxels] >= parameters.cortex_grey_matter
            too_little = cortex[region] & ~enough
    take_out("below_grey_matter", too_little)

    relaxation = None if r2star is None else r2star.reshape(-1)[voxels]
    if parameters.exclude_veins and relaxation is None:
        remarks.append("exclude_veins: there is no R2* map, so no voxel is taken for a vein")
    veins, outliers = _veins_and_outliers(
        region, chi.reshape(-1)[voxels], relaxation, left, parameters
    )
    take_out("vein", veins)
    take_out("outlier", outliers)

    kept["used"] = left
    measured = np.zeros(labels.shape, bool)
    measured.reshape(-1)[voxels[left]] = True
    counts = {
        name: np.bincount(region[where], minlength=len(table)) for name, where in kept.items()
    }
    counts["beyond"] = np.array([label.n_beyond for label in table])
    counts = _with_composites({name: counts[name] for name in COUNTS}, table)
    return Selection(measured, counts, tuple(remarks))


def voxel_weights(
    labels: np.ndarray,
    table: Sequence[Label],
    fraction: np.ndarray,
    grey_matter: np.ndarray | None = None,
) -> np.ndarray:
    """Weight of every voxel in its region's weighted means, shape (X, Y, Z).

    It is the ``fraction`` (X, Y, Z) of the voxel that belongs to its region, in cortex times its
    ``grey_matter`` probability (X, Y, Z), which is needed only if the table has cortex.
    """
    cortex = _labels_of(table, CORTEX)
    if not cortex:
        return fraction
    return np.where(np.isin(labels, cortex), fraction * grey_matter, fraction)


def _of_structure(table: Sequence[Label], structure: str) -> np.ndarray:
    """Whether a region is of that structure; a composite never is, its members may be."""
    return np.array([label.structure == structure and not label.members for label in table])


def _labels_of(table: Sequence[Label], structure: str) -> list[int]:
    return [table[region].index for region in np.flatnonzero(_of_structure(table, structure))]


def _border(
    labels: np.ndarray, table: Sequence[Label], distance: float, voxel_size: Sequence[float]
) -> np.ndarray:
    """Voxels of deep regions within ``distance`` (mm) of a voxel outside their region."""
    deep = _labels_of(table, DEEP)
    numbered = np.zeros(labels.shape, np.int32)
    voxels = np.flatnonzero(np.isin(labels, deep))
    numbered.reshape(-1)[voxels] = np.searchsorted(deep, labels.reshape(-1)[voxels]) + 1
    border = np.zeros(labels.shape, bool)
    for number, box in enumerate(ndimage.find_objects(numbered), start=1):
        if box is None:
            continue
        # One voxel around its box is outside the region, and nearer than all that is farther out.
        inside = np.pad(numbered[box] == number, 1)
        depth = ndimage.distance_transform_edt(inside, sampling=voxel_size)
        near = inside & (depth <= distance + _TOLERANCE_MM)
        border[box] |= near[1:-1, 1:-1, 1:-1]
    return border


def _veins_and_outliers(
    region: np.ndarray,
    chi: np.ndarray,
    r2star: np.ndarray | None,
    left: np.ndarray,
    parameters: SelectionParameters,
) -> tuple[np.ndarray, np.ndarray]:
    """Which of the voxels that are ``left`` are veins, and which are outliers; all shapes (n,)."""
    veins, outliers = np.zeros(left.shape, bool), np.zeros(left.shape, bool)
    by_vein = parameters.exclude_veins and r2star is not None
    if by_vein or parameters.outlier_robust_sd is not None:
        excess = _excess(region, chi, left)
        if by_vein:
            relaxing = _excess(region, r2star, left & np.isfinite(r2star))
            limit = parameters.vein_robust_sd
            veins = (excess > limit) & (relaxing > limit)
        if parameters.outlier_robust_sd is not None:
            outliers = np.abs(excess) > parameters.outlier_robust_sd
    return veins, outliers


def _excess(region: np.ndarray, values: np.ndarray, judged: np.ndarray) -> np.ndarray:
    """Judged values minus their region's median, in its robust SDs, shape (n,).

    0 for all other values, and where the robust SD is 0.
    """
    region = region[judged]
    deviation = values[judged].astype(np.float64)
    deviation -= _median(region, deviation)[region]
    spread = _SD_PER_MAD * _median(region, np.abs(deviation))[region]
    excess = np.zeros(judged.shape)
    excess[judged] = np.divide(deviation, spread, out=np.zeros_like(deviation), where=spread > 0)
    return excess


def _median(region: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Median of each region's values; 0 for a region without one."""
    ordered = values[np.lexsort((values, region))]
    n = np.bincount(region)
    first = n.cumsum() - n
    median = np.zeros(n.size)
    some = n > 0
    low, high = (first + (n - 1) // 2)[some], (first + n // 2)[some]
    median[some] = (ordered[low] + ordered[high]) / 2
    return median


def _with_composites(
    counts: dict[str, np.ndarray], table: Sequence[Label]
) -> dict[str, np.ndarray]:
    index = [label.index for label in table]
    for region, label in enumerate(table):
        if label.members:
            parts = np.searchsorted(index, label.members)
            for count in counts.values():
                count[region] = count[parts].sum()
    return counts
