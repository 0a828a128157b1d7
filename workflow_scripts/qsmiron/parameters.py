"""What every block of parameters shares: frozen, and intolerant of unknown keys.

An algorithm's parameters are a subclass that stands beside the algorithm, so that a default, its
unit and its range live in one place: the config schema, the command line and the docs read them
from there.
"""

from __future__ import annotations

import json
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from .errors import InputError
from .refused_values import problems_of

_NOTHING = (None, "null", "Null", "NULL", "~")
"""Nothing, and how it arrives from Snakemake's command line, where all of a block is text."""


class Parameters(BaseModel):
    """Immutable, validated parameters; fields are declared with ``pydantic.Field``.

    A list or block that is declared empty (``scores:``) has nothing in it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _nothing(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        fields = {key: cls.model_fields[key] for key in values if key in cls.model_fields}
        empty = {
            key: _empty(field.annotation)
            for key, field in fields.items()
            if isinstance(values[key], str | None) and values[key] in _NOTHING
        }
        return values | {key: [] if value is list else {} if value is dict else None
                         for key, value in empty.items() if value is not str}  # fmt: skip


def _empty(annotation: Any) -> type:
    """What nothing is in a field: a list, a dict, None, or (str) just the text."""
    if type(None) in get_args(annotation):
        return type(None)
    if get_origin(annotation) in (list, tuple):
        return list
    if get_origin(annotation) is dict:
        return dict
    if isinstance(annotation, type) and issubclass(annotation, Parameters):
        return dict
    return str


def without_nothing(entries: Any) -> Any:
    """Named entries of a block without those that are taken away by null."""
    if not isinstance(entries, dict):
        return entries
    return {
        name: entry
        for name, entry in entries.items()
        if not (isinstance(entry, str | None) and entry in _NOTHING)
    }


def explain(
    error: ValidationError, where: str, model: type[Parameters] | None = None
) -> InputError:
    """Reword a pydantic error as an :class:`InputError` that names each offending key.

    ``model`` is what was validated, whose keys an unknown one is compared with.
    """
    return InputError(*problems_of(error, where, model))


def parse_parameters(model: type[Parameters], text: str | dict | None, where: str) -> Parameters:
    """Validate overrides (a JSON object or a dict; ``None`` for all defaults) against ``model``.

    Raises
    ------
    InputError
        Naming the key, for an unknown key or a value outside its range.
    """
    try:
        values = json.loads(text) if isinstance(text, str) else (text or {})
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not a JSON object: {error}") from error
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise explain(error, where, model) from error
