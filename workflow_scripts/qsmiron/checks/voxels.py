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
from pathlib import Path

import numpy as np

from ..errors import Problem
from ..phase_scale import fills_its_range
from .headers import SPARE_BYTES
from .inspected import Inspected
from .phase_values import (
    check_declaration,
    check_no_magnitude,
    check_phase,
    check_slice_signs,
    suggest_units,
)
from .t1w import check_t1w_is_other, check_t1w_values
from .values import Values

NEGATIVE_SHARE = 0.01
"""A magnitude this far below 0, as a share of its maximum, is none."""
CLIPPED_SHARE = 1e-3
_LARGEST_STORED = frozenset(2**bits - 1 for bits in (8, 10, 12, 14, 15, 16))
MOST_THREADS = 4


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
    check = _check_complex if "real" in seen.parts else _check_polar
    magnitude = yield from check(seen, every_image)
    if seen.scan.t1w is not None:
        values = yield from _read(seen, seen.scan.t1w)
        if values is not None:
            yield from check_t1w_values(seen.scan.t1w, values)
            if magnitude is not None:
                yield from check_t1w_is_other(seen.scan.t1w, values, magnitude)


def _check_polar(seen: Inspected, every_image: bool) -> Generator[Problem, None, Values | None]:
    """Check magnitude and phase; returns the first echo's magnitude, if it can be read."""
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
            yield from suggest_units(path, values)
        if path not in seen.encodings:
            continue
        problems = list(check_phase(path, values, seen.encodings[path]))
        if path in seen.overruled and not any(p.severity == "error" for p in problems):
            problems += check_declaration(seen, path, values)
        yield from problems
        if number == 0 and not any(p.severity == "error" for p in problems):
            phase = values
    if magnitude and phase and magnitude.stored.shape == phase.stored.shape:
        path, _ = _images(seen, "phase", False)[0]
        yield from check_slice_signs(path, magnitude, phase, seen.encodings[path])
        yield from check_no_magnitude(path, magnitude, phase)
    return magnitude


def _check_complex(seen: Inspected, every_image: bool) -> Generator[Problem, None, Values | None]:
    """The same of real and imaginary parts."""
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
        yield from check_slice_signs(path, magnitude, phase, "rad")
        return magnitude
    return None


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
    if fills_its_range(values.all_lines):
        yield Problem(
            str(path),
            f"values from {low:g} to {high:g}, and neighbours that jump from one end to the other",
            "a magnitude, dark outside the head",
            "It looks like a phase stored in positive numbers under the name of a magnitude: see "
            "which image it is, and export the magnitude.",
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
