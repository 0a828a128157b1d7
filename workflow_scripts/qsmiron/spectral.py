"""Fourier tools shared by simulation and reconstruction: padding, real FFTs and kernels.

All transforms are real, single precision and run on ``threads`` workers. A kernel is an array on
the half grid of ``scipy.fft.rfftn``: shape (X, Y, Z // 2 + 1). Wave numbers are in cycles per mm.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy import fft

Shape = tuple[int, int, int]


def padded_shape(shape: Sequence[int], margin: int | Sequence[int] = 0) -> Shape:
    """The smallest even, quickly transformed shape that holds ``shape`` plus ``margin`` voxels.

    ``margin`` is the number of voxels added per axis in total (not per side); since a Fourier
    convolution is periodic, one margin keeps both opposite faces apart.
    """
    margins = np.broadcast_to(margin, 3)
    x, y, z = (_fast_even(int(n) + int(m)) for n, m in zip(shape, margins, strict=True))
    return x, y, z


def _fast_even(length: int) -> int:
    length += length % 2
    while (fast := fft.next_fast_len(length, real=True)) % 2:
        length = fast + 1
    return fast


def transform(data: np.ndarray, shape: Shape, threads: int = 1) -> np.ndarray:
    """Real forward FFT of ``data`` zero-padded (at the end of each axis) to ``shape``."""
    return fft.rfftn(np.asarray(data, np.float32), s=shape, workers=threads)


def inverse(
    spectrum: np.ndarray, shape: Shape, crop: Sequence[int] | None = None, threads: int = 1
) -> np.ndarray:
    """Inverse of :func:`transform`, cut back to the first ``crop`` voxels of each axis.

    ``spectrum`` may be overwritten. Returns float32.
    """
    data = fft.irfftn(spectrum, s=shape, workers=threads, overwrite_x=True)
    if crop is not None:
        data = data[tuple(slice(0, int(n)) for n in crop)]
    return data


def wave_numbers(
    shape: Sequence[int], voxel_size: Sequence[float]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Wave numbers (cycles/mm) along each axis of the half grid, shaped to broadcast."""
    x, y, z = (int(n) for n in shape)
    return (
        fft.fftfreq(x, voxel_size[0]).astype(np.float32)[:, None, None],
        fft.fftfreq(y, voxel_size[1]).astype(np.float32)[None, :, None],
        fft.rfftfreq(z, voxel_size[2]).astype(np.float32)[None, None, :],
    )


def dipole_kernel(
    shape: Sequence[int], voxel_size: Sequence[float], direction: Sequence[float]
) -> np.ndarray:
    """Unit dipole response D(k) = 1/3 − (k·b)²/|k|² with D(0) = 0, on the half grid.

    Multiplying the spectrum of χ by D gives that of the field, both relative to B0, with the
    Lorentz sphere removed (Salomir 2003, doi 10.1002/cmr.b.10083; Marques & Bowtell 2005, doi
    10.1002/cmr.b.20034).

    Parameters
    ----------
    shape : grid of the transform (X, Y, Z).
    voxel_size : mm along the three array axes; may be anisotropic.
    direction : B0 along the array axes (see ``acquisition.b0_direction``); any length above 0.

    Returns
    -------
    float32 array (X, Y, Z // 2 + 1), dimensionless.
    """
    b = np.asarray(direction, float)
    b = (b / np.linalg.norm(b)).astype(np.float32)
    k = wave_numbers(shape, voxel_size)
    square = k[0] ** 2 + k[1] ** 2 + k[2] ** 2
    along = (k[0] * b[0]) ** 2 + (k[1] * b[1]) ** 2 + (k[2] * b[2]) ** 2
    # The Nyquist sample stands for both signs of its wave number, whose mixed terms cancel:
    # without this the kernel of an oblique B0 would not be that of a real, even response.
    odd = [_without_nyquist(k[axis], int(n)) * b[axis] for axis, n in enumerate(shape)]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        if b[first] and b[second]:
            along += 2 * odd[first] * odd[second]
    square[0, 0, 0] = 1
    kernel = np.float32(1 / 3) - along / square
    kernel[0, 0, 0] = 0
    return kernel


def _without_nyquist(k: np.ndarray, length: int) -> np.ndarray:
    if length % 2:
        return k
    k = k.copy()
    k.reshape(-1)[length // 2] = 0
    return k


def convolve_dipole(
    chi: np.ndarray,
    voxel_size: Sequence[float],
    direction: Sequence[float],
    threads: int = 1,
) -> np.ndarray:
    """Field (ppm of B0) of a susceptibility distribution ``chi`` (ppm; X, Y, Z) in free space.

    Each voxel is a uniform cuboid and the field is that at voxel centres, the Lorentz sphere
    removed. The response is sampled in space, not in k-space: sampling D(k) would cut off what
    lies beyond the Nyquist frequency, and with an oblique B0 the ringing of strong sources would
    spread far into places where their field must be harmonic. With the grid doubled by zeros the
    convolution is not periodic either. Returns float32 of chi's shape.
    """
    shape = padded_shape(chi.shape, chi.shape)
    spectrum = transform(chi, shape, threads)
    spectrum *= transform(_dipole_response(shape, voxel_size, direction), shape, threads)
    return np.ascontiguousarray(inverse(spectrum, shape, chi.shape, threads))


NEAR_EDGES = 3
"""Up to so many of its longest edges a voxel is a cuboid; farther away it is a point."""


def _dipole_response(
    shape: Shape, voxel_size: Sequence[float], direction: Sequence[float]
) -> np.ndarray:
    """Field around a voxel with χ = 1, at offsets wrapped as an FFT has them."""
    b = np.asarray(direction, float)
    b = b / np.linalg.norm(b)
    x, y, z = (
        (fft.fftfreq(n, 1 / n) * edge).astype(np.float32).reshape(np.roll((-1, 1, 1), axis))
        for axis, (n, edge) in enumerate(zip(shape, voxel_size, strict=True))
    )
    square = x**2 + y**2 + z**2
    square[0, 0, 0] = 1
    along = np.float32(b[0]) * x + np.float32(b[1]) * y + np.float32(b[2]) * z
    moment = np.float32(np.prod(voxel_size) / (4 * np.pi))
    along **= 2
    along *= 3
    along /= square
    along -= 1
    along *= moment
    square *= np.sqrt(square)
    along /= square
    reach = [
        min(int(np.ceil(NEAR_EDGES * max(voxel_size) / edge)), n // 2 - 1)
        for edge, n in zip(voxel_size, shape, strict=True)
    ]
    near = [np.arange(-r, r + 1) for r in reach]
    along[np.ix_(*near)] = _cuboid_response(near, voxel_size, b)
    return along


def _cuboid_response(
    near: Sequence[np.ndarray], voxel_size: Sequence[float], b: np.ndarray
) -> np.ndarray:
    """Field of a uniform cuboid at voxel offsets ``near`` (per axis), by its demagnetising tensor.

    Summed over the corners, the tensor's diagonal holds arctangents, the rest logarithms (Smith
    et al., J Magn Magn Mater 2010, doi 10.1016/j.jmmm.2009.08.030).
    """
    centres = np.meshgrid(
        *(offsets * edge for offsets, edge in zip(near, voxel_size, strict=True)), indexing="ij"
    )
    # Inside, the field adds χ to the demagnetisation, and the Lorentz sphere takes off 2/3 of it.
    field = np.where(sum(centre**2 for centre in centres) == 0, 1 / 3, 0.0)
    for signs in np.ndindex(2, 2, 2):
        corner = [
            centre + (sign - 0.5) * edge
            for centre, sign, edge in zip(centres, signs, voxel_size, strict=True)
        ]
        r = np.sqrt(sum(part**2 for part in corner))
        parity = (-1) ** (3 - sum(signs))
        for axis in range(3):
            u, v, w = (corner[(axis + shift) % 3] for shift in range(3))
            own, pair = b[axis] ** 2, 2 * b[axis] * b[(axis + 1) % 3]
            # own: u with itself; pair: u with v, across w.
            field -= parity / (4 * np.pi) * own * np.arctan(v * w / (u * r))
            field += parity / (4 * np.pi) * pair * np.log(w + r)
    return field


def sphere_kernel(shape: Shape, voxel_size: Sequence[float], radius: float) -> np.ndarray:
    """Spherical-mean-value kernel: the spectrum of a ball of ``radius`` mm with sum 1.

    The ball is the set of voxels whose centres lie within ``radius``. ``shape`` must be even
    (see :func:`padded_shape`): an even, real kernel is then the cosine transform of one octant,
    which costs an eighth. Returns float32 (X, Y, Z // 2 + 1).
    """
    half = [n // 2 for n in shape]
    reach = [min(int(radius / v), h) for v, h in zip(voxel_size, half, strict=True)]
    x, y, z = (np.arange(r + 1) * v for r, v in zip(reach, voxel_size, strict=True))
    squares = x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2
    octant = np.zeros([h + 1 for h in half], np.float32)
    octant[tuple(slice(0, r + 1) for r in reach)] = squares <= radius**2 * (1 + 1e-6)
    spectrum = fft.dctn(octant, type=1)
    spectrum /= spectrum[0, 0, 0]
    mirrored = spectrum[:, [*range(half[1] + 1), *range(half[1] - 1, 0, -1)]]
    return mirrored[[*range(half[0] + 1), *range(half[0] - 1, 0, -1)]]


TOUCHED = 1e-5
"""A ball's mean of a mask, from which on its centre lies within the ball's radius of the mask."""


def within_distance(
    inside: np.ndarray, voxel_size: Sequence[float], distance: float, threads: int = 1
) -> np.ndarray:
    """Voxels in a mask ``inside`` or up to ``distance`` (mm) from it, on a periodic, even grid."""
    if distance < min(voxel_size):
        return inside
    shape: Shape = inside.shape
    spectrum = transform(inside, shape, threads)
    spectrum *= sphere_kernel(shape, voxel_size, distance)
    return inverse(spectrum, shape, threads=threads) > TOUCHED


def gradient(data: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Forward differences to the next voxel along each axis, periodic, in units per voxel."""
    x, y, z = (np.roll(data, -1, axis) - data for axis in range(3))
    return x, y, z


def divergence(x: np.ndarray, y: np.ndarray, z: np.ndarray) -> np.ndarray:
    """Backward differences of a vector field, summed: minus the adjoint of :func:`gradient`."""
    return x - np.roll(x, 1, 0) + y - np.roll(y, 1, 1) + z - np.roll(z, 1, 2)


def laplacian_kernel(shape: Shape, voxel_size: Sequence[float] = (1, 1, 1)) -> np.ndarray:
    """Spectrum of minus the 7-point Laplacian, in 1/mm² (by default 1/voxel²); 0 at k = 0 only.

    It is minus the divergence of the gradient above where the voxel's edges are 1.
    """
    kernel = np.zeros((1, 1, 1), np.float32)
    for k, edge in zip(wave_numbers(shape, (1, 1, 1)), voxel_size, strict=True):
        kernel = kernel + np.sin(np.float32(np.pi) * k) ** 2 * np.float32(4 / edge**2)
    return kernel.astype(np.float32)


def inner_product(one: np.ndarray, other: np.ndarray) -> float:
    """⟨one, other⟩ of two real arrays, summed pairwise in double precision.

    A BLAS dot product depends on its number of threads in the last bits, and so would every
    iteration after it.
    """
    return float((one * other).sum(dtype=float))


def spectral_inner_product(one: np.ndarray, other: np.ndarray) -> float:
    """Inner product over the whole grid of two spectra on the half grid, as above.

    The first and last plane of the half stand for themselves, every other for two.
    """
    product = one.real * other.real
    product += one.imag * other.imag
    planes = product.sum(axis=(0, 1), dtype=float)
    return float(2 * planes.sum() - planes[0] - planes[-1])
