"""Values of the configuration that YAML and the command line spell in several ways."""

from __future__ import annotations

import re
from math import inf
from typing import Annotated, Any

from pydantic import BeforeValidator

from .b0 import B0_SETTINGS, is_b0_setting
from .bids import LABEL
from .parameters import without_nothing
from .spelling import plain_names


def _label(label: Any) -> str:
    """A participant's or session's label as text, with or without its prefix.

    Raises
    ------
    ValueError
        For what is no label.
    """
    if isinstance(label, bool | float) or not isinstance(label, str | int):
        raise ValueError(f"labels as text; {label!r} is none: put it in quotes, such as '01'")
    text = plain_names(str(label))
    if not LABEL.fullmatch(text.removeprefix("sub-").removeprefix("ses-")):
        raise ValueError(
            f"labels of letters and digits, in a list such as ['01', '02']; {text!r} is none"
        )
    return text


def _range(limits: Any) -> Any:
    """Two numbers of which the first is not the larger, as text or not."""
    try:
        low, high = (float(limit) for limit in limits if not isinstance(limit, bool))
    except (TypeError, ValueError, OverflowError):
        low, high = inf, -inf
    if not -inf < low <= high < inf:
        raise ValueError("[lowest, highest]")
    return low, high


Range = Annotated[tuple[float, float], BeforeValidator(_range)]
"""Lowest and highest value of a column."""


def _labels(labels: Any) -> list[str]:
    # Set on the command line, one label arrives without a list.
    labels = [] if labels is None else labels if isinstance(labels, list) else [labels]
    return [_label(label) for label in labels]


_ENTITIES_OF_ONE_SCAN = ("sub", "ses", "echo", "part")


def _selected(entities: Any) -> Any:
    """Labels by entity, such as {acq: highres, run: 1}."""
    if not isinstance(entities, dict):
        raise ValueError("a block of entity: label, such as {acq: highres}")
    found = {}
    for key, label in without_nothing(entities).items():
        if not re.fullmatch("[a-z]+", str(key)) or key in _ENTITIES_OF_ONE_SCAN:
            raise ValueError(f"entities such as acq, rec, run or suffix; {key!r} is none of them")
        found[str(key)] = _label(label)
    return found


def _ranges(ranges: Any) -> Any:
    return without_nothing(plain_names(ranges))


Labels = Annotated[list[str], BeforeValidator(_labels)]
"""Labels of participants or sessions."""
Selected = Annotated[dict[str, str], BeforeValidator(_selected)]
"""Labels of entities by which one acquisition is told from others."""
Ranges = Annotated[dict[str, Range], BeforeValidator(_ranges)]
"""Ranges by column."""


def _b0_setting(value: Any) -> Any:
    if not is_b0_setting(value):
        raise ValueError(B0_SETTINGS)
    return value


B0Setting = Annotated[str | tuple[float, float, float], BeforeValidator(_b0_setting)]
"""Which form of the header tells where B0 points, or the direction along the voxel axes."""
