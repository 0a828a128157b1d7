"""Names: where a BIDS data set keeps a scan's files, and where the results go.

A *scan* is one multi-echo GRE acquisition of a participant (in a session, where there are
sessions) with the T1w image that goes with it. Every path of the workflow is built here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .raw_parts import MEGRE_NAME, T1W_NAME, count_echoes, need_extraction, parts_of
from .stored_files import visible

BIDS_VERSION = "1.10.0"
LABEL = re.compile(r"[A-Za-z0-9]+")
SCAN_PLACEHOLDERS = ("subject", "session", "folder", "entities")


@dataclass(frozen=True)
class Scan:
    """The files of one scan; echoes are in the order of their ``echo-`` entity.

    ``folder`` is ``sub-X`` or ``sub-X/ses-Y``; ``entities`` the name up to ``_echo-``. ``stored``
    holds the raw MEGRE files where magnitude and phase are still to be extracted from them.
    """

    subject: str
    session: str | None
    entities: str
    magnitude: tuple[Path, ...]
    phase: tuple[Path, ...]
    t1w: Path | None = None
    stored: tuple[Path, ...] = ()

    @property
    def participant_id(self) -> str:
        """``sub-`` and the label, as the clinical table has it."""
        return f"sub-{self.subject}"

    @property
    def folder(self) -> str:
        """The participant's (and session's) folder, relative to a data set's root."""
        return scan_folder(self.subject, self.session)

    @property
    def n_echoes(self) -> int:
        """Number of magnitude echoes."""
        return len(self.magnitude)

    @property
    def files(self) -> list[Path]:
        """All raw image files of the scan."""
        return [*self.raw_echoes, *([self.t1w] if self.t1w else [])]

    @property
    def raw_echoes(self) -> tuple[Path, ...]:
        """Its raw MEGRE files."""
        return self.stored or (*self.magnitude, *self.phase)

    @property
    def parts(self) -> dict[str, dict[int | None, Path]]:
        """Its raw MEGRE files by part and echo; see :mod:`.raw_parts`."""
        return parts_of(self.raw_echoes)

    @property
    def has_phase(self) -> bool:
        """Whether it has any file of the phase, or of a real or imaginary part."""
        return set(self.parts) != {"mag"}

    def file(self, template: str, root: str | Path) -> Path:
        """A file of this scan elsewhere; a relative ``template`` is below ``root``.

        ``template`` is as :func:`image_template` returns it; without a session that
        placeholder is empty.
        """
        for name in SCAN_PLACEHOLDERS:
            template = template.replace(f"<{name}>", getattr(self, name) or "")
        return Path(root) / template


def image_template(template: str) -> str:
    """An image's path with the placeholders of a scan, ``{subject}`` as ``<subject>``.

    Snakemake takes a name in braces for a wildcard wherever the configuration is a job's
    parameter, so they are kept in another form. Raises ValueError for an unknown placeholder or
    a path that is no NIfTI or MGZ file's.
    """
    kept = template
    for name in SCAN_PLACEHOLDERS:
        kept = kept.replace(f"{{{name}}}", f"<{name}>")
    if re.search("[{}]", kept):
        known = ", ".join(f"{{{name}}}" for name in SCAN_PLACEHOLDERS)
        raise ValueError(f"expected no other placeholders than {known}")
    if not kept.endswith((".nii", ".nii.gz", ".mgz")):
        raise ValueError("expected a path that ends in .nii, .nii.gz or .mgz")
    return kept


def scan_folder(subject: str, session: str | None) -> str:
    """``sub-X`` or ``sub-X/ses-Y``."""
    return f"sub-{subject}" + (f"/ses-{session}" if session else "")


def _subfolders(folder: Path, prefix: str) -> Iterator[str]:
    if folder.is_dir():
        for entry in visible(folder):
            label = entry.name.removeprefix(prefix)
            if entry.name.startswith(prefix) and LABEL.fullmatch(label) and entry.is_dir():
                yield label


def find_scans(
    bids_dir: str | Path,
    participants: Iterable[str] | None = None,
    sessions: Iterable[str] | None = None,
    results_dir: str | Path = "results",
) -> list[Scan]:
    """All scans of a BIDS data set with at least one MEGRE file, by file names.

    ``participants`` and ``sessions`` restrict the search to these labels (with or without
    ``sub-``/``ses-``). Magnitude and phase that are still to be extracted lie in ``results_dir``.
    No image is opened, and a sidecar only beside a file of all echoes, to count them.
    """
    root = Path(bids_dir)
    wanted = {str(label).removeprefix("sub-") for label in participants or ()}
    wanted_sessions = {str(label).removeprefix("ses-") for label in sessions or ()}
    scans: list[Scan] = []
    for subject in _subfolders(root, "sub-"):
        if wanted and subject not in wanted:
            continue
        labels: list[str | None] = list(_subfolders(root / f"sub-{subject}", "ses-")) or [None]
        for session in labels:
            if wanted_sessions and session not in wanted_sessions:
                continue
            anat = root / scan_folder(subject, session) / "anat"
            scans.extend(_scans_in(anat, subject, session, str(results_dir)))
    return scans


def _scans_in(anat: Path, subject: str, session: str | None, results: str) -> Iterator[Scan]:
    if not anat.is_dir():
        return
    acquisitions: dict[str, list[Path]] = {}
    t1w: list[Path] = []
    own = scan_folder(subject, session).replace("/", "_") + "_"
    for path in visible(anat):
        if match := MEGRE_NAME.fullmatch(path.name):
            acquisitions.setdefault(match["entities"], []).append(path)
        elif T1W_NAME.fullmatch(path.name) and path.name.startswith(own):
            t1w.append(path)
    for entities, files in acquisitions.items():
        parts = parts_of(files)
        magnitude, phase = (tuple(parts.get(part, {}).values()) for part in ("mag", "phase"))
        stored: tuple[Path, ...] = ()
        if need_extraction(parts):
            stored = tuple(files)
            paths = Results(results, scan_folder(subject, session), entities)
            magnitude, phase = (
                tuple(Path(paths.echo(part, n)) for n in range(1, count_echoes(parts) + 1))
                for part in ("mag", "phase")
            )
        yield Scan(subject, session, entities, magnitude, phase, t1w[0] if t1w else None, stored)


def raw_scan(root: str | Path, subject: str, n_echoes: int) -> Scan:
    """The names that a scan with ``n_echoes`` echoes and a T1w has in the data set at ``root``."""
    anat = Path(root) / f"sub-{subject}" / "anat"

    def echoes(part: str) -> tuple[Path, ...]:
        return tuple(
            anat / f"sub-{subject}_echo-{echo}_part-{part}_MEGRE.nii.gz"
            for echo in range(1, n_echoes + 1)
        )

    return Scan(
        subject,
        None,
        f"sub-{subject}",
        echoes("mag"),
        echoes("phase"),
        anat / f"sub-{subject}_T1w.nii.gz",
    )


@dataclass(frozen=True)
class Results:
    """Paths in a results folder. Labels may be wildcards in braces."""

    root: str
    folder: str = "{folder}"
    entities: str = "{entities}"
    desc: str = "{desc}"
    atlas: str = "{atlas}"

    @property
    def work(self) -> str:
        """Folder of the intermediates."""
        return f"{self.root}/work"

    @property
    def failures(self) -> str:
        """Folder of the records of scans of which a job failed."""
        return f"{self.work}/failures"

    def derivative(self, suffix: str) -> str:
        """A file in the scan's ``anat`` folder, e.g. ``desc-main_Chimap.nii.gz``."""
        return f"{self.root}/{self.folder}/anat/{self.entities}_{suffix}"

    def intermediate(self, suffix: str) -> str:
        """A file of the scan under ``work``."""
        return f"{self.work}/{self.folder}/{self.entities}_{suffix}"

    def of_branch(self, path: str) -> str:
        """A file of the scan's ``anat`` folder where a branch of the multiverse has its own."""
        scan = f"{self.root}/{self.folder}/"
        own = f"{self.work}/multiverse/{self.folder}/"
        return own + path.removeprefix(scan) if path.startswith(scan) else path

    def echo(self, part: str, echo: int | str = "{echo}") -> str:
        """Magnitude (``mag``) or phase of an echo, extracted from raw files of another form."""
        # as pathlib spells it, for so do the scans' own paths
        return str(Path(self.intermediate(f"echo-{echo}_part-{part}_MEGRE.nii.gz")))

    @property
    def chi(self) -> str:
        """Referenced susceptibility (ppm)."""
        return self.derivative(f"desc-{self.desc}_Chimap.nii.gz")

    @property
    def chi_sidecar(self) -> str:
        """Its sidecar: what it is relative to."""
        return self.chi.removesuffix(".nii.gz") + ".json"

    @property
    def r2star(self) -> str:
        """R2* (1/s)."""
        return self.derivative(f"desc-{self.desc}_R2starmap.nii.gz")

    @property
    def brain_mask(self) -> str:
        """Brain mask on the GRE grid."""
        return self.derivative(f"label-brain_desc-{self.desc}_mask.nii.gz")

    @property
    def reliable_mask(self) -> str:
        """Where background removal left a reliable local field."""
        return self.derivative(f"label-reliable_desc-{self.desc}_mask.nii.gz")

    @property
    def labels(self) -> str:
        """Atlas labels on the GRE grid."""
        return self.derivative(f"atlas-{self.atlas}_dseg.nii.gz")

    @property
    def label_table(self) -> str:
        """Names of these labels, and what of them lies beyond the field of view."""
        return self.labels.removesuffix(".nii.gz") + ".tsv"

    @property
    def coordinates(self) -> str:
        """Template coordinates (RAS mm) of every GRE voxel."""
        return self.intermediate("coordinates.nii.gz")

    @property
    def gre_to_t1w(self) -> str:
        """Rigid map of GRE points to T1w points."""
        return self.intermediate("gretot1w.json")

    @property
    def tissues(self) -> str:
        """Probabilities of grey matter, white matter and fluid."""
        return self.intermediate("tissues.nii.gz")

    @property
    def label_weights(self) -> str:
        """The fraction of each voxel that lies in its own region."""
        return self.intermediate(f"atlas-{self.atlas}_weights.nii.gz")

    @property
    def template_map(self) -> str:
        """From the default template to the one that an atlas belongs to."""
        return f"{self.work}/group/atlas-{self.atlas}_templatemap.nii.gz"

    @property
    def registration_quality(self) -> str:
        """What registration measured of itself."""
        return self.intermediate("registration.json")

    @property
    def total_field(self) -> str:
        """Total field (ppm)."""
        return self.intermediate(f"desc-{self.desc}_totalfield.nii.gz")

    @property
    def field_noise(self) -> str:
        """Standard deviation of the total field's noise (ppm)."""
        return self.intermediate(f"desc-{self.desc}_fieldnoise.nii.gz")

    @property
    def phase_mask(self) -> str:
        """Brain mask without the voxels of unreliable phase."""
        return self.intermediate(f"desc-{self.desc}_phasemask.nii.gz")

    @property
    def local_field(self) -> str:
        """Local field (ppm)."""
        return self.intermediate(f"desc-{self.desc}_localfield.nii.gz")

    @property
    def chi_unreferenced(self) -> str:
        """Susceptibility (ppm) up to a constant, as the inversion leaves it."""
        return self.intermediate(f"desc-{self.desc}_chi.nii.gz")

    @property
    def quality_picture(self) -> str:
        """The scan's page of pictures."""
        return f"{self.root}/figures/{self.folder}/{self.entities}_desc-{self.desc}_quality.png"

    @property
    def measured(self) -> str:
        """The scan's rows of the regions table, deposits not yet counted."""
        return self.intermediate(f"desc-{self.desc}_atlas-{self.atlas}_regions.tsv")

    @property
    def region_voxels(self) -> str:
        """How many voxels of each region were measured, and why the others were not."""
        return self.intermediate(f"desc-{self.desc}_atlas-{self.atlas}_voxels.tsv")

    @property
    def deposits(self) -> str:
        """The scan's rows of the regions table that count deposits, of all variants and atlases."""
        return self.intermediate("deposits.tsv")

    @property
    def quantiles(self) -> str:
        """The scan's quantile functions."""
        return self.intermediate(f"desc-{self.desc}_atlas-{self.atlas}_quantiles.tsv")

    @property
    def calibration(self) -> str:
        """The scan's own iron line."""
        return self.intermediate(f"desc-{self.desc}_atlas-{self.atlas}_calibration.tsv")

    @property
    def region_values(self) -> str:
        """The voxel values of every region."""
        return self.intermediate(f"desc-{self.desc}_atlas-{self.atlas}_values.npz")

    @property
    def thresholds(self) -> str:
        """High-iron thresholds pooled over the cohort."""
        return f"{self.work}/group/desc-{self.desc}_atlas-{self.atlas}_thresholds.tsv"

    @property
    def template_chi(self) -> str:
        """The scan's χ (ppm) in template space: for pictures, never measured."""
        return self.intermediate(f"desc-{self.desc}_templatechi.nii.gz")

    @property
    def mean_chi(self) -> str:
        """Its mean over the participants."""
        return f"{self.work}/group/desc-{self.desc}_meanchi.nii.gz"

    @property
    def chi_count(self) -> str:
        """How many participants have a value at each voxel of that mean."""
        return f"{self.work}/group/desc-{self.desc}_chicount.nii.gz"

    @property
    def contrast_tests(self) -> str:
        """Tests of one contrast."""
        return f"{self.work}/group/contrast-{{contrast}}_tests.tsv"

    @property
    def score_correlations(self) -> str:
        """Correlations with one score."""
        return f"{self.work}/group/score-{{score}}_correlations.tsv"

    @property
    def branch_regions(self) -> str:
        """The regions table of a branch of the multiverse."""
        return f"{self.work}/multiverse/desc-{self.desc}_regions.tsv"

    def headline(self, table: str) -> str:
        """A table of one outcome's headline findings."""
        return f"{self.work}/group/{{outcome}}/{table}.tsv"

    def group(self, name: str) -> str:
        """A table of the whole cohort."""
        return f"{self.root}/group/{name}"

    def figure(self, name: str) -> str:
        """A figure."""
        return f"{self.root}/figures/{name}"

    def log(self, rule: str, *labels: str) -> str:
        """A job's log; ``labels`` are the wildcards that tell it from the rule's other jobs."""
        return f"{self.root}/logs/{rule}/" + ("_".join(labels) or rule) + ".log"

    @property
    def benchmarks(self) -> str:
        """Folder of what each job cost, and of the plan of the last run."""
        return f"{self.root}/benchmarks"

    def benchmark(self, rule: str, *labels: str) -> str:
        """A job's benchmark record, named like its log."""
        return f"{self.benchmarks}/{rule}/" + ("_".join(labels) or rule) + ".tsv"
