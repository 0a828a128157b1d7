"""What is learnt of one scan while its files are checked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from ..bids import Scan
from ..errors import InputError, Problem
from ..raw_parts import MEGRE_NAME, Parts
from .headers import Header

Answer = TypeVar("Answer")


@dataclass
class Inspected:
    """A scan's protocol and every problem of it.

    ``facts`` are compared within the cohort. ``headers`` holds the usable images, ``encodings``
    how each phase image stores its values (a key of ``acquisition.PHASE_UNITS``), ``undeclared``
    the phase images whose sidecars do not tell, ``overruled`` the scale that a sidecar declares
    where the config has another for the whole study, ``obliquity`` the angle (degrees) between B0
    and the nearest axis of the grid, ``readout`` what :func:`.readout.declared_readout` finds in a
    scan of three echoes or more. ``parts`` has the MEGRE files of the one pair of parts that is
    looked at.
    """

    scan: Scan
    parts: Parts = field(default_factory=dict)
    facts: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    headers: dict[Path, Header] = field(default_factory=dict)
    encodings: dict[Path, str] = field(default_factory=dict)
    undeclared: set[Path] = field(default_factory=set)
    overruled: dict[Path, str] = field(default_factory=dict)
    obliquity: float | None = None
    readout: tuple[str, str] | None = None

    @property
    def name(self) -> str:
        """The scan's folder and entities, for file patterns in messages."""
        return f"{self.scan.files[0].parent}/{self.scan.entities}"

    @property
    def on_grid(self) -> Path:
        """An image on the grid that the scan's results have: a ready map, or its first echo."""
        return self.scan.ready_map("chi") or self.echoes[0]

    @property
    def echoes(self) -> list[Path]:
        """The MEGRE files of the parts that are looked at."""
        return [path for files in self.parts.values() for path in files.values()]

    def collect(self, ask: Callable[[], Answer]) -> Answer | None:
        """The answer, or ``None`` with the problem noted."""
        try:
            return ask()
        except InputError as error:
            self.problems += [p for p in error.problems if isinstance(p, Problem)]
            return None


def echo_name(path: Path) -> str:
    """What messages call a MEGRE file."""
    match = MEGRE_NAME.fullmatch(path.name)
    return f"echo {int(match['echo'])}" if match and match["echo"] else path.name
