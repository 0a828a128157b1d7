"""Referencing: susceptibility relative to the mean of a stated region.

Dipole inversion leaves the mean undefined. The consensus (ISMRM EMTP, Magn Reson Med 2024, doi
10.1002/mrm.30006) asks for a stated reference and favours the whole brain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

import numpy as np

from .errors import InputError, Problem
from .masks.csf import CsfParameters, ventricular_fluid

REGIONS = ("brain", "csf", "none")
"""``brain``: the reliable part of the brain; ``csf``: fluid of the ventricles; ``none``: left as
the inversion gave it. Any other region is one of an atlas.
"""


@dataclass(frozen=True)
class Reference:
    """The reference of a map: what it is relative to and from how much tissue that came.

    ``mean`` and ``sd`` in ppm before referencing, ``volume`` in mL, ``fraction`` of the brain
    mask. A mean over an eroded mask differs between subjects, hence volume and fraction.
    """

    region: str
    mean: float
    sd: float
    volume: float
    fraction: float


@dataclass(frozen=True)
class Tissue:
    """A reference region: ``inside`` (X, Y, Z) bool, and what the sidecar says of it."""

    region: str
    inside: np.ndarray
    words: str
    least_voxels: int = 1


def brain_tissue(brain: np.ndarray) -> Tissue:
    """The brain (X, Y, Z) bool."""
    return Tissue("brain", brain, "mean of the brain inside the reliable mask")


def untouched(brain: np.ndarray) -> Tissue:
    """No reference; the brain's mean is measured all the same."""
    return Tissue("none", brain, "none")


def fluid_tissue(
    r2star: np.ndarray,
    magnitude: np.ndarray,
    brain: np.ndarray,
    voxel_size: Sequence[float],
    parameters: CsfParameters,
) -> Tissue:
    """The fluid of the ventricles; arguments as in :func:`.masks.csf.ventricular_fluid`."""
    return Tissue(
        "csf",
        ventricular_fluid(r2star, magnitude, brain, voxel_size, parameters),
        "mean of the cerebrospinal fluid of the ventricles (R2* below "
        f"{parameters.largest_r2star:g} 1/s) inside the reliable mask",
        parameters.least_voxels,
    )


def labelled_tissue(labels: np.ndarray, indices: Sequence[int], region: str, image: str) -> Tissue:
    """A region of an atlas: ``indices`` of ``labels`` (X, Y, Z), which the file ``image`` holds."""
    return Tissue(
        region,
        np.isin(labels, indices),
        f"mean of {region} (label {', '.join(map(str, indices))} of {image}) inside the "
        "reliable mask",
    )


def measure_reference(
    chi: np.ndarray,
    tissue: Tissue,
    brain: np.ndarray,
    reliable: np.ndarray,
    voxel_size: Sequence[float],
) -> Reference:
    """Mean χ of the tissue inside both masks, and how much of the brain it is.

    Parameters
    ----------
    chi : (X, Y, Z), ppm.
    tissue : the region.
    brain, reliable : (X, Y, Z) bool.
    voxel_size : mm.

    Raises
    ------
    InputError
        Where fewer voxels than the region needs are inside both masks, or χ is NaN or infinite
        in one of them.
    """
    inside = tissue.inside & brain & reliable
    count = int(inside.sum())
    if count < tissue.least_voxels:
        raise InputError(
            Problem(
                f"reference region {tissue.region}",
                f"{count or 'no'} voxel{'s' * (count != 1)} of it inside both the brain mask and "
                "the reliable mask",
                f"at least {tissue.least_voxels}",
                "Check that the images belong together and show the region, or choose another "
                "reference.region in the config.",
            )
        )
    values = chi[inside].astype(float)
    _check_finite(values)
    return Reference(
        tissue.region,
        float(values.mean()),
        float(values.std()),
        float(count * np.prod(voxel_size) / 1000),
        float(count / max(brain.sum(), 1)),
    )


def subtract_reference(chi: np.ndarray, reliable: np.ndarray, mean: float) -> np.ndarray:
    """χ − ``mean`` (X, Y, Z; float32 ppm), 0 outside ``reliable``.

    Raises :class:`InputError` where χ is NaN or infinite inside.
    """
    _check_finite(chi[reliable])
    return np.where(reliable, chi - mean, 0).astype(np.float32)


def region_indices(names: Mapping[int, str], region: str, where: str) -> list[int]:
    """The labels of a region, both hemispheres.

    ``names`` are the regions' by label index; ``where`` is their table. Raises
    :class:`InputError` where none has that name.
    """
    indices = [index for index, name in names.items() if name == region]
    if not indices:
        known = list(dict.fromkeys(names.values()))
        similar = get_close_matches(region, known, n=3) or known[:5]
        raise InputError(
            Problem(
                "reference.region",
                repr(region),
                f"the name of a region in {where}, such as {', '.join(similar)}",
                "Correct the name, or set reference.atlas to null for "
                f"{', '.join(REGIONS[:-1])} or {REGIONS[-1]}.",
            )
        )
    return indices


def _check_finite(values: np.ndarray) -> None:
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise InputError(
            Problem(
                "susceptibility map",
                f"{bad} voxels that are NaN or infinite inside the reliable mask",
                "finite values",
                "Run the dipole inversion again, or leave those voxels out of the mask.",
            )
        )
