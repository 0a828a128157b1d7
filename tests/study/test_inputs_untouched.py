"""Whatever the layout of the folders: it is refused, or no file that was brought changes."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from fuzzing import tries
from hypothesis import Phase, event, given, settings
from hypothesis import strategies as st
from properties import often
from snakemake.exceptions import WorkflowError
from study.planning import planned

import assign_groups
import describe_results

pytestmark = pytest.mark.fuzz

PEOPLE = "participant_id\tage\tsex\tprogression\n" + "".join(
    f"sub-{n}\t{50 + n}\t{'MF'[n % 2]}\t{('fast', 'slow')[n % 2]}\n" for n in range(1, 4)
)
SETTINGS = {
    "contrasts": {"progression": {"column": "progression", "levels": ["fast", "slow"]}},
    "covariates": ["age"],
}
JOB = {
    "folder": "sub-1", "subject": "1", "entities": "sub-1", "echo": "1", "desc": "main",
    "atlas": "DK", "contrast": "progression", "score": "alsfrs_r",
    "outcome": "contrast-progression", "extent": "multiverse", "model": "m", "part": "time",
    "session": "2", "map": "desc-main_Chimap", "sign": "paramagnetic",
}  # fmt: skip
"""One value for each wildcard."""

RESULTS = ["raw", "raw/results", "raw/derivatives/q", "raw/derivatives", "raw/sub-1",
           "raw/sub-1/anat", "raw/phenotype", "raw/code", ".", "new", "used", "stray", "foreign",
           "mixed", "linked", "used/deep", "tables", "raw/sourcedata/q"]  # fmt: skip
CLINICAL = [None, "people.tsv", "raw/participants.tsv", "raw/phenotype/more.tsv",
            "{results}/participants.tsv", "{results}/people.tsv", "{results}/group/group_tests.tsv",
            "tables/participants.tsv"]  # fmt: skip
REGIONS = [None, "regions.tsv", "{results}/group/regions.tsv", "{results}/group/correlations.tsv",
           "raw/regions.tsv", "{results}/participants.tsv", "tables/regions.tsv"]  # fmt: skip
SPELLINGS = ["{}", "./{}", "{}/", "raw/../{}", "alias/{}", "~/{}", "$STUDY/{}", "{}/.",
             "alias/raw/../{}"]  # fmt: skip


@dataclass(frozen=True)
class Layout:
    """Where everything lies, and how the configuration spells it."""

    results: str
    clinical: str | None
    regions: str | None
    analysis_only: bool
    spelling: str
    other_spelling: str
    link: str
    """How a table in the results came there: copied, or as a link to one outside."""
    has_data: bool

    def config(self) -> dict[str, Any]:
        found: dict[str, Any] = {**SETTINGS, "results_dir": self.spelling.format(self.results)}
        named = {"clinical_table": self.clinical}
        if self.analysis_only:
            found["analysis_only"] = True
            named["regions_table"] = self.regions
        if self.has_data:
            found["bids_dir"] = self.other_spelling.format("raw")
        for key, path in named.items():
            if path is not None:
                written = path.format(results=self.results)
                found[key] = self.other_spelling.rstrip("/.").format(written)
        return found


layouts = st.builds(
    Layout,
    results=st.sampled_from(RESULTS),
    clinical=st.sampled_from(CLINICAL),
    regions=st.sampled_from(REGIONS),
    analysis_only=st.booleans(),
    spelling=st.sampled_from(SPELLINGS),
    other_spelling=st.sampled_from(SPELLINGS),
    link=st.sampled_from(["copy", "symlink", "hardlink"]),
    has_data=st.sampled_from([True, True, False]),
)


def write(path: Path, text: str = "x\n") -> None:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def lay_out(study: Path, layout: Layout) -> set[Path]:
    """Make the files; those that an earlier run of the workflow made are returned."""
    for echo in (1, 2):
        for part in ("mag", "phase"):
            write(study / f"raw/sub-1/anat/sub-1_echo-{echo}_part-{part}_MEGRE.nii.gz")
            write(study / f"raw/sub-1/anat/sub-1_echo-{echo}_part-{part}_MEGRE.json", "{}")
    write(study / "raw/dataset_description.json", '{"Name": "raw", "BIDSVersion": "1.8.0"}')
    write(study / "raw/participants.json", "{}")
    for table in ("raw/participants.tsv", "raw/phenotype/more.tsv", "people.tsv"):
        write(study / table, PEOPLE)
    (study / "alias").symlink_to(study)
    (study / "linked").symlink_to("raw")
    ours = {"DatasetType": "derivative", "GeneratedBy": [{"Name": "qsmiron"}]}
    made = {
        study / f"used/{name}"
        for name in ("dataset_description.json", ".bidsignore", "report.html")
    }
    for path in made:
        write(path, json.dumps(ours))
    write(study / "stray/README")
    write(
        study / "foreign/dataset_description.json", '{"Name": "other", "DatasetType": "derivative"}'
    )
    write(study / "mixed/sub-1/anat/sub-1_T1w.nii.gz")
    write(study / "tables/participants.tsv", PEOPLE)
    for path, source in ((layout.clinical, "people.tsv"), (layout.regions, "raw/participants.tsv")):
        if path is None:
            continue
        target = study / path.format(results=layout.results)
        target.parent.mkdir(parents=True, exist_ok=True)
        if os.path.lexists(target) or "{results}" not in path or layout.link == "copy":
            write(target, PEOPLE)
        elif layout.link == "symlink":
            target.symlink_to(study / source)
        else:
            os.link(study / source, target)
    if layout.analysis_only and layout.regions is None:
        write(study / layout.results / "group/regions.tsv", PEOPLE)
    return made


def state(study: Path) -> dict[Path, tuple[int, bytes | str]]:
    """Mode and content of every file and link."""
    return {
        path: (
            path.lstat().st_mode,
            str(path.readlink()) if path.is_symlink() else path.read_bytes(),
        )
        for path in study.rglob("*")
        if not stat.S_ISDIR(path.lstat().st_mode) and ".snakemake" not in path.parts
    }


def filled(output: Any) -> list[Path]:
    """The outputs of one job or two: each ``{name,constraint}`` replaced."""
    paths = {_filled(str(output), {**JOB, "table": table}) for table in ("regions", "group_tests")}
    return [Path(path) for path in sorted(paths) if output.match(path)]


def _filled(pattern: str, job: dict[str, str]) -> str:
    # constraints may have braces
    while match := re.search(r"\{(\w+)(?:,(?:[^{}]|\{[^{}]*\})*)?\}", pattern):
        pattern = pattern[: match.start()] + job[match[1]] + pattern[match.end() :]
    return pattern


def run_every_rule(rules: list[Any], config: dict[str, Any]) -> None:
    """What Snakemake and the jobs do to the outputs of one job of every rule."""
    for rule in rules:
        written = [*rule.output, *rule.log, *([rule.benchmark] if rule.benchmark else [])]
        outputs = [path for each in written for path in filled(each)]
        for output in outputs:
            output.unlink(missing_ok=True)
            output.parent.mkdir(parents=True, exist_ok=True)
        if rule.name == "assign_groups":
            settings = Path("settings.json")
            settings.write_text(json.dumps(SETTINGS))
            assign_groups.main(
                ["--participants", str(rule.input.participants), "--config", str(settings),
                 "--output", str(rule.output.participants)]
            )  # fmt: skip
        elif rule.name == "describe_results":
            root = str(Path(rule.output.description).parent)
            describe_results.main(["--results", root, "--source", config.get("bids_dir", "demo")])
        else:
            for output in outputs:
                output.write_text("made by a job")


@settings(often, max_examples=tries(40), phases=[Phase.explicit, Phase.generate])
@given(layouts)
def test_a_layout_is_refused_or_leaves_every_input_as_it_was(
    tmp_path_factory: pytest.TempPathFactory, layout: Layout
) -> None:
    study = tmp_path_factory.mktemp("study")
    made = lay_out(study, layout)
    before = state(study)
    config = layout.config()
    places = {"XDG_CACHE_HOME": str(tmp_path_factory.getbasetemp())}  # of Snakemake itself
    try:
        with (
            mock.patch.dict(os.environ, {**places, "HOME": str(study), "STUDY": str(study)}),
            planned(study, config) as rules,
        ):
            assert state(study) == before, "written before any job"
            run_every_rule(rules, config)
    except WorkflowError as error:
        event("refused")
        assert "found" in str(error) and "expected" in str(error)
        assert state(study) == before, "refused, but written"
    else:
        event("run")
        after = state(study)
        changed = [path for path in before.keys() - made if after.get(path) != before[path]]
        assert changed == []
    finally:
        shutil.rmtree(study)
