"""Ways in which the clinical table and the config are broken; see `broken_images`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bids_trees import COLUMNS, row, write_rows
from checks.broken_images import Case

from qsmiron.clinical.sheet import LARGEST_TABLE_BYTES

TSV = "participants.tsv"
LEVELS = {"levels": ["fast", "slow"]}


def rows(**changes: dict[int, Any]):
    """The good table with cells changed: ``age={2: "x"}`` for the second participant."""

    def breaks(root: Path) -> None:
        table = [row(number) for number in range(1, 7)]
        for column, cells in changes.items():
            for number, value in cells.items():
                table[number - 1][column] = value
        columns = [*COLUMNS, *(name for name in changes if name not in COLUMNS)]
        write_rows(root / TSV, table, columns)

    return breaks


def column(name: str, *values: Any):
    return rows(**{name: {number: str(value) for number, value in enumerate(values, start=1)}})


def content(text: str | bytes):
    raw = text if isinstance(text, bytes) else text.encode()
    return lambda root: (root / TSV).write_bytes(raw)


def replaced(old: str, new: str, times: int = -1):
    def breaks(root: Path) -> None:
        path = root / TSV
        path.write_text(path.read_text().replace(old, new, times))

    return breaks


def absurd(root: Path) -> None:
    with (root / TSV).open("r+b") as file:
        file.truncate(LARGEST_TABLE_BYTES + 1)


def added(**cells: str):
    def breaks(root: Path) -> None:
        write_rows(root / TSV, [*(row(n) for n in range(1, 7)), row(6, **cells)])

    return breaks


NUMBER = "Write the number alone"
CELL = f"{TSV}, row 3 (sub-02), "
NOTHING = rows()

CASES = [
    Case("no table", lambda r: (r / TSV).unlink(), TSV, "no such file", "a clinical table",
         "name your table in the config"),
    Case("a table of absurd length", absurd, TSV, "32 MiB", "a clinical table", "See what it is"),
    Case("a spreadsheet", content(b"PK\x03\x04\xff\xfe"), TSV, "not UTF-8", "a TSV table",
         "not as a spreadsheet"),
    Case("a table in UTF-16", content("participant_id\tage\n01\t50\n".encode("utf-16")), TSV,
         "not UTF-8", "a TSV table", "UTF-8 encoding"),
    Case("an empty table", content(""), TSV, "an empty file", "a header and a row", "Fill it in"),
    Case("a header alone", content("participant_id\tage\n"), TSV, "a header and no row",
         "a row per participant", "Fill in the table"),
    Case("no participant_id", replaced("participant_id", "subject"), f"{TSV}, header", "subject",
         "a column participant_id", "Name the column"),
    Case("separated by commas", replaced("\t", ","), f"{TSV}, header", "participant_id,age",
         "a column participant_id", "separated by commas"),
    Case("separated by semicolons", replaced("\t", ";"), f"{TSV}, header", "participant_id;age",
         "a column participant_id", "separated by semicolons"),
    Case("separated by blanks", replaced("\t", "  "), f"{TSV}, header", "participant_id  age",
         "a column participant_id", "separated by blanks"),
    Case("a table in UTF-16 without a mark", content("participant_id\tage\n".encode("utf-16-le")),
         TSV, "NUL bytes", "a TSV table", "it may be UTF-16"),
    Case("a quote that swallows rows", replaced("sub-03\t", 'sub-03\t"', 1), f"{TSV}, row 4",
         'a quote that is not closed in its cell: "53', "cells without tabs and line ends",
         "Delete the quote"),
    Case("a quote round two rows", replaced("sub-03\t53", '"sub-03', 1), f"{TSV}, row 4",
         "a quote that is not closed", "cells without tabs and line ends", "line breaks in a cell"),
    Case("a column twice in two codes", replaced("umn_score\tecas_total", "fu\u0308r\tf\u00fcr", 1),
         f"{TSV}, header", "named twice: f\u00fcr", "one name per column", "Rename or delete"),
    Case("a column twice", replaced("umn_score", "age", 1), f"{TSV}, header", "named twice: age",
         "one name per column", "Rename or delete"),
    Case("a cell too many", replaced("sub-02\t", "sub-02\t\t", 1), f"{TSV}, row 3", "11 cells",
         "10 cells", "one tab"),
    Case("a participant twice", added(participant_id="sub-02"), f"{TSV}, row 8, participant_id",
         "sub-02, which row 3 has", "one row per participant", "Delete one"),
    Case("a participant in another case", added(participant_id="SUB-02"),
         f"{TSV}, row 8, participant_id", "'SUB-02'", "letters and digits only", "folder"),
    Case("a command as participant_id", rows(participant_id={2: "sub-01;touch x"}),
         f"{TSV}, row 3, participant_id", "'sub-01;touch x'", "letters and digits only",
         "the participant's folder"),
    Case("lost zeros", rows(participant_id={2: "2"}), f"{TSV}, row 3 (sub-2)",
         "there is sub-02", "MEGRE images", "delete the row"),
    Case("a row without images", added(participant_id="sub-99"), f"{TSV}, row 8 (sub-99)",
         "no folder sub-99", "MEGRE images of every participant", "exclude"),
    Case("images without a row", content("participant_id\tage\nsub-01\t50\n"), "sub-02",
         "images, but no row", "a row in the clinical table", "Add the row"),
    Case("a score out of range", rows(alsfrs_r={2: "51"}), f"{CELL}alsfrs_r", "51, outside 0 to 48",
         "0 to 48 points", "Correct it"),
    Case("an age out of range", rows(age={2: "580"}), f"{CELL}age", "580", "18 to 100 years",
         "Correct it"),
    Case("months of 0", rows(months_since_onset={2: "0"}), f"{CELL}months_since_onset", "0",
         "above 0 months", "Correct it"),
    Case("UMN out of range", rows(umn_score={2: "33"}), f"{CELL}umn_score", "33", "0 to 32",
         "Correct it"),
    Case("ECAS out of range", rows(ecas_total={2: "137"}), f"{CELL}ecas_total", "137", "0 to 136",
         "Correct it"),
    Case("a sex of no kind", rows(sex={2: "W"}), f"{CELL}sex", "'W'", "one of M, F",
         "Correct it"),
    Case("a decimal comma", rows(age={2: "61,5"}), f"{CELL}age", "'61,5'", "a number",
         "Write a decimal point: 61.5"),
    Case("a thousands separator", rows(umn_score={2: "1,234.5"}), f"{CELL}umn_score", "'1,234.5'",
         "a number, 0 to 32", "Write 1234.5, without separators of thousands"),
    Case("a comma of either kind", rows(umn_score={2: "1,234"}), f"{CELL}umn_score", "'1,234'",
         "a number, 0 to 32", "1.234. If the comma parts thousands, write 1234"),
    Case("a percentage", rows(umn_score={2: "85%"}), f"{CELL}umn_score", "'85%'",
         "a number, 0 to 32", "Write 85 alone"),
    Case("a value below a limit", rows(nfl={1: "3", 2: "<5", 3: "7", 4: "8", 5: "6", 6: "9"}),
         f"{CELL}nfl", "'<5'", "a number", "limit of detection", settings={"scores": ["nfl"]}),
    Case("an error of a spreadsheet", rows(umn_score={2: "#DIV/0!"}), f"{CELL}umn_score",
         "'#DIV/0!'", "a number, 0 to 32", "an error of the spreadsheet"),
    Case("a date for a number", rows(umn_score={2: "12-Mar"}), f"{CELL}umn_score", "'12-Mar'",
         "a number, 0 to 32", "It is a date"),
    Case("an estimate", rows(umn_score={2: "12 (est.)"}), f"{CELL}umn_score", "'12 (est.)'",
         "a number, 0 to 32", NUMBER),
    Case("percentages for a covariate", column("fvc", "85%", "90%", "88%", "71%", "65%", "99%"),
         f"{CELL}fvc", "'90%'", "a number", "Write 90 alone", settings={"covariates": ["fvc"]}),
    Case("a typeset minus", rows(umn_score={2: "\u221299"}), f"{CELL}umn_score",
         "\u221299, outside 0 to 32", "0 to 32", "write n/a"),
    Case("months that are missing", rows(months_since_onset={2: "999"}, delta_fs={2: "n/a"}),
         f"{CELL}months_since_onset", "999, outside above 0 months, at most 720", "at most 720",
         "write n/a"),
    Case("a decline that is missing", rows(delta_fs={2: "99"}), f"{CELL}delta_fs", "99, outside",
         "at most 48", "write n/a"),
    Case("a code in a score", column("fss", 40, -99, 35, 44, 51, 30), f"{CELL}fss", "-99",
         "n/a for a missing value", "if it was measured, leave it", "warning",
         {"scores": ["fss"]}),
    Case("a code in a column that is cut", column("slope", 0.4, 999, 1.2, 0.3, 2.1, 0.9),
         f"{CELL}slope", "999", "n/a for a missing value", "if it was measured", "warning",
         {"contrasts": {"x": {"derive": "delta_fs_cut", "column": "slope", **LEVELS}}}),
    Case("a code in a category", column("city", "A", "-9", "B", "A", "B", "A"), f"{CELL}city",
         "'-9'", "n/a for a missing value", "if it is a category", "warning",
         {"covariates": ["city"]}),
    Case("sites as numbers", column("site", 1, 2, 3, 3, 1, 2), "column site",
         "3 distinct whole numbers (1, 2, 3), taken as amounts", "amounts or grades",
         "add categorical: [site] to the config", "warning", {"covariates": ["site"]}),
    Case("codes under an unknown name", column("q7", 1, 2, 3, 3, 1, 2), "column q7",
         "3 distinct whole numbers", "amounts or grades", "categorical: [q7]", "warning",
         {"covariates": ["q7"]}),
    Case("a category that the table lacks", NOTHING, "config, categorical", "'centre'",
         "a column of", "The table has", settings={"categorical": ["centre"]}),
    Case("a score declared a category", NOTHING, "config, categorical", "['alsfrs_r']",
         "no score or cut is made of", "Correct the config",
         settings={"categorical": ["alsfrs_r"]}),
    Case("sexes as numbers", rows(sex={n: str(n % 2) for n in range(1, 7)}), f"{CELL}sex", "'0'",
         "one of M, F", "Correct it"),
    Case("a unit in a cell", rows(umn_score={2: "12 points"}), f"{CELL}umn_score", "'12 points'",
         "a number, 0 to 32", NUMBER),
    Case("a missing value of its own spelling", rows(umn_score={2: "missing"}), f"{CELL}umn_score",
         "'missing'", "a number", "n/a if it is missing"),
    Case("a fraction of a point", rows(alsfrs_r={2: "40.5"}, delta_fs={2: "n/a"}),
         f"{CELL}alsfrs_r", "40.5", "a whole number", "typing error", "warning"),
    Case("a fast decline beyond belief", rows(delta_fs={2: "6.1"}, months_since_onset={2: "n/a"}),
         f"{CELL}delta_fs", "6.1", "at most 5 points per month", "if so, leave it", "warning"),
    Case("a decline that does not follow", rows(delta_fs={2: "3"}), "column delta_fs",
         "sub-02 3, not 0.83", "/ months_since_onset", "one visit", "warning"),
    Case("a level that nobody has", NOTHING, "config, contrasts.x.levels",
         "'LMN', which no participant has", "UMN+ (2), other (4)", "Correct the level",
         settings={"contrasts": {"x": {"column": "phenotype", "levels": ["LMN", "other"]}}}),
    Case("a level in another case", rows(progression={2: "Slow"}), "column progression",
         "'Slow' (sub-02)", "'slow', as in", "Write the level alike"),
    Case("a group of two", rows(phenotype={3: "other", 4: "other"}), "column phenotype",
         "1 participant with 'UMN+'", "at least 3 in a group", "drop the contrast", "warning",
         {"contrasts": {"x": {"column": "phenotype", "levels": ["UMN+", "other"]}}}),
    Case("a contrast of a missing column", NOTHING, "config, contrasts.x", "'speed'",
         "a column of", "The table has",
         settings={"contrasts": {"x": {"column": "speed", **LEVELS}}}),
    Case("a contrast without levels", NOTHING, "config, contrasts.x.levels", "no levels",
         "The two levels", "Add the key",
         settings={"contrasts": {"x": {"column": "progression"}}}),
    Case("a cut with nobody above", NOTHING, "config, contrasts.x", "no participants",
         "at least 3 in a group", "drop the contrast",
         settings={"contrasts": {"x": {"derive": "delta_fs_cut", "column": "delta_fs", "cut": 9,
                                       **LEVELS}}}),
    Case("a score that the table lacks", NOTHING, "config, scores", "'ALSFRS_R'", "a column of",
         "The table has 'alsfrs_r'", settings={"scores": ["ALSFRS_R"]}),
    Case("a score without a value", column("umn_score", *["n/a"] * 6), "column umn_score",
         "no value at all", "values to test", "take it out of the config",
         settings={"scores": ["umn_score"]}),
    Case("a score that never varies", column("umn_score", *[7] * 6), "column umn_score",
         "the same value everywhere", "values that differ", "tells nothing", "warning",
         {"scores": ["umn_score"]}),
    Case("missing scores", rows(umn_score={2: "n/a"}), "column umn_score",
         "1 of 6 values missing (sub-02)", "a value for every participant", "n = 5", "warning",
         {"scores": ["umn_score"]}),
    Case("a covariate twice over", column("months_of_age", *(12 * (50 + n) for n in range(1, 7))),
         "column months_of_age", "follows from age", "vary independently",
         "out of covariates in the config", settings={"covariates": ["age", "months_of_age"]}),
    Case("two spellings of a sex", rows(sex={2: "male"}), "column sex", "'male' (1 times)",
         "one spelling", "Write"),
    Case("a contrast that a covariate repeats", column("site", *"ABABAB"),
         "config, contrasts.progression", "follow from the covariates", "leave it free",
         "take a covariate out", "warning", {"covariates": ["site"]}),
    Case("too many covariates", column("site", *"ABCDEA"), "columns age, site",
         "6 participants with all covariates, which make 5 columns", "at least 8", "n/a",
         "warning", {"covariates": ["age", "site"]}),
    Case("a table that names patients", column("Date of birth", *["1960-01-01"] * 6),
         f"{TSV}, header", "the columns Date of birth", "names nobody", "keep these elsewhere",
         "warning"),
    Case("an unknown unit in the config", NOTHING, "config, acquisition.phase_units", "'degrees'",
         "one of declared, rad", "Correct the config",
         settings={"acquisition": {"phase_units": "degrees"}}),
    Case("an unknown unit of one scan in the config", NOTHING,
         "config, acquisition.phase_units_of.sub-01", "'degrees'", "one of declared, rad",
         "Correct the config", settings={"acquisition": {"phase_units_of": {"sub-01": "degrees"}}}),
    Case("units of scans that are no block", NOTHING, "config, acquisition.phase_units_of",
         "'rad'", "a block of key: value", "Correct the config",
         settings={"acquisition": {"phase_units_of": "rad"}}),
    Case("a unit for nobody's scan", NOTHING, "config, acquisition.phase_units_of", "'sub-P*'",
         "a participant (sub-01), a session", "any characters",
         settings={"acquisition": {"phase_units_of": {"sub-P*": "milliradian"}}}),
    Case("an unknown direction of B0", NOTHING, "config, acquisition.b0_direction", "[0, 0, 0]",
         "affine, sform, qform, or three numbers", "Correct the config",
         settings={"acquisition": {"b0_direction": [0, 0, 0]}}),
    Case("an unknown direction of B0 of one scan", NOTHING,
         "config, acquisition.b0_direction_of.sub-01", "'up'", "affine, sform, qform",
         "Correct the config", settings={"acquisition": {"b0_direction_of": {"sub-01": "up"}}}),
    Case("directions of scans that are no block", NOTHING,
         "config, acquisition.b0_direction_of", "'qform'", "a block of key: value",
         "Correct the config",
         settings={"acquisition": {"b0_direction_of": "qform"}}),
    Case("a direction of B0 for nobody's scan", NOTHING, "config, acquisition.b0_direction_of",
         "'sub-P*'", "a participant (sub-01), a session", "any characters",
         settings={"acquisition": {"b0_direction_of": {"sub-P*": "qform"}}}),
    Case("a participant_label of nobody", NOTHING, "config, participant_label", "'77'",
         "a label that the data set", "leading zeros",
         settings={"participant_label": ["77", "01"]}),
    Case("an exclude of nobody", NOTHING, "config, exclude", "'1' (there is '01')",
         "a label that the data set", "leading zeros", settings={"exclude": [1]}),
    Case("levels that YAML made truth values", NOTHING, "config, contrasts.x.levels.0", "True",
         "YAML reads a bare yes, no, on, off, true or false", "Correct the config",
         settings={"contrasts": {"x": {"column": "progression", "levels": [True, False]}}}),
    Case("nothing as a level", NOTHING, "config, contrasts.x.levels.1", "None",
         "put it in quotes if it is a level", "Correct the config",
         settings={"contrasts": {"x": {"column": "progression", "levels": ["fast", None]}}}),
    Case("a truth value as a covariate", NOTHING, "config, covariates.0", "True", "text",
         "put it in quotes", settings={"covariates": [True]}),
    Case("a misspelt key", NOTHING, "config, scroes", "a key that does not exist",
         "the key scores", "Did you mean scores?", settings={"scroes": ["age"]}),
    Case("a misspelt key inside", NOTHING, "config, statistics.permutatons",
         "a key that does not exist", "the key permutations", "Did you mean permutations?",
         settings={"statistics": {"permutatons": 5}}),
    Case("a misspelt key of a contrast", NOTHING, "config, contrasts.x.colunm",
         "a key that does not exist", "the key column", "Did you mean column?",
         settings={"contrasts": {"x": {"colunm": "progression", "column": "sex", **LEVELS}}}),
    Case("a parameter that a method lacks", NOTHING,
         "config, variants.main, inversion.parameters: iteratoins", "a key that does not exist",
         "the key iterations", "Did you mean iterations?",
         settings={"reconstruction": {"inversion": {"parameters": {"iteratoins": 5}}}}),
    Case("a score whose name is no file's", NOTHING, "config, scores.0", "'FVC (%)'",
         "letters, digits and _ . + -", "Correct the config", settings={"scores": ["FVC (%)"]}),
    Case("a contrast named as a path", NOTHING, "config, contrasts.../x", "'../x'",
         "letters, digits and _ . + -", "Correct the config",
         settings={"contrasts": {"../x": {"column": "progression", **LEVELS}}}),
    Case("a block that is none", NOTHING, "config, statistics", "5", "a block of key: value",
         "Correct the config", settings={"statistics": 5}),
    Case("scores that are no list", NOTHING, "config, scores", "'alsfrs_r'", "a list of columns",
         "Correct the config", settings={"scores": "alsfrs_r"}),
    Case("a range that is none", NOTHING, "config, clinical_ranges.age", "[1]",
         "[lowest, highest]", "Correct the config", settings={"clinical_ranges": {"age": [1]}}),
]  # fmt: skip
