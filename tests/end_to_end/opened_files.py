"""Which files each job of a run opened, and which its rule names."""

from __future__ import annotations

import csv
import io
import json
import os
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from end_to_end.small_cohort import HOME, Run

AUDIT = Path(__file__).parent / "audit"
_NOT_DATA = [
    HOME / "workflow_scripts",
    AUDIT,
    Path(sys.prefix),
    Path(sys.base_prefix),
    *(Path(folder) for folder in sysconfig.get_paths().values()),
    Path("/proc"),
    Path("/dev"),
    Path("/sys"),
    Path("/etc"),
    Path("/usr"),
    Path.home() / ".cache",
    Path.home() / ".config",
]
"""The code itself, the packages and their data, and the machine's own files."""


@dataclass
class Job:
    """A job: what its rule names and what its script opened. Real, absolute paths."""

    rule: str
    named: set[str]
    outputs: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)

    @property
    def unnamed(self) -> set[str]:
        """Files that the job read and its rule does not name: stale when they change."""
        return self.read - self.named - self.outputs

    @property
    def unread(self) -> set[str]:
        """Files that the rule names and the job did not read: it would run for nothing."""
        return self.named - self.read


def watched(run: Run) -> dict[str, str]:
    """The environment in which the jobs of a run are written down."""
    folder = run.folder / "opened"
    folder.mkdir(exist_ok=True)
    path = os.pathsep.join(filter(None, [str(AUDIT), os.environ.get("PYTHONPATH")]))
    return {**os.environ, "PYTHONPATH": path, "OPENED_FILES": str(folder)}


def jobs_of(run: Run) -> list[Job]:
    """The jobs of a run that was :func:`watched`, those that wrote an output."""
    jobs: dict[str, Job] = {}
    by_output: dict[str, Job] = {}
    for row in _summary(run):
        command = row["shellcmd"]
        if command not in jobs:
            names = filter(None, row["input-file(s)"].split(","))
            named = {_real(run, name) for name in names}
            jobs[command] = Job(row["rule"], {name for name in named if _is_data(Path(name))})
        output = _real(run, row["output_file"])
        jobs[command].outputs.add(output)
        by_output[output] = jobs[command]
    for read, written in _processes(run):
        made = {id(job): job for path in written if (job := by_output.get(path))}
        for job in made.values():
            job.read |= read
    return list(jobs.values())


def _summary(run: Run) -> Iterator[dict[str, str]]:
    text = run.snakemake("--detailed-summary").stdout
    start = text.index("output_file\t")
    for row in csv.DictReader(io.StringIO(text[start:]), delimiter="\t", quoting=csv.QUOTE_NONE):
        if row["rule"] not in ("-", None):
            yield row


def _processes(run: Run) -> Iterator[tuple[set[str], set[str]]]:
    """What each script read and what it put in place."""
    for path in sorted((run.folder / "opened").glob("*.jsonl")):
        (_, argv), *events = (json.loads(line) for line in path.read_text().splitlines())
        if not any("workflow_scripts/" in part for part in argv):
            continue
        files: dict[str, set[str]] = {"r": set(), "w": set(), "m": set()}
        for kind, opened in events:
            files[kind].add(os.path.realpath(opened))
        yield {one for one in files["r"] - files["w"] if _is_data(Path(one))}, files["m"]


def _is_data(path: Path) -> bool:
    own = path.parent == Path(tempfile.gettempdir()) and path.name.startswith("qsmiron-")
    return not own and not any(path.is_relative_to(folder) for folder in _NOT_DATA)


def _real(run: Run, name: str) -> str:
    return os.path.realpath(run.folder / name)
