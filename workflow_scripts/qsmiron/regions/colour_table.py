"""The colour table of a segmentation: which of its numbers is called what.

Read from a file in one of two formats:

- FreeSurfer's ``FreeSurferColorLUT.txt``: a line holds index, name, R, G, B and A, separated by
  blanks; lines that are empty or begin with ``#`` are skipped;
- a TSV of BIDS (``dseg.tsv``): the columns ``index`` and ``name``, optionally ``hemisphere``. A
  label table is one too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from ..errors import InputError, Problem
from .label_table import Label, hemisphere_of

_LINE = "index, name, R, G, B and A, separated by blanks"
_SIDES = {"l": "L", "r": "R", "b": "B"}


def read_colour_table(path: str | Path) -> dict[int, Label]:
    """Index → label, in ascending order; 0 is there if the file has it.

    Unlike in a label table, one region may have several numbers.

    Raises
    ------
    InputError
        If the file is missing, no text or without a label; or listing every line that is no
        label, and every index that has two names.
    """
    path = Path(path)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except FileNotFoundError as error:
        raise InputError(
            Problem(str(path), "no such file", "a colour table", "Check the path.")
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            Problem(
                str(path),
                f"a file that cannot be read ({error})",
                "a colour table (text)",
                "Give FreeSurferColorLUT.txt, or a TSV with the columns index and name.",
            )
        ) from error
    rows = [
        (number, line)
        for number, line in enumerate(lines, start=1)
        if line.strip() and not line.lstrip().startswith("#")
    ]
    columns = [name.strip() for name in rows[0][1].split("\t")] if rows else []
    parsed = _tsv(rows, columns) if {"index", "name"} <= set(columns) else _lut(rows)
    labels: dict[int, Label] = {}
    problems: list[Problem] = []
    for number, label, found, expected in parsed:
        if label is None:
            problem = Problem(f"{path}, line {number}", found, expected, "Mend the line.")
        elif label.index in labels and labels[label.index] != label:
            names = f"{labels[label.index].name}, {label.name}"
            found = f"index {label.index} twice ({names})"
            problem = Problem(
                f"{path}, line {number}", found, "one name an index", "Remove one line."
            )
        else:
            labels[label.index] = label
            continue
        problems.append(problem)
    if not labels and not problems:
        problems.append(
            Problem(str(path), "no label", "at least one line with index and name", "Add them.")
        )
    if problems:
        raise InputError(*problems)
    return dict(sorted(labels.items()))


_Parsed = tuple[int, Label | None, str, str]
"""Line number; the label, or what was found and expected in its place."""


def _lut(rows: list[tuple[int, str]]) -> Iterator[_Parsed]:
    for number, line in rows:
        fields = line.split()
        good = len(fields) >= 6 and all(field.isdecimal() for field in (fields[0], *fields[2:6]))
        if good:
            name = fields[1]
            yield number, Label(int(fields[0]), name, hemisphere_of(name)), "", ""
        else:
            yield number, None, repr(line.strip()), _LINE


def _tsv(rows: list[tuple[int, str]], columns: list[str]) -> Iterator[_Parsed]:
    for number, line in rows[1:]:
        row = dict(zip(columns, (field.strip() for field in line.split("\t")), strict=False))
        index, name, given = (row.get(key, "") for key in ("index", "name", "hemisphere"))
        if not index.isdecimal():
            yield number, None, f"the index {index or 'n/a'!r}", "a whole number from 0 up"
        elif name in ("", "n/a"):
            yield number, None, "no name", "the region's name"
        else:
            hemisphere = _SIDES.get(given.lower()[:1]) or hemisphere_of(name)
            yield number, Label(int(index), name, hemisphere), "", ""
