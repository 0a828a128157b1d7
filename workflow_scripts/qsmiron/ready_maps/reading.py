"""Reading ready maps: converted to ppm and 1/s, and where they have values at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..acquisition import read_sidecar
from ..errors import InputError, Problem
from ..sidecars import sidecar_path, sidecars_of
from ..volumes import Volume, check_same_grid, read_volume
from .settings import UNREFERENCED, MapSettings
from .units import (
    check_chi_values,
    check_r2star_values,
    chi_scale,
    chi_unit,
    r2star_scale,
    r2star_unit,
)

LEAST_BACKGROUND = 0.01
"""Share of a map's voxels that its background is at least, where it has one."""


@dataclass(frozen=True)
class ReadyChi:
    """A map of χ: ``volume`` in ppm, 0 where it has no values; ``inside`` (X, Y, Z) bool, where it
    has; ``reference``: what it is relative to, None where nothing says so; ``unit`` as declared.
    """

    volume: Volume
    inside: np.ndarray
    reference: str | None
    unit: str


def read_chi(path: str | Path, settings: MapSettings) -> ReadyChi:
    """Read a map of χ.

    Raises
    ------
    InputError
        For a map without a declared unit, values that contradict it, infinite values, or none.
    """
    volume, inside = _read(path)
    sidecar, where = described(path), str(sidecar_path(path))
    unit = chi_unit(sidecar, where, settings)
    # in double precision, and a map in ppm keeps its bits
    ppm = (volume.data.astype(float) / chi_scale(unit, sidecar, where, settings)).astype(np.float32)
    ppm[~inside] = 0
    check_chi_values(ppm[inside], unit, str(path))
    return ReadyChi(Volume(ppm, volume.affine), inside, stated_reference(sidecar, settings), unit)


def read_r2star(path: str | Path, settings: MapSettings, like: Volume) -> Volume:
    """Read a map of R2* (1/s), 0 where it has no values, on the grid of ``like``.

    Raises
    ------
    InputError
        As :func:`read_chi`, and for another grid.
    """
    volume, inside = _read(path)
    check_same_grid(volume, like, str(path))
    unit = r2star_unit(described(path), str(sidecar_path(path)), settings)
    rates = np.where(inside, volume.data * np.float32(r2star_scale(unit)), 0).astype(np.float32)
    check_r2star_values(rates[inside], unit, str(path))
    return Volume(rates, volume.affine)


def described(path: str | Path) -> Mapping[str, Any]:
    """What the sidecars of a map say, inherited ones too; empty without one."""
    return read_sidecar(path) if sidecars_of(path) else {}


def stated_reference(sidecar: Mapping[str, Any], settings: MapSettings) -> str | None:
    """What a map is relative to, as config or sidecar state it; None where it has no reference."""
    stated = settings.reference or sidecar.get("ReferenceRegion")
    return None if stated in (None, "", UNREFERENCED) else str(stated)


def _read(path: str | Path) -> tuple[Volume, np.ndarray]:
    volume = read_volume(path, finite=False)
    infinite = int(np.isinf(volume.data).sum())
    if infinite:
        raise InputError(
            Problem(
                str(path),
                f"{infinite} voxels that are infinite",
                "numbers; NaN or 0 where the map has no values",
                "Export the map again, or set these voxels to NaN.",
            )
        )
    inside = has_values(volume.data)
    if not inside.any():
        raise InputError(
            Problem(str(path), "one value everywhere", "a map", "Export or copy it again.")
        )
    return volume, inside


def has_values(data: np.ndarray) -> np.ndarray:
    """Where a map (X, Y, Z) has values (bool): neither NaN nor its background.

    0 is background, and so is the value that all eight corners share, which a map has outside the
    brain after a constant was subtracted from all of it.
    """
    inside = np.isfinite(data) & (data != 0)
    corners = data[np.ix_(*((0, -1),) * 3)].ravel()
    if np.isfinite(corners[0]) and (corners == corners[0]).all():
        same = data == corners[0]
        if same.mean() >= LEAST_BACKGROUND:
            inside &= ~same
    return inside
