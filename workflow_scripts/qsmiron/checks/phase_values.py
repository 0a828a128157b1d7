"""The values of a phase image: whether they are what its unit declares, and smooth in space."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..acquisition import check_phase_range, fitting_encodings, phase_range, values_in_radians
from ..errors import InputError, Problem
from ..phase_scale import check_turn, with_signal
from ..volumes import sidecar_path
from .inspected import Inspected
from .values import Values

LEAST_SPAN_OF_PHASE = 0.6
"""Noise outside the head takes every phase; a whole image that spans less of 2π is unusual."""
ALTERNATING_SHARE = 0.8
"""Share of neighbouring slices in opposite phase from which slices alternate in sign."""
LEAST_COHERENCE = 0.3
LEAST_SLICES_TO_COMPARE = 8
LEAST_CORRELATION_OF_COPIES = 0.9
"""Phase and magnitude of tissue hardly correlate; two magnitudes of a scan do."""
LEAST_VOXELS_TO_CORRELATE = 50


def check_phase(path: Path, values: Values, encoding: str) -> Iterator[Problem]:
    """Values that contradict their encoding, or span little of it."""
    low, high = values.limits
    try:
        check_phase_range(encoding, low, high, str(path))
        check_turn(values.all_lines, encoding, str(path))
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


def check_declaration(seen: Inspected, path: Path, values: Values) -> Iterator[Problem]:
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


def suggest_units(path: Path, values: Values) -> Iterator[Problem]:
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


def check_slice_signs(
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


def check_no_magnitude(path: Path, magnitude: Values, phase: Values) -> Iterator[Problem]:
    """A phase that is nowhere negative and goes with the magnitude is another magnitude."""
    low, high = phase.limits
    if low < 0:
        return
    bright, turned = magnitude.lines(0), phase.lines(0)
    inside = with_signal(turned) & (bright > np.median(bright))
    if inside.sum() < LEAST_VOXELS_TO_CORRELATE or not np.ptp(turned[inside]):
        return
    correlation = float(np.corrcoef(bright[inside], turned[inside])[0, 1])
    if correlation > LEAST_CORRELATION_OF_COPIES:
        yield Problem(
            str(path),
            f"values from {low:g} to {high:g} that go with the magnitude (r = {correlation:.2f})",
            "a phase image",
            "It looks like a magnitude under the name of a phase: see which image it is, and "
            "export the phase.",
        )
