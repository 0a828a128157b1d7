"""Compiled loops of the conjugate gradients over sources and texture.

Each works on planes ``start`` to ``stop`` of the first axis and puts its sums into one number per
plane, so that they do not depend on the number of threads. Spectra are complex64 on the half grid,
whose first and last column stand for themselves and every other for two.
"""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True, nogil=True)
def add_texture(start, stop, spectrum, dipole, texture, amplitude):
    """``spectrum`` of the sources becomes that of the field of sources and ``texture``."""
    _, ny, nz = spectrum.shape
    for i in range(start, stop):
        for j in range(ny):
            for k in range(nz):
                made = dipole[i, j, k] * spectrum[i, j, k]
                spectrum[i, j, k] = made + amplitude[i, j, k] * texture[i, j, k]


@njit(cache=True, nogil=True)
def split_texture(start, stop, spectrum, dipole, texture, amplitude):
    """The adjoint: ``texture`` is made of a field's ``spectrum``, and this that of the sources."""
    _, ny, nz = spectrum.shape
    for i in range(start, stop):
        for j in range(ny):
            for k in range(nz):
                texture[i, j, k] = amplitude[i, j, k] * spectrum[i, j, k]
                spectrum[i, j, k] = dipole[i, j, k] * spectrum[i, j, k]


@njit(cache=True, nogil=True)
def keep(start, stop, data, kept, sums):
    """``data`` becomes 0 but where ``kept``; its squares are summed."""
    _, ny, nz = data.shape
    for i in range(start, stop):
        total = 0.0
        for j in range(ny):
            for k in range(nz):
                if kept[i, j, k]:
                    value = np.float64(data[i, j, k])
                    total += value * value
                else:
                    data[i, j, k] = 0
        sums[i] = total


@njit(cache=True, nogil=True)
def square(start, stop, spectrum, sums):
    """Squares of a spectrum over the whole grid."""
    _, ny, nz = spectrum.shape
    for i in range(start, stop):
        total = 0.0
        for j in range(ny):
            for k in range(nz):
                value = spectrum[i, j, k]
                part = np.float64(value.real) ** 2 + np.float64(value.imag) ** 2
                total += part if k == 0 or k == nz - 1 else 2 * part
        sums[i] = total


@njit(cache=True, nogil=True)
def advance(start, stop, solution, residual, direction, image, step, ridge):
    """A step along ``direction``, whose image by the normal operator is ``image`` + r times it."""
    _, ny, nz = solution.shape
    for i in range(start, stop):
        for j in range(ny):
            for k in range(nz):
                along = direction[i, j, k]
                solution[i, j, k] += step * along
                residual[i, j, k] -= step * (image[i, j, k] + ridge * along)


@njit(cache=True, nogil=True)
def turn(start, stop, direction, residual, share):
    """The next direction: ``residual`` and a ``share`` of the one before."""
    _, ny, nz = direction.shape
    for i in range(start, stop):
        for j in range(ny):
            for k in range(nz):
                direction[i, j, k] = residual[i, j, k] + share * direction[i, j, k]
