"""A study: its parts, put together from the configuration."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..bids import Scan, find_scans, scanned_sessions
from ..clinical import clinical_values
from ..clinical.phenotype import tables_beside
from ..clinical.visits import Visits, read_visits
from ..config import Config, load_config, variant
from ..dataset import check_demo_folder
from ..errors import InputError, Problem
from ..failures import Failure
from ..results import Results
from ..spelling import twin_label
from .branches import Branch, Sharing, branches
from .change import ChangeOverTime, sessions_in
from .checked_settings import checked_settings
from .clinical import ClinicalValues
from .cohort import Cohort
from .demo import Demo, with_roles_of_demo
from .deposit_inputs import DepositInputs
from .design import fit_design
from .failed_scans import FailureRecords
from .gathered_tests import GatheredTests
from .given_tables import COVARIATE_TABLES, check_given_tables, names_in
from .label_sources import LabelSources
from .multiverse import MultiverseLayout
from .ready_inputs import refuse_ready_maps, unserved
from .results_folder import check_results_folder, refused_results
from .sessions import with_session
from .settings import Settings
from .source_files import Output, refuse_overwriting
from .source_inputs import separable
from .variant_inputs import VariantInputs

if TYPE_CHECKING:
    from ..checks.cohort import Inspection


def load_study(values: Mapping[str, Any], home: str | Path, underway: bool = False) -> Study:
    """The study of a raw configuration; ``home`` is the project's folder.

    ``underway`` says that a run has begun, whose jobs must all see the same cohort: every record
    of a failed scan holds, where a run that begins tries those again whose cause may be gone.

    Raises
    ------
    InputError
        For a configuration that does not hold, or a data set without scans.
    """
    return Study(load_config(dict(values)), home, underway)


class Study:
    """What the rules of the workflow are written in.

    ``cohort`` has the scans, ``settings`` the parameters, ``clinical`` the clinical values,
    ``multiverse`` the branches, ``paths`` the results and ``demo`` the built-in cohort.
    ``failures`` are of the scans that are left out because they failed before, and
    ``without_phase`` those that are because they have none.
    """

    def __init__(self, config: Config, home: str | Path, underway: bool = False) -> None:
        config = with_roles_of_demo(config)
        self.home = Path(os.path.relpath(home))
        self.paths = Results(config.results_dir)
        self.is_demo = config.bids_dir is None
        self.has_images = not config.analysis_only
        demo_folder = f"{config.results_dir}/sourcedata/demo"
        self.demo = Demo(
            self.home,
            demo_folder,
            config.demo.participants,
            config.demo.controls,
            config.demo.visits,
        )
        self.bids_dir = demo_folder if self.is_demo else str(config.bids_dir)
        self.clinical_table = self._clinical_table(config.clinical_table)
        placed = [] if underway else self._check_folders(config)
        found = self._find_scans(config) if self.has_images else []
        refuse_ready_maps(config, found, self.bids_dir)
        scans, self.without_phase = self._with_phase(found)
        # A table that is named must exist; one that is merely usual may be missing.
        usual = config.clinical_table is None and self.has_images
        self.has_clinical = not usual or os.path.lexists(self.clinical_table)
        visits = (
            read_visits(self.clinical_table, config.change.months)
            if self.has_clinical
            else Visits()
        )
        # where there are images, their folders tell
        self.measured = None if self.has_images else sessions_in(self.regions_table_of(config))
        sessions = scanned_sessions(scans) if self.measured is None else self.measured
        config, told = with_session(config, sessions, visits)
        values = (
            clinical_values(self.clinical_table, config.statistics.session, self.measured)
            if self.has_clinical
            else {}
        )
        columns = {name for row in values.values() for name in row} if values else None
        age = ClinicalValues(values, config).age
        self.failure_records = FailureRecords(self.paths, config, self.home, age)
        scans, self.failures = self._without_failed(scans, config, underway)
        config, left_out = fit_design(config, columns, self.clinical_table)
        self.left_out = [*placed, *left_out, *(told if config.contrasts or config.scores else [])]
        self.config = config
        if not self.has_images:
            check_given_tables(
                self.regions_table, self.paths.group(""), self._covariates(), columns or ()
            )
        self.clinical = ClinicalValues(values, config)
        sources = LabelSources(
            config.atlases, scans, self.bids_dir, self.home, config.registration.without_t1w
        )
        served = self._served(config, Cohort(scans, self.paths, config.variants, sources))
        self.settings = Settings(config, self.home, served)
        self.cohort = Cohort(
            scans, self.paths, config.variants, sources, served, Sharing(config, served)
        )
        self.contrasts = list(config.contrasts)
        self.scores = list(config.scores)
        self.multiverse = MultiverseLayout(self)
        self.change = ChangeOverTime(self, visits, sessions)
        self.left_out += self.change.problems
        self.gathered_tests = GatheredTests(self)
        if self.has_images:
            # problems are named when the workflow is read
            self.cohort.variant_inputs(self)
            DepositInputs(self.cohort, self.settings, self.clinical).check(self.clinical_table)

    def _served(self, config: Config, cohort: Cohort) -> list[Branch]:
        """The branches of the multiverse that all scans can have; of the others, a warning.

        Raises
        ------
        InputError
            For an atlas or region that does not exist.
        """
        if not (self.has_images and cohort.labelled(cohort.first_atlas)):
            return []
        table = cohort.label_sources.label_table
        inputs = VariantInputs(cohort, lambda desc: variant(config, desc), self.bids_dir, table)
        served = []
        for branch in branches(config):
            if branch.separation and not any(map(separable, cohort.scans)):
                continue
            if unknown := inputs.unknown_reference(branch.chain, "multiverse"):
                raise InputError(*unknown)
            lacking = inputs.problems(branch.chain, branch.regions, "multiverse")
            lacking += unserved(branch, cohort.scans)
            self.left_out += [
                replace(problem, severity="warning", remedy="The choice is left out.")
                for problem in lacking[:1]
                if problem.where not in {other.where for other in self.left_out}
            ]
            served += [] if lacking else [branch]
        return served

    def _check_folders(self, config: Config) -> list[Problem]:
        """Refuse folders that are another's; warnings about the results folder."""
        warnings = check_results_folder(config.results_dir, config.bids_dir, self.home)
        if self.is_demo and self.has_images:
            check_demo_folder(self.bids_dir)
        return warnings

    def refuse_overwriting(self, outputs: Iterable[Output], configs: Iterable[str]) -> None:
        """Raise :class:`InputError` if an output of a rule is a file that the user brought."""
        refuse_overwriting(self, outputs, configs)

    def _find_scans(self, config: Config) -> list[Scan]:
        excluded = {label.removeprefix("sub-") for label in config.exclude}
        wanted = {label.removeprefix("sub-") for label in config.participant_label}
        if self.is_demo:
            scans = self.demo.scans()
        elif Path(self.bids_dir).is_dir():
            where = (config.session_label, config.results_dir, config.maps.templates)
            scans = find_scans(self.bids_dir, wanted, *where, config.select, config.select_t1w)
        else:
            raise InputError(
                Problem(
                    "config, bids_dir",
                    repr(self.bids_dir),
                    "an existing folder",
                    "Check the path.",
                )
            )
        scans = [
            scan
            for scan in scans
            if scan.subject not in excluded and (not wanted or scan.subject in wanted)
        ]
        if not scans:
            raise InputError(
                *self._labels_of_nobody(wanted),
                Problem(
                    self.bids_dir,
                    "no scan",
                    "files like sub-01/anat/sub-01_echo-1_part-mag_MEGRE.nii.gz",
                    "Check bids_dir, participant_label, session_label and exclude.",
                ),
            )
        return scans

    def _labels_of_nobody(self, wanted: set[str]) -> Iterator[Problem]:
        """Labels of the config that no folder of the data set has."""
        there = sorted(path.name.removeprefix("sub-") for path in Path(self.bids_dir).glob("sub-*"))
        for label in sorted(wanted - set(there)):
            twin = twin_label(label, there)
            yield Problem(
                "config, participant_label",
                repr(label) + (f" (there is {twin!r})" if twin else ""),
                "a label that the data set has",
                "Correct it; put quotes round labels with leading zeros.",
            )

    def _with_phase(self, scans: list[Scan]) -> tuple[list[Scan], list[Scan]]:
        """The scans that have phase or a ready map, and those of magnitude alone, left out."""
        kept = [scan for scan in scans if scan.has_chi]
        if scans and not kept:
            raise InputError(
                Problem(
                    self.bids_dir,
                    "no scan with phase images",
                    "files like sub-01/anat/sub-01_echo-1_part-phase_MEGRE.nii.gz",
                    "Export the phase images; see docs/inputs.md for the names.",
                )
            )
        return kept, [scan for scan in scans if not scan.has_chi]

    def _without_failed(
        self, scans: list[Scan], config: Config, underway: bool
    ) -> tuple[list[Scan], list[Failure]]:
        """The scans that take part, and the failures of the others."""
        if config.on_subject_failure == "stop":
            return scans, []
        records = self.failure_records
        failures = [one for one in records.read(scans) if underway or records.stands(one)]
        failed = {(one.folder, one.entities) for one in failures}
        kept = [scan for scan in scans if (scan.folder, scan.entities) not in failed]
        if scans and not kept:
            raise InputError(
                Problem(
                    str(records.folder),
                    f"a failed job of every scan, such as {failures[0]}",
                    "one scan at least without",
                    "See the logs; when the cause is mended, delete the folder.",
                )
            )
        return kept, failures

    @property
    def failure_files(self) -> list[str]:
        """The records of the scans that are left out because they failed."""
        return [str(self.failure_records.path(failure)) for failure in self.failures]

    @property
    def checked_settings(self) -> dict[str, Any]:
        """The blocks of the configuration that the input check reads."""
        settings = checked_settings(self.config)
        if self.is_demo and self.has_images:
            settings["participant_label"] = [scan.subject for scan in self.cohort.scans]
        return settings

    @property
    def named_files(self) -> list[str]:
        """What the config names: files of the atlases, each scan's own labels, mask and R2."""
        chains = self.cohort.variant_inputs(self).chains.values()
        templates = dict.fromkeys(path for chain in chains for path in chain.own_images)
        own = [scan.file(path, self.bids_dir) for path in templates for scan in self.cohort.scans]
        return [*self.cohort.label_sources.files, *map(str, own)]

    def inspect(self) -> Inspection:
        """As :meth:`inspect_inputs`, and whether results can be written."""
        inspection = self.inspect_inputs()
        inspection.problems += refused_results(self.paths.root)
        return inspection

    def inspect_inputs(self) -> Inspection:
        """Check all inputs that are there: the clinical table, and the images unless the demo's
        are still to be simulated (or none are used).
        """
        from .inspection import inspect_study

        return inspect_study(self)

    def _clinical_table(self, named: str | None) -> str:
        """The clinical table: a source file, never a rule's output."""
        if named:
            return named
        return self.demo.participants if self.is_demo else f"{self.bids_dir}/participants.tsv"

    @property
    def tables_beside(self) -> list[str]:
        """The tables that are joined to the clinical table."""
        return [str(path) for path in tables_beside(Path(self.clinical_table))]

    @property
    def regions_table(self) -> str:
        """The long table that the group results start from."""
        return self.regions_table_of(self.config)

    def regions_table_of(self, config: Config) -> str:
        """The same, of a configuration that is not fitted yet."""
        return config.regions_table or self.paths.group("regions.tsv")

    @property
    def given_atlases(self) -> list[str]:
        """The configured atlases that a regions table has which no job makes."""
        names = [] if self.has_images else self.cohort.atlases
        return names_in(self.regions_table, "atlas", names)

    @property
    def quantiles_tables(self) -> list[str]:
        """The quantile functions that belong to the regions table; none to one from elsewhere."""
        return self._beside_regions("quantiles.tsv")

    @property
    def calibration_tables(self) -> list[str]:
        """The calibration lines that belong to the regions table; none to one from elsewhere."""
        return self._beside_regions("calibration.tsv")

    def _beside_regions(self, name: str) -> list[str]:
        table = self.paths.group(name)
        own = Path(self.regions_table).resolve() == Path(self.paths.group("regions.tsv")).resolve()
        return [table] if self.has_images or (own and Path(table).is_file()) else []

    @property
    def quality_tables(self) -> list[str]:
        """The quality table, where there are images."""
        return [self.paths.group("quality.tsv")] if self.has_images else []

    @property
    def tables_of_images(self) -> list[str]:
        """The tables that nothing else is made from, where there are images."""
        names = ("calibration.tsv", "thresholds.tsv") if self.has_images else ()
        return [self.paths.group(name) for name in names]

    @property
    def deviations(self) -> list[str]:
        """The table of the patients' deviations, where controls are named."""
        return [self.paths.group("deviations.tsv")] if self.config.roles else []

    def covariate_quality(self, choices: bool = False) -> list[str]:
        """The quality table, if a covariate comes from it; with ``choices``, any set's."""
        return self._covariate_table("quality.tsv", choices)

    def covariate_volumes(self, choices: bool = False) -> list[str]:
        """The table of the regions' volumes, if they are a covariate."""
        return self._covariate_table("region_voxels.tsv", choices)

    def _covariate_table(self, name: str, choices: bool) -> list[str]:
        path = self.paths.group(name)
        asked = self._covariates(choices) & set(COVARIATE_TABLES[name])
        # Without images it is no rule's output; where it lacks, the clinical table has the column.
        return [path] if asked and (self.has_images or Path(path).exists()) else []

    def _covariates(self, choices: bool = True) -> set[str]:
        """The covariates of the config; with ``choices``, those of the multiverse as well."""
        sets = (self.config.covariates, *(self.config.multiverse.covariates if choices else ()))
        return {covariate for names in sets for covariate in names}

    def label_table(self, atlas: str) -> str:
        """Label table of an atlas."""
        return self.cohort.label_sources.label_table(atlas)

    def every_contrast(self, path: str) -> list[str]:
        """A path for every contrast."""
        return [path.format(contrast=contrast) for contrast in self.contrasts]

    def every_score(self, path: str) -> list[str]:
        """A path for every score."""
        return [path.format(score=score) for score in self.scores]
