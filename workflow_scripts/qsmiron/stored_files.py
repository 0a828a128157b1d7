"""Files as a disk holds them: hidden ones, links to nothing, pointers to content elsewhere, times.

Whatever a file is for, these are told in the same words.
"""

from __future__ import annotations

import re
import stat
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from .errors import Problem

FETCH = {
    "annex/objects": "Fetch the content first: datalad get, or git annex get.",
    "git-lfs": "Fetch the content first: git lfs pull.",
}
"""What to do where a link or a file only points to content, by a word of it."""

FUTURE_TOLERANCE_S = 5.0
"""Clocks of a file server and of this computer may differ by so much; no job ends earlier."""

_POINTER = re.compile(rb"\s*(?:[^\s{}\[\]<>\"']*/annex/objects/|version https://git-lfs)")
_START_BYTES = 200
_LAST_S = 253370764800.0
"""The year 9999, beyond which there is no date to show."""
_LINK, _POINTER_TO = "a link to", "a pointer to"


def is_hidden(name: str) -> bool:
    """Whether a name is no part of a data set, since it begins with a dot.

    So do .DS_Store, .bidsignore, and the ``._sub-01_T1w.nii.gz`` that macOS leaves beside each file
    on other file systems.
    """
    return name.startswith(".")


def visible(folder: str | Path) -> list[Path]:
    """What a folder holds, by name, without hidden entries."""
    return sorted(path for path in Path(folder).iterdir() if not is_hidden(path.name))


def dangling_link(path: Path) -> Path | None:
    """The link to nothing at a path, or in the way to it; ``None`` if there is none."""
    ways = (one for one in (path, *path.parents) if one.is_symlink())
    return next((one for one in ways if not one.exists()), None)


def why_no_content(path: str | Path, expected: str, remedy: str) -> Problem | None:
    """Why a file's content is not there to be read; ``None`` if it seems to be.

    It is missing, a link to nothing, a folder, or a pointer of git-annex or git-lfs.
    ``expected`` and ``remedy`` are the problem's, unless the content has only to be fetched.
    """
    path = Path(path)
    try:
        if path.is_dir() or not path.exists():
            return _no_file(path, expected, remedy)
        if not path.is_file():
            return None  # a pipe, which can be read once
        with path.open("rb") as file:
            start = file.read(_START_BYTES)
    except OSError as error:
        found = f"a file that cannot be opened ({error.strerror})"
        return Problem(str(path), found, expected, "Check its permissions.")
    if not _POINTER.match(start):
        return None
    fetch = next(what for word, what in FETCH.items() if word.encode() in start)
    return Problem(str(path), f"{_POINTER_TO} content elsewhere", expected, fetch)


def is_unfetched(problem: Problem) -> bool:
    """Whether it tells of a file that is meant to be there, and whose content is elsewhere."""
    return problem.found.startswith((_LINK, _POINTER_TO))


def _no_file(path: Path, expected: str, remedy: str) -> Problem:
    if link := dangling_link(path):
        target = str(link.readlink())
        fetch = next((what for word, what in FETCH.items() if word in target), remedy)
        what = "a file" if link == path else "a folder"
        found = f"{_LINK} {what} that is not there ({target if link == path else link})"
        return Problem(str(path), found, expected, fetch)
    if path.is_dir():
        return Problem(str(path), "a folder, which cannot be opened as a file", expected, remedy)
    return Problem(str(path), "no such file", expected, remedy)


def check_time(path: str | Path, now: float) -> Iterator[Problem]:
    """A file that is from the future, at the time ``now`` (s, epoch); nothing if it is absent.

    Snakemake takes what was made of it for older than it, and fails the job that made it.
    """
    try:
        changed = max(Path(path).lstat().st_mtime, Path(path).stat().st_mtime)
    except OSError:
        return
    if changed > now + FUTURE_TOLERANCE_S:
        yield Problem(
            str(path),
            f"a modification time in the future, {_clock(changed)} (now it is {_clock(now)})",
            "a time in the past: results must be newer than what they are made of",
            "Set it to the present (touch FILE; touch -h FILE for a link), and see to the clock of "
            "the computer that wrote it, or of this one.",
        )


def is_astray(path: str | Path, now: float | None = None) -> bool:
    """Whether a path is no file that is there, or one from the future; one look at the disk."""
    try:
        found = Path(path).stat()
    except OSError:
        return True
    return (
        stat.S_ISDIR(found.st_mode)
        or found.st_mtime > (time.time() if now is None else now) + FUTURE_TOLERANCE_S
    )


def _clock(seconds: float) -> str:
    return datetime.fromtimestamp(min(seconds, _LAST_S)).isoformat(" ", "seconds")
