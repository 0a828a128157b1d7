"""The config as the input check reads it: any key may have a wrong form."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..acquisition import PHASE_UNITS, setting_of_scan
from ..b0 import B0_SETTINGS, is_b0_setting
from ..bids import ChosenSession
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

    ``session`` is the one that the group results are made of, where one is named; ``select`` and
    ``select_t1w`` tell one acquisition of a session from others; ``without_t1w`` says whether scans
    without a T1w are registered by contrasts of their own.
    """

    participants: set[str]
    sessions: set[str]
    excluded: set[str]
    session: ChosenSession = None
    select: Mapping[str, str] = field(default_factory=dict)
    select_t1w: Mapping[str, str] = field(default_factory=dict)
    without_t1w: bool = True

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
        unit = setting_of_scan(folder, "", self.named)
        return (unit or self.study), bool(unit)


@dataclass
class B0Directions:
    """How the direction of B0 is told: for the study, and for the scans that the config names."""

    study: Any = "affine"
    named: dict[str, Any] = field(default_factory=dict)

    def of(self, folder: str) -> Any:
        """What is set for a scan."""
        return setting_of_scan(folder, self.study, self.named)


def _labels_of(sessions: Mapping[Any, Any]) -> dict[str, str]:
    """The session of each participant; what is no label is the config's own fault to tell."""
    return {str(who): str(label) for who, label in sessions.items() if isinstance(label, str | int)}


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
    if named is not None:
        named = _labels_of(named) if isinstance(named, Mapping) else str(named)
    return Selection(
        labels["participant_label"],
        labels["session_label"],
        labels["exclude"],
        analysed_session(labels["session_label"], named),
        *(_entities(settings.get(key)) for key in ("select", "select_t1w")),
        registers_without_t1w(settings),
    )


def _entities(block: Any) -> dict[str, str]:
    """Labels by entity; nothing where the config is refused for them."""
    items = block.items() if isinstance(block, Mapping) else ()
    return {str(key): str(label) for key, label in items if label is not None}


def read_phase_units(settings: Mapping[str, Any], problems: list[Problem]) -> PhaseUnits:
    """What the config's block ``acquisition`` says of the unit of the phase."""
    found = PhaseUnits()
    study, found.named = _by_scan(
        settings,
        "phase_units",
        lambda unit: unit in PHASE_UNITS,
        "one of " + ", ".join(PHASE_UNITS),
        "For example {sub-1*: rad}.",
        problems,
    )
    found.study = study or ("declared" if _acquisition(settings, "phase_units") is None else None)
    return found


def read_b0_directions(settings: Mapping[str, Any], problems: list[Problem]) -> B0Directions:
    """What it says of the direction of B0."""
    example = "For example {sub-1*: qform}."
    study, named = _by_scan(settings, "b0_direction", is_b0_setting, B0_SETTINGS, example, problems)
    return B0Directions(study or "affine", named)


def _acquisition(settings: Mapping[str, Any], key: str) -> Any:
    block = settings.get("acquisition")
    return block.get(key) if isinstance(block, Mapping) else None


def _by_scan(
    settings: Mapping[str, Any],
    key: str,
    allowed: Callable[[Any], bool],
    expected: str,
    example: str,
    problems: list[Problem],
) -> tuple[Any, dict[str, Any]]:
    """A key of the study (``None`` without a usable value), and its like by scan (``_of``)."""
    value, by_scan = _acquisition(settings, key), _acquisition(settings, f"{key}_of")
    where = f"config, acquisition.{key}"
    if value is not None and not allowed(value):
        problems.append(Problem(where, repr(value), expected, "Correct the config."))
        value = None
    named: dict[str, Any] = {}
    if by_scan is not None and not isinstance(by_scan, Mapping):
        form = "a block of scan: " + ("unit" if key == "phase_units" else "direction")
        problems.append(Problem(f"{where}_of", repr(by_scan), form, example))
        return value, named
    for scan, given in (by_scan or {}).items():
        if allowed(given):
            named[str(scan)] = given
        else:
            here = f"{where}_of.{scan}"
            problems.append(Problem(here, repr(given), expected, "Correct the config."))
    return value, named


def serves_without_t1w(settings: Mapping[str, Any]) -> bool:
    """Whether an atlas has the subjects' own segmentation, which may need no T1w image."""
    atlases = settings.get("atlases")
    blocks = atlases.values() if isinstance(atlases, Mapping) else ()
    return any(isinstance(block, Mapping) and block.get("segmentation") for block in blocks)


def registers_without_t1w(settings: Mapping[str, Any]) -> bool:
    """Whether scans without a T1w are registered by contrasts of their own."""
    registration = settings.get("registration")
    return not isinstance(registration, Mapping) or registration.get("without_t1w", True) is True


def read_design(settings: Mapping[str, Any], problems: list[Problem]) -> dict[str, Any]:
    """The config's keys about the clinical table, without those that have a wrong form."""
    design: dict[str, Any] = {}
    for key, name, kind, form in (
        ("contrasts", "contrasts", Mapping, "a block of named contrasts"),
        ("scores", "scores", list, "a list of columns"),
        ("covariates", "covariates", list, "a list of columns"),
        ("categorical", "categorical", list, "a list of columns"),
        ("roles", "roles", Mapping, "a block of column, patients and controls"),
        ("scores_of", "scores_of", Mapping, "a block of score: patients, controls or everybody"),
        ("models", "models", Mapping, "a block of named models"),
        ("statistics", "statistics", Mapping, "a block of settings"),
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
