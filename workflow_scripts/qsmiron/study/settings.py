"""The configuration as jobs take it: methods and parameters of a variant, slices as JSON.

A job is given no more of the configuration than it uses, so that a changed value repeats only the
jobs that depend on it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from ..config import STAGES, Config, Reconstruction, Step, variant
from ..provenance import code_digest
from ..regions.deposits import IronParameters
from ..regions.selection import SelectionParameters
from .branches import Branch

_PACKAGE = "qsmiron"


class Settings:
    """Slices of a study's configuration, and the code that a job runs.

    ``design`` names the blocks that all group statistics share.
    """

    design = ("roles", "covariates", "categorical", "statistics")

    def __init__(self, config: Config, home: Path, branches: Iterable[Branch] = ()) -> None:
        self.config = config
        self.home = home
        self._branches = {branch.desc: branch for branch in branches}
        self._variants = {desc: variant(config, desc) for desc in config.variants}

    # --- code ------------------------------------------------------------------------------------

    def shipped(self, name: str) -> str:
        """A file that comes with the project."""
        return str(self.home / name)

    def script(self, rule: str) -> str:
        """The script behind a rule."""
        return str(self.home / "workflow_scripts" / f"{rule}.py")

    def code(self, rule: str, *modules: str) -> str:
        """Digest of a rule's script and of every library file that it runs.

        ``modules`` are loaded by name. As a job's parameter it makes the job run again when any of
        that code changes; as inputs, so many files would slow Snakemake's scheduler down.
        """
        return code_digest(self.script(rule), modules)

    def method_code(self, rule: str, desc: str, stage: str) -> str:
        """The same, with the module of the method that a variant uses for a stage."""
        method = STAGES[stage][self.step(desc, stage).method]
        return self.code(rule, f"{_PACKAGE}.{method.module}")

    @property
    def method_modules(self) -> list[str]:
        """The modules of every method that a variant uses."""
        return sorted(
            {
                f"{_PACKAGE}.{STAGES[stage][self.step(desc, stage).method].module}"
                for desc in self.config.variants
                for stage in STAGES
            }
        )

    @property
    def report_templates(self) -> list[str]:
        """What the report is laid out with."""
        folder = self.home / "workflow_scripts" / _PACKAGE / "report" / "templates"
        return sorted(str(path) for path in folder.iterdir())

    # --- methods and parameters ------------------------------------------------------------------

    def variant(self, desc: str) -> Reconstruction:
        """The reconstruction chain of a variant or branch."""
        branch = self._branches.get(desc)
        return branch.chain if branch else self._variants[desc]

    def step(self, desc: str, stage: str) -> Step:
        """One stage of a variant's chain."""
        return getattr(self.variant(desc), stage)

    def method_options(self, desc: str, stage: str) -> list[str]:
        """A variant's method for a stage as options of the stage's script."""
        step = self.step(desc, stage)
        return ["--method", step.method, "--parameters", step.parameters_json]

    def mask_options(self, desc: str) -> list[str]:
        """The same of the brain mask."""
        mask = self.variant(desc).mask
        return ["--extractor", mask.extractor, "--parameters", mask.parameters_json]

    def reference_options(self, desc: str) -> list[str]:
        """A variant's reference, and its chain for the sidecar of its maps, as options."""
        chain = self.variant(desc)
        algorithm = chain.model_dump_json(exclude={"sources"})
        return ["--region", chain.reference.region, "--algorithm", algorithm]

    def selection(self, desc: str) -> SelectionParameters:
        """Which voxels of a region a variant or branch measures."""
        branch = self._branches.get(desc)
        return branch.regions if branch else self.config.regions

    def iron(self, desc: str) -> IronParameters:
        """How a variant or branch turns χ into iron and deposits."""
        branch = self._branches.get(desc)
        return branch.iron if branch else self.config.iron

    def region_options(self, desc: str) -> list[str]:
        """How a variant or branch measures regions, as options of the script."""
        selection, iron = self.selection(desc), self.iron(desc)
        return ["--selection", selection.model_dump_json(), "--parameters", iron.model_dump_json()]

    def weighs_voxels(self, desc: str) -> bool:
        """Whether its means are weighted by the fraction of each voxel in its region."""
        return self.selection(desc).partial_volume_weights

    @property
    def any_weighs_voxels(self) -> bool:
        """Whether any variant or branch does, so that labels come with weights."""
        used = [self.config.regions, *(branch.regions for branch in self._branches.values())]
        return any(selection.partial_volume_weights for selection in used)

    def of_desc(self, value: Callable[[str], Any]) -> Any:
        """What a job takes by its variant or branch: a function of its wildcards.

        The value itself where it is the same for all: a function costs Snakemake as much as a file
        does, in every job.
        """
        values = [value(desc) for desc in (*self._variants, *self._branches)]
        if all(each == values[0] for each in values):
            return values[0]
        return lambda wildcards: value(wildcards.desc)

    # --- slices ----------------------------------------------------------------------------------

    @property
    def whole_config(self) -> str:
        """The whole configuration, defaults included, as a JSON object."""
        return self.config.model_dump_json()

    def slice(self, *keys: str) -> str:
        """These blocks of the configuration as a JSON object."""
        dumped = self.config.model_dump(mode="json", include=set(keys), exclude_none=True)
        for name in ("categorical", "scores_of"):  # nothing is as if the key did not exist
            if not dumped.get(name):
                dumped.pop(name, None)
        return json.dumps({key: dumped[key] for key in keys if key in dumped})

    @property
    def analysis_choices(self) -> str:
        """The multiverse's choices within the analysis, as a JSON object."""
        return self.config.multiverse.model_dump_json(
            include={"covariates", "harmonisation", "metrics"}
        )

    def contrast_slice(self, contrast: str) -> str:
        """The settings of one contrast's tests."""
        blocks = json.loads(self.slice("contrasts", *self.design))
        blocks["contrasts"] = {contrast: blocks["contrasts"][contrast]}
        return json.dumps(blocks)

    def model_slice(self, model: str) -> str:
        """The settings of one model's tests."""
        blocks = json.loads(self.slice("contrasts", "models", *self.design))
        blocks["models"] = {model: blocks["models"][model]}
        named = blocks["models"][model].get("contrast")
        blocks["contrasts"] = {k: v for k, v in blocks["contrasts"].items() if k == named}
        return json.dumps(blocks)

    def score_slice(self, score: str) -> str:
        """The settings of one score's correlations."""
        blocks = json.loads(self.slice(*self.design))
        whose = {name: of for name, of in self.config.scores_of.items() if name == score}
        scores = {"scores": [score]} | ({"scores_of": whose} if whose else {})
        return json.dumps({**blocks, **scores})
