"""The config as the input check reads it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import InputError, Problem


def read_settings(path: str | Path) -> dict[str, Any]:
    """Read a config (YAML or JSON) once, since it may be a pipe.

    Raises
    ------
    InputError
        If it cannot be read or is no mapping of keys to values.
    """
    import yaml

    try:
        text = Path(path).read_text(encoding="utf-8-sig")
        try:
            config = json.loads(text)
        except ValueError:
            config = yaml.safe_load(text)
    except (OSError, ValueError, RecursionError, yaml.YAMLError) as error:
        reason = " ".join(str(error).split())
        raise InputError(
            Problem(
                str(path), f"a config that cannot be read ({reason})", "YAML or JSON", "Mend it."
            )
        ) from error
    if not isinstance(config or {}, dict):
        raise InputError(
            Problem(str(path), f"{config!r:.60}", "keys and values", "Mend the config.")
        )
    return config or {}
