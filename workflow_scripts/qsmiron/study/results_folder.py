"""Whether the results folder can be what the configuration says."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError, Problem


def check_results_folder(folder: str) -> None:
    """Raise :class:`InputError` if the folder, or one that it lies in, is a file."""
    path = Path(folder).absolute()
    existing = next(one for one in (path, *path.parents) if one.exists())
    if not existing.is_dir():
        raise InputError(_problem(folder, f"{existing}, which is a file"))


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
        f"configuration, results_dir {folder}",
        found,
        "a folder that can be made and written",
        "Choose another, change its permissions, or free some space.",
    )
