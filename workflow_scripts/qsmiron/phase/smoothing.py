"""Local fits under a Gaussian window, for phase that is known only inside a mask.

A weighted mean near the edge of the mask is that of the inner side: it lags behind any slope.
Fitting a constant and a slope instead takes that bias away (Fan, J Am Stat Assoc 1992,
doi 10.1080/01621459.1992.10476255). The moments under the window come from derivatives of the
Gaussian in k-space; moments are in units of its standard deviation.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..spectral import inverse, padded_shape, transform, wave_numbers

REACH = 4
"""Standard deviations after which the window counts as 0."""

RIDGE = 0.01
"""Added to the window's spread: where the mask is flat, no slope is fitted across it."""

ROUNDING = 1e-5
"""Mass under the window, as a share of that in tissue, at which rounding blurs the moments."""


class LocalFit:
    """Fits around every voxel of a mask; made once for data that share their weights.

    Parameters
    ----------
    weight : (X, Y, Z), any unit, 0 where there is nothing to fit.
    mask : where results are wanted, boolean.
    voxel_size : mm.
    sigma : standard deviation of the window, mm.
    threads : workers of the FFTs.
    """

    def __init__(
        self,
        weight: np.ndarray,
        mask: np.ndarray,
        voxel_size: Sequence[float],
        sigma: float,
        threads: int = 1,
    ) -> None:
        self._mask, self._threads = mask, threads
        self._weight = (weight / weight[weight > 0].mean()).astype(np.float32)
        margin = [int(np.ceil(REACH * sigma / edge)) for edge in voxel_size]
        self._shape = padded_shape(mask.shape, margin)
        scale = np.float32(2 * np.pi * sigma)
        self._k = [scale * k for k in wave_numbers(self._shape, voxel_size)]
        self._window = np.exp(np.float32(-0.5) * sum(k**2 for k in self._k))
        self._line: tuple[np.ndarray, np.ndarray] | None = None

    def mean_angle(self, angle: np.ndarray) -> np.ndarray:
        """Direction of the local mean of exp(i ``angle``): float32 rad, −π…π, 0 outside."""
        real = self._moment(self._spectrum(np.cos(angle)))
        return self._whole(np.arctan2(self._moment(self._spectrum(np.sin(angle))), real))

    def line(self, data: np.ndarray) -> np.ndarray:
        """Value at each voxel of the line fitted to ``data`` (X, Y, Z) around it; 0 outside."""
        if self._line is None:
            self._line = self._factors()
        of_mean, of_first = self._line
        spectrum = self._spectrum(data)
        fitted = of_mean * self._moment(spectrum)
        for axis in range(3):
            fitted += of_first[:, axis] * self._moment(spectrum, axis)
        return self._whole(fitted)

    def _factors(self) -> tuple[np.ndarray, np.ndarray]:
        """Factors of the data's moments of order 0 (n,) and 1 (n, 3) in the fitted value.

        With mass m, centroid c and spread S of the weights, and moments d and D of the data, the
        line takes the value d/m − c·S⁻¹(D/m − c d/m).
        """
        spectrum = self._spectrum(np.ones(self._mask.shape, np.float32))
        mass = np.maximum(self._moment(spectrum), np.float32(ROUNDING))
        centroid = np.stack([self._moment(spectrum, axis) / mass for axis in range(3)], axis=1)
        spread = np.empty((len(mass), 3, 3), np.float32)
        for one in range(3):
            for two in range(one, 3):
                product = self._moment(spectrum, one, two) / mass
                product -= centroid[:, one] * centroid[:, two]
                spread[:, one, two] = spread[:, two, one] = product
            spread[:, one, one] += RIDGE + ROUNDING / mass
        lever = np.linalg.solve(spread, centroid[:, :, None])[:, :, 0]
        of_mean = (1 + (lever * centroid).sum(axis=1)) / mass
        return of_mean, -lever / mass[:, None]

    def _spectrum(self, data: np.ndarray) -> np.ndarray:
        spectrum = transform(self._weight * data, self._shape, self._threads)
        spectrum *= self._window
        return spectrum

    def _moment(self, spectrum: np.ndarray, *axes: int) -> np.ndarray:
        """Moment along ``axes`` (none, one or two) about every voxel of the mask (n,)."""
        factor = np.float32(1)
        for axis in axes:
            factor = factor * (1j * self._k[axis])
        if len(axes) == 2 and axes[0] == axes[1]:
            factor = factor + np.float32(1)
        moments = inverse(spectrum * factor, self._shape, self._mask.shape, self._threads)
        return moments[self._mask]

    def _whole(self, values: np.ndarray) -> np.ndarray:
        whole = np.zeros(self._mask.shape, np.float32)
        whole[self._mask] = values
        return whole
