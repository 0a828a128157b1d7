"""What each table of tests of the cohort is gathered from: one part per contrast or score."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .study import Study


class GatheredTests:
    """The tables of tests in the folder of the group, and their parts."""

    def __init__(self, study: Study) -> None:
        self._study = study

    @property
    def tables(self) -> dict[str, str]:
        """Name of every table, and the kind that it is."""
        own = ["group_tests", "correlations", "calibration_tests"]
        own += ["model_tests"] if self._study.config.models else []
        own += ["change"] if self._study.change.parts else []
        return {name: name for name in own} | self._study.multiverse.tables

    def parts(self, table: str) -> list[str]:
        """The tables of single contrasts and scores that it is put together from."""
        study, paths = self._study, self._study.paths
        if table == "group_tests":
            return study.every_contrast(paths.contrast_tests)
        if table == "correlations":
            return study.every_score(paths.score_correlations)
        if table == "model_tests":
            return [paths.model_tests.format(model=model) for model in study.config.models]
        if table == "change":
            return study.change.tables(paths.change_tests)
        return study.multiverse.every_outcome(paths.headline(table))
