"""How the same word or number may be spelt: letters in several codes, blanks, signs, leading zeros.

Tables and the config are compared by what they mean: both are read through :func:`plain_text`, and
levels and categories through :func:`level_text`. Only the standard library is used, since the
workflow is laid out with it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from datetime import date
from math import isfinite
from typing import Any

_INVISIBLE = "\u00ad\u200b\u200c\u200d\u200e\u200f\u2060\ufeff" + "".join(
    map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A)])
)
"""Soft hyphen, zero-width characters, marks of direction: they come with text that was copied."""
_BLANKS = "\u00a0\u1680\u202f\u205f\u3000" + "".join(map(chr, range(0x2000, 0x200B)))
"""Blanks that do not break, or of another width."""
_AS_MEANT = str.maketrans({**dict.fromkeys(_INVISIBLE), **dict.fromkeys(_BLANKS, " ")})

_FULL_WIDTH = {0xFF10 + digit: str(digit) for digit in range(10)}
_DIGITS_AND_SIGNS = str.maketrans(
    {**_FULL_WIDTH, "\u2212": "-", "\ufe63": "-", "\uff0d": "-", "\uff0b": "+", "\uff0e": "."}
)
"""Full-width digits, and signs of typesetting (the minus U+2212)."""

_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")

_LARGEST_EXACT = 1e15
"""Whole numbers below it are exact as floating point."""


def plain_text(text: str) -> str:
    r"""Text with composed letters (NFC), plain blanks and no invisible characters.

    >>> plain_text("Ko\u0308ln\u200b") == "Köln"
    True
    """
    return unicodedata.normalize("NFC", text.translate(_AS_MEANT))


def plain_names(value: Any) -> Any:
    """The same of every string and key in nested lists and mappings, without blanks at its ends."""
    if isinstance(value, str):
        return plain_text(value).strip()
    if isinstance(value, dict):
        return {plain_names(key): plain_names(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain_names(item) for item in value]
    return value


def ascii_digits(text: str) -> str:
    """Text whose full-width digits and typographic signs are those of a keyboard."""
    return text.translate(_DIGITS_AND_SIGNS)


def as_number(text: str) -> float | None:
    r"""The finite number that a text holds, written with a decimal point, or ``None``.

    >>> as_number("\u221299"), as_number("12 points"), as_number("1e999")
    (-99.0, None, None)
    """
    digits = ascii_digits(text)
    number = float(digits) if _NUMBER.fullmatch(digits) else None
    return number if number is None or isfinite(number) else None


def level_text(value: Any) -> str:
    """A level or category as text; equal numbers are alike (1, 1.0 and ``"01"`` are ``"1"``).

    Raises
    ------
    ValueError
        For what YAML makes of a bare yes or no, a date, or nothing at all.
    """
    if value is None:
        raise ValueError("a level, and null is none: put it in quotes if it is a level's name")
    if isinstance(value, bool):
        raise ValueError(
            "a level as text: YAML reads a bare yes, no, on, off, true or false as a truth value; "
            "put it in quotes, as the table has it"
        )
    if isinstance(value, date):
        raise ValueError("a level as text: YAML reads a bare date; put it in quotes")
    text = plain_text(str(value)).strip()
    number = as_number(text)
    if number is None:
        return text
    whole = number == int(number) and abs(number) < _LARGEST_EXACT
    return str(int(number)) if whole else str(number)


def sorted_levels(levels: Iterable[str]) -> list[str]:
    """Distinct levels in the order of their numbers where all are numbers, otherwise as text.

    >>> sorted_levels(["10", "9", "1"]), sorted_levels(["B", "10", "A"])
    (['1', '9', '10'], ['10', 'A', 'B'])
    """
    distinct = set(levels)
    numbers = {level: as_number(level) for level in distinct}
    if None in numbers.values():
        return sorted(distinct)
    return sorted(distinct, key=lambda level: (numbers[level], level))


def in_natural_order(labels: Iterable[str]) -> list[str]:
    """Labels sorted with the numbers in them as numbers.

    >>> in_natural_order(["m12", "m6", "m0"])
    ['m0', 'm6', 'm12']
    """

    def parts(label: str) -> list[tuple[bool, int, str]]:
        found = re.findall(r"[0-9]+|[^0-9]+", label)
        return [(not one.isdecimal(), int(one) if one.isdecimal() else 0, one) for one in found]

    return sorted(labels, key=lambda label: (parts(label), label))


def twin_label(label: str, others: Iterable[str]) -> str | None:
    """A label that differs only in case or leading zeros (spreadsheets drop them).

    >>> twin_label("sub-1", ["sub-02", "sub-01"])
    'sub-01'
    """

    def plain(name: str) -> str:
        return name.lower().removeprefix("sub-").lstrip("0")

    return next((other for other in others if plain(other) == plain(label)), None)
