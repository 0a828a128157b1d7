"""What jobs cost, as their benchmark records tell it, and the stages that they belong to."""

from __future__ import annotations

import csv
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

STAGES: dict[str, tuple[str, ...]] = {
    "Data and checks": (
        "simulate_cohort", "simulate_subject", "simulate_visit", "extract_echo", "check_inputs",
    ),
    "Registration and labels": (
        "register_subject", "register_without_t1w", "average_visits", "register_visit",
        "register_template",
        "carry_labels", "label_tissues",
    ),
    "Reconstruction": (
        "mask_brain", "map_field", "remove_background_field", "invert_dipole", "reference_chi",
        "map_r2star", "map_r2", "separate_sources", "take_chi", "take_r2star", "grid_magnitude",
    ),
    "Regions": (
        "measure_regions", "pool_thresholds", "count_deposits", "gather_regions",
    ),
    "Quality": ("draw_subject", "draw_chi_maps", "gather_quality"),
    "Group results": (
        "assign_groups", "test_groups", "gather_tests", "correlate_scores", "measure_deviations",
        "test_models", "estimate_null_rates", "plan_sample_size", "test_change", "measure_rates",
        "compare_recovery",
    ),
    "Multiverse": (
        "vary_choices", "leave_one_out", "draw_specification_curves",
    ),
    "Slice viewer": ("carry_chi", "average_chi"),
    "Maps in the template": ("invert_registration", "carry_mask", "carry_map", "share_mask"),
    "Figures and report": (
        "draw_group_distributions", "draw_quantiles", "draw_effects", "draw_correlations",
        "draw_forest", "draw_trajectories", "draw_rates", "draw_harmonisation", "draw_recovery",
        "describe_results", "write_methods", "write_report",
    ),
}  # fmt: skip
"""The rules of each stage, in the order of the data flow."""

_STAGE_OF = {rule: stage for stage, rules in STAGES.items() for rule in rules}


@dataclass(frozen=True)
class Cost:
    """What one job took when it last ran: ``elapsed`` and ``cpu`` (s), ``memory`` (MB, peak).

    ``participant`` is ``sub-`` and the label, or empty for a job of the whole cohort.
    """

    rule: str
    participant: str
    elapsed: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class StageCost:
    """The jobs of a stage together; ``cpu_of_scans`` (s) is of those of single participants."""

    stage: str
    jobs: int
    elapsed: float
    cpu: float
    memory: float
    cpu_of_scans: float


def stage_of(rule: str) -> str:
    """The stage that a rule belongs to; a branch's rule is that of its benchmark folder."""
    return _STAGE_OF.get(rule, "Other")


def read_cost(path: str | Path, folder: str | Path) -> Cost | None:
    """The record at ``path`` of the benchmarks in ``folder``; None if it is no whole record."""
    rule, *rest = Path(path).relative_to(folder).parts
    try:
        with Path(path).open(encoding="utf-8", newline="") as file:
            row = next(csv.DictReader(file, delimiter="\t"))
        elapsed = float(row["s"])
        cpu, memory = (_number(row[key]) for key in ("cpu_time", "max_rss"))
    except (OSError, StopIteration, KeyError, TypeError, ValueError):
        return None
    named = rest[0].partition(".")[0] if rest and rest[0].startswith("sub-") else ""
    return Cost(rule, named.partition("_")[0], elapsed, cpu, memory)


def _number(text: str) -> float:
    """A number of a record; a job too short to be looked at has none."""
    try:
        return float(text)
    except ValueError:
        return 0.0


def read_costs(folder: str | Path, participants: Collection[str] | None = None) -> list[Cost]:
    """The records below ``folder``; of jobs of a participant only those of ``participants``."""
    found = (read_cost(path, folder) for path in sorted(Path(folder).glob("*/**/*.tsv")))
    return [
        cost
        for cost in found
        if cost
        and (participants is None or not cost.participant or cost.participant in participants)
    ]


def stage_costs(costs: Collection[Cost]) -> list[StageCost]:
    """The costs summed over each stage that has any, in the order of the data flow."""
    rows = []
    for stage in (*STAGES, "Other"):
        of_stage = [cost for cost in costs if stage_of(cost.rule) == stage]
        if of_stage:
            rows.append(
                StageCost(
                    stage,
                    len(of_stage),
                    sum(cost.elapsed for cost in of_stage),
                    sum(cost.cpu for cost in of_stage),
                    max(cost.memory for cost in of_stage),
                    sum(cost.cpu for cost in of_stage if cost.participant),
                )
            )
    return rows
