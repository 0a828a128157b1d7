"""What the report's slice viewer shows: which variant, which maps of χ, which atlas."""

from __future__ import annotations

from dataclasses import replace

from .cohort import Cohort


class ViewerInputs:
    """The files behind the viewer; none where no scan is registered to the template.

    It shows the variant that the figures show, and the first atlas that has labels in a template.
    """

    def __init__(self, cohort: Cohort) -> None:
        desc = "main" if "main" in cohort.variants else cohort.variants[0]
        self.paths = replace(cohort.paths, desc=desc)
        self.maps = cohort.every_registered_scan(self.paths.template_chi)
        self._sources = cohort.label_sources
        of_templates = [name for name in cohort.atlases if not self._sources.is_tissues(name)]
        self.atlas = of_templates[0] if of_templates else None
        self.mean_sidecar = self.paths.sidecar(self.paths.mean_chi)

    @property
    def given(self) -> dict[str, str]:
        """Options of write_report and their files."""
        if not self.maps:
            return {}
        files = {"--mean-chi": self.paths.mean_chi}
        if self.atlas:
            files["--atlas-labels"] = self._sources.image(self.atlas)
            if self._sources.template(self.atlas):
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
