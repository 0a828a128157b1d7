"""Which of the converted images are the echoes of the GRE, and which is the T1w."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from ..errors import InputError, Problem
from ..raw_parts import IMAGE_TYPES, PAIRS, PART_NAMES
from .converter import Conversion, Converted
from .mapping import Examination, SeriesPattern

SAME_TIME_S = 1e-5
_NUMBERS = "Write the numbers of the series to use into the cell, such as 5, 6."
_UNITS_OF_PHASE = (None, "rad", "arbitrary")


@dataclass(frozen=True)
class Chosen:
    """The images to take: ``parts`` by name (one of the pairs), echoes in order of their time."""

    parts: dict[str, list[Converted]] = field(default_factory=dict)
    t1w: Converted | None = None


def choose(conversion: Conversion, examination: Examination) -> Chosen:
    """Sort the images of an examination.

    Raises
    ------
    InputError
        With everything that is not understood.
    """
    problems: list[Problem] = []
    parts = _gre(conversion, examination, problems)
    t1w = _t1w(conversion, examination, problems) if examination.t1w else None
    if problems:
        raise InputError(*problems)
    return Chosen(parts, t1w)


def part_of(image: Converted) -> str | None:
    """What ImageType says of an image: a part's name, or ``None``."""
    words = set(image.image_type)
    # PHASE before M: some scanners call every image of a series M as well
    for part in ("phase", "real", "imag", "mag"):
        if words & IMAGE_TYPES[part]:
            return part
    return None


def _matching(
    conversion: Conversion, where: str, pattern: SeriesPattern, problems: list[Problem]
) -> list[Converted]:
    """Images of the series that a cell means; a cell that means none is a problem."""
    found = [image for image in conversion.images if pattern.matches(image.sidecar)]
    meant = pattern.numbers | {image.sidecar.get("SeriesNumber") for image in found}
    if broken := sorted(meant & conversion.failed):
        problems.append(
            Problem(
                where,
                f"series {_listed(map(str, broken))}, of which dcm2niix leaves images out "
                f"({conversion.said})",
                "complete series",
                "Export the series again: slices are missing, or files are broken.",
            )
        )
        return []
    if not found:
        there = sorted({image.series for image in conversion.images}, key=_by_number)
        there += [f"{number} (incomplete)" for number in sorted(conversion.failed)]
        problems.append(
            Problem(
                where,
                f"{pattern.text!r}, which no series matches",
                f"the description or number of a series that is there: {_listed(there)}",
                "Correct the cell; * stands for any characters.",
            )
        )
    return found


def _gre(
    conversion: Conversion, examination: Examination, problems: list[Problem]
) -> dict[str, list[Converted]]:
    where = f"{examination.where}, gre"
    images = _matching(conversion, where, examination.gre, problems)
    odd = [problem for image in images for problem in _not_understood(image, where)]
    problems += dict.fromkeys(odd)
    if odd or not images:
        return {}
    parts: dict[str, list[Converted]] = {}
    for image in sorted(images, key=lambda image: image.echo_time or 0):
        parts.setdefault(str(part_of(image)), []).append(image)
    # magnitude and phase where a scanner sends both pairs, for they are what others read
    pair = next((pair for pair in PAIRS if set(pair) <= set(parts)), None)
    if pair is None:
        there = _listed(f"{PART_NAMES[part]} (series {_series(of)})" for part, of in parts.items())
        problems.append(
            Problem(
                where,
                f"{there} alone",
                "magnitude and phase, or real and imaginary parts",
                "Widen the pattern, or add the number of the phase's series; if it was not kept "
                "at the scanner, this examination cannot be used.",
            )
        )
        return {}
    chosen = {part: parts[part] for part in pair}
    problems += _check_echoes(where, chosen)
    return chosen


def _not_understood(image: Converted, where: str) -> Iterator[Problem]:
    """One message, the first that fits."""
    series, kind = f"series {image.series}", "\\".join(image.image_type) or "none"
    if image.of_single_coil:
        found, expected = f"{series}, images of single coils", "images of all coils combined"
        remedy = "Use the combined series; if there is none, combine the coils at the scanner."
    elif len(image.shape) != 3:
        found = f"{series}, {len(image.shape)} dimensions {image.shape}"
        expected = "one volume per echo and part"
        remedy = "See whether the scan was repeated; leave only one repetition in the folder."
    elif "DERIVED" in image.image_type[:1]:
        found, expected = f"{series}, derived images (ImageType {kind})", "original images"
        remedy = f"Leave out what the scanner computed from them. {_NUMBERS}"
    elif part_of(image) is None:
        found = f"{series}, ImageType {kind}"
        expected = "an ImageType that tells magnitude, phase, real or imaginary part"
        remedy = "Convert it by hand; docs/inputs.md has the names that are needed."
    elif image.echo_time is None:
        found, expected = f"{series}, an image without EchoTime", "the echo time of every image"
        remedy = "It may be a map that the scanner computed: move its files out of the folder."
    elif part_of(image) == "phase" and image.sidecar.get("Units") not in _UNITS_OF_PHASE:
        found = f"{series}, Units {image.sidecar['Units']!r}"
        expected, remedy = "phase, not a field map", f"Use another series. {_NUMBERS}"
    else:
        return
    yield Problem(where, found, expected, remedy)


def _check_echoes(where: str, parts: dict[str, list[Converted]]) -> Iterator[Problem]:
    """Two images for one echo, and parts that have not the same echoes."""
    for part, images in parts.items():
        twins = [
            (one, other)
            for one, other in pairwise(images)
            if abs((one.echo_time or 0) - (other.echo_time or 0)) < SAME_TIME_S
        ]
        if twins:
            one, other = twins[0]
            types = _listed(dict.fromkeys("\\".join(image.image_type) for image in (one, other)))
            yield Problem(
                where,
                f"several {PART_NAMES[part]} images of {1e3 * (one.echo_time or 0):g} ms: series "
                f"{_series([one, other])} (ImageType {types})",
                "one image per echo and part",
                _NUMBERS,
            )
            return
    (first, one), (second, other) = parts.items()
    times = [
        [round(1e3 * (image.echo_time or 0), 3) for image in images] for images in (one, other)
    ]
    if times[0] != times[1]:
        yield Problem(
            where,
            f"{len(one)} {PART_NAMES[first]} echoes ({_listed(f'{te:g}' for te in times[0])} ms) "
            f"and {len(other)} {PART_NAMES[second]} echoes "
            f"({_listed(f'{te:g}' for te in times[1])} ms)",
            "both parts of every echo",
            "Export the series again, or choose series that belong together by their numbers.",
        )


def _t1w(
    conversion: Conversion, examination: Examination, problems: list[Problem]
) -> Converted | None:
    where = f"{examination.where}, t1w"
    pattern = examination.t1w
    images = _matching(conversion, where, pattern, problems) if pattern else []
    images = [image for image in images if part_of(image) in ("mag", None)] or images
    if len(images) > 1:
        problems.append(
            Problem(
                where,
                f"{len(images)} images: series {_series(images)}",
                "one T1w image",
                _NUMBERS.replace("5, 6", "3"),
            )
        )
    elif images and len(images[0].shape) != 3:
        found = f"series {images[0].series}, {len(images[0].shape)} dimensions {images[0].shape}"
        problems.append(Problem(where, found, "one volume", "Choose another series."))
    elif images:
        return images[0]
    return None


def _series(images: Sequence[Converted]) -> str:
    return _listed(dict.fromkeys(image.series for image in images))


def _by_number(series: str) -> tuple[int, str]:
    number = series.split(" ")[0]
    return (int(number) if number.isdigit() else 0, series)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
