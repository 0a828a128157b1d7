"""What a job that counts deposits is given: all variants and atlases of a scan, or its branches.

And whose values the thresholds are pooled from.

Counting takes a moment, starting a program a second: one job counts all that is pooled apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from ..bids import Scan
from ..errors import InputError, Problem
from ..regions.deposits import ReferenceGroup
from .clinical import ClinicalValues
from .cohort import Cohort, Wildcards
from .settings import Settings


class ScanWildcards(Wildcards, Protocol):
    """What tells the jobs apart; only those of branches have an extent of the multiverse."""

    extent: str


class PoolWildcards(Protocol):
    """What tells the jobs apart that pool thresholds."""

    desc: str
    atlas: str


class DepositInputs:
    """Files and parameters of the jobs, one of each for every desc and atlas that they count.

    A job without the wildcard ``extent`` counts the variants with all atlases that its scan has
    labels of, the others the branches that belong to this extent and to no smaller one, but for
    those of χ⁺ and χ⁻ alone.
    """

    def __init__(self, cohort: Cohort, settings: Settings, clinical: ClinicalValues) -> None:
        self._cohort = cohort
        self._settings = settings
        self._clinical = clinical

    def check(self, table: str) -> None:
        """Raise :class:`InputError` for a reference group without a scan that has labels.

        ``table`` is the clinical table's path, for the message.
        """
        cohort = self._cohort
        for desc in (*cohort.variants, *(branch.desc for branch in cohort.branches)):
            group = self._settings.iron(desc).deposit_group
            if group is None or any(self._pooled(desc, atlas) for atlas in cohort.atlases):
                continue
            there = self._clinical.levels(group.column)
            raise InputError(
                Problem(
                    "config, iron.deposit_group",
                    f"no scan of a participant with {group.column} {group.level}",
                    f"a value of column {group.column} of {table}: "
                    + (", ".join(there) or "it is not there, or empty"),
                    "Correct column or level, or take deposit_group out: everybody is pooled.",
                )
            )

    def pooled(self, wildcards: PoolWildcards) -> list[str]:
        """The voxel values that a threshold is pooled from: of everybody, or the group's."""
        desc, atlas = wildcards.desc, wildcards.atlas
        scans = self._pooled(desc, atlas)
        return [self._cohort.fill(self._cohort.paths.region_values, s, desc, atlas) for s in scans]

    def _pooled(self, desc: str, atlas: str) -> list[Scan]:
        scans = self._cohort.labelled(atlas)
        group: ReferenceGroup | None = self._settings.iron(desc).deposit_group
        if group is None:
            return scans
        members = self._clinical.members(group.column, group.level)
        return [scan for scan in scans if scan.participant_id in members]

    def values(self, wildcards: ScanWildcards) -> list[str]:
        """The voxel values of every region."""
        return self._files(self._cohort.paths.region_values, wildcards)

    def thresholds(self, wildcards: ScanWildcards) -> list[str]:
        """The pooled thresholds."""
        return self._files(self._cohort.paths.thresholds, wildcards)

    def label_tables(self, wildcards: ScanWildcards) -> list[str]:
        """The label table of the atlas."""
        table = self._cohort.label_sources.label_table
        return [table(atlas) for _, atlas in self._counted(wildcards)]

    def parameters(self, wildcards: ScanWildcards) -> list[str]:
        """The config's block ``iron`` as a JSON object."""
        iron = self._settings.iron
        return [iron(desc).model_dump_json() for desc, _ in self._counted(wildcards)]

    def _files(self, path: str, wildcards: ScanWildcards) -> list[str]:
        scan = self._cohort.scan(wildcards)
        return [self._cohort.fill(path, scan, *what) for what in self._counted(wildcards)]

    def _counted(self, wildcards: ScanWildcards) -> Iterator[tuple[str, str]]:
        """The desc and atlas of each count."""
        cohort = self._cohort
        extent = getattr(wildcards, "extent", None)
        if extent:
            branches = [
                branch
                for branch in cohort.branches
                if branch.extent == extent and not branch.separation
            ]
            yield from ((branch.desc, cohort.first_atlas) for branch in branches)
            return
        scan = cohort.scan(wildcards)
        for desc in cohort.variants:
            for atlas in cohort.atlases:
                if cohort.label_sources.has_labels(scan, atlas):
                    yield desc, atlas
