"""What Snakemake and the input check cost for a large study: seconds and memory.

python tests/benchmarks/large_study.py --subjects 1000

Writes a data set of tiny images (5 echoes and a T1w of each subject, complete sidecars, a clinical
table) to a temporary folder, then measures a dry run, from reading the workflow to the list of its
jobs, and the input check. Targets for 1,000 subjects on 2 cores: a dry run within 30 s and 1 GB,
the check within 60 s.
"""

from __future__ import annotations

import argparse
import os
import re
import sys
import tempfile
import time
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "workflow_scripts"), str(HOME / "tests")]

import bids_trees  # noqa: E402

N_ECHOES = 5


def write_study(folder: Path, subjects: int) -> Path:
    """Write the raw data set; its folder."""
    root = folder / "raw"
    rows = []
    for number in range(subjects):
        label = f"{number + 1:04d}"
        bids_trees.add_subject(root, label, N_ECHOES)
        # The made-up row's ages and scores stay in their ranges for small numbers only.
        rows.append(bids_trees.row(number % 24 + 1, participant_id=f"sub-{label}"))
    bids_trees.write_rows(root / "participants.tsv", rows)
    return root


def measure(command: list[str], folder: Path) -> tuple[str, float, float, float]:
    """Run a command in the folder: its output, seconds, CPU seconds, peak memory (10⁶ bytes)."""
    output = folder / "output.txt"
    start = time.perf_counter()
    streams = [
        (os.POSIX_SPAWN_OPEN, 1, str(output), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644),
        (os.POSIX_SPAWN_DUP2, 1, 2),
    ]
    child = os.posix_spawn(command[0], command, os.environ, file_actions=streams)
    _, status, used = os.wait4(child, 0)
    seconds = time.perf_counter() - start
    text = output.read_text()
    if status:
        sys.exit(text[-3000:])
    return text, seconds, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024 / 1e6


def main() -> None:
    """Print a line for the dry run and one for the check."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--config", nargs="*", default=[], help="more settings, KEY=VALUE")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        raw = write_study(folder, args.subjects)
        dry_run = [sys.executable, "-m", "snakemake", "--cores", "2", "--dry-run"]
        dry_run += ["--quiet", "all", "--snakefile", str(HOME / "Snakefile")]
        dry_run += ["--directory", temporary, "--config", f"bids_dir={raw}"]
        dry_run += ["results_dir=results", *args.config]
        check = [sys.executable, str(HOME / "workflow_scripts/check_inputs.py"), str(raw)]
        check += ["--config", str(HOME / "config/config.yaml")]
        for name, command in (("dry run", dry_run), ("input check", check)):
            text, seconds, cpu, megabytes = measure(command, folder)
            jobs = re.search(r"^total +(\d+)$", text, re.MULTILINE)
            what = f"{jobs[1]} jobs" if jobs else f"{args.subjects} subjects"
            print(f"{name}, {what}: {seconds:.0f} s (CPU {cpu:.0f} s), {megabytes:.0f} MB")


if __name__ == "__main__":
    main()
