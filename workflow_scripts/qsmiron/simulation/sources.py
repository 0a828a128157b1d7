"""A patient's iron and myelin: net χ taken apart into χ⁺ and χ⁻, and the relaxation they make.

Net χ is made first (:mod:`.susceptibility`) and stays as it is. |χ⁻| follows the tissue and has a
texture of its own; χ⁺ is the rest. Sources are counted from fluid, which has none: χ = χ₀ + χ⁺ + χ⁻
with χ₀ that of fluid. Means of adults in vivo lie near these (NMR Biomed 2024, doi
10.1002/nbm.5226), but white matter, whose χ⁻ makes up for the phantom values of its net χ.

Relaxation is not that of any method of :mod:`qsmiron.sources`: the relaxivities are others, R2 goes
by tissue and iron and differs between people, and R2' of white matter may depend on its fibres.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ..acquisition import b0_direction
from ..parameters import Parameters
from .anatomy import Tissues
from .atlas_regions import BRAINSTEM, N_LABELS, is_deep, label
from .susceptibility import FLUID_CHI_PPM, PPB, smooth_noise

MYELIN = {  # |χ⁻|, ppb
    "thalamus": 22.0,
    "caudate": 12.0,
    "putamen": 12.0,
    "pallidum": 14.0,
    "accumbens": 12.0,
    "hippocampus": 28.0,
    "amygdala": 30.0,
}
BRAINSTEM_MYELIN = 45.0
METRICS = ("chi_para_mean", "chi_dia_mean")


class SourceParameters(Parameters):
    """Myelin of the tissues, and relaxation at 3 T."""

    white: float = Field(60, ge=0, description="|χ⁻| of white matter (ppb)")
    grey: float = Field(22, ge=0, description="|χ⁻| of cortical grey matter (ppb)")
    spread: float = Field(0.06, ge=0, description="SD of |χ⁻| between people, of each region (1)")
    texture: float = Field(5, ge=0, description="SD of the texture of |χ⁻| (ppb)")
    r2prime_paramagnetic: float = Field(
        125, gt=0, description="R2' per ppm of χ⁺ at 3 T (1/(s·ppm))"
    )
    r2prime_diamagnetic: float = Field(
        45, gt=0, description="R2' per ppm of |χ⁻| at 3 T (1/(s·ppm))"
    )
    r2_paramagnetic: float = Field(85, ge=0, description="R2 per ppm of χ⁺ (1/(s·ppm))")
    r2_white: float = Field(13.9, gt=0, description="R2 of white matter without iron (1/s)")
    r2_grey: float = Field(10.9, gt=0, description="R2 of grey matter without iron (1/s)")
    r2_deep: float = Field(11.5, gt=0, description="R2 of deep nuclei without iron (1/s)")
    r2star_fluid: float = Field(3.0, gt=0, description="R2* of fluid (1/s)")
    r2_spread: float = Field(0.03, ge=0, description="SD of R2 between people (1)")
    fibre_effect: float = Field(
        0.0, ge=0, lt=1, description="R2' of white matter across B0 above that along it (1)"
    )


@dataclass(frozen=True)
class Sources:
    """On one grid (X, Y, Z), float32, 0 outside the brain.

    ``paramagnetic`` ≥ 0 ≥ ``diamagnetic`` (ppm); ``r2`` and ``r2prime`` (1/s) at 3 T, whose sum is
    R2*.
    """

    paramagnetic: np.ndarray
    diamagnetic: np.ndarray
    r2: np.ndarray
    r2prime: np.ndarray


def simulate_sources(
    chi: np.ndarray,
    tissues: Tissues,
    planted: Mapping[tuple[str, str, str], float],
    rng: np.random.Generator,
    parameters: SourceParameters | None = None,
    zero: float = FLUID_CHI_PPM,
) -> tuple[Sources, np.ndarray]:
    """Take net ``chi`` (X, Y, Z; ppm) apart, plant sources in it, and give them their relaxation.

    Parameters
    ----------
    chi : net susceptibility of the brain (ppm).
    tissues : the anatomy on the same grid.
    planted : true values by (region, hemisphere, metric); of ``chi_para_mean`` and
        ``chi_dia_mean`` (ppm) one alone leaves the other source as it is, so that net χ moves.
    rng : the patient's random stream for sources.
    parameters : see :class:`SourceParameters`.
    zero : χ₀, net χ of what has no source (ppm).

    Returns
    -------
    The sources, and net χ with the planted ones: ``chi`` itself wherever none was planted.
    """
    p = parameters or SourceParameters()
    brain, labels = tissues.brain, tissues.labels
    net = (chi - np.float32(zero)) * brain
    myelin = np.maximum(_myelin(tissues, p, rng), np.maximum(-net, 0))
    positive = net + myelin
    chi = chi.copy()
    for name, side in dict.fromkeys(cell[:2] for cell in planted if cell[2] in METRICS):
        inside = labels == label(name, side)
        iron, loss = (planted.get((name, side, metric)) for metric in METRICS)
        there = positive[inside]
        if loss is not None:
            before = myelin[inside]
            myelin[inside] = _with_mean(before, -loss)
            if iron is not None:
                there = there + (myelin[inside] - before)
        if iron is not None:
            there = _with_mean(there, iron)
        positive[inside] = there
        chi[inside] = np.float32(zero) + there - myelin[inside]
    r2 = _r2(positive, tissues, p, rng)
    along = p.r2prime_diamagnetic * myelin * _fibre_factor(tissues, p.fibre_effect)
    r2prime = p.r2prime_paramagnetic * positive + along
    parts = (positive, -myelin, r2, r2prime)
    return Sources(*(part.astype(np.float32) for part in parts)), chi


def _with_mean(values: np.ndarray, mean: float) -> np.ndarray:
    """``values`` moved by a constant so that their mean is that, none below 0."""
    moved = values.astype(float)
    for _ in range(1000):  # what is cut at 0 is taken from the others
        moved = np.maximum(moved + (mean - moved.mean()), 0)
        if abs(moved.mean() - mean) < 1e-9:
            break
    return moved.astype(np.float32)


def _myelin(tissues: Tissues, p: SourceParameters, rng: np.random.Generator) -> np.ndarray:
    """|χ⁻| (ppm) before anything is planted."""
    brain, labels, deep = tissues.brain, tissues.labels, is_deep()
    voxel = float(np.sqrt((tissues.affine[:3, 0] ** 2).sum()))
    means = np.zeros(N_LABELS + 1)
    means[BRAINSTEM] = BRAINSTEM_MYELIN
    for hemisphere in "LR":
        for name, value in MYELIN.items():
            means[label(name, hemisphere)] = value
    means *= 1 + p.spread * rng.standard_normal(N_LABELS + 1)
    own = 1 + p.spread * rng.standard_normal(N_LABELS + 1)
    own[0] = 1 + p.spread * rng.standard_normal() / 2
    tissue = p.white * tissues.white + p.grey * tissues.grey
    myelin = np.where(deep[labels], means.astype(np.float32)[labels], tissue)
    myelin = np.where(deep[labels], myelin, myelin * own.astype(np.float32)[labels])
    solid = np.where(deep[labels], 1, np.clip(tissues.white + tissues.grey, 0, 1))
    myelin += np.float32(p.texture) * solid * smooth_noise(brain.shape, 3.0 / voxel, rng)
    return np.float32(PPB) * np.clip(myelin, 0, None) * brain


def _r2(
    positive: np.ndarray, tissues: Tissues, p: SourceParameters, rng: np.random.Generator
) -> np.ndarray:
    """R2 (1/s) of the brain: by tissue and iron, a little different in each person."""
    deep = is_deep()[tissues.labels]
    white, grey, nuclei = (
        rate * (1 + p.r2_spread * rng.standard_normal())
        for rate in (p.r2_white, p.r2_grey, p.r2_deep)
    )
    fluid = np.clip(1 - tissues.white - tissues.grey, 0, 1)
    tissue = white * tissues.white + grey * tissues.grey + p.r2star_fluid * fluid
    return (np.where(deep, nuclei, tissue) + p.r2_paramagnetic * positive) * tissues.brain


def _fibre_factor(tissues: Tissues, effect: float) -> np.ndarray | float:
    """What the angle of fibres to B0 makes of the R2' of myelin; they radiate from the middle.

    1 along B0 and 1 + ``effect`` across it, by the square of the sine (Rudko 2014, doi
    10.1073/pnas.1306516111, of R2* in white matter).
    """
    if not effect:
        return 1.0
    axes = np.ix_(*(np.arange(n, dtype=np.float32) - (n - 1) / 2 for n in tissues.brain.shape))
    b0 = b0_direction(tissues.affine)
    along = sum(float(b) * axis for b, axis in zip(b0, axes, strict=True)) ** 2
    square = np.maximum(sum(axis**2 for axis in axes), 1)
    return 1 + np.float32(effect) * (1 - along / square) * tissues.white
