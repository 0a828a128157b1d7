"""What a job reads of the clinical table: when one of these values changes, the job runs again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..config import Config
from ..spelling import level_text, sorted_levels
from .design import contrast_columns


class ClinicalValues:
    """The columns of the clinical table that each job reads.

    Of every participant in the table, with images or without: a derived contrast (a cut at the
    median) depends on all of them.
    """

    def __init__(self, values: dict[str, dict[str, str]], config: Config) -> None:
        self.config = config
        self._clinical = values

    @property
    def participants(self) -> list[str]:
        """participant_id (``sub-XX``) of every row of the clinical table."""
        return list(self._clinical)

    def _columns(self, columns: list[str]) -> dict[str, list[str]]:
        return {
            who: [row.get(column, "") for column in columns]
            for who, row in sorted(self._clinical.items())
        }

    def contrast_values(self, contrast: str, also: Sequence[str] = ()) -> dict[str, list[str]]:
        """What the tests of a contrast read of the clinical table; ``also`` are more columns."""
        columns = sorted(contrast_columns(self.config.contrasts[contrast]))
        return self._columns([*columns, *self._role, *self._covariates(also)])

    def all_contrast_values(self) -> list[dict[str, list[str]]]:
        """What the tests of all contrasts read of the clinical table."""
        return [self.contrast_values(contrast) for contrast in self.config.contrasts]

    @property
    def columns(self) -> set[str]:
        """The columns of the clinical table."""
        return {name for row in self._clinical.values() for name in row}

    def covariate_values(self, also: Sequence[str] = ()) -> dict[str, list[str]]:
        """The roles and covariates; ``also`` are more columns."""
        return self._columns([*self._role, *self._covariates(also)])

    def score_values(self, score: str, also: Sequence[str] = ()) -> dict[str, list[str]]:
        """What the correlations with a score read of it; ``also`` are more columns."""
        return self._columns([score, *self._role, *self._covariates(also)])

    def model_values(self, model: str) -> dict[str, list[str]]:
        """What the tests of a model read of the clinical table."""
        chosen = self.config.models[model]
        columns = [getattr(chosen, "column", None) or getattr(chosen, "by", "")]
        contrast = self.config.contrasts.get(getattr(chosen, "contrast", ""))
        columns += sorted(contrast_columns(contrast)) if contrast else []
        return self._columns([*columns, *self._role, *self._covariates(())])

    @property
    def role_values(self) -> dict[str, list[str]]:
        """What deviations from controls read of the clinical table."""
        return self._columns([*self._role, *self._covariates(())])

    @property
    def _role(self) -> list[str]:
        return [self.config.roles.column] if self.config.roles else []

    def _covariates(self, also: Sequence[str]) -> list[str]:
        statistics = self.config.statistics
        sites = list(filter(None, (statistics.exchangeability_blocks, statistics.variance_groups)))
        choices = (statistics.harmonisation, *self.config.multiverse.harmonisation)
        sites += [statistics.harmonisation_sites] * (set(choices) != {"none"})
        return list(dict.fromkeys([*self.config.covariates, *sites, *also]))

    def members(self, column: str, level: str) -> set[str]:
        """participant_id of everybody with this level in a column."""
        return {who for who, row in self._clinical.items() if _level(row, column) == level}

    def levels(self, column: str) -> list[str]:
        """The levels of a column, sorted; none of a column that is not there."""
        found = {_level(row, column) for row in self._clinical.values()}
        return sorted_levels(found - {None})

    def age(self, folder: str) -> str:
        """Age (years) of the participant whose scan lies in ``folder``; empty if unknown."""
        value = self._clinical.get(folder.split("/")[0], {}).get("age", "")
        return "" if value in ("", "n/a") else value


def _level(row: Mapping[str, str], column: str) -> str | None:
    value = row.get(column, "")
    return None if value in ("", "n/a") else level_text(value)
