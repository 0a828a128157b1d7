"""What every block of parameters shares: frozen, and intolerant of unknown keys.

An algorithm's parameters are a subclass that stands beside the algorithm, so that a default, its
unit and its range live in one place: the config schema, the command line and the docs read them
from there.
"""

from __future__ import annotations

import json

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import InputError


class Parameters(BaseModel):
    """Immutable, validated parameters; fields are declared with ``pydantic.Field``."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


def explain(error: ValidationError, where: str) -> InputError:
    """Reword a pydantic error as an :class:`InputError` that names each offending key."""
    lines = []
    for item in error.errors():
        key = ".".join(str(part) for part in item["loc"]) or "(the whole block)"
        lines.append(f"{where}: {key}: found {item['input']!r}; {_uncapitalised(item['msg'])}")
    return InputError(*lines)


def _uncapitalised(message: str) -> str:
    # only its first letter: what it quotes is case-sensitive
    return message[:1].lower() + message[1:]


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
        raise explain(error, where) from error
