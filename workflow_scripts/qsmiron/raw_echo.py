"""Magnitude and phase of one echo, from raw files that hold them in another form.

Values keep their physical meaning: a file's scaling (scl_slope, scl_inter) is applied, the declared
unit of the phase stays as it is. Of real and imaginary parts, the phase is in rad.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .acquisition import echo_times, read_sidecar
from .errors import InputError, Problem
from .volumes import Volume, check_same_grid, image_shape, read_volume, sidecar_path, write_volume

PROTOCOL_FIELDS = (
    "MagneticFieldStrength",
    "ImagingFrequency",
    "Manufacturer",
    "ManufacturersModelName",
    "RepetitionTime",
    "FlipAngle",
    "MRAcquisitionType",
    "ParallelReductionFactorInPlane",
)
"""Fields of a raw sidecar that later steps and the report read; none names a person."""

SAME_TIME_S = 1e-5


@dataclass(frozen=True)
class RawEcho:
    """One part of an echo: ``volume`` (X, Y, Z; float64), ``echo_time`` (s), raw ``sidecar``."""

    volume: Volume
    echo_time: float
    sidecar: Mapping[str, Any]
    path: Path

    def description(self, **fields: Any) -> dict[str, Any]:
        """The sidecar of what is made of it: the protocol, and nothing that names a person."""
        kept = {key: self.sidecar[key] for key in PROTOCOL_FIELDS if key in self.sidecar}
        return {"EchoTime": self.echo_time, **kept, **fields}


def read_raw_echo(path: str | Path, echo: int) -> RawEcho:
    """Read an echo, counted from 1, of a file of one or of all echoes.

    A file of three dimensions is that echo; of one with four, only the echo is held in memory.

    Raises
    ------
    InputError
        If the file or its sidecar is broken, the number of echo times is not that of the volumes,
        or there is no such echo.
    """
    path = Path(path)
    shape, sidecar, where = image_shape(path), read_sidecar(path), str(sidecar_path(path))
    if len(shape) == 3 and not any(
        isinstance(sidecar.get(key), list) and len(sidecar[key]) > 1
        for key in ("EchoTime", "EchoTimes")
    ):
        volume = read_volume(path, np.float64)
        return RawEcho(volume, echo_times(sidecar, where)[0], sidecar, path)
    times = echo_times(sidecar, where)
    check_echo_count(path, shape, len(times))
    if not 1 <= echo <= len(times):
        raise InputError(
            Problem(
                str(path),
                f"{len(times)} echoes",
                f"at least {echo}, as other files of the scan have",
                "Export all echoes of every part.",
            )
        )
    volume = read_volume(path, np.float64, index=echo - 1)
    return RawEcho(volume, times[echo - 1], sidecar, path)


def check_echo_count(path: Path, shape: tuple[int, ...], n_times: int) -> None:
    """Raise :class:`InputError` unless an image's 4th dimension is the number of its echo times.

    ``shape`` is as :func:`.volumes.image_shape` gives it.
    """
    volumes = shape[3] if len(shape) == 4 else 1
    if len(shape) in (3, 4) and volumes == n_times:
        return
    remedy = "Correct EchoTime in its sidecar (a list in s), or export the image again."
    if len(shape) == 4 and shape[0] == n_times:
        remedy = "The echoes seem to lie along the first of its axes: move that to the end."
    raise InputError(
        Problem(
            str(path),
            f"{len(shape)} dimensions {shape} and {n_times} echo times in its sidecar",
            "echoes along the 4th dimension, as many as echo times",
            remedy,
        )
    )


def copy_echo(source: RawEcho, output: str | Path) -> None:
    """Write one echo of a magnitude or phase as a file of its own, its ``Units`` kept."""
    units = {"Units": source.sidecar["Units"]} if "Units" in source.sidecar else {}
    write_volume(output, source.volume.data, source.volume.affine, source.description(**units))


def write_polar(
    real: RawEcho, imaginary: RawEcho, magnitude: str | Path, phase: str | Path
) -> None:
    """Write magnitude and phase (rad) of an echo's real and imaginary part.

    Both are rounded to single precision once, at the end.

    Raises :class:`InputError` unless both parts have one grid and one echo time.
    """
    check_same_part(imaginary, real)
    signal = real.volume.data + 1j * imaginary.volume.data
    affine = real.volume.affine
    write_volume(magnitude, np.abs(signal), affine, real.description())
    write_volume(phase, np.angle(signal), affine, real.description(Units="rad"))


def check_same_part(one: RawEcho, other: RawEcho) -> None:
    """Raise :class:`InputError` unless two parts of an echo have one grid and one echo time."""
    check_same_grid(one.volume, other.volume, str(one.path))
    if abs(one.echo_time - other.echo_time) > SAME_TIME_S:
        raise InputError(
            Problem(
                f"{sidecar_path(one.path)}, EchoTime",
                f"{one.echo_time:g} s",
                f"{other.echo_time:g} s as in {other.path.name}",
                "See which files belong together.",
            )
        )
