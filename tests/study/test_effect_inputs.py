"""Which label image the picture of effects over the brain is painted on."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from qsmiron.study import load_study
from qsmiron.study.effect_inputs import DEFAULT_LABEL_TABLE, EffectInputs

HOME = Path(__file__).resolve().parents[2]
TABLE = str(HOME / "config/atlases/DesikanKilliany.tsv")
TISSUES = {"image": "tissues", "label_table": "config/atlases/Tissues.tsv"}
DEFAULT = {"label_table": TABLE}
SHIPPED = str(Path(os.path.relpath(HOME)) / DEFAULT_LABEL_TABLE)
"""Names of the default image, which go with it whatever the table of an atlas is."""


@pytest.fixture
def effects(values: dict[str, Any], raw: Path) -> Any:
    """Makes the inputs of a study with these blocks of the configuration."""

    def make(**changes: Any) -> EffectInputs:
        paths = {"bids_dir": str(raw), "results_dir": "out"}
        return EffectInputs(load_study({**values, **paths, **changes}, HOME).cohort)

    return make


@pytest.fixture
def own(tmp_path: Path) -> dict[str, str]:
    """An atlas of another template, with its files."""
    files = {name: str(tmp_path / f"{name}.nii.gz") for name in ("image", "template")}
    for path in files.values():
        Path(path).touch()
    return {**files, "label_table": TABLE}


def test_the_default_image_goes_unnamed(effects: Any) -> None:
    found = effects(atlases={"tissues": TISSUES, "DK": DEFAULT})
    assert found.atlas == "DK"
    assert found.arguments == ["--atlas-name", "DK", "--label-table", TABLE]


def test_the_first_of_two_atlases_comes_with_its_image_template_and_names(
    effects: Any, own: dict[str, str]
) -> None:
    found = effects(atlases={"AAL": own, "other": DEFAULT})
    assert found.arguments == [
        "--atlas-name", "AAL", "--atlas", own["image"], "--label-table", TABLE,
        "--template", own["template"],
    ]  # fmt: skip
    assert found.files == [own["image"], TABLE, own["template"]]
    # the configuration has its own atlas first
    assert effects(atlases={"AAL": own, "DK": DEFAULT}).atlas == "DK"


def test_an_image_that_is_not_there_is_passed_over(effects: Any, own: dict[str, str]) -> None:
    Path(own["image"]).unlink()
    assert effects(atlases={"AAL": own, "other": DEFAULT}).atlas == "other"


def test_only_tissues_have_no_image(effects: Any) -> None:
    found = effects(atlases={"tissues": TISSUES})
    assert found.arguments == ["--label-table", SHIPPED]
    assert found.atlas is None


def test_numbers_of_segmentations_are_not_those_of_the_default_image(effects: Any) -> None:
    segmented = {"label_table": TABLE, "segmentation": "derivatives/sub-{subject}/aparc.mgz"}
    assert effects(atlases={"FS": segmented}).arguments == [
        "--atlas-name", "FS", "--label-table", SHIPPED,
    ]  # fmt: skip


def test_nor_are_those_of_a_regions_table_from_elsewhere() -> None:
    from qsmiron.config import Atlas
    from qsmiron.results import Results
    from qsmiron.study.cohort import Cohort
    from qsmiron.study.label_sources import LabelSources

    atlases = {"AAL": Atlas(label_table=TABLE)}
    home = Path(os.path.relpath(HOME))
    cohort = Cohort([], Results("out"), ["main"], LabelSources(atlases, [], "raw", home))
    found = EffectInputs(cohort)
    assert found.arguments == ["--atlas-name", "AAL", "--label-table", SHIPPED]
    assert found.files == [SHIPPED]


def test_of_a_given_table_the_atlas_that_it_has_is_painted(
    effects: Any, own: dict[str, str], raw: Path, values: dict[str, Any]
) -> None:
    table = raw / "regions.tsv"
    given = {"analysis_only": True, "regions_table": str(table), "results_dir": "out"}
    given["clinical_table"] = str(raw / "participants.tsv")
    atlases = {"DK": DEFAULT, "AAL": own, "tissues": TISSUES}
    for names, painted in (
        (["AAL"], "AAL"),
        (["AAL", "DK"], "DK"),
        (["mine"], "DK"),
        (["tissues", "AAL"], "AAL"),
    ):
        rows = "".join(f"sub-1\tDK\t{name}\tAAL2\n" for name in names)
        table.write_text("participant_id\tregion\tatlas\tdesc\n" + rows)
        study = load_study({**values, **given, "atlases": atlases}, HOME)
        assert set(study.given_atlases) == set(names) - {"mine"}
        assert EffectInputs(study.cohort, study.given_atlases).atlas == painted
