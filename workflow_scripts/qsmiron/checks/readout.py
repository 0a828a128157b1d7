"""Whether every other echo was read out backwards: what sidecars say, against the config.

No field of BIDS tells, and most exports do not either; then nothing is said. dcm2niix writes the
readout mode of Siemens sequences as DiffusionScheme, and some sequences bear it in their name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..errors import Problem
from .inspected import Inspected

_FIELDS = ("DiffusionScheme", "PulseSequenceType", "PulseSequenceDetails", "SequenceName",
           "ProtocolName", "SeriesDescription")  # fmt: skip
_WORDS = {"bipolar": r"bi-?polar", "monopolar": r"(mono|uni)-?polar|fly-?back"}
LEAST_ECHOES_OF_BIPOLAR = 3
"""Fewer echoes do not tell a phase error that alternates from the field."""
_NAMED_AT_MOST = 8


def declared_readout(sidecar: Mapping[str, Any]) -> tuple[str, str] | None:
    """``bipolar`` or ``monopolar`` and the field that says so; ``None`` for neither or both."""
    said = {
        readout: key
        for key in _FIELDS
        for readout, words in _WORDS.items()
        if isinstance(sidecar.get(key), str) and re.search(words, sidecar[key], re.IGNORECASE)
    }
    return next(iter(said.items())) if len(said) == 1 else None


def configured_readout(settings: Mapping[str, Any]) -> str:
    """What the config says of the field map's readout."""
    value: Any = settings
    for key in ("reconstruction", "field_map", "parameters", "readout"):
        value = value.get(key) if isinstance(value, Mapping) else None
    return "bipolar" if value == "bipolar" else "monopolar"


def check_readout(
    root: Path, inspected: Sequence[Inspected], settings: Mapping[str, Any]
) -> Iterator[Problem]:
    """Warn where sidecars of three echoes or more tell another readout than the config."""
    configured = configured_readout(settings)
    told = [(seen, *seen.readout) for seen in inspected if seen.readout]
    other = [(seen, said, key) for seen, said, key in told if said != configured]
    if not other:
        return
    _, said, key = other[0]
    scans = ", ".join(seen.scan.folder.replace("/", " ") for seen, _, _ in other[:_NAMED_AT_MOST])
    yield Problem(
        f"{root}/sub-*, {key}",
        f"a {said} readout in {len(other)} of {len(inspected)} scans ({scans}"
        + (" …)" if other[_NAMED_AT_MOST:] else ")"),
        f"{configured}, as the config takes it",
        f"Set reconstruction.field_map.parameters.readout: {said} in the config if that is so.",
        "warning",
    )
