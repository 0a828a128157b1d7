"""The multiverse as the workflow lays it out: which tables, settings and values its jobs have.

An *outcome* is ``contrast-NAME`` or ``score-NAME``; an *extent* is one of
:data:`.branches.EXTENTS`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .branches import EXTENTS, main_branch

if TYPE_CHECKING:
    from .study import Study


class MultiverseLayout:
    """Inputs and parameters of the rules of the multiverse, for one study."""

    def __init__(self, study: Study) -> None:
        self._study = study

    @property
    def outcomes(self) -> list[str]:
        """Every contrast and score."""
        study = self._study
        return [f"contrast-{name}" for name in study.contrasts] + [
            f"score-{name}" for name in study.scores
        ]

    @property
    def tables(self) -> dict[str, str]:
        """The group's tables of headline findings, and the kind that each is."""
        kinds = {"influence": "influence"}
        for extent in EXTENTS:
            kinds |= {extent: "multiverse", f"{extent}_curves": "specification_curves"}
        return kinds

    def every_outcome(self, path: str, extent: str = "") -> list[str]:
        """A path for every contrast and score."""
        return [path.format(outcome=outcome, extent=extent) for outcome in self.outcomes]

    def results(self, extent: str) -> list[str]:
        """What the multiverse of an extent leaves: tables, and a figure per outcome."""
        if not self.outcomes:
            return []
        paths = self._study.paths
        tables = [paths.group(f"{extent}.tsv"), paths.group(f"{extent}_curves.tsv")]
        return [*tables, *self.every_outcome(paths.figure("{extent}_{outcome}.png"), extent)]

    @property
    def shown(self) -> list[str]:
        """What the report shows of the multiverse of a usual run."""
        whole = self._study.paths.group(f"{EXTENTS[0]}.tsv")
        return [path for path in self.results(EXTENTS[0]) if path != whole]

    @property
    def influence(self) -> list[str]:
        """The table of each patient's influence, if there is any outcome."""
        return [self._study.paths.group("influence.tsv")] if self.outcomes else []

    def regions_tables(self, extent: str) -> list[str]:
        """The regions table of every branch but the main one."""
        paths = self._study.paths
        return [
            paths.branch_regions.format(desc=branch.desc)
            for branch in self._study.cohort.branches
            if extent == EXTENTS[1] or not branch.full
        ]

    def deposits(self, extent: str = "{extent}") -> str:
        """A scan's rows that count deposits, of all branches of an extent and of no smaller one."""
        paths = self._study.paths
        return paths.deposits.replace(paths.work, f"{paths.work}/{extent}", 1)

    def gathered(self, desc: str) -> list[str]:
        """What a branch's regions table is gathered from: deposits of other branches are with its
        own.
        """
        study, paths = self._study, self._study.paths
        (branch,) = (one for one in study.cohort.branches if one.desc == desc)
        parts = [paths.measured]
        if not branch.separation:
            parts.append(self.deposits(branch.extent))
        return study.cohort.every_scan_with_labels(
            *parts, desc=desc, atlas=study.cohort.first_atlas
        )

    def tests(self, outcome: str) -> str:
        """The table of the outcome's tests."""
        kind, name = _split(outcome)
        paths = self._study.paths
        path = paths.contrast_tests if kind == "contrast" else paths.score_correlations
        return path.format(**{kind: name})

    def option(self, outcome: str) -> list[str]:
        """The command-line option that names an outcome."""
        kind, name = _split(outcome)
        return [f"--{kind}", name]

    @property
    def which(self) -> list[str]:
        """The command-line options that name the variant and atlas of the headlines.

        Of a table that was given, or where nobody has labels of the first atlas, the table decides.
        """
        study, cohort = self._study, self._study.cohort
        if study.has_images and cohort.labelled(cohort.first_atlas):
            return ["--desc", cohort.variants[0], "--atlas", cohort.first_atlas]
        return ["--prefer", *cohort.variants, *cohort.atlases]

    def settings(self, outcome: str) -> str:
        """The settings of an outcome's tests, as a JSON object."""
        kind, name = _split(outcome)
        settings = self._study.settings
        return settings.contrast_slice(name) if kind == "contrast" else settings.score_slice(name)

    def clinical_values(self, outcome: str, choices: bool = False) -> dict[str, list[str]]:
        """What its tests read of the clinical table; with ``choices``, for every covariate set."""
        kind, name = _split(outcome)
        sets = self._study.config.multiverse.covariates if choices else ()
        also = [column for chosen in sets for column in chosen]
        clinical = self._study.clinical
        values = clinical.contrast_values if kind == "contrast" else clinical.score_values
        return values(name, also)

    def choices(self, extent: str) -> str:
        """What each branch chose, in words: a JSON object of desc and stage."""
        if not self._study.has_images:
            return "{}"
        main = main_branch(self._study.config)
        branches = [main, *self._study.cohort.branches]
        return json.dumps(
            {
                branch.desc: branch.choices
                for branch in branches
                if extent == EXTENTS[1] or not branch.full
            }
        )


def _split(outcome: str) -> tuple[str, str]:
    kind, _, name = outcome.partition("-")
    return kind, name
