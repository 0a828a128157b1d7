"""No file that a user brought is written over: which paths are one file, and which were read.

Files are told apart by device and inode, so that links, ``..`` and letter case that the file
system folds do not hide that two paths are one file.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_reads: list[set[str]] = []
"""The absolute paths that were read, of every :func:`reads_noted` that is under way."""

_WRITING = os.O_WRONLY | os.O_RDWR


def identity(path: str | Path) -> tuple[int, int] | None:
    """Device and inode of an existing file or folder, links followed; None where there is none."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return None
    return found.st_dev, found.st_ino


def lies_in(path: str | Path, folder: str | Path) -> bool:
    """Whether a path, which need not exist, is an existing folder or lies below it."""
    real = Path(os.path.realpath(path))
    there = identity(folder)
    return there is not None and any(identity(one) == there for one in (real, *real.parents))


@contextmanager
def reads_noted() -> Iterator[None]:
    """Note every file that is opened to be read inside, for :func:`was_read`.

    Whatever opens it (this library, pandas, nibabel, pydicom) passes Python's audit event, so that
    no reader has to be told.
    """
    _listen()
    _reads.append(set())
    try:
        yield
    finally:
        _reads.pop()


@contextmanager
def looked_at() -> Iterator[None]:
    """What is read inside is not noted: an earlier version of what is going to be written."""
    before = [set(noted) for noted in _reads]
    try:
        yield
    finally:
        _reads[:] = before


def was_read(path: str | Path) -> bool:
    """Whether this file, or the one that it is the JSON sidecar of, was read inside."""
    target = identity(path)
    if target is None:
        return False
    noted = set().union(*_reads)
    return any(
        target in (identity(one), identity(sidecar)) for one in noted for sidecar in [_sidecar(one)]
    )


def _sidecar(path: str) -> str:
    return path.removesuffix(".gz").rpartition(".")[0] + ".json"


def _listen() -> None:
    # a hook cannot be taken away, so there is one, which does nothing outside of reads_noted
    global _listening
    if not _listening:
        sys.addaudithook(_note)
        _listening = True


_listening = False


def _note(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "open" or not _reads:
        return
    path, _, flags = arguments
    if isinstance(path, str | bytes | os.PathLike) and not (flags or 0) & _WRITING:
        _reads[-1].add(str(Path(os.fsdecode(path)).absolute()))
