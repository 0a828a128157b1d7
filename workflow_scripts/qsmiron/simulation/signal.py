"""From susceptibility to the multi-echo gradient-echo signal, and the T1-weighted image.

The field is the dipole field of everything in the head and of the air around it, less a shim. The
shim is a sum of solid harmonics: each fulfils Laplace's equation, as the field of any coil outside
the head does, so that the background stays harmonic in the brain.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T, b0_direction
from ..parameters import Parameters
from ..spectral import convolve_dipole
from ..volumes import voxel_size
from .anatomy import Tissues

AIR_CHI_PPM = 9.4
BONE_CHI_PPM = -2.1
OUTER_FLUID_CHI_PPM = 0.019
SHIM_SUBSAMPLING = 5


class SequenceParameters(Parameters):
    """The gradient-echo sequence and the T1-weighted one."""

    field_strength: float = Field(3.0, gt=0, description="B0 (T)")
    echo_times: tuple[float, ...] = Field(
        (0.004, 0.010, 0.016, 0.022, 0.028), description="Echo times (s)"
    )
    repetition_time: float = Field(0.033, gt=0, description="TR of the gradient echo (s)")
    flip_angle: float = Field(15.0, gt=0, description="Flip angle of the gradient echo (°)")
    snr: float = Field(80.0, gt=0, description="Mean magnitude in the brain at the first echo / SD")
    t1w_snr: float = Field(30.0, gt=0, description="White matter of the T1w image / SD of noise")
    bias: float = Field(0.3, ge=0, lt=1, description="Depth of the receive bias (fraction)")


@dataclass(frozen=True)
class Fields:
    """Fields on one grid (X, Y, Z), float32, ppm: ``total`` = ``local`` + ``background``.

    ``local`` is made by the brain's own χ; ``background`` by everything else, with the shim.
    """

    total: np.ndarray
    local: np.ndarray
    background: np.ndarray


def solid_harmonics(points: np.ndarray) -> np.ndarray:
    """The nine real solid harmonics to second order at ``points`` (n, 3): columns (n, 9)."""
    x, y, z = points.T
    columns = (
        np.ones_like(x), x, y, z, x * y, y * z, x * z, x**2 - y**2, 2 * z**2 - x**2 - y**2,
    )  # fmt: skip
    return np.stack(columns, axis=1)


def simulate_fields(
    chi: np.ndarray, tissues: Tissues, crop: tuple[slice, slice, slice], threads: int = 1
) -> Fields:
    """Dipole field of the head, shimmed over the brain.

    Parameters
    ----------
    chi : susceptibility of the brain (ppm), on the whole grid.
    tissues : the anatomy on a grid that reaches beyond the image, so that the neck does not end
        at its lowest slice.
    crop : the image's part of that grid.
    threads : threads of the Fourier transforms.

    Returns
    -------
    Fields on the cropped grid. B0 is the scanner's z axis as the affine has it.
    """
    size, direction = voxel_size(tissues.affine), b0_direction(tissues.affine)
    # A constant makes no field: with the head at −9.4 ppm instead of the air at 9.4 ppm, the air
    # may end at the edge of the grid.
    outside = (tissues.air - 1) * np.float32(AIR_CHI_PPM)
    outside += np.float32(BONE_CHI_PPM) * tissues.bone
    outside += np.float32(OUTER_FLUID_CHI_PPM) * tissues.outer_fluid
    background = convolve_dipole(outside, size, direction, threads)[crop]
    inner = chi[crop]
    local = convolve_dipole(inner, size, direction, threads)

    brain = np.flatnonzero(tissues.brain[crop])[::SHIM_SUBSAMPLING]
    radius = 100.0
    harmonics = solid_harmonics(_scanner_points(tissues.affine, crop, inner.shape, brain) / radius)
    unshimmed = background.reshape(-1)[brain] + local.reshape(-1)[brain]
    weights = np.linalg.lstsq(harmonics, unshimmed.astype(float), rcond=None)[0]
    everywhere = np.arange(inner.size)
    shim = np.empty(inner.size, np.float32)
    for part in np.array_split(everywhere, max(1, inner.size // 200_000)):
        points = _scanner_points(tissues.affine, crop, inner.shape, part) / radius
        shim[part] = solid_harmonics(points) @ weights
    background = np.ascontiguousarray(background) - shim.reshape(inner.shape)
    return Fields(background + local, local, background)


def _scanner_points(
    affine: np.ndarray, crop: tuple[slice, ...], shape: tuple[int, ...], flat: np.ndarray
) -> np.ndarray:
    index = np.stack(np.unravel_index(flat, shape), axis=1)
    index = index + np.array([part.start or 0 for part in crop])
    return index @ affine[:3, :3].T + affine[:3, 3]


def simulate_echoes(
    field: np.ndarray,
    r2star: np.ndarray,
    tissues: Tissues,
    rng: np.random.Generator,
    parameters: SequenceParameters | None = None,
) -> np.ndarray:
    """Complex signal of every echo.

    Parameters
    ----------
    field : total field (ppm), on the grid of ``tissues`` as are the others.
    r2star : of the tissue alone (1/s), see :func:`head_r2star`.
    tissues : the anatomy.
    rng : the patient's random stream for the signal.
    parameters : see :class:`SequenceParameters`.

    Returns
    -------
    signal (E, X, Y, Z), complex64, mean magnitude about 1 in the brain at the first echo, with
    noise, receive phase and dephasing within voxels.
    """
    p = parameters or SequenceParameters()
    amplitude = _gradient_echo_contrast(tissues) * _receive_bias(tissues, p.bias, rng)
    hertz = field * np.float32(GYROMAGNETIC_RATIO_MHZ_PER_T * p.field_strength)
    # A linear course of the field through a voxel spreads the phase evenly over it; its decay is
    # a sinc, of which this Gaussian is the start.
    spread = sum(np.gradient(hertz, axis=axis) ** 2 for axis in range(3))
    spread *= np.float32(np.pi**2 / 6)
    turn = np.float32(2 * np.pi) * hertz
    offset = _receive_phase(tissues, rng)
    echoes = np.empty((len(p.echo_times), *field.shape), np.complex64)
    for echo, te in zip(echoes, np.float32(p.echo_times), strict=True):
        magnitude = amplitude * np.exp(-te * r2star - te**2 * spread)
        phase = offset + te * turn
        echo.real = magnitude * np.cos(phase)
        echo.imag = magnitude * np.sin(phase)
    sigma = np.abs(echoes[0][tissues.brain]).mean() / p.snr
    for echo in echoes:
        echo.real += sigma * rng.standard_normal(field.shape, dtype=np.float32)
        echo.imag += sigma * rng.standard_normal(field.shape, dtype=np.float32)
    return echoes


def head_r2star(brain_r2star: np.ndarray, tissues: Tissues) -> np.ndarray:
    """R2* (X, Y, Z; float32 1/s) of the whole head, that of the brain being given."""
    around = 3 * tissues.outer_fluid + 200 * tissues.bone + 35 * tissues.soft
    return np.where(tissues.brain, brain_r2star, around).astype(np.float32)


def _gradient_echo_contrast(tissues: Tissues) -> np.ndarray:
    inside = 0.82 * tissues.white + 1.0 * tissues.grey + 0.95 * tissues.fluid
    around = 0.95 * tissues.outer_fluid + 0.12 * tissues.bone + 0.85 * tissues.soft
    return inside + around


def _relative_position(tissues: Tissues) -> list[np.ndarray]:
    """Coordinates along the array axes, −1 to 1, shaped to broadcast."""
    axes = (np.linspace(-1, 1, n, dtype=np.float32) for n in tissues.brain.shape)
    return list(np.ix_(*axes))


def _receive_bias(tissues: Tissues, depth: float, rng: np.random.Generator) -> np.ndarray:
    """Coil sensitivity: higher near the coil, slightly different to each side."""
    x, y, z = _relative_position(tissues)
    tilt = rng.normal(0, 0.3, 3)
    square = (x**2 + y**2 + z**2) / 2 - 0.5
    shape = square + tilt[0] * x + tilt[1] * y + tilt[2] * z
    return np.exp(np.float32(depth) * shape).astype(np.float32)


def _receive_phase(tissues: Tissues, rng: np.random.Generator) -> np.ndarray:
    """Phase of the receive coil (rad): smooth, the same in every echo."""
    x, y, z = _relative_position(tissues)
    a = rng.normal(0, 1, 7).astype(np.float32)
    linear = a[0] * 2 + 1.2 * (a[1] * x + a[2] * y + a[3] * z)
    return linear + 0.8 * (a[4] * x * y + a[5] * y * z + a[6] * (z**2 - x**2))


def simulate_t1w(
    tissues: Tissues, rng: np.random.Generator, parameters: SequenceParameters | None = None
) -> np.ndarray:
    """T1-weighted magnitude (X, Y, Z), float32, white matter about 1.

    Its contrast is not the template's: a non-linear function of the tissue mixture, with texture,
    a bias field, Rician noise and a head around the brain.
    """
    p = parameters or SequenceParameters()
    mixture = 1.0 * tissues.white + 0.66 * tissues.grey + 0.30 * tissues.fluid
    texture = ndimage.gaussian_filter(rng.standard_normal(mixture.shape, dtype=np.float32), 0.8)
    inside = mixture**1.25 * (1 + 0.03 / texture.std() * texture)
    around = 0.22 * tissues.outer_fluid + 0.10 * tissues.bone
    around = around + tissues.soft * (0.75 + 0.08 / texture.std() * texture)
    signal = np.where(tissues.brain, inside, around) * _receive_bias(tissues, p.bias, rng)
    noise = rng.standard_normal((2, *signal.shape), dtype=np.float32) / np.float32(p.t1w_snr)
    return np.hypot(signal + noise[0], noise[1]).astype(np.float32)
