"""What the separation of iron and myelin takes of each scan, and which scans have it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..bids import spin_echoes
from ..sources import LEAST_ECHOES

if TYPE_CHECKING:
    from ..bids import Scan
    from .cohort import Cohort, Wildcards
    from .study import Study


def separable(scan: Scan) -> bool:
    """Whether a scan can have sources: phase, and echoes enough."""
    return scan.has_phase and scan.n_echoes >= LEAST_ECHOES


class SourceInputs:
    """Files of the separation, over the scans of a cohort.

    A branch of the multiverse takes the sources of the first variant or branch with the same maps
    and the same separation, whatever χ is relative to.
    """

    def __init__(self, cohort: Cohort, study: Study) -> None:
        self._cohort = cohort
        self._settings = study.settings
        self._bids_dir = study.bids_dir

    def separated(self, scan: Scan, desc: str) -> bool:
        """Whether a scan has sources in a variant."""
        runs = self._settings.variant(desc).sources.run
        return runs and separable(scan)

    def every_scan(self, *paths: str) -> list[str]:
        """These paths for every scan and variant that has sources."""
        cohort = self._cohort
        return [
            cohort.fill(path, scan, desc)
            for path in paths
            for scan in cohort.scans
            for desc in cohort.variants
            if self.separated(scan, desc)
        ]

    def paramagnetic(self, wildcards: Wildcards) -> list[str]:
        """χ⁺ of a scan, where it has any."""
        return self._map(self._cohort.paths.paramagnetic, wildcards)

    def diamagnetic(self, wildcards: Wildcards) -> list[str]:
        """χ⁻ of a scan, where it has any."""
        return self._map(self._cohort.paths.diamagnetic, wildcards)

    def r2(self, wildcards: Wildcards) -> list[str]:
        """The R2 map of a scan: the user's own, or that of its spin echoes, if any."""
        step, scan = self._settings.variant(wildcards.desc).sources, self._cohort.scan(wildcards)
        if step.fits_r2:
            # the same for all branches: none has another fit
            return [self._cohort.from_stage("r2", self._cohort.paths.r2)(wildcards)]
        if step.r2_maps is None:
            return []
        return [str(scan.file(step.r2_maps, self._bids_dir))]

    def spin_echo(self, wildcards: Wildcards) -> list[str]:
        """Its spin echoes, echo by echo."""
        found = spin_echoes(self._cohort.scan(wildcards), self._bids_dir)
        return [str(path) for files in found.values() for path in files]

    def spin_echo_sidecars(self, wildcards: Wildcards) -> list[str]:
        """Every sidecar that applies to one of them."""
        return self._cohort.sidecars(map(Path, self.spin_echo(wildcards)))

    def spin_echo_options(self, desc: str) -> list[str]:
        """Parameters of the fit of R2, as options of the script."""
        return ["--parameters", self._settings.variant(desc).sources.spin_echo.model_dump_json()]

    def options(self, desc: str) -> list[str]:
        """Method and parameters of a variant, as options of the script."""
        return self._settings.method_options(desc, "sources")

    def _map(self, path: str, wildcards: Wildcards) -> list[str]:
        if not self.separated(self._cohort.scan(wildcards), wildcards.desc):
            return []
        return [self._cohort.from_stage("sources", path)(wildcards)]
