"""The label table of an atlas or segmentation: which number is which region.

A TSV with the columns ``index`` and ``name`` and, optionally, ``hemisphere`` (L, R or B),
``structure`` (cortex, subcortex, brainstem …) and ``n_beyond`` (voxels of the region beyond a
scan's field of view, in the table beside its labels); other columns are ignored. Without a
hemisphere it is read from the name: ``Left-Caudate``, ``ctx-lh-insula``, ``lh.insula``,
``L_Putamen``, ``Putamen_L``; a name that tells none is B (both sides, or the midline).

A row with ``members`` (``10,49``) is a composite: no voxel bears its index, and it is made of all
voxels of the regions with these indices, such as both thalami, or the whole brain.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from ..errors import InputError, Problem
from ..spelling import plain_text
from ..tables import read_table
from ..volumes import write_text

N_BEYOND = "n_beyond"
"""The column of the voxels beyond the field of view."""
N_BEYOND_DESCRIPTION = {
    "Description": "Voxels that the region would have beyond the scan's field of view"
}
"""What the sidecar of a label image says of it."""

_SIDES = {"l": "L", "lh": "L", "left": "L", "r": "R", "rh": "R", "right": "R"}
_GIVEN = {**_SIDES, "b": "B", "both": "B", "bilateral": "B", "midline": "B"}
_PREFIX = re.compile(r"(?:(?:ctx|wm)[-_. ])?(?P<side>left|right|lh|rh|l|r)[-_. ]+(?=.)", re.I)
_WHITE_MATTER = re.compile(r"wm[-_. ](?:left|right|lh|rh|l|r)[-_. ]", re.I)
_OTHER_NAMES = {
    "thalamusproper": "thalamus",
    "accumbensarea": "accumbens",
    "nucleusaccumbens": "accumbens",
    "caudatenucleus": "caudate",
    "nucleuscaudatus": "caudate",
    "globuspallidus": "pallidum",
}
_SUFFIX = re.compile(r"(?<=.)[-_. ]+(?P<side>left|right|lh|rh|l|r)$", re.I)


@dataclass(frozen=True)
class Label:
    """One region: its number in the label image, its name, and where it is.

    ``hemisphere`` is L, R or B; ``structure`` is empty where the table does not tell; ``members``
    holds the indices that a composite is made of, and nothing for all other regions. ``n_beyond``
    counts the voxels that it has beyond a scan's field of view; a composite's members have theirs.
    """

    index: int
    name: str
    hemisphere: str
    structure: str = ""
    members: tuple[int, ...] = ()
    n_beyond: int = 0

    @property
    def standard_name(self) -> str:
        """:attr:`plain_name`, with one name for what FreeSurfer and others call differently.

        The white matter below a gyrus is not the gyrus: ``wm-lh-insula`` → ``wminsula``.
        """
        name = _OTHER_NAMES.get(self.plain_name, self.plain_name)
        return "wm" + name if _WHITE_MATTER.match(self.name) else name

    @property
    def plain_name(self) -> str:
        """The name without hemisphere, case and punctuation: ``Left-Caudate`` → ``caudate``."""
        name = _SUFFIX.sub("", _PREFIX.sub("", self.name, count=1), count=1)
        return re.sub(r"[^a-z0-9]", "", name.lower())


def hemisphere_of(name: str) -> str:
    """L or R if the name begins or ends with a hemisphere, else B."""
    found = _PREFIX.match(name) or _SUFFIX.search(name)
    return _SIDES[found["side"].lower()] if found else "B"


def read_label_table(path: str | Path) -> list[Label]:
    """Read a label table; the labels come back in ascending order of their index.

    A row with index 0 is the background and is left out.

    Raises
    ------
    InputError
        Listing every row that has no whole, non-negative index, no name or no known hemisphere,
        and every index or region that occurs twice.
    """
    path = Path(path)
    table = read_table(path)
    absent = [name for name in ("index", "name") if name not in table.columns]
    if absent:
        raise InputError(
            Problem(
                str(path),
                f"the columns {', '.join(map(str, table.columns))}",
                "tab-separated columns index and name, and optionally hemisphere and structure",
                f"Add {' and '.join(absent)}.",
            )
        )
    labels: list[Label] = []
    problems: list[Problem] = []
    for number, row in enumerate(table.to_dict("records"), start=2):
        try:
            labels.append(_label(row))
        except ValueError as error:
            found, expected = error.args
            problems.append(Problem(f"{path}, row {number}", found, expected, "Mend the row."))
    labels = sorted((label for label in labels if label.index), key=lambda label: label.index)
    problems += _repeated(labels, path)
    problems += _unknown_members(labels, path)
    if not labels and not problems:
        problems.append(
            Problem(str(path), "no label", "at least one row with index above 0", "Add the labels.")
        )
    if problems:
        raise InputError(*problems)
    return labels


def _label(row: dict) -> Label:
    """One row; ``ValueError(found, expected)`` if it is not a label."""

    def text(column: str) -> str:
        value = row.get(column)
        return "" if value is None or pd.isna(value) else plain_text(str(value)).strip()

    try:
        index = float(text("index"))
    except ValueError:
        index = -1.0
    if index < 0 or not index.is_integer():
        raise ValueError(f"the index {text('index') or 'n/a'!r}", "a whole number from 0 up")
    name = text("name")
    if not name:
        raise ValueError("no name", "the region's name")
    given = text("hemisphere")
    hemisphere = _GIVEN.get(given.lower()) if given else hemisphere_of(name)
    if hemisphere is None:
        raise ValueError(f"the hemisphere {given!r}", "L, R, B or n/a")
    try:
        members = tuple(sorted({int(part) for part in text("members").split(",") if part.strip()}))
    except ValueError:
        raise ValueError(f"the members {text('members')!r}", "indices such as 10,49") from None
    beyond = text(N_BEYOND) or "0"
    if not re.fullmatch(r"[0-9]+(\.0+)?", beyond):
        raise ValueError(f"the {N_BEYOND} {beyond!r}", "a number of voxels")
    return Label(int(index), name, hemisphere, text("structure"), members, int(float(beyond)))


def write_label_table(path: str | Path, source: str | Path, beyond: Mapping[int, int]) -> None:
    """Write a copy of the label table ``source`` that tells what a scan does not show.

    ``beyond`` has the voxels of each label beyond the field of view; labels not in it have none.
    """
    text = Path(source).read_text(encoding="utf-8-sig")
    header, *rows = csv.reader(io.StringIO(text, newline=""), delimiter="\t")
    kept = [column for column, name in enumerate(header) if name != N_BEYOND]
    where = header.index("index")
    copy = io.StringIO()
    writer = csv.writer(copy, delimiter="\t", lineterminator="\n")
    writer.writerow([*(header[column] for column in kept), N_BEYOND])
    for row in filter(any, rows):
        cells = [*row, *[""] * len(header)]
        number = beyond.get(int(float(row[where])), 0)
        writer.writerow([*(cells[column] for column in kept), str(number)])
    write_text(path, copy.getvalue())


def _unknown_members(labels: list[Label], path: Path) -> list[Problem]:
    plain = {label.index for label in labels if not label.members}
    return [
        Problem(
            f"{path}, {label.name}",
            f"the members {', '.join(map(str, unknown))}",
            "indices of other rows of the table that are no composites themselves",
            "Correct the column members.",
        )
        for label in labels
        if (unknown := sorted(set(label.members) - plain))
    ]


def _repeated(labels: list[Label], path: Path) -> list[Problem]:
    by_index: dict[int, Label] = {}
    by_region: dict[tuple[str, str], Label] = {}
    problems = []
    for label in labels:
        region = (label.name, label.hemisphere)
        if label.index in by_index:
            found = f"index {label.index} twice ({by_index[label.index].name}, {label.name})"
            problems.append(
                Problem(f"{path}, column index", found, "every index once", "Remove one row.")
            )
        elif region in by_region:
            first = by_region[region].index
            found = f"{label.name}, {label.hemisphere}, twice (index {first}, {label.index})"
            remedy = "Name them apart, or add a hemisphere column."
            problems.append(
                Problem(f"{path}, column name", found, "every region once a hemisphere", remedy)
            )
        by_index.setdefault(label.index, label)
        by_region.setdefault(region, label)
    return problems
