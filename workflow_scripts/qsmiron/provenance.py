"""Which source files a script is made of, so that a job reruns when its code changes.

A workflow that lists only a script as a job's input goes stale silently when a module that the
script imports is edited. The closure of a script's imports is found here by reading the code, not
by running it; modules that are chosen by name (the methods of a stage) are given as ``extra``.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterable
from functools import cache
from pathlib import Path

_PACKAGE = __package__


def script_sources(script: str | Path, extra: Iterable[str] = ()) -> list[Path]:
    """The script, and every file of the library that it imports directly or indirectly.

    Parameters
    ----------
    script
        Path of a script in the folder that holds the library.
    extra
        Further modules (``qsmiron.inversion.rts``) that the script loads by name.

    Returns
    -------
    list of Path
        The script first, then the modules in alphabetical order.
    """
    script = Path(script)
    root = script.parent
    found: set[Path] = set()
    todo = [script, *(path for name in extra for path in _module_files(root, name))]
    while todo:
        path = todo.pop()
        if path in found:
            continue
        found.add(path)
        todo.extend(file for name in _imports(path, root) for file in _module_files(root, name))
    return [script, *sorted(found - {script})]


@cache
def code_digest(script: str | Path, extra: tuple[str, ...] = ()) -> str:
    """SHA-256 (hex, shortened) over the content of :func:`script_sources`, in its order.

    Worked out once for a script and its ``extra`` modules: every job of a cohort asks for it.
    """
    digest = hashlib.sha256()
    for path in script_sources(script, extra):
        digest.update(path.name.encode() + b"\0" + _content(path) + b"\0")
    return digest.hexdigest()[:16]


@cache
def _content(path: Path) -> bytes:
    return path.read_bytes()


@cache
def _module_files(root: Path, name: str) -> tuple[Path, ...]:
    """The files that importing ``name`` runs: its packages' ``__init__`` and the module itself."""
    parts = name.split(".")
    stems = (root.joinpath(*parts[:depth]) for depth in range(1, len(parts) + 1))
    places = ((stem / "__init__.py", stem.with_suffix(".py")) for stem in stems)
    found = (next(filter(Path.exists, either), None) for either in places)
    return tuple(path for path in found if path)


@cache
def _imports(path: Path, root: Path) -> tuple[str, ...]:
    """Absolute names of what a file imports from the library."""
    names: list[str] = []
    package = list(path.relative_to(root).parent.parts)
    for node in ast.walk(ast.parse(_content(path))):
        if isinstance(node, ast.Import):
            names.extend(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            module = ".".join([*base, *(node.module.split(".") if node.module else [])])
            names.extend(f"{module}.{alias.name}" for alias in node.names)
    return tuple(name for name in names if name.split(".")[0] == _PACKAGE)
