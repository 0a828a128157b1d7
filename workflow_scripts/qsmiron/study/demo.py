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
    """The demo's plan (config/demo) and raw data set (``folder``)."""

    def __init__(self, home: Path, folder: str, n_participants: int) -> None:
        self.folder = folder
        self.plan = str(home / "config/demo/plan.tsv")
        self.effects = str(home / "config/demo/effects.tsv")
        self.participants = str(home / "config/demo/participants.tsv")
        self.n_participants = n_participants

    @cached_property
    def _rows(self) -> dict[str, dict[str, str]]:
        with Path(self.plan).open(encoding="utf-8", newline="") as file:
            rows = csv.DictReader(file, delimiter="\t")
            return {row["participant_id"].removeprefix("sub-"): row for row in rows}

    def row(self, subject: str) -> dict[str, str]:
        """A patient's row of the plan."""
        return self._rows[subject]

    def scans(self) -> list[Scan]:
        """The scans of the first ``n_participants`` patients of the plan."""
        subjects = list(self._rows)[: self.n_participants]
        return [raw_scan(self.folder, subject, N_ECHOES) for subject in subjects]

    def images(self, subject: str) -> list[str]:
        """A patient's raw images; ``subject`` may be a wildcard in braces."""
        return [str(path) for path in raw_scan(self.folder, subject, N_ECHOES).files]

    def sidecars(self, subject: str) -> list[str]:
        """The sidecars of those images."""
        return [str(sidecar_path(path)) for path in self.images(subject)]
