"""Refused parameters in the user's terms: the key, what was found, what it may be."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any, Literal, get_args, get_origin

from pydantic import BaseModel, ValidationError

from .errors import Problem

_LONGEST = 60
"""Characters of a value that a message repeats: never a whole block."""

_EXPECTED = {
    **dict.fromkeys(("model_type", "model_attributes_type", "dict_type"), "a block of key: value"),
    **dict.fromkeys(("list_type", "tuple_type"), "a list, such as [a, b]"),
    **dict.fromkeys(("string_type", "string_sub_type"), "text"),
    **dict.fromkeys(("bool_type", "bool_parsing"), "true or false"),
    **dict.fromkeys(("int_type", "int_parsing", "int_from_float"), "a whole number"),
    **dict.fromkeys(("float_type", "float_parsing"), "a number"),
    "string_too_short": "text that is not empty",
    "invalid_key": "text",
}

_CORRECT = "Correct the config."
_QUOTE = "YAML makes something else of it than text: put it in quotes."


def problems_of(
    error: ValidationError, where: str, model: type[BaseModel] | None = None
) -> list[Problem]:
    """A problem for each key that a pydantic error names; ``where`` is the file or block.

    ``model`` is what was validated, whose keys an unknown one is compared with.
    """
    return [_problem(item, where, model) for item in error.errors()]


def _problem(item: Any, where: str, model: type[BaseModel] | None) -> Problem:
    kind, value, loc = item["type"], item["input"], list(item["loc"])
    if loc and loc[-1] == "[key]":
        value, loc = loc[-2], loc[:-1]
    if kind == "invalid_key":
        loc[-1] = str(value)
    blocks, path = _walk(model, loc)
    place = _place(where, path)
    if kind == "extra_forbidden":
        known = sorted({name for block in blocks for name in block.model_fields})
        return _unknown_key(place, loc[-1], known)
    if kind == "missing" and loc:
        if isinstance(loc[-1], int):
            return Problem(_place(where, path[:-1]), _short(value), "more values", _CORRECT)
        fields = [block.model_fields[loc[-1]] for block in blocks if loc[-1] in block.model_fields]
        expected = next((field.description for field in fields if field.description), "a value")
        return Problem(_place(where, path), f"no {path[-1]}", expected, "Add the key.")
    if kind == "too_long":
        expected = f"at most {item['ctx']['max_length']} values"
        return Problem(place, _short(value), expected, _CORRECT)
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        tags = item.get("ctx", {}).get("expected_tags", "").replace("'", "")
        found = _short(value.get("derive") if isinstance(value, dict) else value)
        return Problem(f"{place}.derive", found, f"one of {tags}", _CORRECT)
    if kind == "literal_error":
        choices = item["ctx"]["expected"].replace(" or ", ", ").replace("'", "")
        return Problem(place, _short(value), f"one of {choices}", _CORRECT)
    expected = _EXPECTED.get(kind) or _in_words(item["msg"])
    for_text = kind in ("string_type", "invalid_key")
    unquoted = for_text and isinstance(value, bool | int | float | date)
    return Problem(place, _short(value), expected, _QUOTE if unquoted else _CORRECT)


def _place(where: str, path: Sequence[str]) -> str:
    """A key's place; ``where`` is a bare word, the config, or names a file, option or block."""
    keys = ".".join(path) or "(the whole block)"
    return f"{where}, {keys}" if where.isidentifier() else f"{where}: {keys}"


def _in_words(message: str) -> str:
    for lead in ("Value error, ", "Assertion failed, ", "Input should be "):
        message = message.removeprefix(lead)
    # only its first letter: what it quotes is case-sensitive
    message = message[:1].lower() + message[1:]
    return message.removeprefix("expected ").rstrip(".")


def _unknown_key(place: str, key: object, known: Sequence[str]) -> Problem:
    # Case aside: Scores means scores.
    plain = {name.lower(): name for name in known}
    close = difflib.get_close_matches(str(key).lower(), plain, n=1, cutoff=0.7)
    found = "a key that does not exist"
    if close:
        meant = plain[close[0]]
        return Problem(place, found, f"the key {meant}", f"Did you mean {meant}?")
    expected = f"one of {', '.join(known)}" if known else "no key there"
    return Problem(place, found, expected, "Correct its name, or take it out.")


def _short(value: Any) -> str:
    text = str(value) if isinstance(value, date) else repr(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _walk(
    model: type[BaseModel] | None, loc: Sequence[str | int]
) -> tuple[list[type[BaseModel]], list[str]]:
    """The blocks that may hold the last key of a path, and the path as the config has it.

    The tag of a union is a part of pydantic's path, but no key: it only says which block it is.
    """
    blocks = [model] if model else []
    path: list[str] = []
    for number, part in enumerate(loc):
        tagged = [block for block in blocks if part in _tags(block)]
        if tagged and len(blocks) > 1 and number:
            blocks = tagged
            continue
        path.append(str(part))
        if number == len(loc) - 1:
            break
        inner = [
            found
            for block in blocks
            if isinstance(part, str) and part in block.model_fields
            for found in _models(block.model_fields[part].annotation)
        ]
        blocks = inner or blocks
    return blocks, path


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _tags(block: type[BaseModel]) -> tuple[str, ...]:
    field = block.model_fields.get("derive")
    literal = field is not None and get_origin(field.annotation) is Literal
    return get_args(field.annotation) if field is not None and literal else ()
