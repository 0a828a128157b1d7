"""Grids: whether a scan's images share one, and whether it can be that of a head."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..errors import Problem
from ..volumes import GRID_TOLERANCE_MM, voxel_size
from .headers import Header
from .inspected import Inspected, echo_name

EDGE_MM = (0.1, 10.0)
"""Edges of a voxel outside this are not in mm, or not of a head."""
SMALLEST_EXTENT_MM = 50.0
"""Background removal and dipole inversion need more than a few slices."""
FORMS_TOLERANCE_MM = 0.1
"""Rounding of the quaternion may move a corner so far."""
THICKNESS_TOLERANCE = 0.05
SKEW_DEGREES = 1.0
"""Rounding of an affine to two decimals skews voxels of 1 mm by up to 0.6 degrees, and a scanner's
own by less than 0.01; a registration of twelve parameters does so by several."""
EDGE_TOLERANCE = 0.02
"""Rounding of pixdim, such as 0.94 for 0.9375 mm, is less."""


def skew(affine: np.ndarray) -> float:
    """How far (degrees) two axes of a grid are from perpendicular, at most."""
    axes = np.asarray(affine, float)[:3, :3] / np.asarray(voxel_size(affine))
    cosines = np.abs((axes.T @ axes)[np.triu_indices(3, 1)]).max()
    return float(np.degrees(np.arcsin(min(1.0, cosines))))


def check_grids(seen: Inspected) -> Iterator[Problem]:
    """Echoes and parts that do not share one grid, and grids that cannot be a head's."""
    headers = seen.headers
    echoes = [path for path in seen.echoes if path in headers]
    remedy = "Give images of one acquisition: export this echo again, in one run with the others."
    for path in echoes[1:]:
        this, first = headers[path], headers[echoes[0]]
        if this.shape != first.shape:
            yield Problem(
                str(path),
                f"the shape {this.shape}",
                f"{first.shape} as in {echo_name(echoes[0])}",
                remedy,
            )
        elif not np.allclose(this.affine, first.affine, rtol=0, atol=GRID_TOLERANCE_MM):
            yield Problem(
                str(path),
                f"another position or orientation (affine {_affine(this.affine)})",
                f"that of {echo_name(echoes[0])} (affine {_affine(first.affine)})",
                remedy,
            )
    for path, header in headers.items():
        yield from _check_orientation(path, header)
    usual = echoes[0] if echoes else None
    for path in headers:
        # One message for a grid that all echoes share.
        if path == usual or path == seen.scan.t1w:
            yield from _check_extent(path, headers[path])
            yield from _check_axes(path, headers[path], path == usual)


def _affine(affine: np.ndarray) -> str:
    return "; ".join(" ".join(f"{value:.2f}" for value in row) for row in affine[:3])


def _check_orientation(path: Path, header: Header) -> Iterator[Problem]:
    if not header.oriented:
        yield Problem(
            str(path),
            "no orientation (sform and qform codes are 0)",
            "the orientation that the scanner gave",
            "Convert it from DICOM again: the direction of B0 is taken to be the third axis.",
            "warning",
        )
    elif header.forms_apart > FORMS_TOLERANCE_MM:
        yield Problem(
            str(path),
            f"sform and qform that differ by {header.forms_apart:.1f} mm",
            "one position and orientation",
            "The sform is used; programs that use the qform see another image. Convert it from "
            "DICOM again if the sform is not the scanner's.",
            "warning",
        )


def _check_extent(path: Path, header: Header) -> Iterator[Problem]:
    edges, shape = header.voxel_size, header.shape
    text = " x ".join(f"{edge:.3g}" for edge in edges)
    if min(edges) < EDGE_MM[0] or max(edges) > EDGE_MM[1]:
        yield Problem(
            str(path),
            f"voxels of {text} mm",
            f"edges from {EDGE_MM[0]:g} to {EDGE_MM[1]:g} mm",
            "The header may give metres or micrometres, or dimensions in a wrong order: convert "
            "it from DICOM again.",
        )
        return
    extent = min(edge * number for edge, number in zip(edges, shape, strict=True))
    if extent < SMALLEST_EXTENT_MM:
        yield Problem(
            str(path),
            f"a volume of {' x '.join(map(str, shape))} voxels of {text} mm",
            f"at least {SMALLEST_EXTENT_MM:g} mm along each axis",
            "A slab of a few slices gives unreliable maps; or the dimensions are in a wrong order: "
            "see that the header's shape is columns, rows, slices.",
            "warning",
        )


def _check_axes(path: Path, header: Header, of_gre: bool) -> Iterator[Problem]:
    """Axes that are not perpendicular, and edges of which pixdim and affine differ."""
    if (angle := skew(header.affine)) > SKEW_DEGREES:
        qform = header.forms.get("qform")
        own = qform is not None and qform.code == 1
        harm = "B0 turns and tissue is stretched" if of_gre else "tissue is stretched"
        yield Problem(
            str(path),
            f"voxel axes that are {angle:.1f} degrees from perpendicular (affine "
            f"{_affine(header.affine)})",
            f"perpendicular axes (to {SKEW_DEGREES:g} degree), as a scanner's are",
            f"{harm} in such a sform, as registration writes it: convert the image from DICOM "
            "again" + (", or copy its qform, the scanner's, to the sform." if own else "."),
            "error" if of_gre else "warning",
        )
        return
    edges = header.voxel_size
    if any(
        abs(one - other) > EDGE_TOLERANCE * one
        for one, other in zip(edges, header.edges, strict=True)
    ):
        yield Problem(
            str(path),
            f"voxels of {' x '.join(f'{edge:.3g}' for edge in edges)} mm by the affine and of "
            f"{' x '.join(f'{edge:.3g}' for edge in header.edges)} mm by pixdim",
            "one size of the voxels",
            "The affine is used. If pixdim is right, tissue is stretched: convert the image from "
            "DICOM again.",
            "warning",
        )


def check_slices(
    header: Header, sidecar: Mapping[str, Any], image: Path, where: str
) -> Iterator[Problem]:
    """What the sidecar says of slices against the voxels: 2D, gaps, thickness."""
    if str(sidecar.get("MRAcquisitionType", "")).strip().upper() == "2D":
        yield Problem(
            f"{where}, MRAcquisitionType",
            "2D",
            "a 3D acquisition, as the consensus on QSM asks for",
            "It is used; phase may jump between slices, so look at the maps.",
            "warning",
        )
    spacing, thickness = (
        _length(sidecar.get(key)) for key in ("SpacingBetweenSlices", "SliceThickness")
    )
    distance = spacing or thickness
    edges = header.voxel_size
    if distance and not any(abs(e - distance) <= THICKNESS_TOLERANCE * distance for e in edges):
        key = "SpacingBetweenSlices" if spacing else "SliceThickness"
        yield Problem(
            f"{where}, {key}",
            f"{distance:g} mm, but {image.name} has voxels of "
            + " x ".join(f"{edge:.3g}" for edge in edges)
            + " mm",
            "the distance of slices as an edge of the voxels",
            "If the image was resampled, give the scanner's own: interpolation damages phase. If "
            "the scanner interpolates slices, leave it.",
            "warning",
        )
    elif spacing and thickness and spacing > (1 + THICKNESS_TOLERANCE) * thickness:
        yield Problem(
            f"{where}, SpacingBetweenSlices",
            f"{spacing:g} mm between slices of {thickness:g} mm: gaps",
            "slices without gaps",
            "It is used, but the field in the gaps is not known.",
            "warning",
        )


def _length(value: Any) -> float | None:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < 1e3
    return float(value) if usable else None
