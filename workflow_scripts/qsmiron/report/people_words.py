"""Who the participants are, in words: patients and controls only where the config says so."""

from __future__ import annotations

import pandas as pd

from ..config import Config
from ..errors import InputError
from ..statistics.people import belong

NO_CONTROLS = (
    "No controls are named (roles in the configuration) or measured: differences are between "
    "groups of participants, and say nothing of the distance from health."
)


def count_roles(participants: pd.DataFrame, config: Config) -> dict[str, int]:
    """How many patients, controls and of neither there are; without roles, of participants."""
    if config.roles is None:
        return {"participants": len(participants)}
    try:
        counts = {
            kind: int(belong(participants, config.roles, kind, "participants").sum())  # type: ignore[arg-type]
            for kind in ("patients", "controls")
        }
    except InputError:
        # of those who were measured nobody may be one of the two
        return {"participants": len(participants)}
    others = len(participants) - sum(counts.values())
    return counts | ({"of neither": others} if others else {})


def people_words(counts: dict[str, int]) -> str:
    """``38 patients and 20 controls``."""
    words = [f"{number} {kind}" for kind, number in counts.items()]
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def control_caution(counts: dict[str, int]) -> str:
    """What a reader must bear in mind of the controls, or of there being none."""
    if not counts.get("controls"):
        return NO_CONTROLS
    return (
        f"There are {counts['controls']} controls. Scores and derived contrasts are of the "
        "patients alone unless the methods say otherwise. A single patient's deviation from "
        "controls has an error of its own, and beyond the controls' ages it is extrapolated."
    )
