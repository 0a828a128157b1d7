"""The built-in demo cohort: whom the plan holds, where their raw images go, and who is what."""

from __future__ import annotations

import csv
from functools import cached_property
from pathlib import Path

from ..bids import Scan, raw_scan
from ..config import Config
from ..sidecars import sidecar_path
from ..simulation.controls import CONTROL, PATIENT, ROLE
from ..simulation.signal import SequenceParameters
from ..statistics.settings import GivenContrast, Roles

N_ECHOES = len(SequenceParameters().echo_times)
CONTRAST = "diagnosis"


def with_roles_of_demo(config: Config) -> Config:
    """The configuration of a demo with controls: their roles, and patients against controls.

    Roles that are given stay, and every other configuration is left as it is.
    """
    is_demo = config.bids_dir is None and not config.analysis_only
    if not (is_demo and config.demo.controls) or config.roles is not None:
        return config
    roles = Roles(column=ROLE, patients=(PATIENT,), controls=(CONTROL,))
    contrast = GivenContrast(column=ROLE, levels=(PATIENT, CONTROL))
    contrasts = {**config.contrasts, CONTRAST: contrast}
    return config.model_copy(update={"roles": roles, "contrasts": contrasts})


class Demo:
    """The demo's plan (config/demo) and raw data set (``folder``).

    ``n_participants`` are patients; with ``n_controls`` the tables are those of both. With several
    visits the clinical table is that of ``config/demo/visits``, beside which each patient's
    ``sub-XX_sessions.tsv`` lies; the images of the first visit are the same.
    """

    def __init__(
        self,
        home: Path,
        folder: str,
        n_participants: int,
        n_controls: int = 0,
        n_visits: int = 1,
    ) -> None:
        self.folder = folder
        self.effects = str(home / "config/demo/effects.tsv")
        kind = "controls" if n_controls else "visits" if n_visits > 1 else ""
        self.plan = str(home / "config/demo" / ("controls" if n_controls else "") / "plan.tsv")
        self.visits = str(home / "config/demo/visits/plan.tsv")
        self.participants = str(home / "config/demo" / kind / "participants.tsv")
        self.numbers = {PATIENT: n_participants, CONTROL: n_controls}
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
        """A participant's row of the plan; whether patient or control does nothing to images."""
        return {key: value for key, value in self._rows[subject].items() if key != ROLE}

    def visit(self, subject: str, session: str) -> dict[str, str]:
        """A visit's row of the plan of visits."""
        return self._visits[subject, session]

    def scans(self) -> list[Scan]:
        """The scans of the plan's first patients and first controls."""
        subjects = []
        for role, number in self.numbers.items():
            of_role = [who for who, row in self._rows.items() if row.get(ROLE, PATIENT) == role]
            subjects += of_role[:number]
        visits = [(subject, visit) for subject in subjects for visit in self.sessions]
        return [raw_scan(self.folder, subject, N_ECHOES, visit) for subject, visit in visits]

    def images(self, subject: str, session: str | None = None) -> list[str]:
        """A participant's raw images; ``subject`` and ``session`` may be wildcards in braces.

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
