"""The rows of the table ``change``, one part of the study's questions at a time.

A part is what one job makes: ``time`` (everybody's change), ``contrast-NAME``, ``score-NAME``,
``predictor-NAME``, ``dropout`` and ``repeats``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from ...errors import InputError, Problem
from ...spelling import as_number
from ..cells import Cells
from ..groups import assign_group, get_numeric
from ..people import belong
from .mixed_tests import TIME, group_contrasts, mixed_table, number_contrasts, visit_contrasts
from .participant_tests import Question, RateCells, participant_table
from .rates import rates_of, unit_of
from .repeatability import repeatability_table
from .scans import ChangeInputs, Scans


def change_table(inputs: ChangeInputs, part: str) -> pd.DataFrame:
    """Rows of one part, of every variant and atlas.

    Raises
    ------
    InputError
        For a part that the design does not have, or a column that does not serve.
    """
    kind, _, name = part.partition("-")
    makers = {
        "time": _time, "contrast": _contrast, "score": _score, "predictor": _predictor,
        "dropout": _dropout, "repeats": _repeats,
    }  # fmt: skip
    if kind not in makers:
        raise InputError(
            Problem("--part", part, f"one of {', '.join(makers)}", "Name one of the parts.")
        )
    tables = [table for scans in inputs.scans for table in makers[kind](inputs, scans, name)]
    return pd.concat(tables, ignore_index=True).assign(model=name or kind, kind=kind)


def _time(inputs: ChangeInputs, scans: Scans, name: str) -> list[pd.DataFrame]:
    return [mixed_table(inputs, scans, TIME, belongs=_patients(inputs, scans))]


def _patients(inputs: ChangeInputs, scans: Scans) -> np.ndarray:
    data = inputs.data
    whom = belong(data.clinical, data.design.roles, "patients", data.participants)
    return whom.reindex(scans.people, fill_value=False).to_numpy(bool)


def _contrast(inputs: ChangeInputs, scans: Scans, name: str) -> list[pd.DataFrame]:
    data = inputs.data
    contrast = data.design.pick_contrasts(name, data.config)[name]
    group = assign_group(data.clinical, contrast, data.participants, data.design.roles)
    first = group.map({contrast.levels[0]: 1.0, contrast.levels[1]: 0.0}).astype(float)
    first = first.reindex(scans.people).to_numpy(float)
    asked = group_contrasts(contrast.levels)
    term = f"rate: {contrast.levels[0]} − {contrast.levels[1]}"
    return [
        mixed_table(inputs, scans, asked, first, groups=True),
        _of_rates(inputs, scans, Question(term, first, ranked=True, groups=True)),
    ]


def _of_rates(inputs: ChangeInputs, scans: Scans, question: Question) -> pd.DataFrame:
    cells = scans.cells
    rates = rates_of(scans, inputs.unit).values
    of_people = RateCells(
        cells.desc, cells.atlas, scans.people, cells.index, rates, reference=cells.is_reference
    )
    return participant_table(inputs.data, of_people, scans.count, question)


def _predictor(inputs: ChangeInputs, scans: Scans, name: str) -> list[pd.DataFrame]:
    data = inputs.data
    values = get_numeric(data.clinical, name, data.participants).reindex(scans.people)
    number = np.where(_patients(inputs, scans), values.to_numpy(float), np.nan)
    return _against(inputs, scans, number, name, f" per unit of {name}")


def _against(
    inputs: ChangeInputs, scans: Scans, number: np.ndarray, name: str, per: str
) -> list[pd.DataFrame]:
    """Rates against a number of each participant: mixed model, and ranks by permutation."""
    return [
        mixed_table(inputs, scans, number_contrasts(name, per), number),
        _of_rates(inputs, scans, Question(f"rate ~ {name}", number, ranked=True)),
    ]


def _score(inputs: ChangeInputs, scans: Scans, name: str) -> list[pd.DataFrame]:
    """Rates, and the baseline, against the change of a score; the baseline against its end."""
    per = inputs.data.design.change.per
    change, last, months = score_changes(inputs, scans, name)
    of = inputs.data.design.people_of(name)
    whom = belong(inputs.data.clinical, inputs.data.design.roles, of, inputs.data.participants)
    here = whom.reindex(scans.people, fill_value=False).to_numpy(bool)
    change, last = np.where(here, change, np.nan), np.where(here, last, np.nan)
    moved = f"change of {name}"

    def of_baseline(term: str, number: np.ndarray, unit: str, beside: bool) -> pd.DataFrame:
        question = Question(
            f"baseline ~ {term}", number, False, beside=months[:, None] if beside else None,
            adjusted=("months",) if beside else (),
            unit=lambda metric: f"{unit_of(metric) or '1'} per {unit}",
        )  # fmt: skip
        return participant_table(inputs.data, scans.baseline, np.ones(len(here)), question)

    at_scans = visit_values(inputs, scans, name)
    at_scans[~here[scans.person]] = np.nan
    return [
        mixed_table(inputs, scans, visit_contrasts(name), varying=at_scans),
        *_against(inputs, scans, change, moved, f" per point/{per}"),
        of_baseline(moved, change, f"point/{per}", beside=False),
        of_baseline(f"{name} at the last visit", last, "point", beside=True),
    ]


def visit_values(inputs: ChangeInputs, scans: Scans, name: str) -> np.ndarray:
    """A column of the visits at every scan; NaN where the visit has no value."""
    found = [
        inputs.visits.of.get(who, {}).get(label)
        for who, label in zip(scans.people[scans.person], scans.sessions, strict=True)
    ]
    numbers = [None if one is None else as_number(one.values.get(name, "")) for one in found]
    return np.array([np.nan if number is None else number for number in numbers])


def score_changes(
    inputs: ChangeInputs, scans: Scans, name: str
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each participant the score's slope (per year or month), its last value, and when (months).

    NaN for who has no value after the first visit.
    """
    change, last, months = (np.full(len(scans.people), np.nan) for _ in range(3))
    for number, (time, values) in enumerate(inputs.values(name, scans)):
        if len(time) < 2 or not np.ptp(time):
            continue
        off = time - time.mean()
        change[number] = off @ values / (off @ off) * inputs.unit
        last[number], months[number] = values[-1], time[-1] - time[0]
    return change, last, months


def _dropout(inputs: ChangeInputs, scans: Scans, name: str) -> list[pd.DataFrame]:
    """The baseline of who has fewer scans than most, against who has as many."""
    stayed = (scans.count >= usual_count(scans.count)).astype(float)
    stayed[~_patients(inputs, scans)] = np.nan
    question = Question("baseline: dropped out − stayed", 1 - stayed, ranked=True, groups=True)
    cells: Cells = scans.baseline
    return [participant_table(inputs.data, cells, np.ones(len(stayed)), question)]


def usual_count(count: np.ndarray) -> int:
    """The largest number of scans that half of the participants have, two at least."""
    return max(2, int(np.median(count)))


def _repeats(inputs: ChangeInputs, scans: Scans, name: str) -> list[pd.DataFrame]:
    repeats = inputs.data.design.change.repeats
    return [] if repeats is None else [repeatability_table(inputs, scans, repeats)]
