"""What a variant may ask of its scans beside their raw files: own masks, fluid, labels.

Which files a job is given depends on its variant's mask and reference; which scans lack them is
known from names alone, so it is said when the workflow is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from ..bids import spin_echoes
from ..errors import InputError, Problem
from .ready_inputs import ReadyInputs
from .source_inputs import separable

if TYPE_CHECKING:
    from ..bids import Scan
    from ..config import Reconstruction, Reference
    from ..regions.label_table import Label
    from ..regions.selection import SelectionParameters
    from .cohort import Cohort, Wildcards


class VariantInputs:
    """Input files of the jobs of each variant and branch.

    ``variant`` takes a label to its chain, ``label_table`` an atlas to its table; the user's
    masks are below ``bids_dir`` or absolute; ``selection`` is the config's block ``regions``.

    Raises
    ------
    InputError
        Naming every mask that is missing, every scan that cannot have the reference that a
        variant asks for, every unknown atlas or region, and every scan whose cortex cannot be
        measured as ``selection`` asks, for want of its grey matter.
    """

    def __init__(
        self,
        cohort: Cohort,
        variant: Callable[[str], Reconstruction],
        bids_dir: str | Path,
        label_table: Callable[[str], str],
        selection: SelectionParameters | None = None,
    ) -> None:
        self.cohort = cohort
        labels = (*cohort.variants, *(branch.desc for branch in cohort.branches))
        self.chains = {desc: variant(desc) for desc in labels}
        self.first_magnitude = ReadyInputs(cohort).first_magnitude
        self.bids_dir = bids_dir
        self.label_table = label_table
        problems = [
            problem
            for desc in cohort.variants
            for problem in self.problems(self.chains[desc], selection, f"variant {desc}")
        ]
        if problems:
            raise InputError(*dict.fromkeys(problems))

    def problems(
        self, chain: Reconstruction, selection: SelectionParameters | None, where: str
    ) -> list[Problem]:
        """What the scans lack for a chain and a selection; ``where`` is the config's block."""
        found = [*self._missing_masks(chain), *self._missing_r2(chain)]
        found += self._missing_tissue(chain, where)
        return [*found, *(self._missing_grey_matter(selection) if selection else ())]

    def unknown_reference(self, chain: Reconstruction, where: str) -> list[Problem]:
        """What is wrong with the name of a chain's reference, whatever the scans have."""
        reference = chain.reference
        if reference.atlas is None:
            return []
        return list(self._unknown_region(reference, f"config, {where}, reference.atlas"))

    def has_user_mask(self, desc: str) -> bool:
        """Whether a variant or branch takes the user's own brain masks."""
        return self.chains[desc].mask.user is not None

    def user_mask(self, wildcards: Wildcards) -> list[str]:
        """The user's own brain mask of a scan; none where the variant computes it."""
        template = self.chains[wildcards.desc].mask.user
        if template is None:
            return []
        return [str(self.cohort.scan(wildcards).file(template, self.bids_dir))]

    def mask_coordinates(self, wildcards: Wildcards) -> list[str]:
        """The template coordinates that a scan's brain mask is made from, if it is."""
        return [] if self._no_t1w_for_mask(wildcards) else self.cohort.coordinates(wildcards)

    def mask_t1w(self, wildcards: Wildcards) -> list[str]:
        """The T1w in which a scan's brain is looked for, if it is."""
        return self.cohort.t1w(wildcards) if self.mask_coordinates(wildcards) else []

    def mask_gre_to_t1w(self, wildcards: Wildcards) -> list[str]:
        """The rigid map of a scan's GRE to that T1w."""
        return [] if self._no_t1w_for_mask(wildcards) else self.cohort.gre_to_t1w(wildcards)

    def _no_t1w_for_mask(self, wildcards: Wildcards) -> bool:
        """Whether the mask is the user's, or of a scan whose registration needs the mask."""
        scan = self.cohort.scan(wildcards)
        return self.has_user_mask(wildcards.desc) or self.cohort.label_sources.is_hybrid(scan)

    def reference_r2star(self, wildcards: Wildcards) -> list[str]:
        """R2* of a scan whose reference is fluid."""
        return self.cohort.r2star(wildcards) if self._needs_fluid(wildcards) else []

    def reference_magnitude(self, wildcards: Wildcards) -> list[str]:
        """Magnitude of the first echo of a scan whose reference is fluid."""
        return self.first_magnitude(wildcards) if self._needs_fluid(wildcards) else []

    def has_reference_labels(self, desc: str) -> bool:
        """Whether the reference of a variant or branch is an atlas' region."""
        return self.chains[desc].reference.atlas is not None

    def reference_labels(self, wildcards: Wildcards) -> list[str]:
        """Labels of a scan whose reference is an atlas' region."""
        atlas = self.chains[wildcards.desc].reference.atlas
        return [] if atlas is None else self.cohort.labels(wildcards, atlas)

    def reference_label_table(self, wildcards: Wildcards) -> list[str]:
        """The table of those labels."""
        atlas = self.chains[wildcards.desc].reference.atlas
        return [] if atlas is None else [self.label_table(atlas)]

    def _needs_fluid(self, wildcards: Wildcards) -> bool:
        return self.chains[wildcards.desc].reference.needs_fluid

    # --- checks ----------------------------------------------------------------------------------

    def _missing_masks(self, chain: Reconstruction) -> Iterator[Problem]:
        if chain.mask.user is None:
            return
        for scan in self.cohort.scans:
            path = scan.file(chain.mask.user, self.bids_dir)
            if not path.exists():
                yield Problem(
                    str(path),
                    f"no such file, the brain mask of {_name(scan)}",
                    "a mask at the path that reconstruction.mask.user gives",
                    "Put it there, correct the path, or set reconstruction.mask.user to null.",
                )

    def _missing_r2(self, chain: Reconstruction) -> Iterator[Problem]:
        scans = [scan for scan in self.cohort.scans if separable(scan)]
        for scan in scans if chain.sources.fits_r2 else ():
            found = spin_echoes(scan, self.bids_dir)
            if len(found) != 1:
                where = f"{self.bids_dir}/{scan.folder}/anat"
                yield Problem(
                    where,
                    ", ".join(found) or f"no multi-echo spin echo for {_name(scan)}",
                    "one, such as *_echo-1_MESE.nii.gz, since reconstruction.sources.r2 is MESE",
                    "Add it, move others away, or set reconstruction.sources.r2 to null.",
                )
        for scan in scans if chain.sources.r2_maps else ():
            path = scan.file(chain.sources.r2_maps, self.bids_dir)
            if not path.exists():
                yield Problem(
                    str(path),
                    f"no such file, the R2 map of {_name(scan)}",
                    "an R2 map (1/s) at the path that reconstruction.sources.r2 gives",
                    "Put it there, correct the path, or set reconstruction.sources.r2 to null.",
                )

    def _missing_tissue(self, chain: Reconstruction, block: str) -> Iterator[Problem]:
        reference = chain.reference
        remedy = "Choose reference.region brain, or exclude the participant."
        if reference.needs_fluid:
            where = f"config, {block}, reference.region csf"
            for scan in self.cohort.scans:
                if scan.is_ready and not (scan.has_r2star and scan.magnitude):
                    expected = "an R2* map and a magnitude, by which fluid is found"
                    yield Problem(where, f"{_name(scan)}, without both", expected, remedy)
                elif not scan.has_r2star:
                    expected = "scans of at least two echoes: fluid is found by its low R2*"
                    yield Problem(where, f"{_name(scan)}, of a single echo", expected, remedy)
        if reference.atlas is not None:
            where = f"config, {block}, reference.atlas"
            yield from self._unknown_region(reference, where)
            if reference.atlas not in self.cohort.atlases:
                return
            for scan in self.cohort.scans:
                if not self.cohort.label_sources.has_labels(scan, reference.atlas):
                    found = f"{_name(scan)}, without a T1w and so without labels"
                    expected = "scans with a T1w, or with a segmentation in the space of the GRE"
                    yield Problem(where, found, expected, remedy)

    def _missing_grey_matter(self, selection: SelectionParameters) -> Iterator[Problem]:
        """Scans without T1w whose own segmentation has cortex: nothing tells its grey matter."""
        from ..regions.selection import needs_grey_matter

        for atlas in self.cohort.atlases:
            registered = self.cohort.label_sources.is_registered
            scans = [scan for scan in self.cohort.labelled(atlas) if not registered(scan)]
            if scans and needs_grey_matter(selection, self._regions(atlas)):
                for scan in scans:
                    yield Problem(
                        f"config, regions, atlas {atlas}",
                        f"{_name(scan)}, without a T1w and so without grey-matter probabilities",
                        "scans with a T1w where cortex_grey_matter or partial_volume_weights is on",
                        "Turn both off, or exclude the participant.",
                    )

    def _unknown_region(self, reference: Reference, where: str) -> Iterator[Problem]:
        from ..reference import region_indices

        if reference.atlas not in self.cohort.atlases:
            known = ", ".join(self.cohort.atlases)
            yield Problem(where, repr(reference.atlas), f"one of {known}", "Correct it.")
            return
        try:
            names = {label.index: label.name for label in self._regions(reference.atlas)}
            region_indices(names, reference.region, self.label_table(reference.atlas))
        except InputError as error:
            yield from (problem for problem in error.problems if isinstance(problem, Problem))

    def _regions(self, atlas: str) -> list[Label]:
        # pandas, which reads the table, is not imported unless it is needed.
        from ..regions.label_table import read_label_table

        return read_label_table(self.label_table(atlas))


def _name(scan: Scan) -> str:
    return f"{scan.folder}, {scan.entities}"
