"""Whether the results folder can be what the configuration says, and touches nothing else."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from ..dataset import DESCRIPTION, foreign_description, is_raw
from ..errors import InputError, Problem
from ..overwriting import identity, lies_in
from ..progress import PLAN

PROJECT_FOLDERS = (".ci", ".git", "config", "docs", "envs", "rules", "tests", "workflow_scripts")
"""The folders that the project consists of."""

_PARTICIPANTS_LOOKED_AT = 20
"""Where raw images lie, most participants have some; a thousand folders would take a second."""

_A_TABLE = "group/regions.json"
_PARTICIPANT = re.compile(r"sub-[A-Za-z0-9]+")
_IMAGE = re.compile(r"sub-[A-Za-z0-9]+_.*\.(nii|nii\.gz)")
_DERIVED = re.compile(r"_(desc|atlas|label|space|res|den|seg)-")
_FREE = ("derivatives", "sourcedata", "code")
"""Folders of a raw data set that may hold anything (BIDS 1.10, non-compliant data)."""


def check_results_folder(folder: str, bids_dir: str | None, home: str | Path) -> list[Problem]:
    """Warnings about where the results are to go; nothing is made or written.

    Parameters
    ----------
    folder
        The results folder.
    bids_dir
        The raw data set; ``None`` for the demo, whose raw images lie in the results.
    home
        The project's folder.

    Raises
    ------
    InputError
        If the folder, or one that it lies in, is a file; if it is or holds raw data, another
        tool's data set or a part of the project; or lies among the raw files of a participant.
    """
    path = Path(folder).absolute()
    existing = next(one for one in (path, *path.parents) if one.exists())
    if not existing.is_dir():
        raise InputError(_problem(folder, f"{existing}, which is a file"))
    if found := _taken(folder, bids_dir, home):
        raise InputError(
            Problem(
                f"config, results_dir {folder}",
                found,
                "an empty or new folder, or results of an earlier run; derivatives/qsmiron in the "
                "data set is a usual one",
                "Choose another results_dir.",
            )
        )
    return list(_among_raw_files(folder, bids_dir))


def _taken(folder: str, bids_dir: str | None, home: str | Path) -> str | None:
    """What stands there that is not the workflow's to write to."""
    if identity(folder) == identity(home):
        return "the folder of the project itself"
    for name in PROJECT_FOLDERS:
        if lies_in(folder, Path(home) / name):
            return f"the project's own folder {name}"
    if bids_dir is not None:
        if identity(folder) and identity(folder) == identity(bids_dir):
            return "the raw data set (bids_dir)"
        # BIDS has the raw data of a derivative data set in its sourcedata
        if lies_in(bids_dir, folder) and not lies_in(bids_dir, Path(folder) / "sourcedata"):
            return f"a folder that holds the raw data set (bids_dir {bids_dir})"
    if found := foreign_description(folder):
        return f"{found} ({DESCRIPTION})"
    for raw in _raw_data_sets(folder, bids_dir):
        first = _below(folder, raw)
        if _PARTICIPANT.fullmatch(first) or first == "phenotype":
            return f"the folder {first} of the raw data set {raw}"
    if image := _raw_image(folder):
        return f"raw images, such as {image}"
    if not made_here(folder):
        if people := sorted(_participants(folder)):
            return f"folders of participants that are no results of this workflow ({people[0]})"
        for child in _subfolders(folder):
            if child.name != "sourcedata" and is_raw(child.path):
                return f"a folder that holds the raw data set {child.name}"
    return None


def made_here(folder: str | Path) -> bool:
    """Whether a folder shows that a run of this workflow has written to it."""
    root = Path(folder)
    described = (root / DESCRIPTION).exists() and foreign_description(root) is None
    # every run leaves a plan; the description of a table tells a copy of its tables alone
    return described or any((root / name).exists() for name in (f"benchmarks/{PLAN}", _A_TABLE))


def _among_raw_files(folder: str, bids_dir: str | None) -> Iterator[Problem]:
    for raw in _raw_data_sets(folder, bids_dir):
        if (first := _below(folder, raw)) not in _FREE:
            yield Problem(
                f"config, results_dir {folder}",
                f"a folder of the raw data set {raw}, which is no valid BIDS with {first} in it",
                "a folder outside of it, or in its derivatives",
                f"Nothing of it is changed; {raw}/derivatives/qsmiron is a better place.",
                "warning",
            )


def _raw_data_sets(folder: str, bids_dir: str | None) -> list[str]:
    """The raw data sets that a folder lies in, by their description or the configuration."""
    above = Path(os.path.realpath(folder)).parents
    found = [str(one) for one in above if is_raw(one)]
    if bids_dir is not None and lies_in(folder, bids_dir):
        same = identity(bids_dir)
        found = [bids_dir, *(one for one in found if identity(one) != same)]
    return found


def _below(folder: str, above: str) -> str:
    """The name of the folder directly in ``above`` that ``folder`` is or lies in."""
    real = Path(os.path.realpath(folder))
    top = identity(above)
    return next(one.name for one in (real, *real.parents) if identity(one.parent) == top)


def _subfolders(folder: str | Path) -> Iterator[os.DirEntry[str]]:
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError:
        return
    yield from (entry for entry in entries if entry.is_dir())


def _participants(folder: str | Path) -> Iterator[str]:
    yield from (one.name for one in _subfolders(folder) if _PARTICIPANT.fullmatch(one.name))


def _raw_image(folder: str) -> str | None:
    """A raw image in the folder or of its first participants; results have ``desc-``."""
    for who in ("", *islice(_participants(folder), _PARTICIPANTS_LOOKED_AT)):
        top = Path(folder, who)
        for visit in (top, *(Path(one.path) for one in _subfolders(top) if "ses-" in one.name)):
            for place in (visit / "anat", *([] if who else [visit])):
                for file in sorted(place.iterdir()) if place.is_dir() else ():
                    if _IMAGE.fullmatch(file.name) and not _DERIVED.search(file.name):
                        return str(file.relative_to(folder))
    return None


def refused_results(folder: str) -> Iterator[Problem]:
    """Why nothing can be written to the folder, which is made for it; nothing if all is well."""
    try:
        Path(folder).mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        yield _problem(folder, f"a folder that cannot be written ({error.strerror})")


def _problem(folder: str, found: str) -> Problem:
    return Problem(
        f"config, results_dir {folder}",
        found,
        "a folder that can be made and written",
        "Choose another, change its permissions, or free some space.",
    )
