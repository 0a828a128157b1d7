"""What the run cost, stage by stage, as the report shows it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from ..costs import StageCost, read_costs, stage_costs

HEADER = [
    "Stage", "Jobs", "CPU time (min)", "Elapsed (min)", "Peak memory (MB)",
    "CPU time per participant (s)",
]  # fmt: skip


def costs_table(
    benchmarks: str | Path, participants: Collection[str] | None = None
) -> list[list[str]]:
    """Rows of the table, the header first and the sum last; none without any record.

    ``benchmarks`` is the folder of the benchmark records. With ``participants``, the jobs of
    others are left out.
    """
    costs = read_costs(benchmarks, participants)
    if not costs:
        return []
    n = len({cost.participant for cost in costs if cost.participant})
    stages = stage_costs(costs)
    total = StageCost(
        "All",
        sum(stage.jobs for stage in stages),
        sum(stage.elapsed for stage in stages),
        sum(stage.cpu for stage in stages),
        max(stage.memory for stage in stages),
        sum(stage.cpu_of_scans for stage in stages),
    )
    return [HEADER, *(_row(stage, n) for stage in (*stages, total))]


def _row(stage: StageCost, n: int) -> list[str]:
    return [
        stage.stage,
        str(stage.jobs),
        f"{stage.cpu / 60:.1f}",
        f"{stage.elapsed / 60:.1f}",
        f"{stage.memory:.0f}",
        f"{stage.cpu_of_scans / n:.1f}" if n and stage.cpu_of_scans else "",
    ]
