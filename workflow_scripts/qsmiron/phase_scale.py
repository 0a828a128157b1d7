"""Whether a phase image fills the scale that its unit declares: wraps tell what one turn is.

Neighbours on the two sides of a wrap differ by almost the whole turn, and noise takes every phase.
Where neighbours of an image differ by almost the range of its values, that range is one turn. If
the declared unit calls it less, field and susceptibility would come out smaller by that factor.
An image without wraps (a mask round the brain, a short echo time, a small field of view) may span
less of its scale by right, and tells nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np

from .acquisition import fitting_encodings, phase_range
from .errors import InputError, Problem

LEAST_TURN = 0.9
"""Noise of a hundred voxels reaches this much of a turn; a scale that is wrong by less than a
tenth is none that any export is known for."""
LEAST_PAIRS = 1000
"""Fewer neighbours do not tell noise of a narrow range from wraps."""
LEAST_PAIRS_OF_HEAD = 30_000
"""Fewer are no image of a head, with its air."""
LEAST_WRAPS = 20
WRAPS_PER_MIDDLE_STEP = 0.1
"""Steps of four fifths of the range or more, to those of about half of it: 0.2 in noise of all
phases, far more in wrapped tissue, and below 0.001 in noise that is normally distributed."""
LEAST_FAR = 0.01
LEAST_MIDDLE = 0.03
"""Shares of steps of four fifths of the range or more, and of about half of it, where a quarter of
an image or more is noise of all phases: in that noise they are 0.04 and 0.2."""
FILL_SHARE = 0.02
"""An end of the range, or 0, that so many voxels have was set where there is no signal."""
END_TOLERANCE = 0.01
LINES_PER_AXIS = 24

_TURNS = {
    "cycles": ((-0.5, 0.5), (0, 1)),
    "multiples of pi": ((-1, 1), (0, 2)),
    "rad": ((-np.pi, np.pi), (0, 2 * np.pi)),
    "degrees": ((-180, 180), (0, 360)),
    "half of Siemens' scale": ((-2048, 2048), (0, 2048)),
    "8 bits": ((0, 256), (-128, 128)),
    "10 bits": ((0, 1024), (-512, 512)),
    "12 bits": ((0, 4096),),
    "milliradians": ((-3142, 3142),),
    "16 bits": ((0, 65536), (-32768, 32768)),
}
"""Turns as exports have them; only to name them, and to judge images too small to show wraps."""


def lines_along(data: np.ndarray, axis: int) -> np.ndarray:
    """Values (n, …) along an axis through a sample of the points across it, float32."""
    along = np.moveaxis(data, axis, 0)
    steps = (max(1, n // LINES_PER_AXIS) for n in along.shape[1:])
    return along[:, *(slice(None, None, step) for step in steps)].astype(np.float32)


def with_signal(values: np.ndarray, fills: Collection[float] | None = None) -> np.ndarray:
    """Where ``values`` are none of those that stand for no signal; by default their own fills."""
    fills = fill_values(values) if fills is None else fills
    return ~np.isin(values, list(fills)) if fills else np.ones(values.shape, bool)


def fill_values(values: np.ndarray) -> set[float]:
    """What stands for no signal: an end of the values, or 0, where many voxels have it."""
    ends = (float(values.min()), float(values.max()), 0.0)
    return {fill for fill in ends if (values == fill).mean() > FILL_SHARE}


def turn_of(lines: Sequence[np.ndarray]) -> tuple[float, float] | None:
    """The range of values that is one turn, where an image shows it; ``None`` where it does not.

    ``lines`` are values along each of its axes, as :func:`lines_along` gives them.
    """
    ends, steps = _steps(lines)
    if ends is None:
        return None
    span = ends[1] - ends[0]
    if len(steps) < LEAST_PAIRS:
        return ends if _name_of_turn(*ends) else None
    wraps = int((steps > 0.8 * span).sum())
    middle = int(((steps > 0.4 * span) & (steps < 0.6 * span)).sum())
    return ends if wraps >= max(LEAST_WRAPS, WRAPS_PER_MIDDLE_STEP * middle) else None


def fills_its_range(lines: Sequence[np.ndarray]) -> bool:
    """Whether neighbours differ by anything up to the whole range, as in noise of all phases.

    At the edge of a bright object they differ by the range, and hardly ever by half of it.
    """
    ends, steps = _steps(lines)
    if ends is None or len(steps) < LEAST_PAIRS_OF_HEAD:
        return False
    share = steps / (ends[1] - ends[0])
    middle = (share > 0.4) & (share < 0.6)
    return bool((share > 0.8).mean() > LEAST_FAR and middle.mean() > LEAST_MIDDLE)


def check_turn(lines: Sequence[np.ndarray], encoding: str, where: str) -> None:
    """Raise :class:`InputError` where a turn of the image is not that of its declared encoding.

    Parameters
    ----------
    lines : stored values along each axis, scaled as the file says.
    encoding : a scale of the phase, see ``acquisition.phase_range``.
    where : the file, for the message.
    """
    turn = turn_of(lines)
    lowest, highest = phase_range(encoding)
    if turn is None or turn[1] - turn[0] >= LEAST_TURN * (highest - lowest):
        return
    low, high = turn
    share = (high - low) / (highest - lowest)
    names = [
        name
        for name in fitting_encodings(low, high)
        if name != encoding and high - low >= LEAST_TURN * np.ptp(phase_range(name))
    ]
    if names:
        lines_of_config = " or ".join(f"acquisition.phase_units: {name}" for name in names)
        remedy = (
            f"It looks like {' or '.join(names)}: if so, set {lines_of_config} in the config, or "
            "name the scan under phase_units_of."
        )
    else:
        looks = _name_of_turn(low, high)
        remedy = (
            (f"It looks like {looks}. " if looks else "")
            + "Export the phase as the scanner stores it; or, if the range is one turn, multiply "
            f"the values by {2 * np.pi / (high - low):.6g} and set acquisition.phase_units: rad."
        )
    raise InputError(
        Problem(
            where,
            f"phase values from {low:g} to {high:g} that wrap within {share:.2%} of the range of "
            f"{encoding}",
            f"{encoding} values, {lowest:g} to {highest:g}, that wrap at its ends",
            f"Susceptibility would be {share:.2g} of what it is. {remedy}",
        )
    )


def _steps(lines: Sequence[np.ndarray]) -> tuple[tuple[float, float] | None, np.ndarray]:
    """Ends of the values with signal, and the steps between neighbours that both have it."""
    everything = np.concatenate([along.ravel() for along in lines])
    fills = fill_values(everything)
    low, high, steps = np.inf, -np.inf, []
    for along in lines:
        inside = with_signal(along, fills)
        if inside.any():
            low = min(low, float(along[inside].min()))
            high = max(high, float(along[inside].max()))
        both = inside[1:] & inside[:-1]
        steps.append(np.abs(np.diff(along, axis=0))[both])
    if not low < high:
        return None, np.empty(0)
    return (low, high), np.concatenate(steps)


def _name_of_turn(low: float, high: float) -> str:
    slack = END_TOLERANCE * (high - low)
    return next(
        (
            name
            for name, turns in _TURNS.items()
            for first, last in turns
            if abs(low - first) < slack and abs(high - last) < slack
        ),
        "",
    )
