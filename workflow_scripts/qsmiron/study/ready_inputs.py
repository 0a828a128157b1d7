"""What the jobs of ready maps are given, and which scans have one."""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import zlib
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ..bids import Scan
from ..config import Config, variant
from ..errors import InputError, Problem
from ..ready_maps.finding import listed_scans, map_problems
from ..sidecars import sidecars_of
from .branches import RECONSTRUCTION, Branch

if TYPE_CHECKING:
    from .cohort import Cohort, Wildcards
    from .settings import Settings


_HEADER_BYTES = (348, 540)
"""Of NIfTI-1 and NIfTI-2."""
_GRID_FIELDS = (slice(40, 56), slice(76, 108), slice(252, 328))
"""dim, pixdim, and the codes and values of qform and sform, in NIfTI-1."""


class ReadyInputs:
    """Files and options of the rules that take ready maps, over the scans of a cohort."""

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort

    @property
    def any(self) -> bool:
        """Whether any scan has one."""
        return any(scan.is_ready for scan in self._cohort.scans)

    @property
    def scans(self) -> str:
        """Regular expression of the names (``entities``) of these scans; of nothing if none."""
        names = sorted({re.escape(scan.entities) for scan in self._cohort.scans if scan.is_ready})
        return "|".join(names) or "(?!)"

    def chi(self, wildcards: Wildcards) -> list[str]:
        """The ready map of χ of a scan, whose grid its results have; none of others."""
        return self._map(wildcards, "chi")

    def grid_digest(self, wildcards: Wildcards) -> str:
        """What tells the grid of that map: as a parameter it makes the job run again when the map
        is replaced by one on another grid, and not when only its values are others.
        """
        return "".join(map(_grid_digest, self.chi(wildcards)))

    def r2star(self, wildcards: Wildcards) -> list[str]:
        """The ready map of R2* of a scan."""
        return self._map(wildcards, "r2star")

    def chi_sidecars(self, wildcards: Wildcards) -> list[str]:
        """The sidecars of the map of χ, inherited ones too."""
        return self._sidecars(wildcards, "chi")

    def r2star_sidecars(self, wildcards: Wildcards) -> list[str]:
        """The same of R2*."""
        return self._sidecars(wildcards, "r2star")

    def extent(self, wildcards: Wildcards) -> list[str]:
        """The mask of where a ready map has values."""
        scan = self._cohort.scan(wildcards)
        path = self._cohort.paths.reliable_mask
        return [self._cohort.fill(path, scan, wildcards.desc)] if scan.is_ready else []

    def magnitude(self, wildcards: Wildcards) -> list[str]:
        """Magnitude images on the grid of χ: of a ready map the first echo, brought to its grid."""
        scan = self._cohort.scan(wildcards)
        if not scan.is_ready:
            return self._cohort.magnitude(wildcards)
        return [self._cohort.fill(self._cohort.paths.gridded_magnitude, scan)] * bool(
            scan.magnitude
        )

    def first_magnitude(self, wildcards: Wildcards) -> list[str]:
        """The first of these."""
        return self.magnitude(wildcards)[:1]

    def local_field(self, wildcards: Wildcards) -> list[str]:
        """The local field of a scan; none of one whose χ is ready."""
        scan = self._cohort.scan(wildcards)
        path = self._cohort.fill(self._cohort.paths.local_field, scan, wildcards.desc)
        return [path] if scan.has_phase else []

    def taken_sidecar(self, wildcards: Wildcards) -> list[str]:
        """The sidecar of the map as it was taken, which says what it is relative to."""
        scan = self._cohort.scan(wildcards)
        path = self._cohort.paths.sidecar(self._cohort.paths.chi_unreferenced)
        desc = self._cohort.shared("inversion", wildcards.desc)
        return [self._cohort.fill(path, scan, desc)] if scan.is_ready else []

    def reference_options(self, wildcards: Wildcards, settings: Settings) -> list[str]:
        """The reference, and what the sidecar says of a map's making, as options.

        A ready map that states its reference is left so, but where the multiverse tries another.
        """
        options = settings.reference_options(wildcards.desc)
        ready = self._cohort.scan(wildcards).ready_map("chi")
        if ready is None:
            return options
        steps = {"ready_map": ready.name, "reference": options[1]}
        keep = ["--keep-stated"] * (wildcards.desc in self._cohort.variants)
        return [*options[:2], "--algorithm", json.dumps(steps), *keep]

    def _map(self, wildcards: Wildcards, name: str) -> list[str]:
        path = self._cohort.scan(wildcards).ready_map(name)
        return [] if path is None else [str(path)]

    def _sidecars(self, wildcards: Wildcards, name: str) -> list[str]:
        path = self._cohort.scan(wildcards).ready_map(name)
        return [] if path is None else [str(each) for each in sidecars_of(path)]


def _grid_digest(path: str) -> str:
    """Digest of what a NIfTI header says of shape, voxels and place; empty if it cannot be read."""
    try:
        # without nibabel, whose import is long beside this
        with (gzip.open if path.endswith(".gz") else open)(path) as file:
            header = file.read(_HEADER_BYTES[-1])
    except (OSError, EOFError, zlib.error):
        return ""
    size = int.from_bytes(header[:4], "little")
    parts = _GRID_FIELDS if _HEADER_BYTES[0] in (size, int.from_bytes(header[:4], "big")) else ()
    told = b"".join(header[part] for part in parts) or header
    return hashlib.sha256(told).hexdigest()[:16]


def idle_variants(config: Config) -> Iterator[Problem]:
    """Variants that differ in what leads from the phase to χ, where all scans may be ready."""
    if not config.maps.chi:
        return
    names = list(config.variants)
    first = variant(config, names[0])
    for name in names[1:]:
        other = variant(config, name)
        changed = [key for key in RECONSTRUCTION if getattr(first, key) != getattr(other, key)]
        if changed:
            yield Problem(
                f"config, variants.{name}.{changed[0]}",
                "another method of a step that ready maps do not take",
                "variants that differ in what comes after χ, where maps.chi is set",
                "Remove the variant, or maps.chi.",
            )


def unserved(branch: Branch, scans: Iterable[Scan]) -> Iterator[Problem]:
    """Why a branch of the multiverse cannot be had of scans with ready maps."""
    ready = [scan for scan in scans if scan.is_ready]
    if branch.full and ready:
        yield Problem(
            "config, multiverse.reconstruction",
            f"{len(ready)} scans with a ready map of χ, such as {listed_scans(ready[:1])}",
            "scans with phase: other methods make other maps of it",
            "Remove maps.chi, or the choices.",
        )


def refuse_ready_maps(config: Config, scans: Iterable[Scan], root: str) -> None:
    """Raise :class:`InputError` where the scans cannot have the ready maps that the config names.

    ``scans`` are those found in the data set at ``root``.
    """
    grouped = bool(config.contrasts or config.scores or config.models)
    problems = [*map_problems(config.maps, scans, root, grouped), *idle_variants(config)]
    if config.maps.chi and config.bids_dir is None and not config.analysis_only:
        problems = [
            Problem(
                "config, maps.chi",
                "ready maps, and no bids_dir",
                "a data set that the maps belong to",
                "Name the data set in bids_dir.",
            )
        ]
    if errors := [one for one in problems if one.severity == "error"]:
        raise InputError(*errors)
