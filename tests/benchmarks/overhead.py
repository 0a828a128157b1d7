"""What share of the CPU time goes to starting jobs rather than into them.

python tests/benchmarks/overhead.py --participants 6 --voxel-size 2

Runs the demo with so many participants, from raw images to the report (the simulation before is
left out), and splits the CPU time of all its processes: Snakemake's own; starts of interpreters
with their imports, measured again for what one job of each rule imported; the rest.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil

HOME = Path(__file__).resolve().parents[2]
IMPORTED = re.compile(r"^import time: +\d+ \| +\d+ \| (\S+)$", re.MULTILINE)
"""What no other import brought: further names are indented."""
REPEATS = 3


def snakemake(folder: Path, *targets: str, cores: int) -> tuple[float, float]:
    """Run the workflow to ``targets``: CPU seconds of all its processes, and of Snakemake's own."""
    command = [sys.executable, "-m", "snakemake", "--snakefile", str(HOME / "Snakefile")]
    command += ["--directory", str(folder), "--cores", str(cores), "--nolock"]
    command += ["--configfile", str(folder / "settings.yaml"), "--", *targets]
    before, own = _of_children(), 0.0
    with (folder / "output.txt").open("w") as output:
        run = psutil.Popen(
            command,
            stdout=output,
            stderr=output,
            env=os.environ | {"PYTHONPROFILEIMPORTTIME": "1"},
        )
        while run.poll() is None:
            try:
                used = run.cpu_times()
                own = used.user + used.system
            except psutil.Error:
                pass
            time.sleep(0.2)
    if run.returncode:
        sys.exit((folder / "output.txt").read_text()[-3000:])
    return _of_children() - before, own


def _of_children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def seconds_of_a_start(log: Path) -> float:
    """CPU seconds of a shell and of an interpreter that imports what a job did, by its log."""
    names = IMPORTED.findall(log.read_text(errors="replace"))
    lines = [f"try: import {name}\nexcept Exception: pass" for name in names]
    command = ["bash", "-c", 'python -c "$0" 2>&1 | cat', "\n".join(lines)]
    path = str(HOME / "workflow_scripts")
    before = _of_children()
    for _ in range(REPEATS):
        subprocess.run(command, check=True, env=os.environ | {"PYTHONPATH": path})
    return (_of_children() - before) / REPEATS


def main() -> None:
    """Print the parts of the CPU time."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participants", type=int, default=6)
    parser.add_argument("--voxel-size", type=float, default=2.0, help="mm (%(default)g)")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--target", default="all", help="a rule or file (%(default)s)")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        demo = {"participants": args.participants, "voxel_size": args.voxel_size}
        settings = {"demo": demo, "results_dir": "results"}
        (folder / "settings.yaml").write_text(json.dumps(settings))
        snakemake(folder, "results/work/check_inputs.json", cores=args.cores)
        results = folder / "results"
        known = set(results.glob("logs/**/*.log"))
        total, own = snakemake(folder, args.target, cores=args.cores)
        logs = set(results.glob("logs/**/*.log")) - known
        jobs: dict[str, list[Path]] = {}
        for log in sorted(logs):
            jobs.setdefault(log.relative_to(results / "logs").parts[0], []).append(log)
        starts = sum(len(of) * seconds_of_a_start(of[0]) for of in jobs.values())
        print(
            f"{args.participants} participants, {args.voxel_size:g} mm, {len(logs)} jobs: "
            f"{total:.0f} CPU s, of which Snakemake {own:.0f} ({100 * own / total:.0f} %), "
            f"starts and imports {starts:.0f} ({100 * starts / total:.0f} %); "
            f"{total / args.participants:.0f} a participant"
        )


if __name__ == "__main__":
    main()
