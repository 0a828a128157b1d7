"""What the config asks of the clinical table: contrasts, scores and covariates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from statistics import median
from typing import Any

from ..errors import Problem
from ..scan_covariates import REGION_VOLUME, SCAN_COVARIATES
from ..spelling import as_number, level_text
from .coding import (
    check_categories,
    check_codes_for_missing,
    check_far_out_covariate,
    check_far_out_score,
    check_numbers_for_categories,
)
from .collinear import check_adjustment
from .numbers import is_meant_as_number, not_a_number
from .roles import check_roles, levels_of, restricted, with_roles
from .sheet import KNOWN_COLUMNS, Sheet, is_missing, known_name

SMALLEST_GROUP = 3
"""Fewer participants than this in a group cannot be tested meaningfully."""

DERIVATIONS = {"delta_fs_cut": ("column",), "kmeans_change": ("baseline", "followup")}
"""How groups may be derived, and the config keys that name the columns needed."""

_NAMED_AT_MOST = 12


def check_design(
    sheet: Sheet,
    contrasts: Mapping[str, Any],
    scores: list[str],
    covariates: list[str],
    whole: Sheet | None = None,
    categorical: Collection[str] = (),
    roles: Mapping[str, Any] | None = None,
    scores_of: Mapping[str, str] | None = None,
) -> list[Problem]:
    """Everything that keeps the config's contrasts, scores and covariates from being tested.

    ``sheet`` has the participants that can be analysed, ``whole`` also those whose images do not
    serve: a cut at the median is theirs too. ``categorical`` are columns whose numbers stand for
    categories; ``roles`` and ``scores_of`` say who is a patient, and whose each score is.
    """
    whole = whole or sheet
    problems: list[Problem] = list(check_roles(sheet, roles))
    # a contrast of the patients alone leaves them out, as it should
    controls = levels_of(roles, "controls") if roles else []
    for name, contrast in contrasts.items():
        where = f"config, contrasts.{name}"
        if contrast is None:  # removed by the user's config
            continue
        if not isinstance(contrast, Mapping):
            problems.append(_malformed(where, repr(contrast)))
        else:
            derived = contrast.get("derive") not in (None, "given")
            of = contrast.get("of") or ("patients" if derived else "everybody")
            here, all_here = (
                with_roles(restricted(each, roles, of), roles, [str(contrast.get("column"))])
                for each in (sheet, whole)
            )
            problems += _check_contrast(here, all_here, where, contrast, controls)
    for kind, columns in (("scores", scores), ("covariates", covariates)):
        for column in dict.fromkeys(str(column) for column in columns):
            where = f"config, {kind}"
            if column not in sheet.columns:
                if kind == "covariates" and column in (*SCAN_COVARIATES, REGION_VOLUME):
                    continue  # from the scans
                problems.append(_no_column(sheet, where, column))
            elif kind == "scores":
                here = restricted(sheet, roles, (scores_of or {}).get(column, "patients"))
                problems += _check_numeric(here, column, f"the correlations with {column}")
                problems += check_far_out_score(here, column)
            else:
                problems += _check_covariate(sheet, column, column in categorical)
    problems += [
        _no_column(sheet, "config, categorical", column)
        for column in categorical
        if column not in sheet.columns
    ]
    problems += _check_adjustment(sheet, contrasts, scores, covariates, categorical)
    return list(dict.fromkeys(problems))


def _check_adjustment(
    sheet: Sheet,
    contrasts: Mapping[str, Any],
    scores: list[str],
    covariates: list[str],
    categorical: Collection[str],
) -> Iterator[Problem]:
    """Of the columns that exist, and the contrasts of a given column."""
    adjusting = list(dict.fromkeys(str(name) for name in covariates if name in sheet.columns))
    groups = {
        str(name): (str(contrast["column"]), [_plain(level) for level in contrast["levels"]])
        for name, contrast in contrasts.items()
        if isinstance(contrast, Mapping)
        and contrast.get("derive", "given") == "given"
        and contrast.get("column") in sheet.columns
        and isinstance(contrast.get("levels"), list | tuple)
    }
    tested = list(dict.fromkeys(str(name) for name in scores if name in sheet.columns))
    yield from check_adjustment(sheet, adjusting, groups, tested, SMALLEST_GROUP, categorical)


def _malformed(where: str, found: str) -> Problem:
    return Problem(
        where,
        found,
        "column and two levels, or derive with the columns it needs",
        "For example {column: progression, levels: [fast, slow]}.",
    )


def _no_column(sheet: Sheet, where: str, column: str) -> Problem:
    remedy = sheet.similar(column)
    return Problem(where, f"{column!r}", f"a column of {sheet.path}", remedy)


def _check_contrast(
    sheet: Sheet, whole: Sheet, where: str, contrast: Mapping[str, Any], controls: list[str]
) -> Iterator[Problem]:
    levels = contrast.get("levels")
    if not isinstance(levels, list | tuple) or len({_plain(level) for level in levels}) != 2:
        found = f"levels {levels!r}" if "levels" in contrast else "no levels"
        yield Problem(where, found, "two different levels", "A positive effect is first > second.")
        return
    derive = contrast.get("derive")
    derive = None if derive == "given" else derive  # the default, spelt out
    if derive is not None and str(derive) not in DERIVATIONS:
        yield Problem(
            f"{where}.derive", repr(derive), f"one of {', '.join(DERIVATIONS)}", "Correct the name."
        )
        return
    keys = DERIVATIONS[derive] if derive else ("column",)
    absent = [key for key in keys if not contrast.get(key)]
    if absent:
        yield _malformed(where, f"no {' and no '.join(absent)}")
        return
    columns = [str(contrast[key]) for key in keys]
    if derive == "kmeans_change" and contrast.get("months"):
        columns.append(str(contrast["months"]))
    unknown = [column for column in columns if column not in sheet.columns]
    yield from (_no_column(sheet, where, column) for column in unknown)
    if unknown:
        return
    if derive:
        yield from _check_derived(sheet, whole, where, contrast, columns)
    else:
        named = [_plain(level) for level in levels]
        yield from _check_levels(sheet, whole, where, columns[0], named, controls)


def _plain(level: object) -> str:
    """A level as text; what can be none is refused with the config."""
    try:
        return level_text(level)
    except ValueError:
        return str(level)


def _members(sheet: Sheet, column: str) -> dict[str, list[str]]:
    """The participants of each value of a column."""
    members: dict[str, list[str]] = {}
    for _, who, cells in sheet.rows:
        if not is_missing(cells[column]):
            members.setdefault(_plain(cells[column]), []).append(who)
    return members


def _check_levels(
    sheet: Sheet,
    whole: Sheet,
    where: str,
    column: str,
    levels: list[str],
    controls: Collection[str],
) -> Iterator[Problem]:
    members, all_members = _members(sheet, column), _members(whole, column)
    there = ", ".join(f"{value} ({len(who)})" for value, who in sorted(members.items()))
    variants: dict[str, str] = {}
    for value in members:
        alike = [level for level in levels if level.lower() == value.lower() and level != value]
        if alike and value not in levels:
            variants[value] = alike[0]
            yield Problem(
                sheet.column(column),
                f"{value!r} ({_names(members[value])})",
                f"{alike[0]!r}, as in {where}",
                "Write the level alike in table and config.",
            )
    for level in levels:
        number, total = (len(of.get(level, ())) for of in (members, all_members))
        if total == 0 and level not in variants.values():
            yield Problem(
                f"{where}.levels",
                f"{level!r}, which no participant has",
                f"a value of column {column}: {there or 'it is empty'}",
                "Correct the level in the config or the table.",
            )
        elif total and number < SMALLEST_GROUP:
            yield _small_group(sheet.column(column), repr(level), number, total)
    expected = {*levels, *variants, *controls}
    others = [value for value in members if value not in expected]
    if others:
        number = sum(len(members[value]) for value in others)
        yield Problem(
            sheet.column(column),
            f"{number} participants with {', '.join(map(repr, sorted(others)))}",
            f"{' or '.join(map(repr, levels))}, as in {where}",
            "They are left out of this contrast.",
            "warning",
        )
    missing = [who for _, who, cells in sheet.rows if is_missing(cells[column])]
    yield from _missing(sheet, column, missing, "the contrast")


def _small_group(where: str, group: str, number: int, total: int) -> Problem:
    """``number`` participants of a group can be analysed, of ``total`` in the table."""
    others = f" (and {total - number} whose images do not serve)" if total > number else ""
    return Problem(
        where,
        f"{number or 'no'} participant{'' if number == 1 else 's'} with {group}{others}",
        f"at least {SMALLEST_GROUP} in a group",
        "Its tests will say next to nothing: add participants or drop the contrast.",
        "warning" if total else "error",
    )


def _changes(sheet: Sheet, columns: list[str]) -> list[float]:
    """The number that a derived contrast divides participants by, where it is known."""
    changes = []
    for _, _, cells in sheet.rows:
        numbers = [as_number(cells[column]) for column in columns]
        if None in numbers or (len(numbers) == 3 and not numbers[2]):
            continue
        first, last = (numbers[0], numbers[1]) if len(numbers) > 1 else (0, numbers[0])
        changes.append((last - first) / (numbers[2] if len(numbers) == 3 else 1))
    return changes


def _check_derived(
    sheet: Sheet, whole: Sheet, where: str, contrast: Mapping[str, Any], columns: list[str]
) -> Iterator[Problem]:
    for column in columns:
        yield from _check_numeric(sheet, column, f"{where.removeprefix('config, ')}")
        yield from check_far_out_score(sheet, column)
    change, all_change = _changes(sheet, columns), _changes(whole, columns)
    cut = contrast.get("cut")
    usable = isinstance(cut, int | float) and not isinstance(cut, bool) and abs(cut) < 1e300
    if cut is not None and not usable:
        yield Problem(
            f"{where}.cut", repr(cut), "a number, or null for the median", "Correct the config."
        )
    elif len(columns) == 1 and all_change:
        cut = median(all_change) if cut is None else cut
        above, all_above = (sum(value > cut for value in some) for some in (change, all_change))
        for side, number, total in (
            ("above", above, all_above),
            ("at or below", len(change) - above, len(all_change) - all_above),
        ):
            if number < SMALLEST_GROUP:
                yield _small_group(where, f"{columns[0]} {side} {cut:g}", number, total)
    elif len(change) < 2 * SMALLEST_GROUP or len(set(all_change)) < 2:
        yield Problem(
            where,
            f"{len(change)} participants with {' and '.join(columns)}, "
            f"{len(set(change))} different values",
            f"at least {2 * SMALLEST_GROUP} participants that differ",
            "The groups cannot be formed: fill in the columns or drop the contrast.",
            "error" if len(set(all_change)) < 2 else "warning",
        )


def _check_numeric(sheet: Sheet, column: str, use: str) -> Iterator[Problem]:
    """Missing or constant values of a column of numbers; text too, where its name is unknown."""
    numbers, missing = [], []
    for row, who, cells in sheet.rows:
        if is_missing(cells[column]):
            missing.append(who)
        elif (number := as_number(cells[column])) is not None:
            numbers.append(number)
        elif known_name(column) is None or KNOWN_COLUMNS[str(known_name(column))].values:
            yield not_a_number(sheet, row, who, column, cells[column])
    yield from _missing(sheet, column, missing, use)
    yield from _constant(sheet, column, numbers, use)
    yield from check_codes_for_missing(sheet, column)


def _check_covariate(sheet: Sheet, column: str, categorical: bool) -> Iterator[Problem]:
    """A covariate may be numbers or categories, but not both, spelt alike, and must vary."""
    filled = [cells[column] for _, _, cells in sheet.rows if not is_missing(cells[column])]
    numeric = sum(is_meant_as_number(value) for value in filled)
    known = KNOWN_COLUMNS.get(known_name(column) or "")
    if not categorical and ((known and not known.values) or 2 * numeric > len(filled)):
        yield from _check_numeric(sheet, column, "every test adjusted for it")
        yield from check_far_out_covariate(sheet, column)
        yield from check_numbers_for_categories(sheet, column)
        return
    missing = [who for _, who, cells in sheet.rows if is_missing(cells[column])]
    yield from _missing(sheet, column, missing, "every test adjusted for it")
    yield from _constant(sheet, column, filled, "every test adjusted for it")
    yield from check_categories(sheet, column)


def _missing(sheet: Sheet, column: str, missing: list[str], use: str) -> Iterator[Problem]:
    total = len(sheet.rows)
    if missing and len(missing) == total:
        remedy = "Fill it in, or take it out of the config."
        yield Problem(sheet.column(column), "no value at all", "values to test", remedy)
    elif missing:
        yield Problem(
            sheet.column(column),
            f"{len(missing)} of {total} values missing ({_names(missing)})",
            "a value for every participant",
            f"They drop out of {use} (n = {total - len(missing)}).",
            "warning",
        )


def _constant(
    sheet: Sheet, column: str, values: list[float] | list[str], use: str
) -> Iterator[Problem]:
    if len(values) > 1 and len(set(values)) == 1:
        (value,) = Counter(values)
        yield Problem(
            sheet.column(column),
            f"the same value everywhere ({value})",
            "values that differ between participants",
            f"It tells nothing in {use}: correct it or take it out of the config.",
            "warning",
        )


def _names(who: list[str]) -> str:
    rest = len(who) - _NAMED_AT_MOST
    return ", ".join(who[:_NAMED_AT_MOST]) + (f" and {rest} more" if rest > 0 else "")
