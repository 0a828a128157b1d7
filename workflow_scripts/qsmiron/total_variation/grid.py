"""The padded grid that a dipole problem is solved on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..spaces import bounding_box
from ..spectral import dipole_kernel, inverse, padded_shape, transform


class DipoleGrid:
    """The box around a mask with a margin, and the dipole operator D on it.

    ``shape`` is the padded grid; the box lies at its first corner. ``inside`` is the mask there.
    ``margin`` (mm) is the zero padding between the brain and its periodic copy.
    """

    def __init__(
        self,
        mask: np.ndarray,
        voxel_size: Sequence[float],
        b0_direction: Sequence[float],
        threads: int = 1,
        margin: float = 24.0,
    ) -> None:
        self.mask = mask
        self.voxel_size = tuple(float(edge) for edge in voxel_size)
        self.threads = threads
        self.box = bounding_box(mask)
        crop = mask[self.box].shape
        self.corner = tuple(slice(0, n) for n in crop)
        self.shape = padded_shape(crop, [int(np.ceil(margin / edge)) for edge in self.voxel_size])
        self.dipole = dipole_kernel(self.shape, self.voxel_size, b0_direction)
        self.inside = self.embed(mask).astype(bool)

    def embed(self, data: np.ndarray) -> np.ndarray:
        """An image (X, Y, Z) inside the mask, 0 elsewhere, on the padded grid (float32)."""
        padded = np.zeros(self.shape, np.float32)
        padded[self.corner] = np.where(self.mask[self.box], data[self.box], 0)
        return padded

    def extract(self, padded: np.ndarray) -> np.ndarray:
        """Back from the padded grid to the image's, 0 outside the mask (float32)."""
        data = np.zeros(self.mask.shape, np.float32)
        data[self.box] = np.where(self.mask[self.box], padded[self.corner], 0)
        return data

    def transform(self, padded: np.ndarray) -> np.ndarray:
        """Spectrum of an array on the padded grid."""
        return transform(padded, self.shape, self.threads)

    def inverse(self, spectrum: np.ndarray) -> np.ndarray:
        """Inverse of :meth:`transform`; ``spectrum`` may be overwritten."""
        return inverse(spectrum, self.shape, threads=self.threads)

    def field(self, chi: np.ndarray) -> np.ndarray:
        """Dipole field (ppm) of ``chi`` (ppm), both on the padded grid."""
        spectrum = self.transform(chi)
        spectrum *= self.dipole
        return self.inverse(spectrum)
