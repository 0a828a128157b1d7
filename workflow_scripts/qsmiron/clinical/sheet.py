"""A clinical table as text: the columns whose meaning is known, its cells, faults of its form.

Sources of the ranges: ALSFRS-R, 12 items of 0 to 4 (Cedarbaum 1999,
doi 10.1016/S0022-510X(99)00210-5); ECAS, 136 points (Abrahams 2014,
doi 10.3109/21678421.2013.805784); Penn upper motor neuron score, 0 to 32 (Quinn et al., Muscle
Nerve 2020, 508-511); King's stage (Roche 2012, doi 10.1093/brain/awr351).
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass, field
from pathlib import Path

from ..bids import LABEL
from ..errors import Problem
from ..spelling import plain_text
from ..stored_files import why_no_content

MISSING = "n/a"
MISSING_SPELLINGS = frozenset({"", "n/a", "na", "nan", "null", "#n/a"})
"""What counts as missing, in any case; anything else in a numeric column must be a number."""

LARGEST_TABLE_BYTES = 2**25
"""No clinical table is longer; what is longer is not read."""

ONE_ROW = "one row per participant"
SESSION = "session_id"
"""A column of the tables beside participants.tsv that is part of their key."""
SESSION_ALIAS = "session"
"""How a clinical table with a row per visit may call it."""

_LINE_END = re.compile(r"\r\n|\n|\r")


@dataclass(frozen=True)
class ClinicalColumn:
    """A column whose meaning is known: numbers in [``low``, ``high``], or one of ``values``
    (in any case).

    ``above_zero`` excludes 0 itself; a value above ``unusual`` is a warning; ``whole`` numbers are
    sums of whole items, and a fraction is a warning. ``aliases`` are other usual names, lower-case
    with underscores.
    """

    description: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    above_zero: bool = False
    unusual: float | None = None
    whole: bool = False
    values: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()

    @property
    def allowed(self) -> str:
        """The allowed range in words."""
        if self.values:
            return "one of " + ", ".join(self.values)
        unit = f" {self.unit}" if self.unit else ""
        if self.above_zero:
            return f"above 0{unit}, at most {self.high:g}"
        if self.unusual is not None:
            return f"{self.low:g}{unit} or more, at most {self.high:g}"
        return f"{self.low:g} to {self.high:g}{unit}"

    def allows(self, value: float) -> bool:
        """Whether the number lies in the allowed range."""
        return (
            (self.low is None or value >= self.low)
            and (self.high is None or value <= self.high)
            and (value > 0 or not self.above_zero)
        )


_SEXES = ("M", "F", "O", "male", "female", "other")

KNOWN_COLUMNS: dict[str, ClinicalColumn] = {
    "age": ClinicalColumn("Age", "years", 18, 100, aliases=("age_years", "age_at_scan")),
    "sex": ClinicalColumn("Sex, as BIDS has it", values=_SEXES, aliases=("gender",)),
    "months_since_onset": ClinicalColumn(
        "Time since symptom onset",
        "months",
        0,
        720,  # 60 years: the longest course on record is 55
        above_zero=True,
        aliases=("disease_duration", "disease_duration_months", "duration_months"),
    ),
    "alsfrs_r": ClinicalColumn(
        "ALSFRS-R total (12 items, 0 to 4)",
        "points",
        0,
        48,
        whole=True,
        aliases=("alsfrsr", "alsfrs_r_total", "alsfrs_r_baseline"),
    ),
    "alsfrs_r_followup": ClinicalColumn(
        "ALSFRS-R total at follow-up",
        "points",
        0,
        48,
        whole=True,
        aliases=("alsfrsr_followup", "alsfrs_r_follow_up"),
    ),
    "followup_months": ClinicalColumn(
        "Time from baseline to follow-up",
        "months",
        0,
        240,
        above_zero=True,
        aliases=("months_to_followup", "follow_up_months"),
    ),
    "delta_fs": ClinicalColumn(
        "ΔFS: (48 − ALSFRS-R) / months since onset",
        "points per month",
        0,
        48,  # all points in the first month
        unusual=5,
        aliases=("dfs", "deltafs", "progression_rate"),
    ),
    "umn_score": ClinicalColumn(
        "Upper motor neuron score (Penn)", "points", 0, 32, aliases=("umn", "penn_umn_score")
    ),
    "ecas_total": ClinicalColumn("ECAS total", "points", 0, 136, aliases=("ecas",)),
    "ecas_als_specific": ClinicalColumn(
        "ECAS, ALS-specific functions", "points", 0, 100, aliases=("ecas_specific",)
    ),
    "ecas_nonspecific": ClinicalColumn(
        "ECAS, functions not specific to ALS",
        "points",
        0,
        36,
        aliases=("ecas_non_specific", "ecas_als_nonspecific"),
    ),
    "kings_stage": ClinicalColumn(
        "King's clinical stage", "", 1, 5, whole=True, aliases=("kings", "king_s_stage")
    ),
    "mitos_stage": ClinicalColumn("MiToS stage", "", 0, 5, whole=True, aliases=("mitos",)),
}


def plain_name(column: str) -> str:
    """A column's name in lower case, with one underscore for whatever is no letter or digit."""
    return re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")


def known_name(column: str) -> str | None:
    """The key of :data:`KNOWN_COLUMNS` that a column's name means, or ``None``.

    >>> known_name("ALSFRS-R"), known_name("ECAS"), known_name("site")
    ('alsfrs_r', 'ecas_total', None)
    """
    plain = plain_name(column)
    for name, known in KNOWN_COLUMNS.items():
        if plain == name or plain in known.aliases:
            return name
    return None


def is_missing(value: str) -> bool:
    """Whether a cell is empty or says that its value is missing."""
    return value.strip().lower() in MISSING_SPELLINGS


def participant_id(value: str) -> str:
    """``sub-`` and the label, whether or not the table writes the prefix."""
    value = value.strip()
    return value if value.startswith("sub-") else f"sub-{value}"


@dataclass
class Sheet:
    """A clinical table as text: stripped cells by column name, and what is wrong with its form.

    ``rows`` holds, for each participant in the file's order, the line of the file (the header is
    line 1, as in a spreadsheet), the participant_id and the other cells. ``origins`` names the
    table that a joined column comes from, and the line of each participant there.
    """

    path: Path
    columns: list[str] = field(default_factory=list)
    rows: list[tuple[int, str, dict[str, str]]] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    readable: bool = False
    origins: dict[str, tuple[Path, dict[str, int]]] = field(default_factory=dict)

    def cell(self, row: int, who: str, column: str) -> str:
        """Name a cell for a message."""
        path, rows = self.origins.get(column, (self.path, {}))
        return f"{path}, row {rows.get(who, row)} ({who}), {column}"

    def column(self, name: str) -> str:
        """Name a column for a message."""
        path, _ = self.origins.get(name, (self.path, {}))
        return f"{path}, column {name}"

    def similar(self, name: str) -> str:
        """A hint at the column that a name may have meant, or the columns that there are."""
        means = known_name(name)
        twins = [c for c in self.columns if c.lower() == name.lower()] or [
            c for c in self.columns if means and known_name(c) == means
        ]
        close = twins or difflib.get_close_matches(name, self.columns, n=1, cutoff=0.7)
        if close:
            return f"The table has {close[0]!r}: write the name alike in both."
        return f"The table has {', '.join(self.columns) or 'no further column'}."


def _refuse(sheet: Sheet, found: str, expected: str, remedy: str, where: str = "") -> Sheet:
    sheet.problems.append(Problem(f"{sheet.path}{where}", found, expected, remedy))
    return sheet


def read_sheet(path: str | Path, participant: str | None = None) -> Sheet:
    """Read one table as text; what is wrong with its form is collected, never raised.

    ``participant`` is whom all rows are about, where the table has no participant_id.
    """
    sheet = Sheet(Path(path))
    try:
        if sheet.path.is_file() and sheet.path.stat().st_size > LARGEST_TABLE_BYTES:
            found = f"a file of {sheet.path.stat().st_size / 2**20:.0f} MiB"
            return _refuse(sheet, found, "a clinical table (TSV)", "See what it is.")
        remedy = "Add participants.tsv to the data set, or name your table in the config."
        if absent := why_no_content(sheet.path, "a clinical table (TSV)", remedy):
            sheet.problems.append(absent)
            return sheet
        text = sheet.path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        return _refuse(sheet, str(error.strerror), "a clinical table (TSV)", remedy)
    except UnicodeDecodeError:
        remedy = "Save it as tab-separated text with UTF-8 encoding, not as a spreadsheet."
        return _refuse(sheet, "a file that is not UTF-8 text", "a TSV table", remedy)
    if "\0" in text:
        remedy = "Save it as tab-separated text with UTF-8 encoding (it may be UTF-16)."
        return _refuse(sheet, "NUL bytes", "a TSV table", remedy)
    lines = [
        (number, _cells(sheet, number, line))
        for number, line in enumerate(_LINE_END.split(plain_text(text)), start=1)
    ]
    lines = [(number, cells) for number, cells in lines if any(cells)]
    if not lines:
        return _refuse(sheet, "an empty file", "a header and a row per participant", "Fill it in.")
    header = lines[0][1]
    while header and not header[-1]:
        header.pop()
    if participant is None and "participant_id" not in header:
        return _refuse_header(sheet, header)
    doubled = sorted({name or "(no name)" for name in header if header.count(name) > 1})
    if doubled or "" in header:
        found = f"columns named twice: {', '.join(doubled)}" if doubled else "a column with no name"
        return _refuse(sheet, found, "one name per column", "Rename or delete columns.", ", header")
    sheet.columns = [name for name in header if name != "participant_id"]
    sheet.readable = True
    _take_rows(sheet, header, lines[1:], participant)
    return sheet


def _cells(sheet: Sheet, number: int, line: str) -> list[str]:
    """The cells of a line, without blanks at their ends and the quotes round them.

    A cell ends at the next tab, quoted or not: with a quote that is never closed, a reader of
    quoted cells would take the rows below for one cell.
    """
    cells = [cell.strip() for cell in line.split("\t")]
    for place, cell in enumerate(cells):
        if not cell.startswith('"'):
            continue
        if len(cell) > 1 and cell.endswith('"'):
            cells[place] = cell[1:-1].replace('""', '"').replace('\\"', '"').strip()
        elif cell.count('"') % 2:
            _refuse(
                sheet,
                f"a quote that is not closed in its cell: {cell[:40]}",
                "cells without tabs and line ends, in quotes or not",
                "Delete the quote, or close it; the table may have line breaks in a cell.",
                f", row {number}",
            )
    return cells


def _refuse_header(sheet: Sheet, header: list[str]) -> Sheet:
    remedy = "Name the column of participants participant_id."
    if len(header) == 1:
        for separator, word in ((",", "commas"), (";", "semicolons"), (" ", "blanks")):
            if separator in header[0]:
                remedy = f"It is separated by {word}: save it as tab-separated text (TSV)."
    found = f"the columns {', '.join(header)[:80]}"
    return _refuse(sheet, found, "a column participant_id", remedy, ", header")


def _session(values: dict[str, str]) -> str:
    """The session of a row, which is part of its key; none in most tables."""
    label = values.get(SESSION, values.get(SESSION_ALIAS, MISSING))
    return "" if is_missing(label) else label.removeprefix("ses-")


def _take_rows(
    sheet: Sheet,
    header: list[str],
    lines: list[tuple[int, list[str]]],
    participant: str | None,
) -> None:
    first: dict[tuple[str, str], tuple[int, str]] = {}
    for number, cells in lines:
        while len(cells) > len(header) and not cells[-1]:
            cells.pop()
        if len(cells) != len(header):
            found, expected = f"{len(cells)} cells", f"{len(header)} cells, as in the header"
            remedy = "Separate cells by one tab; write n/a where a value is missing."
            _refuse(sheet, found, expected, remedy, f", row {number}")
            cells = [*cells, *[MISSING] * len(header)][: len(header)]
        values = dict(zip(header, cells, strict=True))
        raw = values.pop("participant_id", participant or "")
        who = participant_id(raw)
        where = f", row {number}, participant_id"
        if is_missing(raw) or not LABEL.fullmatch(who.removeprefix("sub-")):
            remedy = "Write the name of the participant's folder."
            _refuse(sheet, repr(raw), "sub- followed by letters and digits only", remedy, where)
        elif (key := (who.lower(), _session(values))) in first:
            line, twin = first[key]
            found = f"{who}, which row {line} has" + ("" if who == twin else f" as {twin}")
            found += f", session {key[1]}" if key[1] else ""
            remedy = "Delete one of the rows, or correct its participant_id."
            _refuse(sheet, found, ONE_ROW, remedy, where)
        else:
            first[key] = (number, who)
        sheet.rows.append((number, who, values))
    if not sheet.rows:
        _refuse(sheet, "a header and no row", "a row per participant", "Fill in the table.")
