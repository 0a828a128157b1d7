"""Participants with several visits: what their common template is made from, and who uses it.

A participant with one scan has no such job: the study is planned as if there were none.
"""

from __future__ import annotations

import re
from typing import Protocol

from .cohort import Cohort, Wildcards


class SubjectWildcards(Protocol):
    """What tells the jobs apart that are of all visits of a participant."""

    subject: str


class VisitInputs:
    """Files of the template within the participant, of those who have several scans."""

    def __init__(self, cohort: Cohort) -> None:
        self._cohort = cohort
        self._repeated = cohort.label_sources.repeated

    @property
    def any(self) -> bool:
        """Whether anybody has several."""
        return bool(self._repeated)

    @property
    def scans(self) -> str:
        """Regular expression of their names (``entities``); of nothing if there are none."""
        names = {
            re.escape(scan.entities)
            for scan in self._cohort.scans
            if scan.subject in self._repeated
        }
        return "|".join(sorted(names)) or "(?!)"

    def t1w(self, wildcards: SubjectWildcards) -> list[str]:
        """The T1w of every visit that has one."""
        return [str(scan.t1w) for scan in self._repeated[wildcards.subject] if scan.t1w]

    def labels(self, wildcards: SubjectWildcards) -> list[str]:
        """The labels of these visits."""
        scans = self._repeated[wildcards.subject]
        return [scan.session or scan.entities for scan in scans if scan.t1w]

    def label(self, wildcards: Wildcards) -> str:
        """The label of a scan's visit."""
        scan = self._cohort.scan(wildcards)
        return scan.session or scan.entities

    def own_t1w(self, wildcards: Wildcards) -> list[str]:
        """The T1w of a visit, if it has one."""
        t1w = self._cohort.scan(wildcards).t1w
        return [str(t1w)] if t1w else []

    def of_head(self, wildcards: Wildcards) -> dict[str, str]:
        """The files of the template within the participant that a scan belongs to."""
        paths, subject = self._cohort.paths, self._cohort.scan(wildcards).subject
        files = {
            "image": paths.head_image,
            "tissues_of_head": paths.head_tissues,
            "displacement": paths.head_displacement,
            "maps": paths.visit_maps,
        }
        return {name: path.format(subject=subject) for name, path in files.items()}
