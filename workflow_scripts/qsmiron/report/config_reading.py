"""The workflow's configuration as the report reads it: whole, or only the blocks given."""

from __future__ import annotations

from pathlib import Path

from ..config import Config, load_config
from ..config_files import parse_settings, read_settings


def read_config(source: str | Path) -> Config:
    """Configuration from a YAML or JSON file, or from a JSON object given as text.

    Blocks that are absent have their defaults; without ``atlases`` there is none.

    Raises
    ------
    InputError
        For an unreadable file, or naming an unknown key or a value out of range.
    """
    text = str(source)
    given = text.lstrip().startswith("{")
    content = parse_settings(text, "the config given") if given else read_settings(source)
    return load_config({"atlases": {}} | content)
