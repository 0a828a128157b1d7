"""Which files the report's slice viewer is made of."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qsmiron.study import Study, load_study
from qsmiron.study.source_inputs import SourceInputs
from qsmiron.study.viewer_inputs import ViewerInputs
from qsmiron.template import desikan_killiany

HOME = Path(__file__).resolve().parents[2]
TISSUES = {"image": "tissues", "label_table": "config/atlases/Tissues.tsv"}


@pytest.fixture
def viewer(values: dict[str, Any], raw: Path) -> Any:
    """Makes the viewer's inputs of a study with these blocks of the configuration."""

    def make(**changes: Any) -> ViewerInputs:
        paths = {"bids_dir": str(raw), "results_dir": "out"}
        return ViewerInputs(load_study({**values, **paths, **changes}, HOME).cohort)

    return make


def test_it_has_the_scans_with_a_t1w(study: Study) -> None:
    found = ViewerInputs(study.cohort)
    assert found.maps == [
        "out/work/sub-A/sub-A_desc-main_templatechi.nii.gz",
        "out/work/sub-C/ses-2/sub-C_ses-2_desc-main_templatechi.nii.gz",
    ]
    mean = "out/work/group/desc-main_meanchi"
    assert found.files == [f"{mean}.nii.gz", str(desikan_killiany()), f"{mean}.json"]
    assert found.arguments[:2] == ["--atlas", "DK"]


@pytest.mark.parametrize(
    ("variants", "expected"), [(["vsharp", "main"], "main"), (["vsharp", "other"], "vsharp")]
)
def test_one_variant_is_shown_and_it_is_that_of_the_figures(
    viewer: Any, variants: list[str], expected: str
) -> None:
    found = viewer(variants={name: {} for name in variants})
    assert all(f"desc-{expected}_" in path for path in [*found.maps, found.files[0]])


def test_tissues_have_no_labels_in_the_template(viewer: Any, values: dict[str, Any]) -> None:
    both = viewer(atlases={"tissues": TISSUES, "DK": values["atlases"]["DK"]})
    assert both.atlas == "DK"
    alone = viewer(atlases={"tissues": TISSUES})
    assert alone.arguments == ["--mean-chi", "out/work/group/desc-main_meanchi.nii.gz"]


def test_an_atlas_of_another_template_comes_with_its_map(
    viewer: Any, values: dict[str, Any]
) -> None:
    other = {**values["atlases"]["DK"], "image": "aal.nii.gz", "template": "ch2.nii.gz"}
    found = viewer(atlases={"AAL": other})
    assert found.given["--atlas-labels"] == "aal.nii.gz"
    assert found.given["--template-map"] == "out/work/group/atlas-AAL_templatemap.nii.gz"


def test_without_a_t1w_there_is_no_viewer(viewer: Any, raw: Path) -> None:
    for t1w in raw.rglob("*_T1w.nii.gz"):
        t1w.unlink()
    found = viewer()
    assert found.files == found.arguments == []


def test_both_sources_are_shown_of_the_scans_that_have_them(
    viewer: Any, values: dict[str, Any], raw: Path
) -> None:
    def inputs() -> ViewerInputs:
        study = load_study({**values, "bids_dir": str(raw), "results_dir": "out"}, HOME)
        return ViewerInputs(study.cohort, SourceInputs(study.cohort, study))

    few = inputs()  # nobody has three echoes
    assert few.template_sources == []
    assert few.files == viewer().files
    for path in list((raw / "sub-C/ses-2/anat").glob("*echo-2*")):
        path.with_name(path.name.replace("echo-2", "echo-3")).write_bytes(path.read_bytes())
    found = inputs()
    signs = ("paramagnetic", "diamagnetic")
    assert found.signs == signs
    means = [f"out/work/group/label-{sign}_desc-main_meanchi.nii.gz" for sign in signs]
    assert [found.given[f"--mean-{sign}"] for sign in signs] == means
    scan = SimpleNamespace(folder="sub-C/ses-2", entities="sub-C_ses-2")
    own = [
        f"out/sub-C/ses-2/anat/sub-C_ses-2_label-{sign}_desc-main_Chimap.nii.gz" for sign in signs
    ]
    assert found.source_files(scan) == own
    # of a scan without sources the maps are empty, for a job has the outputs of its rule
    without = SimpleNamespace(folder="sub-A", entities="sub-A")
    assert found.source_files(without) == []
    options = ["--template-paramagnetic", "a", "--template-diamagnetic", "b"]
    assert found.carried_options(without, ["a", "b"]) == options
    given = ["--paramagnetic", own[0], "--diamagnetic", own[1]]
    assert found.carried_options(scan, ["a", "b"]) == [*given, *options]
    assert len(found.source_maps("diamagnetic")) == len(found.maps)
