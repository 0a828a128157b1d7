"""The config as the input check reads it: any key may have a wrong form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..acquisition import PHASE_UNITS, units_of_scan
from ..clinical.phenotype import analysed_session
from ..config import CONFIG_NAME, load_config
from ..config_files import laid_over, read_settings
from ..errors import InputError, Problem
from ..spelling import plain_names


def read_checked(
    path: str | Path | None, shipped: str | Path
) -> tuple[dict[str, Any], list[Problem]]:
    """Read a config and check it as :func:`check_settings` does; without one nothing is set.

    Of a file that cannot be used nothing is set either, so that the data are checked all the same.
    """
    try:
        settings = read_settings(path) if path else {}
    except InputError as error:
        return {}, [one for one in error.problems if isinstance(one, Problem)]
    return check_settings(settings, read_settings(shipped))


def check_settings(
    settings: Mapping[str, Any], shipped: Mapping[str, Any]
) -> tuple[dict[str, Any], list[Problem]]:
    """What is wrong with a config as a run would see it, and the rest of it.

    Parameters
    ----------
    settings
        A user's config, whole or only what differs from ``shipped``.
    shipped
        The configuration that a run lays it over.

    Returns
    -------
    settings
        Without the entries that a run refuses, so that data are checked with the others.
    problems
        Those that a run would name.
    """
    try:
        load_config(laid_over(shipped, settings))
    except InputError as error:
        problems = [one for one in error.problems if isinstance(one, Problem)]
        problems += [
            Problem("config", one, "a config that holds", "Correct it.")
            for one in error.problems
            if isinstance(one, str)
        ]
        return _without_refused(settings, problems), problems
    return dict(settings), []


def _without_refused(settings: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    kept = dict(settings)
    for problem in problems:
        path = problem.where.removeprefix(f"{CONFIG_NAME}, ")
        for key, block in settings.items():
            if not _is_in(path, key):
                continue
            inside = path[len(str(key)) + 1 :]
            entries = kept.get(key)
            if inside and isinstance(block, Mapping) and isinstance(entries, Mapping):
                kept[key] = {n: entry for n, entry in entries.items() if not _is_in(inside, n)}
            else:
                kept.pop(key, None)
    return kept


def _is_in(path: str, key: object) -> bool:
    """Whether a message's place is a key or something inside it."""
    return path == str(key) or path.startswith((f"{key}.", f"{key}:", f"{key},"))


@dataclass
class Selection:
    """Which participants and sessions the config selects; empty sets select all.

    ``session`` is the one that the group results are made of, where one is named.
    """

    participants: set[str]
    sessions: set[str]
    excluded: set[str]
    session: str | None = None

    def has(self, label: str) -> bool:
        """Whether a participant's label is selected."""
        return label not in self.excluded and (not self.participants or label in self.participants)


@dataclass
class PhaseUnits:
    """The unit of the phase as the config has it: of the study, and of the scans it names."""

    study: str | None = "declared"
    named: dict[str, str] = field(default_factory=dict)

    def of(self, folder: str) -> tuple[str | None, bool]:
        """The unit of a scan (``None`` where the config's is none), and whether it is named."""
        unit = units_of_scan(folder, "", self.named)
        return (unit or self.study), bool(unit)


def read_selection(settings: Mapping[str, Any], problems: list[Problem]) -> Selection:
    """The labels that the config selects."""
    labels = {}
    for key, prefix in (
        ("participant_label", "sub-"),
        ("session_label", "ses-"),
        ("exclude", "sub-"),
    ):
        value = settings.get(key) or []
        value = [value] if isinstance(value, str | int) else value
        if not isinstance(value, list | tuple | set | Mapping):
            problems.append(
                Problem(
                    f"config, {key}", repr(value), "a list of labels", "For example ['01', '02']."
                )
            )
            value = []
        labels[key] = {str(label).strip().removeprefix(prefix) for label in value}
    statistics = settings.get("statistics")
    named = statistics.get("session") if isinstance(statistics, Mapping) else None
    return Selection(
        labels["participant_label"],
        labels["session_label"],
        labels["exclude"],
        analysed_session(labels["session_label"], None if named is None else str(named)),
    )


def read_phase_units(settings: Mapping[str, Any], problems: list[Problem]) -> PhaseUnits:
    """What the config's block ``acquisition`` says of the unit of the phase."""
    acquisition = settings.get("acquisition")
    acquisition = acquisition if isinstance(acquisition, Mapping) else {}
    units = acquisition.get("phase_units")
    named = acquisition.get("phase_units_of")
    found = PhaseUnits("declared" if units is None else units)
    key = "config, acquisition.phase_units"
    expected = "one of " + ", ".join(PHASE_UNITS)
    if found.study not in PHASE_UNITS:
        problems.append(Problem(key, repr(units), expected, "Correct the config."))
        found.study = None
    if named is not None and not isinstance(named, Mapping):
        form = "a block of scan: unit"
        problems.append(Problem(f"{key}_of", repr(named), form, "For example {sub-1*: rad}."))
        return found
    for scan, unit in (named or {}).items():
        if unit in PHASE_UNITS:
            found.named[str(scan)] = unit
        else:
            where = f"{key}_of.{scan}"
            problems.append(Problem(where, repr(unit), expected, "Correct the config."))
    return found


def serves_without_t1w(settings: Mapping[str, Any]) -> bool:
    """Whether an atlas has the subjects' own segmentation, which may need no T1w image."""
    atlases = settings.get("atlases")
    blocks = atlases.values() if isinstance(atlases, Mapping) else ()
    return any(isinstance(block, Mapping) and block.get("segmentation") for block in blocks)


def read_design(settings: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The config's keys about the clinical table, without those that have a wrong form."""
    design: dict[str, Any] = {}
    for key, name, kind, form in (
        ("contrasts", "contrasts", Mapping, "a block of named contrasts"),
        ("scores", "scores", list, "a list of columns"),
        ("covariates", "covariates", list, "a list of columns"),
        ("categorical", "categorical", list, "a list of columns"),
        ("clinical_ranges", "ranges", Mapping, "a block of column: [lowest, highest]"),
    ):
        value = plain_names(settings.get(key))
        if value is not None and not isinstance(value, kind):
            problems.append(Problem(f"config, {key}", repr(value), form, "Correct the config."))
        elif value is not None:
            design[name] = value
    for column, limits in list(design.get("ranges", {}).items()):
        if not _is_range(limits):
            where = f"config, clinical_ranges.{column}"
            problems.append(
                Problem(where, repr(limits), "[lowest, highest]", "Correct the config.")
            )
            design["ranges"] = {k: v for k, v in design["ranges"].items() if k != column}
    return design


def _is_range(limits: Any) -> bool:
    """Whether it is two numbers of which the first is not the larger."""
    if not isinstance(limits, list | tuple) or len(limits) != 2:
        return False
    if not all(isinstance(v, float) or (type(v) is int and abs(v) < 1e300) for v in limits):
        return False
    return bool(limits[0] <= limits[1])
