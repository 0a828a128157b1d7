"""What a job that counts deposits is given: all variants and atlases of a scan, or its branches.

Counting takes a moment, starting a program a second: one job counts all that is pooled apart.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from .cohort import Cohort, Wildcards
from .settings import Settings


class ScanWildcards(Wildcards, Protocol):
    """What tells the jobs apart; only those of branches have an extent of the multiverse."""

    extent: str


class DepositInputs:
    """Files and parameters of the jobs, one of each for every desc and atlas that they count.

    A job without the wildcard ``extent`` counts the variants with all atlases that its scan has
    labels of, the others the branches that belong to this extent and to no smaller one.
    """

    def __init__(self, cohort: Cohort, settings: Settings) -> None:
        self._cohort = cohort
        self._settings = settings

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
            branches = [branch for branch in cohort.branches if branch.extent == extent]
            yield from ((branch.desc, cohort.first_atlas) for branch in branches)
            return
        scan = cohort.scan(wildcards)
        for desc in cohort.variants:
            for atlas in cohort.atlases:
                if cohort.label_sources.has_labels(scan, atlas):
                    yield desc, atlas
