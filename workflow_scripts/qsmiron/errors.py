"""Errors that a user can mend, and how they are shown.

Everything that a user may get wrong (a file, a sidecar, a table, a config value) ends in an
:class:`InputError`: one message that names the place, what was found, what was expected and the
remedy. Scripts run inside :func:`reported_to_user`, which prints it without a traceback.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


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


@contextmanager
def reported_to_user() -> Iterator[None]:
    """Show an :class:`InputError` as a message on stderr and exit 1, without a traceback."""
    try:
        yield
    except InputError as error:
        for problem in error.problems:
            print(f"error: {problem}", file=sys.stderr)
        sys.exit(1)
