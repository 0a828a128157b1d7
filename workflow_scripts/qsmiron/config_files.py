"""Files of the configuration: read as they are meant, and laid over one another.

Snakemake reads the same files by itself. What it then cannot know any more (a key that stood there
twice, what a number was written like) is looked up here.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from .errors import InputError, Problem

_PLAIN_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]*)")
_LONGEST = 60


class _Loader(yaml.SafeLoader):
    """YAML that notes keys that stand twice, and numbers that are not written as decimal ones."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.noted: list[tuple[int, str, str, str]] = []

    def construct_mapping(self, node: Any, deep: bool = False) -> dict:
        lines: dict[str, int] = {}
        for key, _ in node.value if isinstance(node, yaml.MappingNode) else ():
            line = key.start_mark.line + 1
            if isinstance(key, yaml.ScalarNode) and key.tag != "tag:yaml.org,2002:merge":
                if key.value in lines:
                    found = f"the key {key.value} again, which line {lines[key.value]} has"
                    expected = "each key once: of two blocks, YAML drops the first"
                    self.noted.append((line, found, expected, "Put them into one."))
                lines[key.value] = line
        return super().construct_mapping(node, deep)

    def note_number(self, node: yaml.ScalarNode, value: float) -> float:
        self.noted.append(
            (
                node.start_mark.line + 1,
                f"{node.value}, which YAML reads as {value}",
                "a decimal number, or text in quotes",
                f"Write '{node.value}' in quotes if it is a label or a level, otherwise {value}.",
            )
        )
        return value


def _whole(loader: _Loader, node: yaml.ScalarNode) -> int:
    value = loader.construct_yaml_int(node)
    return value if _PLAIN_WHOLE.fullmatch(node.value) else loader.note_number(node, value)


def _decimal(loader: _Loader, node: yaml.ScalarNode) -> float:
    value = loader.construct_yaml_float(node)
    return loader.note_number(node, value) if re.search("[:_]", node.value) else value


_Loader.add_constructor("tag:yaml.org,2002:int", _whole)
_Loader.add_constructor("tag:yaml.org,2002:float", _decimal)


def read_settings(path: str | Path) -> dict[str, Any]:
    """Read a config (YAML or JSON) once, since it may be a pipe.

    Raises
    ------
    InputError
        If it cannot be read, is no mapping of keys to values, has a key twice, or a number that
        YAML reads as another than it looks like (``010``, ``12:30``); with the line.
    """
    where = str(path)
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
        raise InputError(
            Problem(
                where, f"a config that cannot be read ({reason})", "YAML or JSON", "Check the file."
            )
        ) from error
    return parse_settings(text, where)


def parse_settings(text: str, where: str) -> dict[str, Any]:
    """The same of a text; ``where`` names it in messages."""
    noted: list[tuple[int, str, str, str]] = []
    try:
        try:
            content = json.loads(text, object_pairs_hook=_once)
        except ValueError:
            loader = _Loader(text)
            content = loader.get_single_data()
            noted = loader.noted
    except yaml.MarkedYAMLError as error:
        raise InputError(_syntax_error(error, text, where)) from error
    except _KeyTwiceError as error:
        found = f"the key {error} twice"
        raise InputError(Problem(where, found, "each key once", "Put them into one.")) from error
    except (ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())[:_LONGEST]
        raise InputError(
            Problem(where, f"a config that cannot be read ({reason})", "YAML or JSON", "Mend it.")
        ) from error
    if not isinstance(content, dict):
        found = "an empty file" if content is None else f"{content!r:.{_LONGEST}}"
        raise InputError(
            Problem(
                where,
                found,
                "keys and values (a mapping), such as bids_dir: /data/als",
                "Mend the config, or leave it out.",
            )
        )
    if noted:
        raise InputError(
            *(Problem(f"{where}, line {line}", *words) for line, *words in sorted(noted))
        )
    return content


class _KeyTwiceError(Exception):
    """A key of a JSON object stands twice."""


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise _KeyTwiceError(key)
        found[key] = value
    return found


def _syntax_error(error: yaml.MarkedYAMLError, text: str, where: str) -> Problem:
    mark = error.problem_mark or error.context_mark
    line = mark.line + 1 if mark else 1
    written = text.splitlines()[line - 1] if line <= len(text.splitlines()) else "the end"
    reason = ", ".join(part for part in (error.context, error.problem) if part)
    remedy = "See that line and the one above: brackets and quotes that are open, a missing colon."
    if "\t" in written[: len(written) - len(written.lstrip())] or "'\\t'" in reason:
        remedy = "Indent with blanks: YAML takes no tabs."
    found = f"{written.strip()[:_LONGEST]!r}, which is not YAML ({reason})"
    return Problem(f"{where}, line {line}", found, "YAML or JSON", remedy)


def check_config_files(paths: Iterable[str | Path]) -> None:
    """Raise :class:`InputError` with everything wrong with the form of these files.

    Pipes are passed over: they can be read only once, and whoever needs them does.
    """
    problems: list[Problem | str] = []
    for path in dict.fromkeys(map(str, paths)):
        if Path(path).is_file():
            try:
                read_settings(path)
            except InputError as error:
                problems += error.problems
    if problems:
        raise InputError(*problems)


def laid_over(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """A configuration with changes laid over it, block by block; an empty block empties.

    A contrast that says how it is derived has nothing of the one that it replaces.
    """
    merged = _merged(config, changes)
    contrasts = changes.get("contrasts")
    for name, contrast in (contrasts if isinstance(contrasts, Mapping) else {}).items():
        if isinstance(contrast, Mapping) and "derive" in contrast:
            merged["contrasts"][name] = dict(contrast)
    return merged


def _merged(config: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(config)
    for key, value in changes.items():
        before = merged.get(key)
        if isinstance(value, Mapping):
            inside = before if isinstance(before, Mapping) and value else {}
            merged[key] = _merged(inside, value)
        else:
            merged[key] = value
    return merged


def as_given(
    config: Mapping[str, Any], layers: Iterable[Mapping[str, Any]], entries: Iterable[str]
) -> dict[str, Any]:
    """The configuration as its user gave it, of what Snakemake made of it.

    Parameters
    ----------
    config
        All layers, merged by Snakemake, to which an empty block is no change.
    layers
        What was laid over the shipped configuration: files, and the command line.
    entries
        Entries ``key=value`` of the command line, of which Snakemake makes numbers:
        ``participant_label=01`` would be 1.
    """
    given = dict(config)
    for layer in layers:
        given = laid_over(given, layer)
    for entry in entries:
        key, _, text = entry.partition("=")
        if isinstance(given.get(key), int | float):
            given[key] = text.strip("\"'")  # Snakemake takes quotes off, and then 01 for 1
    return given
