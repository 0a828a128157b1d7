"""What the jobs that need the direction of B0 are given, as the config has it for each scan."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .cohort import Cohort, Wildcards

if TYPE_CHECKING:
    from ..config import AcquisitionSettings


class B0Inputs:
    """Files and options of background removal and dipole inversion."""

    def __init__(self, cohort: Cohort, acquisition: AcquisitionSettings) -> None:
        self._cohort = cohort
        self._acquisition = acquisition

    @property
    def image(self) -> Callable[[Wildcards], list[str]] | list[str]:
        """Input function: the raw image whose qform tells the direction, where one does.

        No function where none does, as in :meth:`.cohort.Cohort.where`.
        """
        acquisition = self._acquisition
        if "qform" not in (acquisition.b0_direction, *acquisition.b0_direction_of.values()):
            return []
        return self._image

    def _image(self, wildcards: Wildcards) -> list[str]:
        scan = self._cohort.scan(wildcards)
        part = "phase" if "phase" in scan.parts else "real"
        first = next(iter(scan.parts[part].values()))
        return [str(first)] * (self._acquisition.b0_of(scan.folder) == "qform")

    def options(self, wildcards: Wildcards, image: list[str]) -> list[str]:
        """The direction as options of the scripts; ``image`` is what the job was given."""
        given = self._acquisition.b0_of(self._cohort.scan(wildcards).folder)
        if not isinstance(given, str):
            return ["--b0-direction", *map(repr, map(float, given))]
        return ["--b0-qform", *image] if image else []
