"""How raw files store a multi-echo scan: which parts, and one file per echo or one for all.

A scan comes as magnitude and phase or as real and imaginary parts; each part as one file per echo
(``_echo-N_part-mag_MEGRE``) or as one file without that entity, echoes along the 4th dimension and
their times as a list in its sidecar. The steps of the workflow take one file per echo of magnitude
and of phase; everything else is extracted first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from .errors import InputError

MEGRE_NAME = re.compile(
    r"(?P<entities>sub-[A-Za-z0-9]+(?:_(?!echo-|part-)[a-z]+-[A-Za-z0-9]+)*)"
    r"(?:_echo-(?P<echo>[0-9]+))?_part-(?P<part>mag|phase|real|imag)"
    r"_(?P<suffix>MEGRE|T2starw)\.nii(?:\.gz)?"
)

MESE_NAME = re.compile(
    r"(?P<entities>sub-[A-Za-z0-9]+(?:_(?!echo-|part-)[a-z]+-[A-Za-z0-9]+)*)"
    r"_echo-(?P<echo>[0-9]+)(?:_part-mag)?_MESE\.nii(?:\.gz)?"
)

T1W_NAME = re.compile(r"sub-[A-Za-z0-9]+(?:_[a-z]+-[A-Za-z0-9]+)*_T1w\.nii(?:\.gz)?")

PAIRS = (("mag", "phase"), ("real", "imag"))
"""A scan is one of these pairs."""

PART_NAMES = {"mag": "magnitude", "phase": "phase", "real": "real", "imag": "imaginary"}
"""What messages call the parts."""

IMAGE_TYPES = {
    "mag": {"M", "MAGNITUDE", "M_FFE", "M_SE"},
    "phase": {"P", "PHASE", "PHASE MAP"},
    "real": {"REAL", "R_FFE"},
    "imag": {"IMAGINARY", "I_FFE"},
}
"""Words of DICOM's ImageType that tell a part."""

Parts = Mapping[str, Mapping[int | None, Path]]
"""MEGRE files by part and echo number; ``None`` stands for all echoes in one file."""


def parts_of(paths: Iterable[Path]) -> dict[str, dict[int | None, Path]]:
    """The files of one scan by part and echo, in the order of the echoes."""
    named = [(match, path) for path in paths if (match := MEGRE_NAME.fullmatch(path.name))]
    parts: dict[str, dict[int | None, Path]] = {}
    for match, path in sorted(named, key=lambda item: int(item[0]["echo"] or 0)):
        echo = None if match["echo"] is None else int(match["echo"])
        parts.setdefault(match["part"], {})[echo] = path
    return parts


def need_extraction(parts: Parts) -> bool:
    """Whether the files are anything else than magnitude and phase of single echoes."""
    return not set(parts) <= {"mag", "phase"} or any(None in files for files in parts.values())


def count_echoes(parts: Parts) -> int:
    """Echoes of the part that has most; no image is opened."""
    return max((len(echo_numbers(files)) for files in parts.values()), default=0)


def echo_numbers(files: Mapping[int | None, Path]) -> list[int]:
    """The numbers of a part's echoes, by its names or, for all in one file, by its sidecar.

    A file of all echoes whose sidecar is unusable counts as one: the check tells of it.
    """
    if None not in files:
        return [number for number in files if number is not None]
    # names alone need no numpy, and the workflow reads them at every start
    from .acquisition import echo_times, read_sidecar
    from .sidecars import sidecar_path

    path = files[None]
    try:
        return list(range(1, len(echo_times(read_sidecar(path), str(sidecar_path(path)))) + 1))
    except InputError:
        return [1]


def files_of_echo(parts: Parts, echo: int) -> dict[str, Path]:
    """The files (one per part) that hold an echo, counted from 1 in their order."""
    found = {}
    for part, files in parts.items():
        if None in files:
            found[part] = files[None]
        elif echo <= len(files):
            found[part] = list(files.values())[echo - 1]
    return found
