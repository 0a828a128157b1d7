"""The BIDS tree of all examinations: made beside its place, and moved there whole."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .. import __version__
from ..bids import BIDS_VERSION
from ..errors import InputError, Problem
from ..nifti import nib
from ..overwriting import identity, lies_in
from ..raw_echo import PROTOCOL_FIELDS
from ..raw_parts import PART_NAMES
from ..volumes import write_json, write_stored_volume, write_text
from . import converter
from .converter import Converted
from .mapping import Examination
from .series import Chosen, choose

KEPT_FIELDS = (
    *PROTOCOL_FIELDS,
    "Modality",
    "ScanningSequence",
    "SequenceVariant",
    "ImageType",
    "EchoTime",
    "EchoNumber",
    "EchoTrainLength",
    "InversionTime",
    "SliceThickness",
    "SpacingBetweenSlices",
    "PixelBandwidth",
    "PartialFourier",
    "PhaseEncodingDirection",
    "DiffusionScheme",
    "PhilipsRWVSlope",
    "PhilipsRWVIntercept",
    "PhilipsRescaleSlope",
    "PhilipsRescaleIntercept",
    "PhilipsScaleSlope",
    "UsePhilipsFloatNotDisplayScaling",
    "ConversionSoftware",
    "ConversionSoftwareVersion",
)
"""Fields of dcm2niix's sidecars that are kept: numbers and fixed words, none of them free text."""


def convert(
    examinations: Sequence[Examination],
    export: str | Path,
    output: str | Path,
    tell: Callable[[str], object] = lambda line: None,
) -> None:
    """Convert every examination into the data set ``output``, which may hold others already.

    ``export`` is the folder in which all examinations lie. ``tell`` is given a line on each
    examination. ``dataset_description.json`` and ``participants.tsv`` are written where there are
    none.

    Raises
    ------
    InputError
        With what is wrong with any examination, or where a file would be overwritten; then
        nothing is written.
    """
    output = Path(output)
    _check_output(examinations, export, output)
    executable = converter.program()
    problems: list[Problem | str] = []
    with _temporary(output) as made:
        for one in examinations:
            try:
                chosen = _convert_one(executable, one, made)
                tell(f"{one.target}: {_summary(chosen)}")
            except InputError as error:
                problems += error.problems
        if problems:
            raise InputError(*problems)
        _describe(examinations, output, made)
        _move(examinations, made, output)


def _check_output(examinations: Sequence[Examination], export: str | Path, output: Path) -> None:
    if output.exists() and not output.is_dir():
        raise InputError(Problem(str(output), "a file", "a folder", "Give another --output."))
    exported = identity(output) is not None and identity(output) == identity(export)
    if exported or any(lies_in(output, one.folder) for one in examinations):
        raise InputError(
            Problem(
                str(output),
                "the folder of the DICOM files",
                "a folder outside of the scanner's export",
                "Give another --output.",
            )
        )
    there = [one for one in examinations if (output / one.target).exists()]
    if there:
        raise InputError(
            *(
                Problem(
                    str(output / one.target),
                    "a folder that is there already",
                    "a participant or session that is new; nothing is overwritten",
                    "Delete the row of the mapping, or move the folder away.",
                )
                for one in there
            )
        )


@contextmanager
def _temporary(output: Path) -> Iterator[Path]:
    """A folder on the file system of ``output``, gone afterwards unless it was moved."""
    place = output.absolute()
    parent = next(folder for folder in (place, *place.parents) if folder.is_dir())
    try:
        made = Path(tempfile.mkdtemp(prefix=".partial-", dir=parent))
    except OSError as error:
        found, expected = str(error.strerror), "a folder that can be written"
        raise InputError(Problem(str(parent), found, expected, "Give another --output.")) from error
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _convert_one(executable: str, examination: Examination, made: Path) -> Chosen:
    work = made / "dcm2niix"
    work.mkdir()
    try:
        conversion = converter.run(executable, examination.folder, work, examination.where)
        chosen = choose(conversion, examination)
        anat = made / examination.target / "anat"
        for part, echoes in chosen.parts.items():
            for number, image in enumerate(echoes, start=1):
                name = f"{examination.entities}_echo-{number}_part-{part}_MEGRE.nii.gz"
                sidecar = {**_kept(image), "EchoNumber": number}
                if part == "phase":
                    sidecar["Units"] = image.sidecar.get("Units", "arbitrary")
                write_stored_volume(anat / name, nib.load(image.path), sidecar)
        if chosen.t1w is not None:
            name = f"{examination.entities}_T1w.nii.gz"
            write_stored_volume(anat / name, nib.load(chosen.t1w.path), _kept(chosen.t1w))
    finally:
        shutil.rmtree(work)
    return chosen


def _kept(image: Converted) -> dict[str, Any]:
    return {key: image.sidecar[key] for key in KEPT_FIELDS if key in image.sidecar}


def _summary(chosen: Chosen) -> str:
    parts = " and ".join(PART_NAMES[part] for part in chosen.parts)
    echoes = next(iter(chosen.parts.values()))
    times = ", ".join(f"{1e3 * (image.echo_time or 0):g}" for image in echoes)
    images = [image for part in chosen.parts.values() for image in part]
    series = ", ".join(dict.fromkeys(image.series for image in images))
    t1w = f"T1w of series {chosen.t1w.series}" if chosen.t1w else "no T1w"
    return f"{parts} at {times} ms of series {series}; {t1w}"


def _describe(examinations: Sequence[Examination], output: Path, made: Path) -> None:
    """What the data set needs beside its images, where it has none."""
    if not (output / "dataset_description.json").exists():
        write_json(
            made / "dataset_description.json",
            {
                "Name": "Multi-echo GRE and T1w",
                "BIDSVersion": BIDS_VERSION,
                "DatasetType": "raw",
                "GeneratedBy": [{"Name": "qsmiron convert_dicom", "Version": __version__}],
            },
        )
    if not (output / "participants.tsv").exists():
        who = dict.fromkeys(f"sub-{one.subject}" for one in examinations)
        write_text(made / "participants.tsv", "\n".join(["participant_id", *who]) + "\n")


def _move(examinations: Sequence[Examination], made: Path, output: Path) -> None:
    mask = os.umask(0)
    os.umask(mask)
    made.chmod(0o777 & ~mask)
    if not output.exists():
        output.parent.mkdir(parents=True, exist_ok=True)
        made.replace(output)
        return
    for one in examinations:
        target = output / one.target
        target.parent.mkdir(exist_ok=True)
        (made / one.target).replace(target)
    for path in sorted(made.iterdir()):
        if path.is_file():
            path.replace(output / path.name)
