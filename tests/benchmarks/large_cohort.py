"""Group statistics and report of a large cohort, from its region tables: seconds and memory.

python tests/benchmarks/large_cohort.py --subjects 1000 --cores 2

Writes made-up regions (83 regions × every metric of every subject, a few regions without a value in
a few subjects, so that most regions have missing subjects of their own) and a clinical table to a
temporary folder (with ``--visits 3`` up to three sessions of each subject, of whom a tenth leaves
before each later one, and a phenotype table of their months and scores), runs the workflow on them
with ``analysis_only=true``, and prints every job's seconds and peak memory from the workflow's own
benchmarks, then the run's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "workflow_scripts"), str(HOME / "tests")]

import made_up_results  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

from qsmiron.tables import write_table  # noqa: E402

MISSING = 0.001
"""Share of subjects × regions without a value."""


LEAVING = 0.1
"""Share of who is left that has no further visit."""


def write_cohort(folder: Path, subjects: int, visits: int = 1) -> tuple[Path, Path]:
    """Write regions.tsv and participants.tsv of a made-up cohort; their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    regions = made_up_results.regions(subjects).sort_values("participant_id", kind="stable")
    who = pd.factorize(regions["participant_id"])[0]
    rng = np.random.default_rng(0)
    absent = rng.random((subjects, regions["index"].max() + 1)) < MISSING
    regions.loc[absent[who, regions["index"]], ["value", "n_voxels", "coverage"]] = np.nan, 0, 0
    paths = folder / "regions.tsv", folder / "participants.tsv"
    people = made_up_results.participants(subjects)
    if visits > 1:
        scans = draw_visits(people, visits, rng)
        (folder / "phenotype").mkdir(exist_ok=True)
        scans.to_csv(folder / "phenotype/visits.tsv", sep="\t", index=False)
        regions = repeated(regions, scans, rng)
    write_table(regions, paths[0], "regions")
    people.to_csv(paths[1], sep="\t", index=False, na_rep="n/a")
    return paths


def draw_visits(people: pd.DataFrame, visits: int, rng: np.random.Generator) -> pd.DataFrame:
    """The table of visits: unequal intervals, falling scores, who left has no more of them."""
    number = np.arange(1, visits + 1)
    last = np.minimum(rng.geometric(LEAVING, len(people)), visits)
    who, visit = np.nonzero(number <= last[:, None])
    months = np.where(visit, 9 * visit + rng.uniform(-2, 2, len(who)), 0)
    score = people["alsfrs_r"].to_numpy()[who] - 0.6 * months
    return pd.DataFrame(
        {
            "participant_id": people["participant_id"].to_numpy()[who],
            "session_id": visit + 1,
            "months_since_baseline": months.round(1),
            "alsfrs_r": np.maximum(score.round(), 0),
        }
    )


def repeated(regions: pd.DataFrame, scans: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Every participant's rows for each of the visits, noise added; in the order of the scans."""
    names = scans.rename(columns={"session_id": "session"})[["participant_id", "session"]]
    table = names.merge(regions, on="participant_id", how="left")
    spread = 0.3 * regions.groupby("metric")["value"].std()
    noise = rng.normal(size=len(table)) * table["metric"].map(spread).to_numpy()
    return table.assign(value=table["value"] + noise)


def run(tables: tuple[Path, Path], results: Path, cores: int, settings: list[str]) -> float:
    """Run the workflow on the tables; seconds. Its output is shown if it fails."""
    command = [
        *(sys.executable, "-m", "snakemake", "--cores", str(cores), "--nolock", "--quiet", "all"),
        *("--directory", str(results.parent), "--snakefile", str(HOME / "Snakefile")),
        *("--config", "analysis_only=true", f"regions_table={tables[0]}"),
        *(f"clinical_table={tables[1]}", f"results_dir={results}", *settings),
    ]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(done.stdout + done.stderr)
    return time.perf_counter() - start


class PeakOfTree:
    """Peak resident memory (MB = 10⁶ bytes) of all processes below this one, ten times a second."""

    def __enter__(self) -> PeakOfTree:
        self.megabytes = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        import psutil

        while not self._ended.wait(0.1):
            found = 0
            for process in psutil.Process(os.getpid()).children(recursive=True):
                try:
                    found += process.memory_info().rss
                except psutil.Error:
                    continue
            self.megabytes = max(self.megabytes, found / 1e6)


def costs(results: Path) -> pd.DataFrame:
    """Seconds and peak memory (MB = 2²⁰ bytes, as Snakemake has it) of every job, slowest first."""
    files = sorted((results / "benchmarks").rglob("*.tsv"))
    jobs = [str(path.relative_to(results / "benchmarks").with_suffix("")) for path in files]
    table = pd.concat([pd.read_csv(path, sep="\t", na_values="-") for path in files])
    table = table[["s", "cpu_time", "max_rss"]].assign(job=jobs)
    return table.sort_values("s", ascending=False)[["job", "s", "cpu_time", "max_rss"]]


def main() -> None:
    """Print a row per job, the sum, and the whole run."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--visits", type=int, default=1, help="sessions of each, at most")
    parser.add_argument("--cores", type=int, default=2)
    parser.add_argument("--folder", help="kept, instead of a temporary one")
    parser.add_argument("--config", nargs="*", default=[], help="more settings, KEY=VALUE")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(args.folder or temporary).resolve()
        tables = write_cohort(folder, args.subjects, args.visits)
        with PeakOfTree() as peak:
            seconds = run(tables, folder / "results", args.cores, args.config)
        table = costs(folder / "results")
        print(table.to_string(index=False, float_format="%.1f"))
        report = (folder / "results/report.html").stat().st_size / 1e6
        print(
            f"{args.subjects} subjects, {tables[0].stat().st_size / 1e6:.0f} MB of regions, "
            f"{args.cores} cores: {seconds:.0f} s (jobs {table['s'].sum():.0f} s), all processes "
            f"together at most {peak.megabytes:.0f} MB, largest job {table['max_rss'].max():.0f} "
            f"MB; report {report:.1f} MB"
        )


if __name__ == "__main__":
    main()
