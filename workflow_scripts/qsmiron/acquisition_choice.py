"""Which of several acquisitions of a session is taken, by the entities of its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

Item = TypeVar("Item")

SUFFIX = "suffix"
"""What the last part of a name (MEGRE, T2starw) is called beside its entities."""


def entities_of(name: str) -> dict[str, str]:
    """Entities of a file's name (without its ending) or of its part up to ``echo-``; a last part
    that is no entity is the suffix.
    """
    found = {}
    for text in name.split("_"):
        key, dash, label = text.partition("-")
        found[key if dash else SUFFIX] = label if dash else text
    return found


def chosen(
    items: Sequence[Item], entities: Callable[[Item], Mapping[str, str]], select: Mapping[str, str]
) -> list[Item]:
    """The acquisitions of one session that the config selects.

    Key by key: those with the label that is asked for; where the session has none with it, those
    without the entity, for these leave nothing to choose. Never one with another label.
    """
    left = list(items)
    for key, label in select.items():
        fitting = [one for one in left if same_label(entities(one).get(key, ""), label)]
        left = fitting or [one for one in left if key not in entities(one)]
    return left


def same_label(one: str, other: str) -> bool:
    """Whether two labels are one: numbers may have leading zeros."""
    return re.sub("^0+(?=.)", "", one) == re.sub("^0+(?=.)", "", other)


def differing(names: Iterable[str]) -> dict[str, list[str]]:
    """The entities in which names differ, each with its labels."""
    each = [entities_of(name) for name in names]
    keys = dict.fromkeys(key for found in each for key in found)
    labels = {key: list(dict.fromkeys(found.get(key, "") for found in each)) for key in keys}
    return {key: values for key, values in labels.items() if len(values) > 1}
