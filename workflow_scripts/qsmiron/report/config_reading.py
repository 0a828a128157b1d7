"""The workflow's configuration as the report reads it: whole, or only the blocks given."""

from __future__ import annotations

import json
from pathlib import Path

from ..config import Config, load_config
from ..errors import InputError, Problem


def read_config(source: str | Path) -> Config:
    """Configuration from a YAML or JSON file, or from a JSON object given as text.

    Blocks that are absent have their defaults; without ``atlases`` there is none.

    Raises
    ------
    InputError
        For an unreadable file, or naming an unknown key or a value out of range.
    """
    import yaml

    text = str(source)
    where = "the config given"
    if not text.lstrip().startswith("{"):
        where = text
        try:
            text = Path(source).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(
                Problem(where, f"no readable file ({error})", "a YAML or JSON config", "Check it.")
            ) from error
    try:
        content = yaml.safe_load(text) if not text.lstrip().startswith("{") else json.loads(text)
    except (yaml.YAMLError, json.JSONDecodeError) as error:
        raise InputError(
            Problem(where, f"not YAML or JSON ({error})", "a config", "Mend the file.")
        ) from error
    if not isinstance(content, dict):
        raise InputError(Problem(where, "no mapping of blocks", "a config", "Mend the file."))
    return load_config({"atlases": {}} | content)
