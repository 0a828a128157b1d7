"""Multi-echo images read together: one stack, its grid, and what its sidecars declare."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .acquisition import (
    check_echo_times,
    echo_time,
    field_strength,
    phase_encoding_of_values,
    phase_in_radians,
    read_sidecar,
)
from .errors import InputError, Problem
from .phase_scale import check_turn, lines_along
from .volumes import Volume, check_same_grid, read_volume, sidecar_path

ECHO_TIME_TOLERANCE_S = 1e-5


@dataclass(frozen=True)
class Echoes:
    """All echoes of one part: ``data`` (E, X, Y, Z; float32) and ``echo_times`` (E,) in s.

    ``grid`` is the first echo as a volume, ``sidecars`` what stands beside each.
    """

    data: np.ndarray
    grid: Volume
    echo_times: np.ndarray
    sidecars: tuple[dict, ...]
    paths: tuple[Path, ...]

    @property
    def field_strength(self) -> float:
        """MagneticFieldStrength of the first echo, T."""
        return field_strength(self.sidecars[0], str(sidecar_path(self.paths[0])))


def read_magnitude(paths: Sequence[str | Path]) -> Echoes:
    """Magnitude of all echoes, in the order given.

    Raises
    ------
    InputError
        Where files or sidecars are missing, grids differ or echo times do not increase.
    """
    return _read(paths, None)


def read_phase(paths: Sequence[str | Path], units: str = "declared") -> Echoes:
    """Phase of all echoes in rad; ``units`` as in ``acquisition.PHASE_UNITS``. Raises as above."""
    return _read(paths, units)


def check_same_echoes(phase: Echoes, magnitude: Echoes) -> None:
    """Raise :class:`InputError` unless both parts have the same grid and the same echo times."""
    if len(phase.paths) != len(magnitude.paths):
        raise InputError(
            Problem(
                str(phase.paths[0]),
                f"{len(phase.paths)} phase and {len(magnitude.paths)} magnitude images",
                "one of each for every echo",
                "Give both parts of every echo, in the same order.",
            )
        )
    check_same_grid(phase.grid, magnitude.grid, str(phase.paths[0]))
    for path, one, other in zip(phase.paths, phase.echo_times, magnitude.echo_times, strict=True):
        if abs(one - other) > ECHO_TIME_TOLERANCE_S:
            raise InputError(
                Problem(
                    f"{sidecar_path(path)}, EchoTime",
                    f"{one:g} s",
                    f"{other:g} s as in the magnitude at its place in the list",
                    "Give phase and magnitude in the same order of echoes.",
                )
            )


def _read(paths: Sequence[str | Path], units: str | None) -> Echoes:
    files = tuple(Path(path) for path in paths)
    grid, sidecars, data = None, [], None
    for number, path in enumerate(files):
        # phase is rounded to single precision once, in rad
        volume = read_volume(path, np.float32 if units is None else np.float64)
        sidecar = read_sidecar(path)
        if grid is None:
            grid = Volume(volume.data.astype(np.float32, copy=False), volume.affine)
            data = np.empty((len(files), *volume.data.shape), np.float32)
        check_same_grid(volume, grid, str(path))
        if units is None:
            data[number] = volume.data
        else:
            encoding = phase_encoding_of_values(sidecar, units, str(path))
            data[number] = phase_in_radians(volume, sidecar, units, str(path))
            check_turn([lines_along(volume.data, axis) for axis in range(3)], encoding, str(path))
        sidecars.append(sidecar)
    times = np.array(
        [
            echo_time(sidecar, str(sidecar_path(path)))
            for path, sidecar in zip(files, sidecars, strict=True)
        ]
    )
    check_echo_times(times, str(sidecar_path(files[0])))
    return Echoes(data, grid, times, tuple(sidecars), files)
