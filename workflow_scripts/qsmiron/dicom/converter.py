"""dcm2niix, run on the folder of one examination."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import InputError, Problem
from ..volumes import image_shape, read_json

PARTLY_CONVERTED = (8, 10)
"""Exit statuses of dcm2niix that concern some of the series only."""

_SERIES = re.compile(r"[0-9]+")
_SINGLE_COIL = re.compile(r"[0-9]+_c")


@dataclass(frozen=True)
class Converted:
    """One image of dcm2niix with its sidecar; its name begins with the number of its series."""

    path: Path
    sidecar: Mapping[str, Any]
    shape: tuple[int, ...]

    @property
    def series(self) -> str:
        """Number and description, for messages."""
        name = self.sidecar.get("SeriesDescription") or self.sidecar.get("ProtocolName") or ""
        return f"{self.sidecar.get('SeriesNumber')} {name}".strip()

    @property
    def image_type(self) -> list[str]:
        """DICOM's ImageType in capitals, with the part that dcm2niix found added."""
        given = self.sidecar.get("ImageType")
        return [str(word).upper() for word in given] if isinstance(given, list) else []

    @property
    def echo_time(self) -> float | None:
        """EchoTime (s); ``None`` where there is none."""
        value = self.sidecar.get("EchoTime")
        return float(value) if isinstance(value, int | float) and value > 0 else None

    @property
    def of_single_coil(self) -> bool:
        """Whether the series holds the images of single receive coils."""
        return _SINGLE_COIL.match(self.path.name) is not None


@dataclass(frozen=True)
class Conversion:
    """What dcm2niix made of one folder; ``failed`` are the numbers of series with a fault."""

    images: list[Converted]
    failed: frozenset[int]
    said: str


def program() -> str:
    """Path of dcm2niix: that of the installed package, or the first on the PATH.

    Raises :class:`InputError` where there is none.
    """
    if importlib.util.find_spec("dcm2niix") is not None:
        import dcm2niix

        return str(dcm2niix.bin)
    if found := shutil.which("dcm2niix"):
        return found
    raise InputError(
        Problem(
            "dcm2niix",
            "no such program",
            "dcm2niix, which converts the DICOM files",
            "Run: pip install -r envs/requirements-dicom.txt",
        )
    )


def run(executable: str, folder: Path, output: Path, where: str) -> Conversion:
    """Convert every series below ``folder`` into the existing, empty folder ``output``.

    ``where`` names the examination in messages. No shell is used, and no settings of the user's.

    Raises
    ------
    InputError
        If dcm2niix fails, or leaves out something that it does not name.
    """
    # uncompressed, whole, without its defaults file; names that begin with the series' number
    options = ["-g", "i", "-b", "y", "-ba", "y", "-z", "n", "-w", "2", "-d", "9", "-f", "%s"]
    try:
        done = subprocess.run(
            [executable, *options, "-o", str(output.resolve()), str(folder.resolve())],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
    except OSError as error:
        raise _failure(where, folder, str(error.strerror)) from error
    lines = [line.strip() for line in done.stdout.splitlines()]
    said = "; ".join(line for line in lines if line.startswith("Error")) or "without a message"
    images, failed = [], set()
    for path in sorted(output.glob("*.nii")):
        if path.with_suffix(".json").exists():
            sidecar = read_json(path.with_suffix(".json"))
            images.append(Converted(path, sidecar, image_shape(path)))
        elif number := _SERIES.match(path.name):
            failed.add(int(number[0]))
    if done.returncode and not (done.returncode in PARTLY_CONVERTED and failed):
        raise _failure(where, folder, f"status {done.returncode}, {said}")
    return Conversion(images, frozenset(failed), said)


def _failure(where: str, folder: Path, said: str) -> InputError:
    return InputError(
        Problem(
            f"{where}, folder",
            f"files that dcm2niix does not convert ({said})",
            f"complete series of DICOM files in {folder}",
            "Export the examination again, or keep only the series to use in the folder.",
        )
    )
