"""The voxels themselves: broken, empty, overflown, or not what the sidecar declares.

Of each scan the first echo's magnitude and phase and the T1w are read: what a scanner or an export
does to one echo it does to all, and a whole cohort takes seconds. Later steps read every image,
and refuse a broken one then.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Generator, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..acquisition import (
    check_phase_range,
    fitting_encodings,
    phase_range,
    values_in_radians,
)
from ..errors import InputError, Problem
from ..volumes import sidecar_path
from .headers import SPARE_BYTES
from .inspected import Inspected

NEGATIVE_SHARE = 0.01
"""A magnitude this far below 0, as a share of its maximum, is none."""
CLIPPED_SHARE = 1e-3
_LARGEST_STORED = frozenset(2**bits - 1 for bits in (8, 10, 12, 14, 15, 16))
LEAST_SPAN_OF_PHASE = 0.6
"""Noise outside the head takes every phase; a whole image that spans less of 2π is unusual."""
ALTERNATING_SHARE = 0.8
"""Share of neighbouring slices in opposite phase from which slices alternate in sign."""
LEAST_COHERENCE = 0.3
LEAST_SLICES_TO_COMPARE = 8
MOST_THREADS = 4
_LINES_PER_AXIS = 24


@dataclass(frozen=True)
class Values:
    """Stored values (X, Y, Z) of an image, and their scale: value · ``slope`` + ``intercept``."""

    stored: np.ndarray
    slope: float
    intercept: float

    @property
    def physical(self) -> np.ndarray:
        """The scaled values, float32."""
        return self.stored.astype(np.float32) * np.float32(self.slope) + np.float32(self.intercept)

    @property
    def limits(self) -> tuple[float, float]:
        """Smallest and largest value."""
        ends = (float(self.stored.min()), float(self.stored.max()))
        low, high = sorted(end * self.slope + self.intercept for end in ends)
        return low, high

    def lines(self, axis: int) -> np.ndarray:
        """Values (n, …) along an axis, float32, through a sample of the points across it."""
        along = np.moveaxis(self.stored, axis, 0)
        steps = (max(1, n // _LINES_PER_AXIS) for n in along.shape[1:])
        sample = along[:, *(slice(None, None, step) for step in steps)].astype(np.float32)
        return sample * np.float32(self.slope) + np.float32(self.intercept)


def check_voxels(scans: Iterable[Inspected], every_image: bool = False) -> None:
    """Read voxels of each scan and add what is wrong with them to its problems.

    ``every_image`` reads all echoes. Images whose header was refused are not read.
    """
    with ThreadPoolExecutor(min(MOST_THREADS, os.cpu_count() or 1)) as pool:
        # Decompression leaves the interpreter to other threads.
        scans = list(scans)
        checked = pool.map(lambda seen: list(_check_scan(seen, every_image)), scans)
        for seen, problems in zip(scans, checked, strict=True):
            seen.problems += problems


def _check_scan(seen: Inspected, every_image: bool) -> Iterator[Problem]:
    if "real" in seen.parts:
        yield from _check_complex(seen, every_image)
    else:
        yield from _check_polar(seen, every_image)
    if seen.scan.t1w is not None:
        yield from _read(seen, seen.scan.t1w)


def _check_polar(seen: Inspected, every_image: bool) -> Iterator[Problem]:
    magnitude = phase = None
    for number, (path, volume) in enumerate(_images(seen, "mag", every_image)):
        values = yield from _read(seen, path, volume)
        if values is not None:
            magnitude = values if number == 0 else magnitude
            yield from _check_magnitude(path, values)
    for number, (path, volume) in enumerate(_images(seen, "phase", every_image)):
        values = yield from _read(seen, path, volume)
        if values is None:
            continue
        if number == 0 and path in seen.undeclared:
            yield from _suggest_units(path, values)
        if path not in seen.encodings:
            continue
        problems = list(_check_phase(path, values, seen.encodings[path]))
        if path in seen.overruled and not any(p.severity == "error" for p in problems):
            problems += _check_declaration(seen, path, values)
        yield from problems
        if number == 0 and not any(p.severity == "error" for p in problems):
            phase = values
    if magnitude and phase and magnitude.stored.shape == phase.stored.shape:
        path, _ = _images(seen, "phase", False)[0]
        yield from _check_slice_signs(path, magnitude, phase, seen.encodings[path])


def _check_complex(seen: Inspected, every_image: bool) -> Iterator[Problem]:
    first: dict[str, Values] = {}
    for part in ("real", "imag"):
        for number, (path, volume) in enumerate(_images(seen, part, every_image)):
            values = yield from _read(seen, path, volume)
            if values is None:
                continue
            low, high = values.limits
            if not low < 0 < high:
                yield Problem(
                    str(path),
                    f"values from {low:g} to {high:g}",
                    "a real or imaginary part, with values below and above 0",
                    "It may be a magnitude, or its scaling (scl_slope, scl_inter) is lost: see "
                    "which image it is, or export it again.",
                )
            elif number == 0:
                first[part] = values
    if len(first) == 2 and first["real"].stored.shape == first["imag"].stored.shape:
        real, imaginary = (first[part].physical for part in ("real", "imag"))
        magnitude = Values(np.hypot(real, imaginary), 1, 0)
        phase = Values(np.arctan2(imaginary, real), 1, 0)
        path, _ = _images(seen, "real", False)[0]
        yield from _check_slice_signs(path, magnitude, phase, "rad")


def _images(seen: Inspected, part: str, every_image: bool) -> list[tuple[Path, int]]:
    """Files of a part, and the echo's place in each; only the first echo unless every one."""
    files = seen.parts[part]
    echoes = [
        (path, volume)
        for path in files.values()
        for volume in range(seen.headers[path].n_volumes if path in seen.headers else 1)
    ]
    return echoes if every_image else echoes[:1]


def _read(seen: Inspected, path: Path, volume: int = 0) -> Generator[Problem, None, Values | None]:
    """The values of an image (returned), unless they are broken (yielded).

    Of a file of all echoes only that at the place ``volume``; what lies beyond is not read.
    """
    if path not in seen.headers:
        return None
    header = seen.headers[path]
    try:
        start = header.offset + volume * header.volume_bytes
        content = _content(path, start + header.volume_bytes)
        stored = np.frombuffer(content, header.dtype, math.prod(header.shape), start)
        values = Values(stored.reshape(header.shape, order="F"), header.slope, header.intercept)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        reason = reason.replace(str(path), path.name)[:120]
        yield Problem(
            str(path),
            f"voxels that cannot be read ({reason})",
            "a complete NIfTI image",
            "Export or copy it again.",
        )
        return None
    broken = int((~np.isfinite(stored)).sum()) if stored.dtype.kind == "f" else 0
    if broken:
        yield Problem(
            str(path),
            f"{broken} of {stored.size} voxels that are NaN or infinite",
            "finite values",
            "Export the image again, or set the voxels to 0 where they lie outside the head.",
        )
        return None
    low, high = values.limits
    if max(-low, high) > float(np.finfo(np.float32).max):
        yield Problem(
            str(path),
            f"values from {low:g} to {high:g}",
            "numbers that single precision holds",
            "Export the image again: its voxels or its scaling are broken.",
        )
        return None
    if low == high:
        yield Problem(
            str(path),
            f"the value {low:g} in every voxel",
            "an image",
            "Export or copy it again: the file is empty.",
        )
        return None
    return values


def _content(path: Path, length: int) -> bytes:
    """What a file holds (decompressed), its checksums right; at most a little over ``length``.

    Not with gzip.open, which takes twice as long and holds on to the interpreter.
    """
    raw = path.read_bytes()
    if not path.name.endswith(".gz"):
        return raw
    parts, left = [], length + SPARE_BYTES
    while raw and left > 0:
        member = zlib.decompressobj(wbits=31)
        parts.append(member.decompress(raw, left))
        left -= len(parts[-1])
        if left > 0 and not member.eof:
            raise EOFError("compressed data that end too early")
        raw = member.unused_data.lstrip(b"\0")
    return b"".join(parts)


def _check_magnitude(path: Path, values: Values) -> Iterator[Problem]:
    low, high = values.limits
    if low < -NEGATIVE_SHARE * max(high, -low):
        yield Problem(
            str(path),
            f"values from {low:g} to {high:g}",
            "a magnitude, 0 or more",
            "It may be a phase or a real image, or large numbers that overflowed to negative "
            "ones: see which image it is, or export it again.",
        )
        return
    top = int(values.stored.max())
    if values.stored.dtype.kind in "iu" and top in _LARGEST_STORED:
        share = float((values.stored == top).mean())
        if share > CLIPPED_SHARE:
            yield Problem(
                str(path),
                f"{share:.1%} of the voxels at the largest number stored, {top}",
                "a magnitude that is not clipped",
                "R2* and weights are wrong there: export the image with another scaling.",
                "warning",
            )


def _check_phase(path: Path, values: Values, encoding: str) -> Iterator[Problem]:
    low, high = values.limits
    try:
        check_phase_range(encoding, low, high, str(path))
    except InputError as error:
        yield from (problem for problem in error.problems if isinstance(problem, Problem))
        return
    lowest, highest = phase_range(encoding)
    span = (high - low) / (highest - lowest)
    if span < LEAST_SPAN_OF_PHASE:
        yield Problem(
            str(path),
            f"values from {low:g} to {high:g}: {span:.0%} of the range of {encoding}",
            "phase that takes all values in the noise outside the head",
            "If everything outside the head was set to 0, leave it. Else the unit is another: set "
            "acquisition.phase_units in the config.",
            "warning",
        )


def _check_declaration(seen: Inspected, path: Path, values: Values) -> Iterator[Problem]:
    """Config and sidecar name different scales, and the values do not tell which is right."""
    low, high = values.limits
    declared, used = seen.overruled[path], seen.encodings[path]
    try:
        check_phase_range(declared, low, high, "")
    except InputError:
        return
    scan = seen.scan.folder
    yield Problem(
        f"{sidecar_path(path)}, Units",
        f"{declared} by the sidecar but acquisition.phase_units: {used}, and values from {low:g} "
        f"to {high:g} that may be either",
        "one unit of the phase",
        f"If phase_units is meant for other scans, name those in the config in its place "
        f"(acquisition.phase_units_of); if it is right here, say so: phase_units_of: {{{scan}: "
        f"{used}}}.",
    )


def _suggest_units(path: Path, values: Values) -> Iterator[Problem]:
    """Where the unit is not declared: which one the values would fit, for the user to judge."""
    low, high = values.limits
    names = fitting_encodings(low, high)
    if names:
        yield Problem(
            str(path),
            f"phase values from {low:g} to {high:g} of an undeclared unit",
            "a declared unit, for it is never guessed from the values",
            f"They look like {' or '.join(names)}: if that is so, set "
            + " or ".join(f"acquisition.phase_units: {name}" for name in names)
            + " in the config.",
            "warning",
        )


def _check_slice_signs(
    path: Path, magnitude: Values, phase: Values, encoding: str
) -> Iterator[Problem]:
    """Slices that alternate in sign along one axis, as some scanners store them (GE)."""
    for axis, count in enumerate(phase.stored.shape):
        if count < LEAST_SLICES_TO_COMPARE:
            continue
        weight = magnitude.lines(axis)
        weight = weight[1:] * weight[:-1]
        steps = np.diff(values_in_radians(phase.lines(axis), encoding), axis=0)
        product = (weight * np.exp(1j * steps)).sum(axis=(1, 2))
        coherent = np.abs(product) > LEAST_COHERENCE * weight.sum(axis=(1, 2))
        opposite = int((coherent & (product.real < -0.7 * np.abs(product))).sum())
        if opposite > ALTERNATING_SHARE * len(product):
            yield Problem(
                str(path),
                f"opposite phase in {opposite} of {len(product)} pairs of neighbouring slices "
                f"along axis {axis + 1}",
                "phase that varies smoothly from slice to slice",
                "It looks like the alternating sign of GE's 3D reconstruction: add pi to the phase "
                "of every other slice, or multiply its real and imaginary part by -1; "
                "docs/inputs.md shows how.",
            )
