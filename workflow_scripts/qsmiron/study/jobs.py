"""What a rule says of its jobs: options of the command line, memory and time."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any


def option(name: str, *values: Any) -> list[str]:
    """A command-line option with its values; nothing where there are none."""
    given = [str(value) for value in values if value not in (None, "")]
    return [name, *given] if given else []


def options(files: Any, *names: str) -> list[str]:
    """The options that bear the names of a job's inputs, of those that it has."""
    return [
        text
        for name in names
        for text in option("--" + name.replace("_", "-"), *getattr(files, name))
    ]


def memory(files: Iterable[str], factor: float, attempt: int = 1, at_least: float = 700) -> int:
    """Memory (MB) of a job whose need grows with its compressed input, more on each attempt."""
    return int((at_least + factor * _megabytes(files)) * attempt)


def minutes(files: Iterable[str], attempt: int = 1) -> int:
    """Time limit (min) of a job whose need grows with its compressed input; generous."""
    return int((10 + 0.5 * _megabytes(files)) * attempt)


def _megabytes(files: Iterable[str]) -> float:
    """Size (2²⁰ bytes) of the files; Snakemake puts off a resource whose input is still missing.

    Snakemake's own ``input.size_mb`` starts an event loop each time: a quarter of a dry run.
    """
    return sum(map(os.path.getsize, files)) / 2**20
