"""A look at the source files before a run is planned: that each is there, and not from the future.

Of files that are not there Snakemake names those of one job, or passes over them where their
results exist. Each file's entry in its folder is looked at and none is opened: what is wrong with
it, and with all the others, the input check says.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..stored_files import is_astray

if TYPE_CHECKING:
    from ..checks.cohort import Inspection
    from .study import Study


def lacks_files(study: Study) -> bool:
    """Whether a source file that jobs read is missing, or from the future."""
    if not study.has_images:
        return False
    cohort, now = study.cohort, time.time()
    files = [*study.named_files, *study.tables_beside]
    files += [study.clinical_table] * study.has_clinical
    if not study.is_demo:
        uneven = (
            scan.has_phase and len(scan.magnitude) != len(scan.phase) for scan in cohort.scans
        )
        if cohort.label_sources.unmatched or any(uneven):
            return True
        files += [*cohort.raw_files, *cohort.raw_sidecars]
    return any(is_astray(path, now) for path in files)


def with_all_files(
    study: Study, action: Callable[..., Any], tell: Callable[[Inspection], None]
) -> Callable[..., Any]:
    """An action before which ``tell`` gets the input check, if a source file lacks."""

    def after_a_look(*args: Any, **kwargs: Any) -> Any:
        if lacks_files(study):
            tell(study.inspect_inputs())
        return action(*args, **kwargs)

    return after_a_look
