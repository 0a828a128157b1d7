"""The built-in demo cohort: which patients the plan holds, and where their raw images go."""

from __future__ import annotations

import csv
from functools import cached_property
from pathlib import Path

from ..bids import Scan, raw_scan
from ..sidecars import sidecar_path
from ..simulation.signal import SequenceParameters

N_ECHOES = len(SequenceParameters().echo_times)


class Demo:
    """The demo's plan (config/demo) and raw data set (``folder``).

    With several visits the clinical table is that of ``config/demo/visits``, beside which each
    patient's ``sub-XX_sessions.tsv`` lies; the images of the first visit are the same.
    """

    def __init__(self, home: Path, folder: str, n_participants: int, n_visits: int = 1) -> None:
        self.folder = folder
        self.plan = str(home / "config/demo/plan.tsv")
        self.effects = str(home / "config/demo/effects.tsv")
        self.visits = str(home / "config/demo/visits/plan.tsv")
        tables = "config/demo" if n_visits == 1 else "config/demo/visits"
        self.participants = str(home / tables / "participants.tsv")
        self.n_participants = n_participants
        self.sessions = [str(n) for n in range(1, n_visits + 1)] if n_visits > 1 else [None]

    @cached_property
    def _rows(self) -> dict[str, dict[str, str]]:
        return {row["participant_id"].removeprefix("sub-"): row for row in _read(self.plan)}

    @cached_property
    def _visits(self) -> dict[tuple[str, str], dict[str, str]]:
        rows = _read(self.visits)
        return {(row["participant_id"].removeprefix("sub-"), row["session"]): row for row in rows}

    @property
    def planned_visits(self) -> list[str]:
        """The plan of the visits, where there are several."""
        return [self.visits] if len(self.sessions) > 1 else []

    def row(self, subject: str) -> dict[str, str]:
        """A patient's row of the plan."""
        return self._rows[subject]

    def visit(self, subject: str, session: str) -> dict[str, str]:
        """A visit's row of the plan of visits."""
        return self._visits[subject, session]

    def scans(self) -> list[Scan]:
        """The scans of the first ``n_participants`` patients of the plan."""
        subjects = list(self._rows)[: self.n_participants]
        visits = [(subject, visit) for subject in subjects for visit in self.sessions]
        return [raw_scan(self.folder, subject, N_ECHOES, visit) for subject, visit in visits]

    def images(self, subject: str, session: str | None = None) -> list[str]:
        """A patient's raw images; ``subject`` and ``session`` may be wildcards in braces.

        Without a session, those of the first visit.
        """
        visit = session or self.sessions[0]
        return [str(path) for path in raw_scan(self.folder, subject, N_ECHOES, visit).files]

    def sidecars(self, subject: str, session: str | None = None) -> list[str]:
        """The sidecars of those images."""
        return [str(sidecar_path(path)) for path in self.images(subject, session)]


def _read(path: str) -> list[dict[str, str]]:
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))
