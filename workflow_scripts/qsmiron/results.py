"""Where each result goes: every path in the results folder is built here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from .template import TEMPLATE_NAME


@dataclass(frozen=True)
class Results:
    """Paths in a results folder. Labels may be wildcards in braces."""

    root: str
    folder: str = "{folder}"
    entities: str = "{entities}"
    desc: str = "{desc}"
    atlas: str = "{atlas}"

    @staticmethod
    def sidecar(image: str) -> str:
        """The sidecar of one of these images."""
        return image.removesuffix(".nii.gz") + ".json"

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
    def gridded_magnitude(self) -> str:
        """Magnitude of the first echo on the grid of a ready map."""
        return self.intermediate("magnitude.nii.gz")

    @property
    def chi(self) -> str:
        """Referenced susceptibility (ppm)."""
        return self.derivative(f"desc-{self.desc}_Chimap.nii.gz")

    @property
    def r2star(self) -> str:
        """R2* (1/s)."""
        return self.derivative(f"desc-{self.desc}_R2starmap.nii.gz")

    @property
    def r2(self) -> str:
        """R2 (1/s) of the spin echoes, on the GRE grid."""
        return self.derivative(f"desc-{self.desc}_R2map.nii.gz")

    @property
    def paramagnetic(self) -> str:
        """Susceptibility of paramagnetic sources, such as iron (ppm, at least 0)."""
        return self.derivative(f"label-paramagnetic_desc-{self.desc}_Chimap.nii.gz")

    @property
    def diamagnetic(self) -> str:
        """Susceptibility of diamagnetic sources, such as myelin (ppm, at most 0)."""
        return self.derivative(f"label-diamagnetic_desc-{self.desc}_Chimap.nii.gz")

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

    def in_template(self, path: str) -> str:
        """A file of the scan's ``anat`` folder carried to the default template's space."""
        here = self.derivative("")
        return f"{here}space-{TEMPLATE_NAME}_{path.removeprefix(here)}"

    @property
    def inverse(self) -> str:
        """Scanner coordinates (RAS mm) of every voxel of the template."""
        return self.intermediate("templatetogre.nii.gz")

    @property
    def shared_mask(self) -> str:
        """What every scan covers in the template's space."""
        return f"{self.root}/group/space-{TEMPLATE_NAME}_desc-{self.desc}_mask.nii.gz"

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

    def of_visits(self, suffix: str) -> str:
        """A file of all visits of a participant, whose label is the wildcard ``subject``."""
        return f"{self.work}/visits/sub-{{subject}}/sub-{{subject}}_{suffix}"

    @property
    def mean_t1w(self) -> str:
        """Mean T1w of a participant's visits, halfway between all: the whole head."""
        return self.of_visits("desc-mean_T1w.nii.gz")

    @property
    def head_image(self) -> str:
        """The same around the brain, bias-corrected, on the grid of the registration."""
        return self.of_visits("desc-corrected_T1w.nii.gz")

    @property
    def head_tissues(self) -> str:
        """Its probabilities of grey matter, white matter and fluid."""
        return self.of_visits("tissues.nii.gz")

    @property
    def head_displacement(self) -> str:
        """Its displacement before the affine map to the template."""
        return self.of_visits("displacement.nii.gz")

    @property
    def visit_maps(self) -> str:
        """That affine map, the rigid map of each visit, and the registration's quality."""
        return self.of_visits("visits.json")

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
    def local_r2star(self) -> str:
        """R2* without the decay by the field's course through voxels (1/s)."""
        return self.intermediate(f"desc-{self.desc}_localr2star.nii.gz")

    @property
    def r2star_error(self) -> str:
        """Standard deviation of that (1/s)."""
        return self.intermediate(f"desc-{self.desc}_r2starerror.nii.gz")

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

    def template_source(self, sign: str) -> str:
        """Its χ⁺ or χ⁻ (``paramagnetic`` or ``diamagnetic``) there."""
        return self.intermediate(f"label-{sign}_desc-{self.desc}_templatechi.nii.gz")

    @property
    def mean_chi(self) -> str:
        """The mean of χ in template space over the participants."""
        return f"{self.work}/group/desc-{self.desc}_meanchi.nii.gz"

    def mean_source(self, sign: str) -> str:
        """The mean of χ⁺ or χ⁻ there."""
        return f"{self.work}/group/label-{sign}_desc-{self.desc}_meanchi.nii.gz"

    @staticmethod
    def count_of(mean: str) -> str:
        """How many participants have a value at each voxel of a mean."""
        return mean.replace("_meanchi", "_chicount")

    @property
    def contrast_tests(self) -> str:
        """Tests of one contrast."""
        return f"{self.work}/group/contrast-{{contrast}}_tests.tsv"

    @property
    def score_correlations(self) -> str:
        """Correlations with one score."""
        return f"{self.work}/group/score-{{score}}_correlations.tsv"

    @property
    def model_tests(self) -> str:
        """Tests of the terms of one model."""
        return f"{self.work}/group/model-{{model}}/model_tests.tsv"

    @property
    def change_tests(self) -> str:
        """Tests of one part of the change over time."""
        return f"{self.work}/group/change-{{part}}/change.tsv"

    def calibration_tests(self, kind: str) -> str:
        """Tests of the calibration lines against one contrast or score (``kind``)."""
        return f"{self.work}/group/{kind}-{{{kind}}}/calibration_tests.tsv"

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
