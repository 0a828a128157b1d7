"""The maps in the template's space: which there are, and what each is carried from."""

from __future__ import annotations

from ..bids import Scan
from .cohort import Cohort, Wildcards
from .source_inputs import SourceInputs


class TargetInputs:
    """Files of χ, R2* and the sources of χ in the template, of the scans registered to it."""

    kinds = "(label-(paramagnetic|diamagnetic)_)?desc-[A-Za-z0-9]+_(Chi|R2star)map"
    """Regular expression of what follows ``space-`` in a map's name."""

    def __init__(self, cohort: Cohort, sources: SourceInputs) -> None:
        self._cohort = cohort
        self._sources = sources
        self.paths = cohort.paths

    @property
    def files(self) -> list[str]:
        """Every map and every mask, that of all scans as well."""
        cohort, paths = self._cohort, self.paths
        found = []
        for scan in self._scans:
            for desc in cohort.variants:
                maps = [paths.reliable_mask, paths.chi]
                maps += [paths.r2star] * scan.has_r2star
                if self._sources.separated(scan, desc):
                    maps += [paths.paramagnetic, paths.diamagnetic]
                found += [cohort.fill(paths.in_template(path), scan, desc) for path in maps]
        if self._scans:
            found += [paths.shared_mask.format(desc=desc) for desc in cohort.variants]
        return found

    def masks(self, wildcards: Wildcards) -> list[str]:
        """The masks of all scans in a variant."""
        path = self.paths.in_template(self.paths.reliable_mask)
        return [self._cohort.fill(path, scan, wildcards.desc) for scan in self._scans]

    def map_mask(self, wildcards: Wildcards) -> str:
        """Where a scan's map is reliable."""
        return self._mask(wildcards, self.paths.reliable_mask)

    def target_mask(self, wildcards: Wildcards) -> str:
        """The same in the template's space."""
        return self._mask(wildcards, self.paths.in_template(self.paths.reliable_mask))

    def _mask(self, wildcards: Wildcards, path: str) -> str:
        desc = wildcards.map.rpartition("_")[0].rpartition("desc-")[2]
        return self._cohort.fill(path, self._cohort.scan(wildcards), desc)

    @property
    def _scans(self) -> list[Scan]:
        registered = self._cohort.label_sources.is_registered
        return [scan for scan in self._cohort.scans if registered(scan)]
