"""The mapping table: which folder is whose examination, and which of its series to take."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..bids import LABEL, scan_folder
from ..clinical.sheet import ONE_ROW, Sheet, is_missing, read_sheet
from ..errors import InputError, Problem

REQUIRED = ("folder", "participant_id", "gre")
OPTIONAL = ("session", "t1w")


@dataclass(frozen=True)
class SeriesPattern:
    """Which series are meant: a pattern of SeriesDescription or ProtocolName, or their numbers.

    In a pattern ``*`` and ``?`` stand for any characters and any one; case, and the difference
    between blanks and underscores, do not count.
    """

    text: str

    @property
    def numbers(self) -> set[int]:
        """The series numbers, where the text is a list of them."""
        listed = re.fullmatch(r"[0-9]+(?:\s*,\s*[0-9]+)*", self.text)
        return {int(number) for number in self.text.split(",")} if listed else set()

    def matches(self, sidecar: Mapping[str, Any]) -> bool:
        """Whether an image with this sidecar of dcm2niix belongs to one of the series."""
        if self.numbers:
            return sidecar.get("SeriesNumber") in self.numbers
        wild = re.escape(_plain(self.text)).replace(r"\*", ".*").replace(r"\?", ".")
        names = (_plain(str(sidecar.get(key, ""))) for key in ("SeriesDescription", "ProtocolName"))
        return any(re.fullmatch(wild, name, re.DOTALL) for name in names)


def _plain(name: str) -> str:
    return name.strip().lower().replace(" ", "_")


@dataclass(frozen=True)
class Examination:
    """One row: the ``folder`` of its DICOM files, whose it is, and the series to take from it.

    ``where`` names the row in messages; ``t1w`` is ``None`` where none is wanted.
    """

    where: str
    folder: Path
    subject: str
    session: str | None
    gre: SeriesPattern
    t1w: SeriesPattern | None

    @property
    def target(self) -> str:
        """The participant's (and session's) folder in the data set."""
        return scan_folder(self.subject, self.session)

    @property
    def entities(self) -> str:
        """What the names of its files begin with."""
        return f"sub-{self.subject}" + (f"_ses-{self.session}" if self.session else "")


def read_mapping(path: str | Path, dicom_dir: str | Path) -> list[Examination]:
    """Read a mapping (TSV); folders are relative to ``dicom_dir``.

    Raises
    ------
    InputError
        With everything that is wrong with the table or its folders.
    """
    path, root = Path(path), Path(dicom_dir)
    problems = [
        Problem(str(place), "no such file or folder", expected, "Check the path.")
        for place, expected in ((root, "a folder of DICOM files"), (path, "a mapping (TSV)"))
        if not place.exists()
    ]
    if problems:
        raise InputError(*problems)
    sheet = read_sheet(path)
    # several rows of a participant are sessions
    problems = [problem for problem in sheet.problems if problem.expected != ONE_ROW]
    absent = [name for name in REQUIRED if name not in ("participant_id", *sheet.columns)]
    unknown = [name for name in sheet.columns if name not in (*REQUIRED, *OPTIONAL)]
    if sheet.readable and (absent or unknown):
        found = [f"no column {name}" for name in absent] + [f"a column {name}" for name in unknown]
        expected = f"the columns {', '.join(REQUIRED)}, and where needed {', '.join(OPTIONAL)}"
        problems.append(Problem(f"{path}, header", ", ".join(found), expected, "Correct it."))
    if problems:
        raise InputError(*problems)
    examinations = [_examination(sheet, *row, root, problems) for row in sheet.rows]
    first: dict[str, Examination] = {}
    for one in examinations:
        if (twin := first.setdefault(one.target.lower(), one)) is not one:
            problems.append(
                Problem(
                    one.where,
                    f"{one.target}, as in {twin.where.removeprefix(f'{path}, ')}",
                    "one examination per participant and session",
                    "Give each examination a session of its own, or delete one row.",
                )
            )
    if problems:
        raise InputError(*problems)
    return examinations


def _examination(
    sheet: Sheet, row: int, who: str, cells: dict[str, str], root: Path, problems: list[Problem]
) -> Examination:
    where = f"{sheet.path}, row {row} ({who})"
    given = {name: "" if is_missing(cell) else cell for name, cell in cells.items()}
    folder, session = root / given["folder"], given.get("session", "").removeprefix("ses-")
    if not folder.is_dir():  # a name in decomposed letters, which the table's are not
        folder = root / unicodedata.normalize("NFD", given["folder"])
    if not given["folder"] or not folder.is_dir():
        found = f"no folder {given['folder']!r} in {root}" if given["folder"] else "no folder"
        expected, remedy = "the folder of one examination's DICOM files", "Correct the cell."
        problems.append(Problem(f"{where}, folder", found, expected, remedy))
    elif not folder.resolve().is_relative_to(root.resolve()):
        found, expected = f"{given['folder']!r}, which is outside", f"a folder inside {root}"
        problems.append(Problem(f"{where}, folder", found, expected, "Name one inside it."))
    if session and not LABEL.fullmatch(session):
        expected = "letters and digits only"
        problems.append(Problem(f"{where}, session", repr(session), expected, "Rename it."))
    if not given["gre"]:
        expected = "a pattern of the series' description, or its numbers"
        problems.append(Problem(f"{where}, gre", "an empty cell", expected, "For example *gre*."))
    t1w = SeriesPattern(given["t1w"]) if given.get("t1w") else None
    subject = who.removeprefix("sub-")
    return Examination(where, folder, subject, session or None, SeriesPattern(given["gre"]), t1w)
