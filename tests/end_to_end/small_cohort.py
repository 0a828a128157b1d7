"""A run of the workflow on a small cohort, and ways to ask what would run again."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[2]
N_PARTICIPANTS = 6  # three of each level in both contrasts, the fewest that are tested
EROSION = {"deep_erosion": 3}  # mm, one voxel
N_BRANCHES = 3  # of the multiverse: another reference, erosion, both


@dataclass
class Run:
    """A run of the workflow in a folder of its own, started from the project's root."""

    folder: Path
    settings: dict[str, object] = field(default_factory=dict)

    @property
    def results(self) -> Path:
        return self.folder / str(self.settings.get("results_dir", "results"))

    @property
    def clinical_table(self) -> Path:
        return self.folder / "participants.tsv"

    def command(self, *arguments: str) -> list[str]:
        """The command line of a run; the settings are written to a file."""
        # Relative paths: a copy of the folder beside it is up to date as well.
        values = {
            "results_dir": "results",
            "clinical_table": self.clinical_table.name,
            **self.settings,
        }
        configfile = self.folder / "settings.yaml"
        # JSON is YAML; a file keeps nested blocks out of the command line.
        configfile.write_text(json.dumps(values, default=str))
        return [
            sys.executable,
            "-m",
            "snakemake",
            "--snakefile",
            str(HOME / "Snakefile"),
            "--directory",
            str(self.folder),
            "--cores",
            str(os.cpu_count() or 1),
            *arguments,
            "--configfile",
            str(configfile),
        ]

    def snakemake(
        self, *arguments: str, check: bool = True, environment: Mapping[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        finished = subprocess.run(
            self.command(*arguments), capture_output=True, text=True, check=False, env=environment
        )
        if check and finished.returncode:
            pytest.fail(finished.stdout[-3000:] + finished.stderr[-6000:])
        return finished

    def would_run(self, *targets: str) -> dict[str, int]:
        """How many jobs of each rule a run would start now."""
        finished = self.snakemake("--dry-run", *targets)
        return {
            rule: int(count)
            for rule, count in re.findall(r"^(\w+) +(\d+)$", finished.stdout, re.MULTILINE)
            if rule not in ("total", "all")
        }


def small_demo(folder: Path) -> Run:
    run = Run(
        folder,
        {
            "demo": {"participants": N_PARTICIPANTS, "voxel_size": 3.0},
            "statistics": {"permutations": 99, "null_permutations": 50},
            "multiverse": {"regions": [EROSION]},
        },
    )
    lines = (HOME / "config/demo/participants.tsv").read_text().splitlines(keepends=True)
    run.clinical_table.write_text("".join(lines))
    return run
