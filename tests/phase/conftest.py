"""Scans with a known field and phase offset, made on small grids."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from qsmiron.acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T
from qsmiron.methods import get_method
from qsmiron.phase import METHODS

B0 = 3.0
PER_PPM = 2 * np.pi * GYROMAGNETIC_RATIO_MHZ_PER_T * B0  # rad/s


@dataclass(frozen=True)
class MadeUpScan:
    """Phase and magnitude (E, X, Y, Z) of a known field (ppm) and offset (rad) in a mask."""

    phase: np.ndarray
    magnitude: np.ndarray
    mask: np.ndarray
    field: np.ndarray
    offset: np.ndarray
    times: np.ndarray
    voxel_size: tuple[float, float, float]

    def map_field(self, method="romeo", threads=1, **parameters):
        parameters_class, function = get_method(METHODS, method).load()
        return function(
            self.phase,
            self.magnitude,
            self.mask,
            self.times,
            B0,
            self.voxel_size,
            parameters_class(**parameters),
            threads,
        )

    def with_(self, **changes):
        return replace(self, **changes)

    def part(self, *box):
        """The same scan cut to a box."""
        echoes = (slice(None), *box)
        return replace(
            self,
            phase=self.phase[echoes],
            magnitude=self.magnitude[echoes],
            mask=self.mask[box],
            field=self.field[box],
            offset=self.offset[box],
        )

    def only(self, *echoes):
        """The same scan with these echoes (from 0), in this order."""
        chosen = list(echoes)
        return replace(
            self,
            phase=self.phase[chosen],
            magnitude=self.magnitude[chosen],
            times=self.times[chosen],
        )

    def error(self, field):
        """Error of ``field`` (X, Y, Z; ppm) without its median in the mask, NaN outside."""
        error = np.where(self.mask, field - self.field, np.nan)
        return error - np.nanmedian(error)


def make(
    times=(0.004, 0.010, 0.016, 0.022, 0.028),
    shape=(40, 40, 32),
    voxel_size=(3.0, 3.0, 3.5),
    snr=50.0,
    strength=1.0,
    alternating=0.0,
    offset=1.0,
):
    """A ball of tissue (or, with ``snr`` infinite, the same without noise).

    ``strength`` scales the field, ``offset`` the phase offset; ``alternating`` (X, Y, Z; rad) is
    the phase by which even echoes are ahead and odd ones behind.
    """
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    rng = np.random.default_rng(0)
    times = np.asarray(times)
    mask = x**2 + y**2 + z**2 < 0.8
    field = strength * (
        0.4 * x * y + 0.3 * np.exp(-8 * ((x - 0.2) ** 2 + y**2 + z**2)) + 0.2 * z - 0.1
    )
    offset = offset * (1.0 + 1.5 * x - 0.8 * z + 0.6 * x * z)
    magnitude = np.exp(-times[:, None, None, None] * 25) * np.where(mask, 1.0, 0.01)
    sign = np.where(np.arange(len(times)) % 2, 1, -1)[:, None, None, None]
    phase = times[:, None, None, None] * PER_PPM * field + offset + sign * alternating
    signal = magnitude * np.exp(1j * phase)
    noise = rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape)
    signal = signal + noise / snr
    return MadeUpScan(
        np.angle(signal).astype(np.float32),
        np.abs(signal).astype(np.float32),
        mask,
        field,
        offset,
        times,
        voxel_size,
    )


@pytest.fixture(scope="session")
def make_scan():
    return make
