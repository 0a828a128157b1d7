"""A patient's susceptibility: tissues, regions, texture, veins, deposits, and the planted cells.

Values are relative to tissue water. A planted cell (mean, SD or deposit fraction of a region) is
met exactly on the grid's true labels: the mean and SD to rounding, the fraction to the nearest
voxel. A region with deposits has a fixed threshold; what is not deposit stays clearly below it and
what is lies clearly above, so that a mean and a fraction can be planted in one region.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from pydantic import Field
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ..parameters import Parameters
from ..spaces import bounding_box
from .anatomy import Tissues
from .atlas_regions import UNLABELLED_NUCLEI, is_deep, label, structure_values
from .template_head import ellipsoid

PPB = 1e-3

FLUID_CHI_PPM = 0.019
"""Cerebrospinal fluid, relative to tissue water."""

DEPOSIT_THRESHOLDS_PPM = {"amygdala": 0.060, "thalamus": 0.070}
"""Fixed thresholds; with 5 % of deposits on average they are the cohort's 95th percentiles."""


class SusceptibilityParameters(Parameters):
    """Values (ppb) from challenge-type phantoms and in-vivo studies at 3 T."""

    white: float = Field(-30, description="χ of white matter (ppb)")
    grey: float = Field(20, description="χ of cortical grey matter (ppb)")
    fluid: float = Field(1000 * FLUID_CHI_PPM, description="χ of cerebrospinal fluid (ppb)")
    vein: float = Field(190, description="χ of venous blood (ppb)")
    n_veins: int = Field(40, ge=0, description="Number of veins")
    vein_radius: float = Field(0.7, gt=0, description="Mean radius of a vein (mm)")
    cortex_spread: float = Field(5, ge=0, description="SD between people, cortical regions (ppb)")
    deep_spread: float = Field(7, ge=0, description="SD between people, deep structures (ppb)")
    texture_smoothing: float = Field(
        3.0, gt=0, description="SD of the Gaussian kernel that makes the texture coherent (mm)"
    )
    white_texture: float = Field(6, ge=0, description="SD of texture in white matter (ppb)")
    grey_texture: float = Field(10, ge=0, description="SD of texture in labelled regions (ppb)")
    hippocampus_sd: float = Field(25, gt=0, description="Mean SD within the hippocampus (ppb)")
    hippocampus_sd_spread: float = Field(6, ge=0, description="SD of that between people (ppb)")
    deposit_smoothing: float = Field(
        3.0, gt=0, description="SD of the Gaussian kernel that shapes the clumps (mm)"
    )
    deposit_lowest: float = Field(30, gt=0, description="Deposit's edge above the threshold (ppb)")
    deposit_highest: float = Field(
        130, gt=0, description="Deposit's core above the threshold (ppb)"
    )
    below_threshold: float = Field(
        8, gt=0, description="Distance that everything else keeps from the threshold (ppb)"
    )


def simulate_chi(
    tissues: Tissues,
    age: float,
    planted: Mapping[tuple[str, str, str], float],
    rng: np.random.Generator,
    parameters: SusceptibilityParameters | None = None,
) -> np.ndarray:
    """Susceptibility of the brain.

    Parameters
    ----------
    tissues : the anatomy on the grid.
    age : years; sets the iron of the basal ganglia.
    planted : true values by (region, hemisphere, metric), metric one of ``chi_mean`` (ppm),
        ``chi_sd`` (ppm; with n, not n − 1) and ``deposit_fraction`` (1).
    rng : the patient's random stream for χ.
    parameters : see :class:`SusceptibilityParameters`.

    Returns
    -------
    χ (X, Y, Z), float32, ppm; 0 outside the brain.
    """
    p = parameters or SusceptibilityParameters()
    box = bounding_box(tissues.brain, 4)
    brain, labels = tissues.brain[box], tissues.labels[box]
    white, grey, fluid = tissues.white[box], tissues.grey[box], tissues.fluid[box]
    voxel = float(np.sqrt((tissues.affine[:3, 0] ** 2).sum()))

    deep = is_deep()
    values = structure_values(age)
    values += rng.normal(0, np.where(deep, p.deep_spread, p.cortex_spread))
    values[0] = 0
    tissue = p.white * white + p.grey * grey + p.fluid * fluid
    chi = np.where(deep[labels], 0, tissue) + values.astype(np.float32)[labels]
    texture = smooth_noise(brain.shape, p.texture_smoothing / voxel, rng)
    amplitude = np.full(len(values), p.grey_texture, np.float32)
    amplitude[0] = p.white_texture
    chi += amplitude[labels] * texture
    coordinates = tissues.coordinates[:, *box]
    for centre, axes, extra in UNLABELLED_NUCLEI:
        for side in (-1, 1):
            distance = ellipsoid(coordinates, ((side * centre[0], *centre[1:]), axes))
            chi += extra * np.clip(0.5 - distance / voxel, 0, 1)
    chi *= brain
    _add_veins(chi, brain & ~deep[labels], voxel, p, rng)

    clumps = smooth_noise(brain.shape, p.deposit_smoothing / voxel, rng)
    for side in "LR":
        sd = _planted_or(
            planted.get(("hippocampus", side, "chi_sd"), np.nan) / PPB,
            max(8.0, rng.normal(p.hippocampus_sd, p.hippocampus_sd_spread)),
        )
        mean = values[label("hippocampus", side)]
        inside = labels == label("hippocampus", side)
        chi[inside] = mean + sd * _standardised(texture[inside])
        for name, threshold in DEPOSIT_THRESHOLDS_PPM.items():
            index = label(name, side)
            fraction = _planted_or(
                planted.get((name, side, "deposit_fraction"), np.nan), rng.beta(3, 57)
            )
            mean = _planted_or(planted.get((name, side, "chi_mean"), np.nan) / PPB, values[index])
            inside = labels == index
            plain = p.grey_texture * _standardised(texture[inside])
            depth = ndimage.distance_transform_edt(inside, sampling=voxel)[inside]
            chi[inside] = _with_deposits(
                plain, clumps[inside] + 0.4 * np.minimum(depth, 5), mean, fraction,
                threshold / PPB, p,
            )  # fmt: skip
    for (name, side, metric), value in planted.items():
        if metric == "chi_mean" and name not in DEPOSIT_THRESHOLDS_PPM:
            inside = labels == label(name, side)
            chi[inside] += value / PPB - chi[inside].mean(dtype=float)
    whole = np.zeros(tissues.brain.shape, np.float32)
    whole[box] = chi * PPB
    return whole


def _planted_or(planted: float, drawn: float) -> float:
    """The planted value where there is one; the other is drawn in any case (same stream)."""
    return float(drawn if np.isnan(planted) else planted)


def smooth_noise(shape: tuple[int, ...], sigma: float, rng: np.random.Generator) -> np.ndarray:
    """White noise smoothed by a Gaussian of SD ``sigma`` (voxels), with SD 1; float32."""
    noise = ndimage.gaussian_filter(rng.standard_normal(shape, dtype=np.float32), sigma)
    return noise / noise.std()


def _standardised(values: np.ndarray) -> np.ndarray:
    values = values.astype(float) - values.mean(dtype=float)
    return values / values.std()


def _with_deposits(
    plain: np.ndarray,
    clumps: np.ndarray,
    mean: float,
    fraction: float,
    threshold: float,
    p: SusceptibilityParameters,
) -> np.ndarray:
    """Values (ppb) of a region's voxels with an exact mean and number above the threshold."""
    count = round(fraction * plain.size)
    order = np.argsort(clumps, kind="stable")
    rest, deposits = order[: plain.size - count], order[plain.size - count :]
    values = np.empty(plain.size)
    values[deposits] = threshold + np.linspace(p.deposit_lowest, p.deposit_highest, count)
    wanted = (mean * plain.size - values[deposits].sum()) / rest.size
    ceiling = threshold - p.below_threshold
    if not wanted < ceiling:
        raise ValueError(
            f"a mean of {mean:.1f} ppb with {fraction:.1%} of deposits leaves no room below the "
            f"threshold of {threshold:.1f} ppb"
        )
    body = plain[rest]
    for _ in range(1000):  # what is cut at the ceiling is given to the others
        body = np.minimum(body + (wanted - body.mean()), ceiling)
        if abs(body.mean() - wanted) < 1e-6:
            break
    values[rest] = body
    return values


def _add_veins(
    chi: np.ndarray,
    allowed: np.ndarray,
    voxel: float,
    p: SusceptibilityParameters,
    rng: np.random.Generator,
) -> None:
    """Add curved veins to ``chi`` (ppb), in place, as the blood's share of each voxel."""
    starts = np.flatnonzero(allowed)
    step = voxel / 2
    count = int(40 / step)
    for _ in range(p.n_veins):
        position = np.array(np.unravel_index(rng.choice(starts), chi.shape), float)
        direction = rng.standard_normal(3)
        direction /= np.linalg.norm(direction)
        bend = Rotation.from_rotvec(rng.normal(0, 0.04 * step, 3)).as_matrix()
        radius = p.vein_radius * rng.uniform(0.7, 1.4)
        path = [position]
        for _ in range(count):
            direction = bend @ direction
            path.append(path[-1] + direction * step / voxel)
        index = np.rint(path).astype(int)
        index = index[((index >= 0) & (index < chi.shape)).all(axis=1)]
        index = np.unique(index, axis=0)
        index = index[allowed[tuple(index.T)]]
        # A straight run of length `voxel` through a voxel fills this share of it with blood.
        share = min(1.0, np.pi * radius**2 / voxel**2)
        chi[tuple(index.T)] += share * (p.vein - chi[tuple(index.T)])
