"""Ready maps: their unit, values, reference and place, before anything is made of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from ..bids import Scan
from ..config import Reference
from ..errors import InputError, Problem
from ..ready_maps.placing import check_overlap
from ..ready_maps.reading import (
    ReadyChi,
    described,
    read_chi,
    read_r2star,
    stated_reference,
)
from ..ready_maps.settings import MapSettings
from ..sidecars import sidecar_path
from .geometry import check_grids
from .headers import read_header
from .inspected import Inspected

LEAST_NAN = 10
"""Voxels without a number among zeros: so many are told of."""


def read_map_settings(settings: Mapping[str, Any]) -> MapSettings:
    """The config's block ``maps``; that of a config without it where it does not hold."""
    try:
        return MapSettings.model_validate(settings.get("maps") or {})
    except ValidationError:
        return MapSettings()  # the config is refused for it


def inspect_ready(scan: Scan, settings: MapSettings) -> Inspected:
    """Check a scan with a ready map of χ: its headers, and the values of its maps.

    Its magnitude, if there is one, is checked with the others' voxels.
    """
    seen = Inspected(scan)
    seen.parts = {"mag": scan.parts.get("mag", {}), "phase": {}}
    for path in scan.files:
        header = read_header(path)
        if isinstance(header, Problem):
            seen.problems.append(header)
        else:
            seen.headers[path] = header
    seen.problems += check_grids(seen)
    chi = scan.ready_map("chi")
    if chi not in seen.headers:
        return seen
    header = seen.headers[chi]
    seen.facts["matrix"] = " x ".join(map(str, header.shape))
    seen.facts["voxel size (mm)"] = " x ".join(f"{edge:.2f}" for edge in header.voxel_size)
    seen.problems += _check_place(seen, chi)
    found = seen.collect(lambda: read_chi(chi, settings))
    if found is not None:
        seen.facts["unit of the ready map"] = found.unit
        seen.problems += _check_r2star(seen, found, settings)
        seen.problems += _check_gaps(chi, found)
    return seen


def check_references(
    inspected: Iterable[Inspected], settings: MapSettings, reference: Any
) -> Iterator[Problem]:
    """Ready maps that are relative to different things; ``reference`` is the config's block."""
    try:
        ours = Reference.model_validate(reference or {})
    except ValidationError:
        return
    relative: dict[str, list[Inspected]] = {}
    for seen in inspected:
        if chi := seen.scan.ready_map("chi"):
            sidecar = seen.collect(lambda chi=chi: described(chi)) or {}
            stated = stated_reference(sidecar, settings)
        elif seen.scan.has_phase:
            stated = None
        else:
            continue
        relative.setdefault(stated or ours.region, []).append(seen)
    if len(relative) < 2:
        return
    usual = max(relative, key=lambda name: len(relative[name]))
    for name, scans in relative.items():
        if name != usual:
            chi = next((one for seen in scans if (one := seen.scan.ready_map("chi"))), None)
            yield Problem(
                f"{sidecar_path(chi)}, ReferenceRegion" if chi else "config, maps.reference",
                f"{name}, as in {len(scans)} scans, where {len(relative[usual])} are relative to "
                f"{usual}",
                "maps that are relative to the same",
                "Correct it, or set maps.reference to none: then reconstruction.reference applies "
                "to all.",
            )


def _check_place(seen: Inspected, chi: Path) -> Iterator[Problem]:
    """A map that does not lie where the scan's magnitude, or T1w, does."""
    like = next(iter(seen.echoes), seen.scan.t1w)
    if like not in seen.headers:
        return
    one, other = seen.headers[like], seen.headers[chi]

    def check() -> None:
        check_overlap(one.shape, one.affine, other.shape, other.affine, str(chi))

    yield from _problems(check)


def _check_r2star(seen: Inspected, chi: ReadyChi, settings: MapSettings) -> Iterator[Problem]:
    path = seen.scan.ready_map("r2star")
    if path in seen.headers:
        yield from _problems(lambda: read_r2star(path, settings, chi.volume))


def _check_gaps(path: Path, chi: ReadyChi) -> Iterator[Problem]:
    """NaN in a map whose background is 0: voxels of the brain without a number."""
    from ..volumes import read_volume

    data = read_volume(path, finite=False).data
    holes = int((data != data).sum())
    if holes >= LEAST_NAN and (data == 0).mean() > holes / data.size:
        yield Problem(
            str(path),
            f"{holes} voxels that are NaN, in a map that is 0 outside the brain",
            "numbers in the brain",
            "They count as not covered: see what the program that made the map says of them.",
            "warning",
        )


def _problems(check: Callable[[], object]) -> Iterator[Problem]:
    try:
        check()
    except InputError as error:
        yield from (one for one in error.problems if isinstance(one, Problem))
