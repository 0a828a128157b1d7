"""What the report's slice viewer shows: which variant, which maps of χ, which atlas."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from .cohort import Cohort, Wildcards
from .source_inputs import SourceInputs

SIGNS = ("paramagnetic", "diamagnetic")
"""Of the sources, in the order of the viewer's maps."""


class ViewerInputs:
    """The files behind the viewer; none where no scan is registered to the template.

    It shows the variant that the figures show, and the first atlas that has labels in a template.
    """

    def __init__(self, cohort: Cohort, sources: SourceInputs | None = None) -> None:
        desc = "main" if "main" in cohort.variants else cohort.variants[0]
        self.paths = replace(cohort.paths, desc=desc)
        self.maps = cohort.every_registered_scan(self.paths.template_chi)
        self._labels = cohort.label_sources
        registered = [scan for scan in cohort.scans if self._labels.is_registered(scan)]
        separated = sources and any(sources.separated(scan, desc) for scan in registered)
        self.signs = SIGNS if separated else ()
        of_templates = [name for name in cohort.atlases if not self._labels.is_tissues(name)]
        self.atlas = of_templates[0] if of_templates else None
        self.mean_sidecar = self.paths.sidecar(self.paths.mean_chi)
        self.template_sources = [self.paths.template_source(sign) for sign in self.signs]
        self._cohort, self._separations, self._desc = cohort, sources, desc

    def source_options(self, wildcards: Wildcards) -> dict[str, str]:
        """Options of carry_chi that name a scan's χ⁺ and χ⁻, and their files."""
        scan = self._cohort.scan(wildcards)
        if not (self.signs and self._separations and self._separations.separated(scan, self._desc)):
            return {}
        return {f"--{sign}": self._cohort.fill(getattr(self.paths, sign), scan) for sign in SIGNS}

    def source_files(self, wildcards: Wildcards) -> list[str]:
        """These files."""
        return list(self.source_options(wildcards).values())

    def carried_options(self, wildcards: Wildcards, carried: Iterable[str]) -> list[str]:
        """These options as a command line has them, and what is made of the files."""
        given = self.source_options(wildcards)
        outputs = {
            f"--template-{sign}": str(path) for sign, path in zip(self.signs, carried, strict=True)
        }
        return [text for option in (given | outputs).items() for text in option]

    def source_maps(self, sign: str) -> list[str]:
        """The maps that a mean of χ⁺ or χ⁻ is made of."""
        return self._cohort.every_registered_scan(self.paths.template_source(sign))

    @property
    def given(self) -> dict[str, str]:
        """Options of write_report and their files."""
        if not self.maps:
            return {}
        files = {"--mean-chi": self.paths.mean_chi}
        files |= {f"--mean-{sign}": self.paths.mean_source(sign) for sign in self.signs}
        if self.atlas:
            files["--atlas-labels"] = self._labels.image(self.atlas)
            if self._labels.template(self.atlas):
                files["--template-map"] = self.paths.template_map.format(atlas=self.atlas)
        return files

    @property
    def files(self) -> list[str]:
        """These files, and the sidecar of the mean."""
        files = list(self.given.values())
        return [*files, self.mean_sidecar] if files else []

    @property
    def arguments(self) -> list[str]:
        """These options as a command line has them."""
        atlas = ["--atlas", self.atlas] if self.given and self.atlas else []
        return atlas + [text for option in self.given.items() for text in option]
