"""The operators of the problem in double precision, by complex transforms of the whole grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy import fft


def dipole_spectrum(
    shape: Sequence[int], voxel_size: Sequence[float], direction: Sequence[float]
) -> np.ndarray:
    """D at every spatial frequency (X, Y, Z).

    The sample at the Nyquist frequency stands for both of its signs: their mean is taken.
    """
    b = np.asarray(direction) / np.linalg.norm(direction)
    kernel = np.zeros(shape)
    for signs in np.ndindex(2, 2, 2):
        axes = [fft.fftfreq(n, edge) for n, edge in zip(shape, voxel_size, strict=True)]
        for k, n, sign in zip(axes, shape, signs, strict=True):
            k[n // 2] *= 1 - 2 * sign
        k = np.stack(np.meshgrid(*axes, indexing="ij"))
        square = (k**2).sum(axis=0)
        square[0, 0, 0] = 1
        kernel += (1 / 3 - np.tensordot(b, k, 1) ** 2 / square) / 8
    kernel[0, 0, 0] = 0
    return kernel


def difference_spectrum(shape: Sequence[int], voxel_size: Sequence[float] = (1, 1, 1)):
    """That of minus the 7-point Laplacian (1/mm²; by default 1/voxel²)."""
    axes = [
        4 * np.sin(np.pi * fft.fftfreq(n)) ** 2 / edge**2
        for n, edge in zip(shape, voxel_size, strict=True)
    ]
    return sum(np.meshgrid(*axes, indexing="ij"))


def filtered(data: np.ndarray, spectrum: np.ndarray) -> np.ndarray:
    """``data`` (X, Y, Z) with its spectrum multiplied by ``spectrum``."""
    return fft.ifftn(spectrum * fft.fftn(data.astype(float))).real


def gradient(x: np.ndarray) -> np.ndarray:
    """Forward, periodic differences (3, X, Y, Z), per voxel."""
    return np.stack([np.roll(x, -1, axis) - x for axis in range(3)])


def adjoint(q: np.ndarray) -> np.ndarray:
    """∇ᵀ of a vector field (3, X, Y, Z): the adjoint of :func:`gradient`."""
    return sum(np.roll(part, 1, axis) - part for axis, part in enumerate(q))


def total_variation(x: np.ndarray, voxel_size: Sequence[float]) -> float:
    """Sum over voxels and axes of the absolute gradient per mm."""
    return sum(
        np.abs(part).sum() / edge for part, edge in zip(gradient(x), voxel_size, strict=True)
    )
