"""Sidecars: the JSON files that say something of an image, by BIDS' inheritance principle.

What all images of a kind share may stand once, higher up: ``part-phase_MEGRE.json`` at the data
set's root holds for every phase image, and ``sub-01/sub-01_MEGRE.json`` for all of sub-01. A file
applies where it lies in the image's folder or above, has its suffix and no entity that the image's
name lacks. A nearer file goes before a farther one, and of one folder the more specific.

The workflow lists these files each time it is read: no image and no JSON is opened here.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from .errors import InputError, Problem
from .stored_files import is_hidden

_SUBJECT = re.compile(r"(sub-[A-Za-z0-9]+)_")
_FOLDERS_TO_SUBJECT = 3
"""A subject's folder is at most so far up: sub-01/ses-1/anat."""
_NUMBERED = re.compile(r"(echo-|run-)0*([0-9]+)")
_SETTLED_NS = 2 * 10**9
"""A folder that changed later than so before it was read may have changed since, unseen."""

_Named = tuple[frozenset[str], Path]
_listings: dict[Path, tuple[int, dict[str, list[_Named]]]] = {}
"""JSON files of folders that had not changed for a while, with the time of their last change."""


class Sidecar(dict[str, Any]):
    """The fields that hold for an image, merged from its files; ``origins`` names that of each."""

    def __init__(self, fields: Mapping[str, Any], origins: Mapping[str, Path]) -> None:
        super().__init__(fields)
        self.origins = dict(origins)


def stated_in(sidecar: Mapping[str, Any], key: str, where: str) -> str:
    """The file that a field comes from; ``where`` if it is missing, or the sidecar is one file."""
    origins = sidecar.origins if isinstance(sidecar, Sidecar) else {}
    return str(origins.get(key, where))


def place_of(sidecar: Mapping[str, Any], key: str, where: str) -> str:
    """A field as messages name it: its file, and the key."""
    return f"{stated_in(sidecar, key, where)}, {key}"


def sidecar_path(path: str | Path) -> Path:
    """The JSON file beside a NIfTI file, of its very name."""
    path = Path(path)
    for ending in (".nii.gz", ".nii"):
        if path.name.endswith(ending):
            return path.with_name(path.name.removesuffix(ending) + ".json")
    return path.with_suffix(".json")


def sidecars_of(image: str | Path) -> list[Path]:
    """The JSON files that apply to an image, the one that goes before all others last.

    They lie up to the data set's root, the folder that holds the subject's; for an image in no
    subject's folder, the one beside it counts alone. Empty if there is none. In place of the image
    the JSON beside it may be named, be it there or not.
    """
    beside = sidecar_path(image)
    folders = _folders(beside)
    if not folders:
        return [beside] if os.path.lexists(beside) else []
    entities, suffix = _parsed(beside.name)
    found: list[Path] = []
    for folder in folders:
        fitting = [one for one in _json_files(folder).get(suffix, ()) if one[0] <= entities]
        found += [path for _, path in sorted(fitting, key=lambda one: (len(one[0]), one[1]))]
    return found


def merged(image: str | Path, contents: Iterable[tuple[Path, Mapping[str, Any]]]) -> Sidecar:
    """One sidecar of the files that apply to an image, in the order of :func:`sidecars_of`.

    Raises
    ------
    InputError
        Where two files of a folder disagree, of which none is the more specific.
    """
    fields: dict[str, Any] = {}
    origins: dict[str, Path] = {}
    for path, content in contents:
        for key, value in content.items():
            other = origins.get(key)
            if other and fields[key] != value and _none_goes_before(other, path):
                raise InputError(
                    Problem(
                        f"{path}, {key}",
                        f"{value!r:.60}, where {other.name} has {fields[key]!r:.60}",
                        f"one value for {Path(image).name}, to which both files apply",
                        "Correct one of them, or put the field into the sidecar beside the image.",
                    )
                )
            fields[key], origins[key] = value, path
    return Sidecar(fields, origins)


def _none_goes_before(one: Path, other: Path) -> bool:
    first, second = _parsed(one.name)[0], _parsed(other.name)[0]
    return one.parent == other.parent and not (first < second or second < first)


def _folders(file: Path) -> tuple[Path, ...]:
    """The folders from a data set's root to the file's own; none outside a subject's folder."""
    match = _SUBJECT.match(file.name)
    if not match:
        return ()
    # a relative path may begin below the root
    return _down_to(file.parent, match[1]) or _down_to(file.parent.absolute(), match[1])


@cache
def _down_to(folder: Path, subject: str) -> tuple[Path, ...]:
    chain = (folder, *folder.parents)[: _FOLDERS_TO_SUBJECT + 1]
    for number, above in enumerate(chain[:-1]):
        if above.name == subject:
            return chain[number + 1 :: -1]
    return ()


def _parsed(name: str) -> tuple[frozenset[str], str]:
    """Entities and suffix of a JSON file's name."""
    *entities, suffix = name.removesuffix(".json").split("_")
    return frozenset(map(_entity, entities)), suffix


def _entity(text: str) -> str:
    """An entity as it is compared: echo-01 is echo-1."""
    match = _NUMBERED.fullmatch(text)
    return match[1] + match[2] if match else text


def _json_files(folder: Path) -> Mapping[str, list[_Named]]:
    """The JSON files of a folder by suffix, each with its entities."""
    try:
        changed = folder.stat().st_mtime_ns
    except FileNotFoundError:
        return {}
    known = _listings.get(folder)
    if known and known[0] == changed:
        return known[1]
    read = time.time_ns()
    found: dict[str, list[_Named]] = {}
    with os.scandir(folder) as entries:  # of a root with a thousand subjects, quicker than Path
        names = [one.name for one in entries if one.name.endswith(".json")]
    for name in names:
        if not is_hidden(name):
            entities, suffix = _parsed(name)
            found.setdefault(suffix, []).append((entities, folder / name))
    if read - changed > _SETTLED_NS:
        _listings[folder] = (changed, found)
    return found
