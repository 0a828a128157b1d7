"""Change over time in a study: whether there is any to measure, its parts, and what each reads."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from ..clinical.visits import Visits
from ..errors import Problem

if TYPE_CHECKING:
    from .study import Study


class ChangeOverTime:
    """The parts of the table ``change`` (one job each); none where nobody has timed scans at two.

    ``measured`` are the sessions of each participant that have, or will have, regions.
    """

    def __init__(
        self, study: Study, visits: Visits, measured: Mapping[str, Collection[str]]
    ) -> None:
        self._study = study
        self._visits = visits
        self._settings = study.config.change
        timed = visits.timed
        several = {who: found for who, found in measured.items() if len(found) > 1}
        self.is_measured = any(
            len({timed.get(who, {}).get(label) for label in labels} - {None}) > 1
            for who, labels in several.items()
        )
        self.has_sessions = bool(several)
        self.problems = [*self._untimed(several), *self._unharmonised()]

    def _untimed(self, several: Mapping[str, Collection[str]]) -> list[Problem]:
        if not several:
            return []
        timed = self._visits.timed
        lacking = sorted(
            who for who, labels in several.items() if set(labels) - set(timed.get(who, {}))
        )
        if not lacking:
            return []
        shown = ", ".join(lacking[:8]) + (" …" if lacking[8:] else "")
        what = "Their scans without it are left out of the change over time."
        if not self.is_measured:
            what = "Change over time is not measured."
        return [
            Problem(
                self._study.clinical_table,
                f"no months since baseline of every session of {shown}",
                "months (change.months in the config), or dates (acq_time), of each session",
                f"{what} docs/inputs.md says where they may stand.",
                "warning",
            )
        ]

    def _unharmonised(self) -> list[Problem]:
        """ComBat takes rows for independent, and the visits of a participant are not."""
        statistics = self._study.config.statistics
        if not self.is_measured or statistics.harmonisation == "none":
            return []
        site = statistics.harmonisation_sites
        return [
            Problem(
                f"config, statistics.harmonisation: {statistics.harmonisation}",
                "change over time",
                "one scan of each participant: ComBat takes scans for independent of each other",
                f"Change over time is tested on values as they were measured; put {site} into "
                "covariates, which its models then adjust for.",
                "warning",
            )
        ]

    @property
    def parts(self) -> list[str]:
        """The parts, in the order of the table."""
        if not self.is_measured:
            return []
        config = self._study.config
        parts = ["time", *(f"contrast-{name}" for name in config.contrasts)]
        parts += [f"score-{name}" for name in self.scores]
        parts += [f"predictor-{name}" for name in self._predictors]
        return [*parts, "dropout", *(["repeats"] if self._settings.repeats else [])]

    @property
    def scores(self) -> list[str]:
        """The columns whose change is looked at: those of the config, or its scores with visits."""
        named = self._settings.scores
        if named is not None:
            return list(named)
        return [name for name in self._study.config.scores if name in self._visits.columns]

    @property
    def _predictors(self) -> list[str]:
        known = self._study.clinical.columns
        return [name for name in self._settings.predictors if name in known]

    def tables(self, path: str) -> list[str]:
        """The tables of all parts; ``path`` has the wildcard part."""
        return [path.format(part=part) for part in self.parts]

    @property
    def results(self) -> list[str]:
        """The tables and figures of the change over time."""
        if not self.is_measured:
            return []
        paths = self._study.paths
        drawn = [part for part in self.parts if part == "time" or part.startswith("contrast-")]
        figures = [f"{kind}_{part}.png" for kind in ("trajectories", "rates") for part in drawn]
        tables = [paths.group(name) for name in ("change.tsv", "rates.tsv")]
        return tables + [paths.figure(name) for name in figures]

    def settings(self, part: str) -> str:
        """The settings of a part's tests, as a JSON object."""
        study = self._study
        kind, _, name = part.partition("-")
        if kind == "contrast":
            blocks = json.loads(study.settings.contrast_slice(name))
        elif kind == "score":
            blocks = json.loads(study.settings.score_slice(name))
        else:
            blocks = json.loads(study.settings.slice(*study.settings.design))
        return json.dumps(blocks | json.loads(study.settings.slice("change")))

    def values(self, part: str) -> list[object]:
        """What a part reads of the clinical table and of the visits."""
        kind, _, name = part.partition("-")
        clinical = self._study.clinical
        repeats = self._settings.repeats
        if kind == "contrast":
            baseline = clinical.contrast_values(name)
        elif kind == "predictor":
            baseline = clinical.score_values(name)
        else:
            column = [repeats.column] if kind == "repeats" and repeats and repeats.column else []
            baseline = clinical.covariate_values(column)
        return [baseline, self._visits.columns_of([name] if kind == "score" else [])]

    @property
    def months(self) -> list[object]:
        """When the visits were: what the rates read."""
        return [self._visits.columns_of([])]


def sessions_in(regions: str | Path) -> dict[str, set[str]]:
    """The sessions of each participant in a regions table (TSV), read without pandas.

    None of a table that cannot be read: the check of the inputs tells of it.
    """
    found: dict[str, set[str]] = {}
    try:
        with Path(regions).open(encoding="utf-8-sig") as file:
            header = next(file).rstrip("\r\n").split("\t")
            who, session = header.index("participant_id"), header.index("session")
            last = max(who, session) + 1
            for line in file:
                cells = line.rstrip("\r\n").split("\t", last)
                label = cells[session].removeprefix("ses-")
                labels = [] if label in ("", "n/a") else [label]
                found.setdefault(cells[who], set()).update(labels)
    except (OSError, UnicodeDecodeError, ValueError, IndexError, StopIteration):
        return {}
    return found
