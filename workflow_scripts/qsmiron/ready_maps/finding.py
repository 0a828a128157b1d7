"""Which scans have ready maps, and what is wrong with that, by names alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ..bids import Scan
from ..errors import Problem
from .settings import MapSettings

_NAMED_AT_MOST = 5


def map_problems(
    settings: MapSettings, scans: Iterable[Scan], root: str, grouped: bool
) -> Iterator[Problem]:
    """What is wrong with the ready maps of the scans.

    ``scans`` are all of the data set at ``root`` that take part; ``grouped`` says that group
    results are made of them.
    """
    templates = settings.templates
    scans = list(scans)
    if not templates or not scans:
        return
    for name, template in templates.items():
        yield from _several_files(name, template, scans, root)
    ready = [scan for scan in scans if scan.is_ready]
    if not ready:
        written = templates["chi"].replace("<", "{").replace(">", "}")
        yield Problem(
            "config, maps.chi",
            f"{written!r}, which leads to a file of no scan",
            "the susceptibility map of each scan that has one",
            "Correct it; a relative path begins at bids_dir.",
        )
        return
    others = [scan for scan in scans if scan.has_phase]
    if others and grouped and not settings.mixed:
        yield Problem(
            "config, maps.chi",
            f"a ready map of {len(ready)} scans and none of {len(others)}: {listed_scans(others)}",
            "maps of one origin in all scans that a contrast or a score takes",
            "Add theirs, exclude them, or set maps.mixed to true if the two kinds of map may be "
            "compared.",
        )
    lacking = [scan for scan in ready if not scan.has_r2star]
    if settings.r2star and lacking:
        yield Problem(
            "config, maps.r2star",
            f"no R2* map of {len(lacking)} of {len(ready)} scans: {listed_scans(lacking)}",
            "the R2* map of each scan with a ready map of χ",
            "Their R2* is missing in every table. Add the maps, or correct the path.",
            "warning",
        )


def _several_files(name: str, template: str, scans: list[Scan], root: str) -> Iterator[Problem]:
    for scan in scans:
        files = scan.files_like(template, root)
        if len(files) > 1:
            listed = ", ".join(path.name for path in files[:_NAMED_AT_MOST])
            yield Problem(
                f"config, maps.{name}",
                f"{len(files)} files of {scan.folder}, {scan.entities}: {listed}",
                "one file of each scan",
                "Write more of the file's name.",
            )


def listed_scans(scans: list[Scan]) -> str:
    """The first of some scans, in words."""
    names = [scan.folder.replace("/", " ") for scan in scans]
    more = len(names) - _NAMED_AT_MOST
    return ", ".join(names[:_NAMED_AT_MOST]) + (f" and {more} more" if more > 0 else "")
