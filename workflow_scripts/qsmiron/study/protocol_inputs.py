"""The scan whose protocol the methods text describes: the first that has magnitude images."""

from __future__ import annotations

from ..sidecars import sidecar_path
from .cohort import Cohort


class ProtocolInputs:
    """Its magnitude images and their sidecars; none where all scans have ready maps alone."""

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        self._echoes = next((scan.magnitude for scan in cohort.scans if scan.magnitude), ())

    @property
    def magnitude(self) -> list[str]:
        """The first of them, whose header has matrix and voxels."""
        return [str(path) for path in self._echoes[:1]]

    @property
    def sidecars(self) -> list[str]:
        """Every sidecar that applies to one of them."""
        return self._cohort.sidecars(self._echoes)

    @property
    def echoes(self) -> list[str]:
        """The echoes, named by the sidecars beside them, be these there or inherited."""
        return [str(sidecar_path(path)) for path in self._echoes]
