"""What a study reads and makes none of: no job may have it for its output."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import InputError, Problem
from ..overwriting import identity
from ..sidecars import sidecar_path
from .results_folder import made_here

if TYPE_CHECKING:
    from .study import Study


class Output(Protocol):
    """A file that a rule writes: its text is a path, which may have wildcards in braces."""

    def match(self, path: str) -> object:
        """Something true where ``path`` is one of these files."""


def refuse_overwriting(study: Study, outputs: Iterable[Output], configs: Iterable[str]) -> None:
    """Raise :class:`InputError` if an output is a source file, or anybody else's file.

    Parameters
    ----------
    outputs
        Every output, log and benchmark of the rules.
    configs
        The files of the configuration.
    """
    outputs = list(outputs)
    sources = {**source_files(study), **dict.fromkeys(map(str, configs), "the configuration")}
    by_key: dict[str, list[tuple[str, str]]] = {}
    for path, written in _written(sources, outputs, study.paths.root).items():
        by_key.setdefault(sources[path], []).append((path, written))
    problems = [
        Problem(
            f"config, {key} {found[0][0]}",
            f"a file that the workflow writes ({found[0][1]})"
            + (f", and {len(found) - 1} more" if found[1:] else ""),
            "a file that no job makes: outputs replace what is there",
            f"Name another file in {key}, such as a copy elsewhere, or choose another results_dir.",
        )
        for key, found in by_key.items()
    ]
    if not problems and not made_here(study.paths.root):
        problems = [
            Problem(
                f"config, results_dir {study.paths.root}",
                f"{os.path.relpath(path, study.paths.root)}, which no run of this workflow made",
                "an empty or new folder, or results of an earlier run",
                "Move the file away, for it would be replaced, or choose another results_dir.",
            )
            for path in _occupied(outputs, study.paths.root)
        ]
    if problems:
        raise InputError(*problems)


def source_files(study: Study) -> dict[str, str]:
    """Path of each file that the study reads as it was brought, and the config's key for it."""
    found = {path: key for key, path in _named(study) if path}
    beside = {str(sidecar_path(path)): key for path, key in found.items()}
    return found | {path: key for path, key in beside.items() if Path(path).exists()}


def _named(study: Study) -> Iterator[tuple[str, str | None]]:
    config, cohort = study.config, study.cohort
    yield "clinical_table", study.clinical_table
    yield from (("clinical_table", path) for path in study.tables_beside)
    yield "regions_table", config.regions_table
    for name, atlas in config.atlases.items():
        for key in ("image", "template"):
            yield f"atlases.{name}.{key}", getattr(atlas, key)
        yield f"atlases.{name}.label_table", cohort.label_sources.label_table(name)
        yield f"atlases.{name}.colour_table", cohort.label_sources.colour_table(name)
    if not study.has_images:
        given = (study.regions_table, *study.quantiles_tables)
        beside = (*study.covariate_quality(choices=True), *study.covariate_volumes(choices=True))
        yield from (("regions_table", path) for path in (*given, *beside))
        return
    yield from (("bids_dir", path) for path in _exposed_images(study))
    chains = [study.settings.variant(desc) for desc in cohort.variants]
    own = {path: key for chain in chains for path, key in chain.own_images.items()}
    for scan in cohort.scans:
        for name in config.atlases:
            yield f"atlases.{name}.segmentation", cohort.label_sources.segmentation(scan, name)
        for path, key in own.items():
            yield f"reconstruction.{key}", str(scan.file(path, study.bids_dir))


def _exposed_images(study: Study) -> Iterator[str]:
    """The raw images that could be outputs: links, and those whose folder lies in the results.

    The folders are looked at, not each of ten thousand files.
    """
    real_root = os.path.realpath(study.paths.root) + "/"
    checked: dict[Path, bool] = {}
    for path in (path for scan in study.cohort.scans for path in scan.files):
        folder = path.parent
        if folder not in checked:
            checked[folder] = not study.is_demo and (
                os.path.realpath(folder).startswith(real_root)
                or any(one.is_symlink() for one in os.scandir(folder))
            )
        if checked[folder]:
            yield str(path)


def _written(sources: Iterable[str], outputs: list[Output], root: str) -> dict[str, str]:
    """Each source that is an output, and how the rule calls it."""
    known = {one: path for path in sources if (one := identity(path))}
    found: dict[str, str] = {}
    for output in map(str, outputs):
        if "{" not in output and (path := known.get(identity(output))):
            found.setdefault(path, output)
    places = _places(root)
    folders: dict[str, str] = {}
    for path in sources:
        folder, name = os.path.split(path)
        real = folders.get(folder) or folders.setdefault(folder, os.path.realpath(folder))
        whole = f"{real}/{name}"
        for one in {whole, os.path.realpath(whole)} if Path(whole).is_symlink() else (whole,):
            for place, written_as in places:
                if one.startswith(place):
                    asked = written_as + one[len(place) :]
                    if any(output.match(asked) for output in outputs):
                        found.setdefault(path, asked)
    return found


def _occupied(outputs: list[Output], root: str) -> list[str]:
    """The files that lie where an output would: in the results folder, or in one that it has."""
    folders = {str(output).removeprefix(f"{root}/").partition("/")[0] for output in outputs}
    files = [f"{root}/{name}" for name in sorted(folders) if "{" not in name]
    for name in sorted(folders - {"sourcedata"}):
        for folder, _, names in os.walk(f"{root}/{name}"):
            files += [f"{folder}/{each}" for each in sorted(names)]
    return [
        path
        for path in files
        if os.path.lexists(path) and any(output.match(path) for output in outputs)
    ]


def _places(root: str) -> list[tuple[str, str]]:
    """Real path of the results folder, and of links in it, with a slash; what rules call them."""
    there = os.scandir(root) if Path(root).is_dir() else ()
    links = [one.path for one in there if one.is_symlink() and one.is_dir()]
    return [(os.path.realpath(link) + "/", f"{link}/") for link in (root, *links)]
