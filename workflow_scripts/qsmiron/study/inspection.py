"""The check of a study's inputs: the images, the clinical table and its visits, a given table."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..checks.cohort import Inspection, inspect_inputs
from ..checks.named_files import check_atlases
from ..checks.regions_table import check_regions_table
from ..clinical import check_clinical
from ..clinical.visits import check_scores, check_visits, read_visits
from ..errors import Problem

if TYPE_CHECKING:
    from .study import Study

_DESIGN = (
    "contrasts", "scores", "covariates", "categorical", "roles", "scores_of", "models",
    "statistics",
)  # fmt: skip


def inspect_study(study: Study) -> Inspection:
    """As :meth:`.Study.inspect_inputs`."""
    settings = study.checked_settings
    simulated = not study.is_demo or all(Path(path).exists() for path in study.cohort.raw_files)
    if study.has_images and simulated:
        inspection = inspect_inputs(study.bids_dir, study.clinical_table, settings)
    else:
        participants = [scan.participant_id for scan in study.cohort.scans] or None
        inspection = Inspection(
            check_clinical(
                study.clinical_table,
                participants,
                **{key: settings.get(key) for key in _DESIGN},
                ranges=settings["clinical_ranges"],
                session=study.config.statistics.session,
                measured=study.measured,
            )
        )
        inspection.problems += check_atlases(settings) if study.has_images else []
    if not study.has_images:
        inspection.problems += check_regions_table(
            study.regions_table,
            study.clinical.participants,
            study.config.exclude,
            study.config.participant_label,
            study.config.statistics.session,
        )
    if not study.has_clinical and not (study.contrasts or study.scores):
        # Nothing asks for the missing table.
        inspection.problems = [
            problem
            for problem in inspection.problems
            if not problem.where.startswith(study.clinical_table)
        ]
    inspection.problems += _visit_problems(study)
    inspection.problems += study.left_out
    return inspection


def _visit_problems(study: Study) -> list[Problem]:
    """What is wrong with the times and scores of the visits, where there are several sessions."""
    if not (study.has_clinical and study.change.has_sessions):
        return []
    visits = read_visits(study.clinical_table, study.config.change.months)
    return [*check_visits(visits), *check_scores(visits, study.change.scores)]
