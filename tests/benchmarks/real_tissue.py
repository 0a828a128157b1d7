"""Phantoms of real tissue, or with a texture like it: those of one χ per tissue flatter edges.

``tissue_slabs`` take an in-vivo map of several orientations as truth and simulate what lies around
it; ``textured_head`` is the demo's head with a Gaussian random field on top of its tissues.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
from benchmarks.phantoms import COSMOS_FOLDER, Phantom, cosmos_slabs, head
from scipy import ndimage

from qsmiron.acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T
from qsmiron.simulation.signal import AIR_CHI_PPM, BONE_CHI_PPM, solid_harmonics
from qsmiron.spectral import convolve_dipole, inverse, padded_shape, transform, wave_numbers

ECHO_TIMES_S = (0.004, 0.008, 0.012, 0.016, 0.020)
R2STAR_PER_S, SNR = 25.0, 60.0
SURROUNDINGS_MM = 24
"""How much of the surroundings is simulated."""
BONE_MM, AIR_MM = (3.0, 8.0), 14.0
"""Distance from the tissue: of bone, and from which on there is air."""

TEXTURE_PPM, TEXTURE_MM, TEXTURE_DECAY = 0.015, 4.0, 1.5
"""SD, length and decay of the spectrum (1 + (length × wave number)²) to the minus decay, twice."""


def tissue_slabs(folder: str | Path = COSMOS_FOLDER) -> list[Phantom]:
    """The slabs' χ as truth, in surroundings of bone and air, as five echoes at 3 T.

    The map lacks the smooth part of χ, as each of its make does: it cannot judge a prior on that.
    """
    return [_surrounded(slab, seed) for seed, slab in enumerate(cosmos_slabs(folder))]


def _surrounded(slab: Phantom, seed: int) -> Phantom:
    pieces, count = ndimage.label(slab.mask)
    sizes = ndimage.sum(slab.mask, pieces, range(1, count + 1))
    mask = pieces == 1 + np.argmax(sizes)
    # 1 mm voxels, B0 along the third axis: see cosmos_slabs
    around = tuple(slice(SURROUNDINGS_MM, -SURROUNDINGS_MM) for _ in range(3))
    inside = np.pad(mask, SURROUNDINGS_MM)
    away = ndimage.distance_transform_edt(~inside)
    outer = np.where((away > BONE_MM[0]) & (away <= BONE_MM[1]), BONE_CHI_PPM, 0.0)
    outer[away > AIR_MM] = AIR_CHI_PPM
    background = _shimmed(convolve_dipole(outer, slab.voxel_size, slab.b0_direction)[around], mask)
    chi = np.where(mask, slab.chi, 0).astype(np.float32)
    local = convolve_dipole(np.pad(chi, SURROUNDINGS_MM), slab.voxel_size, slab.b0_direction)
    local = np.ascontiguousarray(local[around])
    total = np.where(mask, local + background, 0).astype(np.float32)
    return dataclasses.replace(
        slab,
        name=slab.name.replace("(COSMOS)", "as truth"),
        echoes=_echoes(total, mask, slab.field_strength, seed),
        echo_times=ECHO_TIMES_S,
        mask=mask,
        chi=chi,
        local_field=np.where(mask, local, 0).astype(np.float32),
        total_field=total,
    )


def _shimmed(field: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """``field`` (ppm) less its constant, linear and quadratic harmonic parts in the mask."""
    points = np.stack(np.indices(field.shape), axis=-1).reshape(-1, 3) / 100
    harmonics = solid_harmonics(points)
    inside = mask.ravel()
    weights = np.linalg.lstsq(harmonics[inside], field[mask], rcond=None)[0]
    return field - (harmonics @ weights).reshape(field.shape)


def _echoes(field: np.ndarray, mask: np.ndarray, field_strength: float, seed: int) -> np.ndarray:
    """Complex images (E, X, Y, Z) with noise, of tissue with one R2* and nothing around it."""
    rng = np.random.default_rng(seed)
    echoes = np.stack([mask * np.exp(-t * R2STAR_PER_S) for t in ECHO_TIMES_S]).astype(np.complex64)
    echoes *= _turns(field, ECHO_TIMES_S, field_strength)
    noise = rng.standard_normal((2, *echoes.shape)).astype(np.float32) / np.float32(SNR)
    return echoes + noise[0] + 1j * noise[1]


def _turns(field: np.ndarray, echo_times: tuple[float, ...], field_strength: float) -> np.ndarray:
    """What a field (ppm) does to the signal at each echo time."""
    per_s = np.float32(2 * np.pi * GYROMAGNETIC_RATIO_MHZ_PER_T * field_strength)
    return np.stack([np.exp(1j * (t * per_s * field)).astype(np.complex64) for t in echo_times])


def textured_head(
    participant: str = "sub-01", voxel_size: float = 1.0, threads: int = 2, seed: int = 5
) -> Phantom:
    """:func:`.phantoms.head` with a texture of χ in the brain."""
    smooth = head(participant, voxel_size, threads)
    chi = _texture(smooth, seed)
    field = convolve_dipole(chi, smooth.voxel_size, smooth.b0_direction, threads)
    return dataclasses.replace(
        smooth,
        name=f"textured {smooth.name}",
        echoes=smooth.echoes * _turns(field, smooth.echo_times, smooth.field_strength),
        chi=smooth.chi + chi,
        local_field=smooth.local_field + field,
        total_field=smooth.total_field + field,
    )


def _texture(phantom: Phantom, seed: int) -> np.ndarray:
    """A Gaussian random field (X, Y, Z; float32 ppm) in the brain."""
    shape = padded_shape(phantom.mask.shape, 8)
    white = np.random.default_rng(seed).standard_normal(shape).astype(np.float32)
    square = sum(k**2 for k in wave_numbers(shape, phantom.voxel_size))
    spectrum = transform(white, shape)
    spectrum *= (1 + TEXTURE_MM**2 * square) ** np.float32(-TEXTURE_DECAY)
    texture = np.where(phantom.mask, inverse(spectrum, shape, phantom.mask.shape), 0)
    return (texture * (TEXTURE_PPM / texture[phantom.mask].std())).astype(np.float32)
