"""The scans of a study: the raw files of each, and a path's instances over all of them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from ..bids import Scan
from ..raw_parts import files_of_echo
from ..results import Results
from ..sidecars import sidecar_path, sidecars_of
from .branches import Branch, Sharing
from .label_sources import LabelSources
from .variant_inputs import VariantInputs

if TYPE_CHECKING:
    from ..config import AcquisitionSettings
    from .study import Study


_RAW_OPTIONS = {
    "mag": "--raw-magnitude",
    "phase": "--raw-phase",
    "real": "--real",
    "imag": "--imaginary",
}


class Wildcards(Protocol):
    """What tells one job of a rule from another; those of its path's labels."""

    folder: str
    entities: str
    desc: str
    atlas: str
    echo: str


class Cohort:
    """All scans, with the variants and atlases that each is processed for."""

    def __init__(
        self,
        scans: list[Scan],
        paths: Results,
        variants: Iterable[str],
        label_sources: LabelSources,
        branches: Iterable[Branch] = (),
        sharing: Sharing | None = None,
    ) -> None:
        self.scans = scans
        self.paths = paths
        self.variants = list(variants)
        self.branches = list(branches)
        self._branch_labels = {branch.desc for branch in self.branches}
        self._sharing = sharing
        self.label_sources = label_sources
        self.atlases = list(label_sources.atlases)
        self._by_name = {(scan.folder, scan.entities): scan for scan in scans}
        self._variant_inputs: VariantInputs | None = None
        self._known_sidecars: dict[Path, list[str]] = {}

    def variant_inputs(self, study: Study) -> VariantInputs:
        """What the variants ask for; raises as :class:`VariantInputs` the first time."""
        if self._variant_inputs is None:
            self._variant_inputs = VariantInputs(
                self, study.settings.variant, study.bids_dir, self.label_sources.label_table,
                study.config.regions,
            )  # fmt: skip
        return self._variant_inputs

    # --- raw files -------------------------------------------------------------------------------

    def scan(self, wildcards: Wildcards) -> Scan:
        """The scan that a job works on."""
        return self._by_name[wildcards.folder, wildcards.entities]

    def magnitude(self, wildcards: Wildcards) -> list[str]:
        """Magnitude images of a scan, echo by echo."""
        return [str(path) for path in self.scan(wildcards).magnitude]

    def first_magnitude(self, wildcards: Wildcards) -> str:
        """Magnitude of the first echo."""
        return self.magnitude(wildcards)[0]

    def phase(self, wildcards: Wildcards) -> list[str]:
        """Phase images of a scan, echo by echo."""
        return [str(path) for path in self.scan(wildcards).phase]

    def magnitude_sidecars(self, wildcards: Wildcards) -> list[str]:
        """Every sidecar that applies to one of the magnitude images."""
        return self.sidecars(self.scan(wildcards).magnitude)

    def first_magnitude_sidecars(self, wildcards: Wildcards) -> list[str]:
        """Every sidecar that applies to the magnitude of the first echo."""
        return self.sidecars([self.scan(wildcards).magnitude[0]])

    def phase_sidecars(self, wildcards: Wildcards) -> list[str]:
        """Every sidecar that applies to one of the phase images."""
        return self.sidecars(self.scan(wildcards).phase)

    def sidecars(self, images: Iterable[Path]) -> list[str]:
        """The sidecars of images, inherited ones too; of one that has none, that beside it."""
        found: dict[str, None] = {}
        for image in images:
            if image not in self._known_sidecars:
                there = sidecars_of(image) or [sidecar_path(image)]
                self._known_sidecars[image] = [str(path) for path in there]
            found |= dict.fromkeys(self._known_sidecars[image])
        return list(found)

    def phase_units(self, wildcards: Wildcards, acquisition: AcquisitionSettings) -> str:
        """How its phase images store their values: what the config says, but for those that are
        made of real and imaginary parts and declare rad.
        """
        scan = self.scan(wildcards)
        return "declared" if "real" in scan.parts else acquisition.units_of(scan.folder)

    def raw_echo_options(self, wildcards: Wildcards) -> list[str]:
        """The raw files that an echo is extracted from, as options of extract_echo."""
        return [
            text
            for part, path in self._raw_echo(wildcards).items()
            for text in (_RAW_OPTIONS[part], str(path))
        ]

    def raw_echo_files(self, wildcards: Wildcards) -> list[str]:
        """These files and their sidecars."""
        files = self._raw_echo(wildcards).values()
        return [*map(str, files), *self.sidecars(files)]

    def _raw_echo(self, wildcards: Wildcards) -> dict[str, Path]:
        return files_of_echo(self.scan(wildcards).parts, int(wildcards.echo))

    def t1w(self, wildcards: Wildcards) -> list[str]:
        """The T1w image of a scan, or the mean of its participant's other visits, if any."""
        scan = self.scan(wildcards)
        t1w = str(scan.t1w or self.paths.mean_t1w.format(subject=scan.subject))
        sources = self.label_sources
        return [t1w] if sources.is_registered(scan) and not sources.is_hybrid(scan) else []

    def who(self, wildcards: Wildcards) -> list[str]:
        """Options that name the participant (and session) of a scan."""
        scan = self.scan(wildcards)
        session = ["--session", scan.session] if scan.session else []
        return ["--participant", scan.participant_id, *session]

    @property
    def scan_names(self) -> list[str]:
        """``folder|entities|number of echoes|first sidecar`` of every scan."""
        return [
            f"{scan.folder}|{scan.entities}|{scan.n_echoes}|{sidecar_path(scan.first_image)}"
            for scan in self.scans
        ]

    @property
    def first_sidecars(self) -> list[str]:
        """The sidecars of the first magnitude, or ready map, of every scan."""
        raw = self.sidecars(scan.magnitude[0] for scan in self.scans if not scan.is_ready)
        return [*raw, *self._sidecars_of_ready_maps("chi")]

    @property
    def extracted_scans(self) -> str:
        """Regular expression of the names (``entities``) of these scans; of nothing if none."""
        names = sorted({re.escape(scan.entities) for scan in self.scans if scan.stored})
        return "|".join(names) or "(?!)"

    @property
    def raw_files(self) -> list[str]:
        """Every raw image of the study."""
        return [str(path) for scan in self.scans for path in scan.files]

    @property
    def raw_sidecars(self) -> list[str]:
        """Every sidecar of the raw echoes and of the ready maps."""
        raw = self.sidecars(path for scan in self.scans for path in scan.raw_echoes)
        return [*raw, *self._sidecars_of_ready_maps("chi", "r2star")]

    def _sidecars_of_ready_maps(self, *names: str) -> list[str]:
        maps = (dict(scan.ready_maps).get(name) for scan in self.scans for name in names)
        return [str(path) for image in maps if image for path in sidecars_of(image)]

    # --- results of one scan ---------------------------------------------------------------------

    def coordinates(self, wildcards: Wildcards) -> list[str]:
        """The template coordinates of a scan; none without a T1w."""
        return self._of_registration(self.paths.coordinates, wildcards)

    def gre_to_t1w(self, wildcards: Wildcards) -> list[str]:
        """The rigid map of a scan's GRE to its T1w; none without one."""
        return self._of_registration(self.paths.gre_to_t1w, wildcards)

    def tissues(self, wildcards: Wildcards) -> list[str]:
        """The tissue probabilities of a scan; none without a T1w."""
        return self._of_registration(self.paths.tissues, wildcards)

    def tissues_of_cortex(self, wildcards: Wildcards) -> list[str]:
        """The same for an atlas that may have cortex: not for the tissues themselves."""
        of_tissues = self.label_sources.is_tissues(wildcards.atlas)
        return [] if of_tissues else self.tissues(wildcards)

    def _of_registration(self, path: str, wildcards: Wildcards) -> list[str]:
        scan = self.scan(wildcards)
        return [self.fill(path, scan)] if self.label_sources.is_registered(scan) else []

    def from_stage(self, stage: str, path: str) -> Callable[[Wildcards], str]:
        """Input function: a stage's file of the variant or branch, which may share another's."""

        def file(wildcards: Wildcards) -> str:
            desc = self.shared(stage, wildcards.desc)
            own = path if desc not in self._branch_labels else self.paths.of_branch(path)
            return self.fill(own, self.scan(wildcards), desc)

        return file

    def where(
        self, asked: Callable[[str], bool], files: Callable[[Wildcards], list[str]]
    ) -> Callable[[Wildcards], list[str]] | list[str]:
        """Input function: files of the variants and branches that are ``asked`` for them.

        No function where none is: each costs Snakemake as much as a file does, in every job.
        """
        if not any(map(asked, (*self.variants, *self._branch_labels))):
            return []
        return lambda wildcards: files(wildcards) if asked(wildcards.desc) else []

    def shared(self, stage: str, desc: str) -> str:
        """Whose files of a stage a variant or branch takes."""
        return self._sharing.label(stage, desc) if self._sharing else desc

    def r2star(self, wildcards: Any) -> list[str]:
        """The R2* map of a scan, if it has one."""
        scan = self.scan(wildcards)
        desc = self.shared("r2star", wildcards.desc)
        return [self.fill(self.paths.r2star, scan, desc)] if scan.has_r2star else []

    def labels(self, wildcards: Wildcards, atlas: str) -> list[str]:
        """Labels of an atlas on a scan's grid, where it has any."""
        scan = self.scan(wildcards)
        has_labels = self.label_sources.has_labels(scan, atlas)
        return [self.fill(self.paths.labels, scan, atlas=atlas)] if has_labels else []

    def label_weights(self, wildcards: Wildcards) -> list[str]:
        """How much of each voxel lies in its own region of an atlas."""
        return [self.fill(self.paths.label_weights, self.scan(wildcards), "", wildcards.atlas)]

    def first_labels(self, wildcards: Wildcards) -> list[str]:
        """Labels of the first atlas on a scan's grid, where it has any."""
        return self.labels(wildcards, self.first_atlas)

    def first_label_table(self, wildcards: Wildcards) -> list[str]:
        """The table beside these labels."""
        scan = self.scan(wildcards)
        labelled = self.label_sources.has_labels(scan, self.first_atlas)
        return [self.fill(self.paths.label_table, scan, atlas=self.first_atlas)] if labelled else []

    def origin(self, wildcards: Wildcards) -> str:
        """What a scan's labels come from: atlas, or its own segmentation."""
        return self.label_sources.origin(self.scan(wildcards), wildcards.atlas)

    def label_options(self, wildcards: Wildcards) -> dict[str, list[str]]:
        """What labels are carried from: options of carry_labels and their files."""
        sources, scan, atlas = self.label_sources, self.scan(wildcards), wildcards.atlas
        if segmentation := sources.segmentation(scan, atlas):
            colours = sources.colour_table(atlas)
            in_t1w = sources.segmentation_space(atlas) == "T1w"
            return {
                "--segmentation": [segmentation],
                "--magnitude": [str(scan.first_image)],
                "--gre-to-t1w": self.gre_to_t1w(wildcards) if in_t1w else [],
                "--colour-table": [colours] if colours else [],
            }
        on_own_template = sources.template(atlas) is not None
        return {
            "--coordinates": self.coordinates(wildcards),
            "--atlas": [sources.image(atlas)],
            "--template-map": [self.paths.template_map.format(atlas=atlas)] * on_own_template,
        }

    def label_files(self, wildcards: Wildcards) -> list[str]:
        """The files of these options."""
        return [path for files in self.label_options(wildcards).values() for path in files]

    def label_arguments(self, wildcards: Wildcards) -> list[str]:
        """These options as a command line has them."""
        given = self.label_options(wildcards)
        arguments = [text for name, files in given.items() if files for text in (name, *files)]
        if "--segmentation" in given:
            arguments += ["--space", self.label_sources.segmentation_space(wildcards.atlas)]
        return arguments

    @property
    def example_participant(self) -> str:
        """The participant whose map is shown as an example: the first with labels."""
        labelled = self._labelled
        return labelled[0].participant_id if labelled else ""

    def example(self, path: str) -> str:
        """A path of that participant, for the first variant and atlas."""
        return self.fill(path, self._labelled[0], next(iter(self.variants)), self.first_atlas)

    @property
    def first_atlas(self) -> str:
        """The atlas that pictures show."""
        return self.atlases[0]

    @property
    def variant_pattern(self) -> str:
        """Regular expression of the variants' labels."""
        return "|".join(map(re.escape, self.variants))

    @property
    def branch_pattern(self) -> str:
        """Regular expression of the branches' labels; of nothing without branches."""
        return "|".join(sorted(self._branch_labels)) or "(?!)"

    # --- results of all scans --------------------------------------------------------------------

    @property
    def _labelled(self) -> list[Scan]:
        """The scans with labels of the first atlas."""
        return self.labelled(self.first_atlas)

    def labelled(self, atlas: str) -> list[Scan]:
        """The scans with labels of an atlas."""
        return [scan for scan in self.scans if self.label_sources.has_labels(scan, atlas)]

    @staticmethod
    def fill(path: str, scan: Scan, desc: str = "", atlas: str = "") -> str:
        """A path of a scan: its wildcards filled in."""
        return path.format(folder=scan.folder, entities=scan.entities, desc=desc, atlas=atlas)

    def _every(
        self,
        keep: Callable[[Scan, str], bool],
        paths: tuple[str, ...],
        desc: str | None,
        atlas: str | None,
    ) -> list[str]:
        found = [
            self.fill(path, scan, label, name)
            for path in paths
            for scan in self.scans
            for label in ([desc] if desc else self.variants)
            for name in ([atlas] if atlas else self.atlases)
            if keep(scan, name)
        ]
        return list(dict.fromkeys(found))

    def every_scan(self, *paths: str, desc: str | None = None) -> list[str]:
        """These paths for every scan (and every variant, or the one named)."""
        return self._every(lambda scan, _: True, paths, desc, None)

    def every_scan_with_r2star(self, *paths: str, desc: str | None = None) -> list[str]:
        """These paths for every scan that has R2*."""
        return self._every(lambda scan, _: scan.has_r2star, paths, desc, None)

    def every_scan_with_phase(self, *paths: str, desc: str | None = None) -> list[str]:
        """These paths for every scan that has a phase, and no ready map in its place."""
        return self._every(lambda scan, _: scan.has_phase, paths, desc, None)

    def every_scan_with_labels(
        self, *paths: str, desc: str | None = None, atlas: str | None = None
    ) -> list[str]:
        """These paths for every scan that has labels, over variants and atlases."""
        return self._every(self.label_sources.has_labels, paths, desc, atlas)

    def every_registered_scan(self, *paths: str) -> list[str]:
        """These paths for every scan that has a T1w."""
        return self._every(
            lambda scan, _: self.label_sources.is_registered(scan), paths, None, None
        )

    def with_labels(self, *paths: str) -> list[str]:
        """These paths if any scan has labels."""
        return list(paths) if self._labelled else []

    def gathered(self, table: str) -> list[str]:
        """What a table of the cohort is gathered from."""
        if table == "thresholds":
            return [
                self.paths.thresholds.format(desc=desc, atlas=atlas)
                for desc in self.variants
                for atlas in self.atlases
                if self.labelled(atlas)
            ]
        parts = {
            "regions": (self.paths.measured, self.paths.deposits),
            "quantiles": (self.paths.quantiles,),
            "calibration": (self.paths.calibration,),
            "region_voxels": (self.paths.region_voxels,),
        }
        return self.every_scan_with_labels(*parts[table])
