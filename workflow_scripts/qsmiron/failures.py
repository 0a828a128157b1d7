"""What is remembered of a scan of which a job failed: where, why, and under what circumstances."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from .volumes import read_json, write_text

NO_MESSAGE = "ended without a message: killed, for memory or time?"

NO_PYTHON = (
    "python: command not found. Activate the environment (. .venv/bin/activate, README.md) before "
    "snakemake, or put its bin folder first in PATH."
)
"""A job of a snakemake that is called by its path, without its environment."""

_NO_COMMAND = re.compile(r"python3?: (?:command )?not found|python3?: No such file")
_ERROR = re.compile(r"^(?:\S+\.py: )?error: (.+)$", re.MULTILINE)
_TRACEBACK = "Traceback (most recent call last)"
_MACHINE = re.compile(
    r"MemoryError|Unable to allocate|Cannot allocate memory|No space left|File too large|quota"
    r"|Read-only file system|Input/output error|Permission denied|Operation not permitted"
    r"|Not a directory|Too many open files|Stale file|encoder error|Broken ?[Pp]ipe"
    r"|KeyboardInterrupt|ImportError|ModuleNotFoundError"
)
_LONGEST = 400


@dataclass(frozen=True)
class Failure:
    """A scan's first job that failed.

    ``folder`` and ``entities`` name the scan (see :class:`.bids.Scan`), ``rule`` and ``log`` the
    job. ``reason`` is one line of the log. ``lasting`` says that the scan itself, the settings or
    the code are to blame, so that the same would happen again: not the machine's memory or disk.
    ``state`` is a digest of settings and code, ``files`` the size (bytes) and modification time
    (ns) of what the job read; an empty list stands for a missing file.
    """

    folder: str
    entities: str
    rule: str
    log: str
    reason: str
    lasting: bool
    state: str = ""
    files: dict[str, list[int]] = field(default_factory=dict)

    @property
    def participant_id(self) -> str:
        """``sub-`` and the label."""
        return self.folder.partition("/")[0]

    @property
    def session(self) -> str | None:
        """Label of the session, if there are sessions."""
        return self.folder.partition("/ses-")[2] or None

    def __str__(self) -> str:
        return f"{self.entities}: {self.rule} failed: {self.reason} (log: {self.log})"


def write_failure(path: str | Path, failure: Failure) -> None:
    """Write a record (JSON)."""
    write_text(path, json.dumps(asdict(failure), indent=2, ensure_ascii=False) + "\n")


def read_failure(path: str | Path) -> Failure:
    """Read a record.

    Raises
    ------
    InputError
        If the file is missing or no JSON object.
    TypeError
        If it is no record.
    """
    return Failure(**read_json(path))


def reason_in(log: str) -> tuple[str, bool]:
    """Why a job failed, in one line of its log, and whether the same would happen again.

    The first ``error:`` of a script, with the number of the others; else the exception of the last
    traceback. A job that said neither was killed, or the shell did not find its command.
    """
    errors = _ERROR.findall(log)
    if errors:
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        reason = errors[0][: _LONGEST - len(more)] + more
    elif _TRACEBACK in log:
        after = log.rpartition(_TRACEBACK)[2].splitlines()[1:]
        raised = [line for line in after if line.strip() and not line.startswith((" ", "\t"))]
        reason = raised[0][:_LONGEST] if raised else NO_MESSAGE
    elif _NO_COMMAND.search(log):
        return NO_PYTHON, False
    else:
        return NO_MESSAGE, False
    return reason, reason != NO_MESSAGE and not _MACHINE.search(reason)
