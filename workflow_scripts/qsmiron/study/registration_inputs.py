"""Which rule registers a scan, and the maps by which those without a T1w are registered."""

from __future__ import annotations

import re
from collections.abc import Iterable

from ..bids import Scan
from .cohort import Cohort, Wildcards


class RegistrationInputs:
    """Patterns of names, and files of the first variant for scans without a T1w."""

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        sources = cohort.label_sources
        self._without_t1w = [scan for scan in cohort.scans if sources.is_hybrid(scan)]
        self._several = [scan for scan in cohort.scans if scan.subject in sources.repeated]

    def by_own_t1w(self, every: str) -> str:
        """Regular expression of the names (``entities``) of scans with nothing but their own T1w.

        ``every``, which fits any name, where all are such scans.
        """
        others = {*self._without_t1w, *self._several}
        return _names(s for s in self._cohort.scans if s not in others) if others else every

    @property
    def without_t1w(self) -> str:
        """That of scans without a T1w; of nothing if there are none."""
        return _names(self._without_t1w)

    def chi(self, wildcards: Wildcards) -> str:
        """χ before it is referenced: the reference may be a region, which is found by this."""
        return self._of_first_variant(self._cohort.paths.chi_unreferenced, wildcards)

    def r2star(self, wildcards: Wildcards) -> str:
        """R2*."""
        return self._of_first_variant(self._cohort.paths.r2star, wildcards)

    def mask(self, wildcards: Wildcards) -> str:
        """The brain mask."""
        return self._of_first_variant(self._cohort.paths.brain_mask, wildcards)

    def _of_first_variant(self, path: str, wildcards: Wildcards) -> str:
        return self._cohort.fill(path, self._cohort.scan(wildcards), self._cohort.variants[0])


def _names(scans: Iterable[Scan]) -> str:
    return "|".join(sorted({re.escape(scan.entities) for scan in scans})) or "(?!)"
