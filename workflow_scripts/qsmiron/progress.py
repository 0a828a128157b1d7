"""How far a run is, from its plan and the benchmark records of the jobs that have ended."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from statistics import mean

from .costs import STAGES, read_cost, read_costs, stage_of
from .errors import InputError, Problem
from .volumes import read_json, write_json

PLAN = "planned.json"
"""The plan's file, in the folder of the benchmarks."""


@dataclass(frozen=True)
class Progress:
    """``planned`` and ``done`` count jobs by stage; ``elapsed`` and ``left`` are in s.

    ``left`` is None as long as nothing is known of what is to come.
    """

    planned: dict[str, int]
    done: dict[str, int]
    elapsed: float
    left: float | None


def write_plan(folder: str | Path, benchmarks: Iterable[str]) -> None:
    """Note which jobs a run that begins now is going to do, by their benchmark records."""
    root = Path(folder)
    names = [str(Path(path).relative_to(root)) for path in benchmarks]
    write_json(root / PLAN, {"started": time.time(), "jobs": sorted(names)})


def read_progress(folder: str | Path, now: float | None = None) -> Progress:
    """How far the last run is whose benchmarks are in ``folder``, at the time ``now`` (s, epoch).

    The time left is the mean time of each rule's jobs, of earlier runs where this one has had
    none, times what is left of them, over the number of jobs that ran at a time so far.

    Raises
    ------
    InputError
        If no run has left a plan there.
    """
    root = Path(folder)
    if not (root / PLAN).exists():
        expected = "the plan of a run, written when its first job starts"
        remedy = "Name the results folder of a run that has started."
        raise InputError(Problem(str(root / PLAN), "no such file", expected, remedy))
    plan = read_json(root / PLAN)
    started, names = float(plan["started"]), [str(name) for name in plan["jobs"]]
    ended = {
        name: path.stat().st_mtime
        for name in names
        if (path := root / name).exists() and path.stat().st_mtime >= started
    }
    complete = len(ended) == len(names)
    end = max(ended.values()) if complete and ended else (time.time() if now is None else now)
    left = [_rule(name) for name in names if name not in ended]
    return Progress(
        dict(Counter(stage_of(_rule(name)) for name in names)),
        dict(Counter(stage_of(_rule(name)) for name in ended)),
        end - started,
        _time_left(root, ended, left, end - started),
    )


def _rule(name: str) -> str:
    return Path(name).parts[0]


def _time_left(
    root: Path, ended: dict[str, float], left: list[str], elapsed: float
) -> float | None:
    if not left:
        return 0.0
    took: dict[str, list[float]] = {}
    for name in ended:
        if cost := read_cost(root / name, root):
            took.setdefault(cost.rule, []).append(cost.elapsed)
    at_a_time = sum(map(sum, took.values())) / elapsed if took and elapsed > 0 else 0
    if at_a_time == 0:
        return None
    before: dict[str, list[float]] = {}
    for cost in read_costs(root) if set(left) - took.keys() else ():
        before.setdefault(cost.rule, []).append(cost.elapsed)
    known = {rule: mean(times) for rule, times in {**before, **took}.items()}
    usual = mean(known.values())
    return sum(known.get(rule, usual) for rule in left) / max(at_a_time, 1)


def as_text(progress: Progress) -> str:
    """A table of the stages, and a line on the time."""
    lines = []
    for stage in (*STAGES, "Other"):
        if planned := progress.planned.get(stage, 0):
            done = progress.done.get(stage, 0)
            bar = "#" * int(20 * done / planned)
            lines.append(f"{stage:<24} {done:>6} of {planned:<6} [{bar:<20}]")
    done, planned = sum(progress.done.values()), sum(progress.planned.values())
    lines.append(f"{'All':<24} {done:>6} of {planned:<6} after {_duration(progress.elapsed)}")
    if done < planned:
        left = progress.left
        about = "not known yet" if left is None else f"about {_duration(_roughly(left))}"
        lines.append(f"Time left: {about}")
    return "\n".join(lines)


def _roughly(seconds: float) -> float:
    return seconds if seconds < 60 else 60 * round(seconds / 60)


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    if minutes:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    return f"{rest} s"
