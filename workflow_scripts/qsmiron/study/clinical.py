"""What a job reads of the clinical table: when one of these values changes, the job runs again."""

from __future__ import annotations

from functools import cached_property

from ..clinical import clinical_values
from ..config import Config


class ClinicalValues:
    """The clinical table, as far as the studied participants and each job's columns go."""

    def __init__(self, table: str, config: Config, participants: set[str]) -> None:
        self.table = table
        self.config = config
        self.participants = participants

    @cached_property
    def _clinical(self) -> dict[str, dict[str, str]]:
        values = clinical_values(self.table)
        if not self.participants:
            return values
        return {who: row for who, row in values.items() if who in self.participants}

    def _columns(self, columns: list[str]) -> dict[str, list[str]]:
        return {
            who: [row.get(column, "") for column in columns]
            for who, row in sorted(self._clinical.items())
        }

    def contrast_values(self, contrast: str) -> dict[str, list[str]]:
        """What the tests of a contrast read of the clinical table."""
        settings = self.config.contrasts[contrast].model_dump()
        columns = [settings[key] for key in ("column", "baseline", "followup") if key in settings]
        return self._columns([*columns, *self.config.covariates])

    def all_contrast_values(self) -> list[dict[str, list[str]]]:
        """What the tests of all contrasts read of the clinical table."""
        return [self.contrast_values(contrast) for contrast in self.contrasts]

    def score_values(self, score: str) -> dict[str, list[str]]:
        """What the correlations with a score read of the clinical table."""
        return self._columns([score, *self.config.covariates])

    def age(self, folder: str) -> str:
        """Age (years) of the participant whose scan lies in ``folder``; empty if unknown."""
        value = self._clinical.get(folder.split("/")[0], {}).get("age", "")
        return "" if value in ("", "n/a") else value
