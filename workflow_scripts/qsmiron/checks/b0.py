"""The direction of B0 in a scan: whether its affine can be the scanner's."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from ..acquisition import b0_direction, read_sidecar
from ..b0 import is_direction, unit_vector
from ..errors import InputError, Problem
from ..sidecars import place_of, sidecar_path
from .headers import Form, Header
from .inspected import Inspected

B0_TOLERANCE_DEGREES = 1.0
"""A turn of B0 by 20 degrees moves means of regions by up to 26 ppb; this is some 1 ppb. Rounding
of headers and sidecars is below 0.1 degrees."""

SCANNER = 1
_CODES = {2: "aligned", 3: "Talairach", 4: "MNI"}
_OF_TEMPLATES = (3, 4)
"""Codes of spaces in which no scanner stores; an upright image of code 2 is what nibabel makes of
any array, and says nothing."""

_FIELD = "ImageOrientationPatientDICOM"


def used_form(header: Header) -> str | None:
    """The form whose affine every step takes; ``None`` where none has a code."""
    return next(iter(header.forms), None)


def direction_of(header: Header, setting: Any) -> np.ndarray:
    """B0 as a unit vector along the voxel axes, as ``acquisition.b0_direction`` has it."""
    if is_direction(setting):
        return unit_vector(setting)
    form = header.forms.get(setting)
    return b0_direction(header.affine if form is None else form.affine)


def obliquity(direction: np.ndarray) -> float:
    """Angle (degrees) between B0 and the nearest axis of the grid."""
    return float(np.degrees(np.arccos(min(1.0, np.abs(direction).max()))))


def check_b0(seen: Inspected, setting: Any) -> Iterator[Problem]:
    """Warn where header or sidecar say that the affine is not the scanner's.

    ``setting`` is what the config says of the scan; anything but ``affine`` settles the question.
    """
    path = next((p for p in reversed(_first_of_parts(seen)) if p in seen.headers), None)
    if path is None:
        return
    header = seen.headers[path]
    if setting in ("sform", "qform") and setting not in header.forms:
        yield Problem(
            str(path),
            f"no {setting} ({setting}_code is 0)",
            f"the form that acquisition.b0_direction names for {seen.scan.folder}",
            "Set b0_direction, or b0_direction_of for this scan, to affine or to the direction of "
            "B0 along its voxel axes, [x, y, z].",
        )
    if setting != "affine" or not header.oriented:
        return
    used = str(used_form(header))
    forms = header.forms
    other = forms["qform"] if used == "sform" and "qform" in forms else None
    yield from _check_codes(path, used, forms[used], other, seen.scan.folder)
    try:
        sidecar = read_sidecar(path)
    except InputError:  # told of with the sidecars
        return
    orientation = read_orientation(sidecar)
    if orientation is not None:
        where = place_of(sidecar, _FIELD, str(sidecar_path(path)))
        yield from _check_sidecar(path, where, forms, used, orientation, seen.scan.folder)


def _first_of_parts(seen: Inspected) -> list[Path]:
    return [next(iter(files.values())) for files in seen.parts.values() if files]


def _check_codes(
    path: Path, used: str, form: Form, other: Form | None, scan: str
) -> Iterator[Problem]:
    """Codes that name another space, and forms that are both the scanner's and differ."""
    apart = 0.0 if other is None else _between(form.affine, other.affine)
    of_scanner = other is not None and other.code == SCANNER
    if of_scanner and apart > B0_TOLERANCE_DEGREES:
        own = form.code == SCANNER
        yield Problem(
            str(path),
            f"an sform of code {_code(form)} and a qform of code {_code(other)} that put B0 "
            f"{apart:.1f} degrees from each other",
            "one direction of B0, the scanner's z axis",
            "B0 is taken from the sform, and susceptibility is wrong by tens of ppb if that was "
            "realigned. " + ("If the qform is the scanner's" if own else "The qform is the "
            "scanner's by its code: if so") + f", set {_key(scan, 'qform')}; if the sform is, "
            "sform in its place.",
            "warning",
        )  # fmt: skip
        return
    tilt = obliquity(b0_direction(form.affine))
    turned = tilt > B0_TOLERANCE_DEGREES or form.code in _OF_TEMPLATES
    if form.code != SCANNER and not of_scanner and turned:
        yield Problem(
            str(path),
            f"an affine that is not the scanner's by its code: {used}_code {_code(form)}, B0 "
            f"{tilt:.1f} degrees from the nearest voxel axis",
            f"the scanner's own orientation ({used}_code 1)",
            "B0 is taken as z of this affine. If the image was realigned, B0 points elsewhere and "
            "susceptibility is wrong by tens of ppb: convert it from DICOM again, or give the "
            f"direction of B0 along the voxel axes, {_key(scan, '[x, y, z]')}. If the affine is "
            f"the scanner's all the same, say so: {_key(scan, used)}.",
            "warning",
        )


def _check_sidecar(
    path: Path,
    where: str,
    forms: Mapping[str, Form],
    used: str,
    orientation: np.ndarray,
    scan: str,
) -> Iterator[Problem]:
    """An affine that is turned against the axes that DICOM had."""
    angle, direction = _against(forms[used].affine, orientation)
    if angle <= B0_TOLERANCE_DEGREES:
        return
    right = next(
        (n for n, f in forms.items() if _against(f.affine, orientation)[0] <= B0_TOLERANCE_DEGREES),
        "[" + ", ".join(f"{round(part, 4) + 0:g}" for part in direction) + "]",
    )
    b0 = _angle(b0_direction(forms[used].affine), direction)
    yield Problem(
        where,
        f"axes that are turned by {angle:.1f} degrees from the {used} of {path.name}, and B0 by "
        f"{b0:.1f} degrees",
        "the orientation of the image, as dcm2niix writes both",
        "The image was realigned or resampled, or the sidecar is another's: convert it from DICOM "
        f"again. If the voxels are the scanner's, set {_key(scan, right)}; if the {used} is right, "
        f"{_key(scan, used)}.",
        "warning",
    )


def read_orientation(sidecar: Mapping[str, Any]) -> np.ndarray | None:
    """Axes of the image in RAS as DICOM had them (3, 3; columns); ``None`` without usable ones."""
    given = sidecar.get(_FIELD)
    if not isinstance(given, list) or len(given) != 6:
        return None
    if any(isinstance(v, bool) or not isinstance(v, int | float) or abs(v) > 2 for v in given):
        return None
    row, column = np.reshape(np.asarray(given, float), (2, 3)) * (-1, -1, 1)  # LPS to RAS
    lengths = [float(np.linalg.norm(axis)) for axis in (row, column)]
    if not all(math.isclose(length, 1, abs_tol=0.01) for length in lengths):
        return None
    if abs(row @ column) > 0.01:
        return None
    return np.stack([row, column, np.cross(row, column)], axis=1)


def _against(affine: np.ndarray, orientation: np.ndarray) -> tuple[float, np.ndarray]:
    """Angle (degrees) between a grid's axes and DICOM's, and B0 along the grid's by DICOM's.

    Axes may have been flipped or swapped on the way, which turns nothing: those that lie nearest
    are taken for each other.
    """
    # the rotation nearest to the affine: sheared ones are told of elsewhere
    left, _, right = np.linalg.svd(affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0))
    cosines = (left @ right).T @ orientation
    order = max(permutations(range(3)), key=lambda p: np.abs(cosines[range(3), p]).sum())
    nearest = cosines[range(3), order]
    trace = np.abs(nearest).sum()
    angle = float(np.degrees(np.arccos(np.clip((trace - 1) / 2, -1, 1))))
    along = orientation.T @ (0.0, 0.0, 1.0)
    return angle, along[list(order)] * np.sign(nearest)


def _between(one: np.ndarray, other: np.ndarray) -> float:
    return _angle(b0_direction(one), b0_direction(other))


def _angle(one: np.ndarray, other: np.ndarray) -> float:
    """Angle (degrees) between two axes, whichever way each points."""
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other)), abs(one @ other))))


def _code(form: Form) -> str:
    return f"{form.code} ({'scanner' if form.code == SCANNER else _CODES.get(form.code, 'other')})"


def _key(scan: str, value: str) -> str:
    return f"acquisition.b0_direction_of: {{{scan}: {value}}}"
