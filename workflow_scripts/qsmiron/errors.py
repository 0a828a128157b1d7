"""Errors that a user can mend, and how they are shown.

Everything that a user may get wrong (a file, a sidecar, a table, a config value) ends in an
:class:`InputError`: one message that names the place, what was found, what was expected and the
remedy. Scripts run inside :func:`reported_to_user`, which prints it without a traceback.
"""

from __future__ import annotations

import errno
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from .overwriting import reads_noted


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with the input, in the terms of the user who mends it.

    ``where`` is a file, optionally with a row, column or key (``participants.tsv, row 4, age``).
    ``severity`` is ``"error"`` (the run stops) or ``"warning"``.
    """

    where: str
    found: str
    expected: str
    remedy: str
    severity: str = "error"

    def __str__(self) -> str:
        return f"{self.where}: found {self.found}; expected {self.expected}. {self.remedy}"


class InputError(ValueError):
    """Input that the workflow refuses; carries :class:`Problem` objects or plain messages."""

    def __init__(self, *problems: Problem | str) -> None:
        self.problems = problems
        super().__init__("\n".join(str(problem) for problem in problems))


_SPACE = "Free some space, or choose another results_dir."
_RIGHTS = "Change its permissions, or choose another results_dir."
_REMEDIES = {
    errno.ENOSPC: _SPACE,
    errno.EDQUOT: _SPACE,
    errno.EFBIG: "Lift the limit of the size of files (ulimit -f).",
    errno.EACCES: _RIGHTS,
    errno.EPERM: _RIGHTS,
    errno.EROFS: _RIGHTS,
    errno.ENOTDIR: "Choose a results_dir that is a folder.",
    errno.EIO: "The disk or the network drive is broken: see to it, and repeat the command.",
    errno.ESTALE: "The network drive was away: repeat the command.",
    errno.EMFILE: "Lift the limit of open files (ulimit -n), or start fewer jobs (--cores).",
}
"""What to do where it is the machine that refuses a file."""


def refusal(error: OSError) -> Problem | None:
    """The machine's refusal to read or write a file, in the user's terms; None for other errors."""
    if error.errno not in _REMEDIES:
        return None
    where = str(error.filename or "a file")
    expected = "a file that can be read or written"
    return Problem(where, str(error.strerror), expected, _REMEDIES[error.errno])


@contextmanager
def reported_to_user() -> Iterator[None]:
    """Show what a user can mend as a message on stderr and exit 1, without a traceback.

    That is an :class:`InputError`, too little memory, and a file that the machine refuses. What is
    read inside is not written over (:class:`.volumes.atomic_path`).
    """
    try:
        with reads_noted():
            yield
    except InputError as error:
        problems = error.problems
    except MemoryError as error:
        found = f"too little ({str(error) or 'MemoryError'})"
        remedy = "Start fewer jobs at a time (--cores), or take a machine with more."
        problems = (Problem("memory", found, "as much as the image takes", remedy),)
    except OSError as error:
        problem = refusal(error)
        if problem is None:
            raise
        problems = (problem,)
    else:
        return
    for problem in problems:
        print(f"error: {problem}", file=sys.stderr)
    sys.exit(1)
