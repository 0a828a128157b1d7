"""A rule names each file that its job reads, and no other: nothing is stale or runs in vain."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from end_to_end.opened_files import Job, jobs_of
from end_to_end.small_cohort import Run

pytestmark = pytest.mark.end_to_end

RECORDS = "/results/benchmarks/"
"""What each job cost: the report shows it as it is, and no job runs again because one changed."""


def faults(jobs: Iterable[Job]) -> dict[str, set[str]]:
    """By rule, the files that are read and not named, or named and not read."""
    found: dict[str, set[str]] = {}
    for job in jobs:
        unnamed = {path for path in job.unnamed if RECORDS not in path}
        for path in unnamed:
            found.setdefault(job.rule, set()).add(f"reads {path}")
        for path in job.unread:
            found.setdefault(job.rule, set()).add(f"names {path}")
    return found


def rules_of(jobs: Iterable[Job]) -> set[str]:
    """The rules of which a job was watched."""
    return {job.rule for job in jobs if job.read}


def test_the_demos_jobs_read_what_their_rules_name(demo: Run) -> None:
    assert faults(jobs_of(demo)) == {}
