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

    ``n_participants`` are patients; with ``n_controls`` the tables are those of both.
    """

    def __init__(self, home: Path, folder: str, n_participants: int, n_controls: int = 0) -> None:
        self.folder = folder
        self.effects = str(home / "config/demo/effects.tsv")
        tables = home / "config/demo" / ("controls" if n_controls else "")
        self.plan = str(tables / "plan.tsv")
        self.participants = str(tables / "participants.tsv")
        self.numbers = {PATIENT: n_participants, CONTROL: n_controls}

    @cached_property
    def _rows(self) -> dict[str, dict[str, str]]:
        with Path(self.plan).open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            return {row["participant_id"].removeprefix("sub-"): row for row in rows}

    def row(self, subject: str) -> dict[str, str]:
        """A participant's row of the plan; whether patient or control does nothing to images."""
        return {key: value for key, value in self._rows[subject].items() if key != ROLE}

    def scans(self) -> list[Scan]:
        """The scans of the plan's first patients and first controls."""
        subjects = []
        for role, number in self.numbers.items():
            of_role = [who for who, row in self._rows.items() if row.get(ROLE, PATIENT) == role]
            subjects += of_role[:number]
        return [raw_scan(self.folder, subject, N_ECHOES) for subject in subjects]

    def images(self, subject: str) -> list[str]:
        """A participant's raw images; ``subject`` may be a wildcard in braces."""
        return [str(path) for path in raw_scan(self.folder, subject, N_ECHOES).files]

    def sidecars(self, subject: str) -> list[str]:
        """The sidecars of those images."""
        return [str(sidecar_path(path)) for path in self.images(subject)]
