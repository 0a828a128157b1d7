"""What the models and the sites of the config ask of the clinical table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..errors import Problem
from ..spelling import level_text
from .roles import restricted, role_of, with_roles
from .sheet import Sheet

SITE_KEYS = ("exchangeability_blocks", "variance_groups")


def check_models(
    sheet: Sheet, models: Mapping[str, Any], roles: Mapping[str, Any] | None
) -> Iterator[Problem]:
    """Columns that are not there, and levels that nobody has."""
    for name, model in models.items():
        if not isinstance(model, Mapping):
            continue
        where = f"config, models.{name}"
        column = str(model.get("column") or model.get("by"))
        if column not in sheet.columns:
            yield Problem(where, repr(column), f"a column of {sheet.path}", sheet.similar(column))
            continue
        of = str(model.get("of") or "everybody")
        here = with_roles(restricted(sheet, roles, of), roles, [column])
        found = {role_of(cells, column) for _, _, cells in here.rows} - {None}
        absent = [one for one in map(level_text, model.get("levels") or []) if one not in found]
        if absent:
            yield Problem(
                f"{where}.levels",
                f"{', '.join(absent)}, which no participant has",
                f"values of column {column}: {', '.join(sorted(map(str, found))) or 'it is empty'}",
                "Correct the levels in the config or the table.",
            )


def check_sites(sheet: Sheet, statistics: Mapping[str, Any]) -> Iterator[Problem]:
    """Columns of sites that are not there, and participants without one."""
    harmonised = statistics.get("harmonisation", "none") != "none"
    for key in (*SITE_KEYS, *(["harmonisation_sites"] * harmonised)):
        column = statistics.get(key)
        if column is None:
            continue
        where = f"config, statistics.{key}"
        if column not in sheet.columns:
            yield Problem(
                where, repr(column), f"a column of {sheet.path}", sheet.similar(str(column))
            )
            continue
        lacking = [who for _, who, cells in sheet.rows if role_of(cells, column) is None]
        if lacking:
            yield Problem(
                sheet.column(column),
                f"{len(lacking)} participants without a value ({lacking[0]} …)",
                "a value for every participant",
                "They take part in no test.",
                "warning",
            )


def check_confounded(
    sheet: Sheet,
    statistics: Mapping[str, Any],
    contrasts: Mapping[str, Any],
    roles: Mapping[str, Any] | None,
) -> Iterator[Problem]:
    """Given contrasts whose groups no site has both of, where sites are harmonised."""
    site = str(statistics.get("harmonisation_sites", "site"))
    if statistics.get("harmonisation", "none") == "none" or site not in sheet.columns:
        return
    for name, contrast in contrasts.items():
        column = contrast.get("column") if isinstance(contrast, Mapping) else None
        if column not in sheet.columns or contrast.get("derive", "given") != "given":
            continue
        here = with_roles(
            restricted(sheet, roles, str(contrast.get("of") or "everybody")), roles, [str(column)]
        )
        levels = [level_text(level) for level in contrast.get("levels") or []]
        sites = [
            {role_of(cells, site) for _, _, cells in here.rows if role_of(cells, column) == level}
            - {None}
            for level in levels
        ]
        if len(sites) == 2 and all(sites) and not sites[0] & sites[1]:
            yield Problem(
                f"config, contrasts.{name}",
                f"{levels[0]} and {levels[1]} at different sites ({site})",
                "a site that has both: harmonising sites takes the groups' difference away",
                "statistics.harmonisation: none; the groups differ by their sites as well.",
            )
