"""Scans of which a job failed, and how long they are left out.

Nothing that depends on a failed job can be made in the same run. Its record in
``results/work/failures`` takes the scan out of the cohort of the runs that follow, if the config
says so (``on_subject_failure``), until the scan's files, the settings or the code have changed.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from ..bids import Scan
from ..config import Config
from ..errors import InputError
from ..failures import NO_MESSAGE, Failure, read_failure, reason_in, write_failure
from ..results import Results
from ..sidecars import sidecar_path, sidecars_of
from ..stored_files import check_time

_SETTINGS: dict[str, Any] = {
    "demo": {"voxel_size"},
    **dict.fromkeys(("bids_dir", "acquisition", "reconstruction", "variants"), True),
    **dict.fromkeys(("registration", "atlases", "regions", "iron", "multiverse"), True),
}
"""What jobs of a scan read of the configuration."""

LEAST_FREE = 2**24
"""Bytes of a disk; with less it counts as full."""


class Job(Protocol):
    """A job as the workflow engine has it; a group of jobs has the others in ``jobs``."""

    rule: Any
    wildcards: Any
    input: Iterable[str]
    log: Iterable[str]
    benchmark: str | None

    def is_group(self) -> bool:
        """Whether it is a group of jobs."""


@dataclass(frozen=True)
class FailedCohortJob:
    """A job of the whole cohort that failed: nothing can go on without it, so nothing is kept."""

    rule: str
    reason: str
    log: str

    def __str__(self) -> str:
        return f"{self.rule} failed: {self.reason} (log: {self.log})"


class FailureRecords:
    """The records in a results folder.

    ``age`` takes the folder of a scan to its participant's age as its jobs are told it; ``home``
    is the project's folder.
    """

    def __init__(
        self, paths: Results, config: Config, home: Path, age: Callable[[str], str]
    ) -> None:
        self.folder = Path(paths.failures)
        self._results = Path(paths.root)
        self._config = config
        self._home = home
        self._age = age

    def path(self, failure: Failure) -> Path:
        """The file of a record."""
        return self._path(failure.entities)

    def _path(self, entities: str) -> Path:
        return self.folder / f"{entities}.json"

    def read(self, scans: Iterable[Scan]) -> list[Failure]:
        """All records that belong to one of these scans; what is no record is passed over."""
        wanted = {(scan.folder, scan.entities) for scan in scans}
        found = []
        for path in sorted(self.folder.glob("*.json")):
            try:
                failure = read_failure(path)
            except (InputError, TypeError):
                continue
            if (failure.folder, failure.entities) in wanted:
                found.append(failure)
        return found

    def stands(self, failure: Failure) -> bool:
        """Whether the same would happen again: nothing that the job depends on has changed."""
        return (
            failure.lasting
            and failure.state == self._state(failure.folder)
            and failure.files == {path: _stamp(path) for path in failure.files}
        )

    def forget(self, scans: Iterable[Scan]) -> None:
        """Remove the records of these scans, which are tried again."""
        for scan in scans:
            self._path(scan.entities).unlink(missing_ok=True)

    def write(self, failures: Iterable[Failure]) -> None:
        """Write the records of these failures."""
        for failure in failures:
            write_failure(self.path(failure), failure)

    def found(self, jobs: Iterable[Job], scans: Iterable[Scan], since: float) -> list[Failure]:
        """The failure of each scan of which one of these jobs failed.

        Parameters
        ----------
        jobs
            Jobs that failed since the time ``since`` (s, epoch), and groups of which one did.
        scans
            The study's scans. Jobs of none of them, such as the cohort's, are passed over.
        """
        found: dict[str, Failure] = {}
        for job, scan in _with_scans(jobs, scans, since):
            if scan is None:
                continue
            failure = self._failure(job, scan, since)
            known = found.setdefault(scan.entities, failure)
            # a job may have been killed because of another that says why
            if known.reason == NO_MESSAGE:
                found[scan.entities] = failure
        return list(found.values())

    def of_cohort(
        self, jobs: Iterable[Job], scans: Iterable[Scan], since: float
    ) -> list[FailedCohortJob]:
        """Those of these jobs that belong to none of the scans. Parameters as of :meth:`found`."""
        return [
            FailedCohortJob(str(job.rule), self._reason(job, since)[0], _logs(job))
            for job, scan in _with_scans(jobs, scans, since)
            if scan is None
        ]

    def _reason(self, job: Job, since: float) -> tuple[str, bool]:
        # a job that was killed before it wrote anything left at most the log of another run
        text = "".join(_text(path) for path in job.log if _modified(path) >= since)
        reason, lasting = reason_in(text)
        if reason == NO_MESSAGE and _is_full(self._results):
            # the log could not be written either
            reason = f"No space left on device: {self._results}. Free some space."
        if reason == NO_MESSAGE:
            # Snakemake itself fails a job whose results are older than an input
            now = time.time()
            late = [str(problem) for path in job.input for problem in check_time(path, now)]
            reason = late[0] if late else reason
        return reason, lasting

    def _failure(self, job: Job, scan: Scan, since: float) -> Failure:
        reason, lasting = self._reason(job, since)
        files = {str(path) for image in scan.files for path in (image, sidecar_path(image))}
        files |= {str(path) for image in scan.raw_echoes for path in sidecars_of(image)}
        files |= {str(path) for path in job.input if self._results not in Path(path).parents}
        return Failure(
            scan.folder,
            scan.entities,
            str(job.rule),
            _logs(job),
            reason,
            lasting,
            self._state(scan.folder),
            {path: _stamp(path) for path in sorted(files)},
        )

    def note_state(self) -> None:
        """Take the code as it is now for that of the run's jobs, whatever is edited meanwhile."""
        self._code  # noqa: B018 - works it out

    def _state(self, folder: str) -> str:
        """Digest of the settings, the code and the clinical value that jobs of a scan depend on."""
        settings = self._config.model_dump_json(include=_SETTINGS)
        content = json.dumps([settings, self._code, self._age(folder)])
        return hashlib.sha256(content.encode()).hexdigest()[:16]

    @cached_property
    def _code(self) -> str:
        # All of it: a scan that is tried once too often costs less than a list to keep up to date.
        digest = hashlib.sha256()
        files = [*self._home.glob("workflow_scripts/**/*.py"), *self._home.glob("envs/*")]
        for path in sorted(files):
            digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
        return digest.hexdigest()


def _with_scans(
    jobs: Iterable[Job], scans: Iterable[Scan], since: float
) -> Iterator[tuple[Job, Scan | None]]:
    """The jobs that failed, the earliest first, each with its scan."""
    scans = list(scans)
    by_name = {(scan.folder, scan.entities): scan for scan in scans}
    by_subject = {scan.subject: scan for scan in scans}
    for job in sorted((one for each in jobs for one in _culprits(each, since)), key=_when):
        wildcards = job.wildcards
        name = (getattr(wildcards, "folder", ""), getattr(wildcards, "entities", ""))
        yield job, by_name.get(name) or by_subject.get(getattr(wildcards, "subject", ""))


def _culprits(job: Any, since: float) -> Iterator[Job]:
    """The job; of a group the jobs that began and did not end, or any if all are of one scan."""
    if not job.is_group():
        yield job
        return
    members = sorted(job.jobs, key=lambda one: str(one.rule))
    begun = [one for one in members if since <= _when(one) < math.inf]
    unfinished = [one for one in begun if _modified(one.benchmark or "") < _when(one)]
    if not unfinished and len({getattr(one.wildcards, "folder", "") for one in members}) == 1:
        unfinished = members[:1]
    yield from unfinished


def _when(job: Job) -> float:
    """When a job last wrote to its log (s); infinity if it never did."""
    times = [time for path in job.log if (time := _modified(path)) > -math.inf]
    return min(times, default=math.inf)


def _logs(job: Job) -> str:
    return ", ".join(str(path) for path in job.log) or "none"


def _modified(path: str | Path) -> float:
    try:
        return Path(path).stat().st_mtime if path else -math.inf
    except OSError:
        return -math.inf


def _is_full(folder: Path) -> bool:
    try:
        return shutil.disk_usage(folder).free < LEAST_FREE
    except OSError:
        return False


def _stamp(path: str | Path) -> list[int]:
    try:
        found = Path(path).stat()
    except OSError:
        return []
    return [found.st_size, found.st_mtime_ns]


def _text(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def in_words(failures: Iterable[Failure] | Iterable[FailedCohortJob]) -> str:
    """One line for each failure, indented."""
    return "\n".join(f"  {failure}" for failure in failures)
