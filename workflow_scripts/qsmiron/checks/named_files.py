"""Files that the config names: atlases with their tables, and each scan's own labels and masks.

A path with a mistake leads nowhere, and a scan without a segmentation takes the atlas in its place:
both are told before the run. Of the scans' files only headers are read.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..bids import image_template
from ..errors import InputError, Problem
from ..relaxation.spin_echo import MESE
from ..spaces import box_of, overlap
from ..stored_files import why_no_content
from ..volumes import GRID_TOLERANCE_MM, image_grid, read_volume
from .copies import alike
from .inspected import Inspected

PROJECT = Path(__file__).resolve().parents[3]
"""Where files that the project ships are, if there are none of their names where it runs."""

LEAST_OVERLAP = 0.5
"""Share of the smaller of two boxes in the other. Images of one head, in one scanner's coordinates,
have nearly all of it; a header that lost its position (an affine of 1) has about an eighth."""

_TISSUES = "tissues"
_NAMED_AT_MOST = 12


def check_atlases(settings: Mapping[str, Any]) -> Iterator[Problem]:
    """Images, templates and tables of the atlases that are not there or do not go together."""
    for name, block in _blocks(settings.get("atlases")):
        tables = {key: _shipped(block.get(key)) for key in ("label_table", "colour_table")}
        images = {key: block.get(key) for key in ("image", "template")}
        broken = []
        for key, path in {**tables, **images}.items():
            if isinstance(path, str | Path) and path != _TISSUES:
                broken += _check_file(f"atlases.{name}.{key}", Path(path), key in images)
        yield from broken
        image = images["image"]
        if not broken and isinstance(image, str) and image != _TISSUES and tables["label_table"]:
            yield from _check_labels_of_atlas(image, tables["label_table"])


def named_paths(settings: Mapping[str, Any]) -> list[Path]:
    """The paths that the config gives for the atlases as a whole."""
    keys = ("label_table", "colour_table", "image", "template")
    blocks = [block for _, block in _blocks(settings.get("atlases"))]
    given = [_shipped(block.get(key)) for block in blocks for key in keys]
    return [path for path in given if path is not None and path.name != _TISSUES]


def _check_file(key: str, path: Path, image: bool) -> Iterator[Problem]:
    expected = f"the file that {key} in the config names"
    absent = why_no_content(path, expected, "Correct the path, or put the file there.")
    if absent:
        yield absent
    elif image:
        yield from _problems(lambda: image_grid(path))
    else:
        from ..regions.colour_table import read_colour_table
        from ..regions.label_table import read_label_table

        read: Callable[[Path], object]
        read = read_label_table if key.endswith("label_table") else read_colour_table
        yield from _problems(lambda: read(path))


def _check_labels_of_atlas(image: str, table: Path) -> Iterator[Problem]:
    from ..regions.label_table import read_label_table
    from ..registration.labels import check_labels

    def check() -> None:
        indices = {label.index for label in read_label_table(table)}
        check_labels(read_volume(image, np.int32), indices, image, str(table))

    yield from _problems(check)


def check_own_files(
    root: Path, inspected: Sequence[Inspected], settings: Mapping[str, Any]
) -> Iterator[Problem]:
    """Segmentations and masks of the scans: whether they are there, and whose they are.

    Paths are below the data set's ``root`` or absolute.
    """
    for name, block in _blocks(settings.get("atlases")):
        where, required = f"atlases.{name}.segmentation", bool(block.get("segmentation_required"))
        there = yield from _find(root, inspected, where, block.get("segmentation"), required)
        in_gre = block.get("segmentation_space") == "GRE"
        for seen, path in there:
            like = seen.on_grid if in_gre else seen.scan.t1w
            yield from _check_place(path, seen, like)
        yield from _check_numbers(there, block)
    for where, template in _on_the_grid(settings).items():
        there = yield from _find(root, inspected, where, template, required=True)
        for seen, path in there:
            yield from _check_grid(path, seen, where)


def own_paths(
    root: Path, inspected: Sequence[Inspected], settings: Mapping[str, Any]
) -> Iterator[Path]:
    """These files of all scans, be they there or not."""
    given = [block.get("segmentation") for _, block in _blocks(settings.get("atlases"))]
    for template in (*given, *_on_the_grid(settings).values()):
        if isinstance(template, str) and (kept := _template(template)):
            yield from dict.fromkeys(seen.scan.file(kept, root) for seen in inspected)


_Found = list[tuple[Inspected, Path]]


def _find(
    root: Path, inspected: Sequence[Inspected], where: str, template: Any, required: bool
) -> Generator[Problem, None, _Found]:
    """The scans that have a file of their own (returned), and what is wrong with the others'."""
    there: _Found = []
    lacking: list[tuple[Inspected, Problem]] = []
    kept = _template(template) if isinstance(template, str) else None
    if kept is None or not inspected:
        return there
    what = next((word for key, word in _ON_THE_GRID.items() if where.endswith(key)), "segmentation")
    expected = f"the {what} of each scan, at the path that {where} in the config gives"
    for seen in inspected:
        path = seen.scan.file(kept, root)
        remedy = f"Put it there, or correct {where}; a relative path begins at bids_dir."
        absent = why_no_content(path, expected, remedy)
        if absent is None:
            there.append((seen, path))
        elif absent.found == "no such file":
            lacking.append((seen, absent))
        else:
            yield absent
    if required:
        yield from (problem for _, problem in lacking)
    elif len(lacking) == len(inspected):
        written = template.replace("<", "{").replace(">", "}")
        yield Problem(
            f"config, {where}",
            f"{written!r}, which leads to a file of no scan (such as {lacking[0][1].where})",
            expected,
            "Correct it; a relative path begins at bids_dir. Without it, all scans take the atlas.",
        )
    elif lacking:
        scans = [seen.scan.folder.replace("/", " ") for seen, _ in lacking]
        listed = ", ".join(scans[:_NAMED_AT_MOST])
        listed += f" and {len(scans) - _NAMED_AT_MOST} more" * (len(scans) > _NAMED_AT_MOST)
        yield Problem(
            f"config, {where}",
            f"no segmentation of {len(lacking)} of {len(inspected)} scans: {listed}",
            expected,
            "These scans take the atlas in its place. If they are to have their own, add the "
            f"files; {where}_required: true makes it an error.",
            "warning",
        )
    yield from _shared(there, where, what)
    return there


def _shared(there: _Found, where: str, what: str) -> Iterator[Problem]:
    """Warn of one file, or one content, for several participants.

    It is right where all images have been put into one space.
    """
    users: dict[Path, set[str]] = defaultdict(set)
    for seen, path in there:
        users[path].add(seen.scan.participant_id)
    for path, who in users.items():
        if len(who) > 1:
            yield Problem(
                f"config, {where}",
                f"{path} for {len(who)} participants",
                f"a {what} of each participant",
                "Put {subject} into the path (or {folder} or {entities}), unless all images are in "
                "one space.",
                "warning",
            )
    own = [one for one in there if len(users[one[1]]) == 1]
    for (first, twin), (seen, path) in alike(own):
        if first.scan.subject != seen.scan.subject:
            yield Problem(
                str(path),
                f"the very image of {twin}",
                f"a {what} of each participant",
                "If one was copied over the other or written under a wrong name, make it again; if "
                "all images are in one space, leave it.",
                "warning",
            )


def _check_place(path: Path, seen: Inspected, like: Path | None) -> Iterator[Problem]:
    """A segmentation that does not lie where the image is that it belongs to."""
    if like not in seen.headers:
        return
    try:
        shape, affine = image_grid(path)
    except InputError as error:
        yield from error.problems
        return
    header = seen.headers[like]
    share = overlap(box_of(shape, affine), box_of(header.shape, header.affine))
    if share < LEAST_OVERLAP:
        yield Problem(
            str(path),
            f"a box of which {share:.0%} lies in that of {like.name}, in the scanner's coordinates",
            f"nearly all of the smaller of the two ({LEAST_OVERLAP:.0%} at least)",
            "See whose segmentation it is, that its header has kept its position, and that "
            "segmentation_space is right.",
        )


def _check_grid(path: Path, seen: Inspected, where: str) -> Iterator[Problem]:
    """A mask or R2 map, which ``where`` names, that is not on the grid of its scan's GRE."""
    like = seen.on_grid
    if like not in seen.headers:
        return
    try:
        shape, affine = image_grid(path)
    except InputError as error:
        yield from error.problems
        return
    header = seen.headers[like]
    same = shape == header.shape and np.allclose(affine, header.affine, atol=GRID_TOLERANCE_MM)
    if not same:
        at = "at another place" if shape == header.shape else f"of {shape}"
        yield Problem(
            str(path),
            f"a grid {at}",
            f"the grid of {like.name}, {header.shape}",
            f"Put the {_ON_THE_GRID['.'.join(where.split('.')[-2:])]} on the grid of the GRE.",
        )


def _check_numbers(there: _Found, block: Mapping[str, Any]) -> Iterator[Problem]:
    """Numbers of the first segmentation that its tables do not have, or none of a region."""
    from ..regions.colour_table import read_colour_table
    from ..regions.label_table import read_label_table
    from ..regions.segmentation import read_segmentation, translate_segmentation

    table, colours = (_shipped(block.get(key)) for key in ("label_table", "colour_table"))
    usable = [path for path in (table, colours) if path is None or path.is_file()]
    if not there or table is None or len(usable) < 2:
        return
    path = there[0][1]

    def check() -> None:
        try:
            regions = read_label_table(table)
            named = None if colours is None else read_colour_table(colours)
        except InputError:
            return  # told of with the atlas
        data = read_segmentation(path).data
        translate_segmentation(data, named, regions, str(path), str(table))

    yield from _problems(check)


def _problems(check: Callable[[], object]) -> Iterator[Problem]:
    try:
        check()
    except InputError as error:
        yield from (problem for problem in error.problems if isinstance(problem, Problem))


def _template(template: str) -> str | None:
    try:
        return image_template(template)
    except ValueError:
        return None  # the config is refused for it


def _blocks(blocks: Any) -> list[tuple[str, Mapping[str, Any]]]:
    """The blocks of a mapping that are mappings themselves."""
    items = blocks.items() if isinstance(blocks, Mapping) else ()
    return [(str(name), block) for name, block in items if isinstance(block, Mapping)]


_ON_THE_GRID = {"mask.user": "mask", "sources.r2": "R2 map"}
"""Keys of the user's own images on the grid of the GRE, and what these are."""


def _on_the_grid(settings: Mapping[str, Any]) -> dict[str, Any]:
    """The paths of the user's own masks and R2 maps by the key that gives them."""
    chains = {"reconstruction": settings.get("reconstruction")}
    chains |= {f"variants.{name}": block for name, block in _blocks(settings.get("variants"))}
    found = {}
    for where, chain in _blocks(chains):
        for stage, key in (name.split(".") for name in _ON_THE_GRID):
            block = chain.get(stage)
            named = isinstance(block, Mapping) and block.get(key) not in (None, "", MESE)
            if named and block.get("run", True):
                found[f"{where}.{stage}.{key}"] = block[key]
    return found


def _shipped(name: Any) -> Path | None:
    """A file as the config names it, or of that name in the project."""
    if not isinstance(name, str) or not name:
        return None
    path = Path(name)
    return path if path.exists() or not (PROJECT / path).exists() else PROJECT / path
