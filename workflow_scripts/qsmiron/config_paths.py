"""Paths as a user writes them in the configuration: ``~`` and ``$VARIABLE`` are filled in.

A shell does that on its command line only. In a file they would come here as they are written, and
become folders of that name.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator

_VARIABLE = re.compile(r"\$(?:(\w+)|\{([^{}]*)\})")


def expanded(path: str) -> str:
    """The path with ``~``, ``~user``, ``$NAME`` and ``${NAME}`` replaced, and no slash at its end.

    Raises
    ------
    ValueError
        For an empty path, a variable that is not set or empty, or a user without a home.
    """
    if not path.strip():
        raise ValueError("expected a path, or null where it may be left out")
    filled = _VARIABLE.sub(_value, path)
    if not filled.startswith("~"):
        written = str(Path(filled))
        return f"./{written}" if written.startswith("~") else written
    try:
        return str(Path(filled).expanduser())
    except RuntimeError as error:
        name = filled.split("/")[0]
        raise ValueError(
            f"expected a user with a home folder in place of {name}; write ./{name} for a folder "
            "of that name"
        ) from error


def _value(variable: re.Match[str]) -> str:
    name = variable[1] or variable[2] or ""
    value = os.environ.get(name, "")
    if not value:
        raise ValueError(
            f"expected the variable {variable[0]} to be set in the environment; set it, or write "
            "the path out"
        )
    return value


def _plain(path: str) -> str:
    path = expanded(path)
    if re.search("[{}]", path):
        raise ValueError("expected a path without braces")
    return path


ConfigPath = Annotated[str, AfterValidator(_plain)]
"""A path of the configuration; braces would be wildcards where it is a rule's file."""
