"""Where labels come from: an atlas, the subjects' own segmentations, their tissues."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qsmiron.errors import InputError
from qsmiron.study import Study, load_study

HOME = Path(__file__).resolve().parents[2]
DK = {"label_table": "config/atlases/DesikanKilliany.tsv"}
FREESURFER = "derivatives/freesurfer/sub-{subject}/mri/aparc+aseg.mgz"
A = ("sub-A", "sub-A")
WITHOUT_T1W = ("sub-B/ses-1", "sub-B_ses-1")
B = ("sub-C/ses-2", "sub-C_ses-2")


def job(scan: tuple[str, str], atlas: str = "DK") -> Any:
    folder, entities = scan
    return SimpleNamespace(folder=folder, entities=entities, desc="main", atlas=atlas)


def segmented(root: Path, *names: str) -> list[Path]:
    paths = [root / name for name in names]
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return paths


@pytest.fixture
def with_atlas(values: dict[str, Any], raw: Path) -> Any:
    """Lays a study out whose atlas DK has these keys; ``changes`` are other blocks."""

    def lay_out(atlas: dict[str, Any], **changes: Any) -> Study:
        atlases = {**values["atlases"], "DK": {**DK, **atlas}}
        paths = {"bids_dir": str(raw), "results_dir": "out"}
        return load_study({**values, **paths, "atlases": atlases, **changes}, HOME)

    return lay_out


def labelled(study: Study, atlas: str) -> list[str]:
    return study.cohort.every_scan_with_labels("{folder}", atlas=atlas)


def test_who_has_no_segmentation_takes_the_atlas(with_atlas: Any, raw: Path) -> None:
    segmented(raw, "derivatives/freesurfer/sub-A/mri/aparc+aseg.mgz")
    cohort = with_atlas({"segmentation": FREESURFER}).cohort
    assert [cohort.origin(job(scan)) for scan in (A, B)] == ["segmentation", "atlas"]
    assert cohort.origin(job(A, "tissues")) == "tissues"
    assert list(cohort.label_options(job(B))) == ["--coordinates", "--atlas", "--template-map"]
    assert next(iter(cohort.label_options(job(A)))) == "--segmentation"


@pytest.mark.parametrize(
    "pattern",
    [
        "seg/{folder}/{entities}_dseg.nii.gz",
        "seg/sub-{subject}/ses-{session}/sub-{subject}_ses-{session}_dseg.nii.gz",
    ],
)
def test_paths_are_absolute_or_below_the_data_set(
    with_atlas: Any, raw: Path, tmp_path: Path, pattern: str
) -> None:
    name = "seg/sub-C/ses-2/sub-C_ses-2_dseg.nii.gz"
    (below,) = segmented(raw, name)
    (elsewhere,) = segmented(tmp_path / "elsewhere", name)
    for template, expected in ((pattern, below), (f"{tmp_path}/elsewhere/{pattern}", elsewhere)):
        sources = with_atlas({"segmentation": template}).cohort.label_sources
        found = {
            scan.entities: sources.segmentation(scan, "DK")
            for scan in with_atlas({"segmentation": template}).cohort.scans
        }
        assert found == {"sub-A": None, "sub-B_ses-1": None, "sub-C_ses-2": str(expected)}


def test_every_missing_segmentation_that_is_required_is_named(with_atlas: Any, raw: Path) -> None:
    segmented(raw, "seg/sub-B_ses-1.mgz", "seg/sub-C_ses-2.mgz")
    atlas = {"segmentation": "seg/{entities}.mgz", "segmentation_required": True}
    with pytest.raises(InputError) as refused:
        with_atlas(atlas)
    problems = [str(problem) for problem in refused.value.problems]
    assert len(problems) == 2
    assert "sub-A.mgz" in problems[0]
    assert "no such file" in problems[0]
    assert "sub-B_ses-1.mgz" in problems[1]
    assert "no T1w" in problems[1]  # in whose space the file is said to be
    (raw / "seg/sub-A.mgz").touch()
    study = with_atlas({**atlas, "segmentation_space": "GRE"})
    assert {study.cohort.origin(job(scan)) for scan in (A, WITHOUT_T1W, B)} == {"segmentation"}


@pytest.mark.parametrize(("space", "has_labels"), [("GRE", True), ("T1w", False)])
def test_only_labels_in_the_space_of_the_gre_need_no_t1w(
    with_atlas: Any, raw: Path, space: str, has_labels: bool
) -> None:
    segmented(raw, "seg/sub-B_ses-1.nii.gz")
    study = with_atlas({"segmentation": "seg/{entities}.nii.gz", "segmentation_space": space})
    assert ("sub-B/ses-1" in labelled(study, "DK")) is has_labels
    assert labelled(study, "tissues") == ["sub-A", "sub-C/ses-2"]
    assert bool(study.cohort.first_labels(job(WITHOUT_T1W))) is has_labels


def test_labels_without_any_t1w_leave_no_empty_atlas(with_atlas: Any, raw: Path) -> None:
    for path in raw.rglob("*_T1w.nii.gz"):
        path.unlink()
    segmented(raw, "seg/sub-A.mgz")
    study = with_atlas({"segmentation": "seg/{entities}.mgz", "segmentation_space": "GRE"})
    assert labelled(study, "tissues") == []
    (thresholds,) = study.cohort.gathered("thresholds")  # none of tissues, which nobody has
    assert "atlas-DK" in thresholds
    gathered = study.cohort.gathered("regions")
    measured = [path for path in gathered if not path.endswith("_deposits.tsv")]  # of all atlases
    assert measured
    assert all("atlas-DK" in path for path in measured)


def test_a_reference_region_may_come_from_a_segmentation(with_atlas: Any, raw: Path) -> None:
    reference = {"reference": {"atlas": "DK", "region": "thalamus"}}
    atlas = {"segmentation": "seg/{entities}.mgz", "segmentation_space": "GRE"}
    with pytest.raises(InputError, match="sub-B_ses-1, without a T1w"):
        with_atlas(atlas, reconstruction=reference)
    segmented(raw, "seg/sub-B_ses-1.mgz")
    study = with_atlas(atlas, reconstruction=reference)
    inputs = study.cohort.variant_inputs(study)
    assert inputs.reference_labels(job(WITHOUT_T1W))


@pytest.mark.parametrize("regions", [{"cortex_grey_matter": 0.5}, {"partial_volume_weights": True}])
def test_cortex_without_grey_matter_is_refused_beforehand(
    with_atlas: Any, raw: Path, regions: dict[str, Any]
) -> None:
    atlas = {"segmentation": "seg/{entities}.mgz", "segmentation_space": "GRE"}
    with_atlas(atlas, regions=regions)  # who has no labels lacks nothing
    segmented(raw, "seg/sub-B_ses-1.mgz")
    with pytest.raises(InputError, match="sub-B_ses-1, without a T1w and so without grey"):
        with_atlas(atlas, regions=regions)
    with_atlas(atlas, regions={"deep_erosion": 1})
    with_atlas({**atlas, "label_table": "config/atlases/Tissues.tsv"}, regions=regions)


def test_shipped_tables_are_found_from_any_folder(
    with_atlas: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    atlas = {"segmentation": FREESURFER, "colour_table": "config/atlases/aparc+aseg.tsv"}
    sources = with_atlas(atlas).cohort.label_sources
    for table in (sources.colour_table("DK"), sources.label_table("DK")):
        assert Path(table).resolve().is_relative_to(HOME)
        assert Path(table).exists()
    own = tmp_path / "config/atlases/aparc+aseg.tsv"
    own.parent.mkdir(parents=True)
    own.touch()
    assert sources.colour_table("DK") == "config/atlases/aparc+aseg.tsv"
    assert sources.colour_table("tissues") is None


def test_the_arguments_of_each_kind_of_labels(with_atlas: Any, raw: Path) -> None:
    segmented(raw, "seg/sub-A.mgz")
    magnitude = f"{raw}/sub-A/anat/sub-A_echo-1_part-mag_MEGRE.nii.gz"

    cohort = with_atlas({}).cohort
    coordinates = "out/work/sub-A/sub-A_coordinates.nii.gz"
    default = cohort.label_sources.image("DK")
    assert Path(default).exists()
    assert cohort.label_arguments(job(A)) == ["--coordinates", coordinates, "--atlas", default]

    cohort = with_atlas({"image": "aal.nii", "template": "ch2.nii"}).cohort
    assert cohort.label_arguments(job(A)) == [
        *("--coordinates", coordinates, "--atlas", "aal.nii"),
        *("--template-map", "out/work/group/atlas-DK_templatemap.nii.gz"),
    ]

    in_t1w = {"segmentation": "seg/{entities}.mgz"}
    cohort = with_atlas(in_t1w).cohort
    assert cohort.label_arguments(job(A)) == [
        *("--segmentation", f"{raw}/seg/sub-A.mgz", "--magnitude", magnitude),
        *("--gre-to-t1w", "out/work/sub-A/sub-A_gretot1w.json", "--space", "T1w"),
    ]

    colours = {"colour_table": str(HOME / "config/atlases/aparc+aseg.tsv")}
    cohort = with_atlas({**in_t1w, **colours, "segmentation_space": "GRE"}).cohort
    assert cohort.label_arguments(job(A)) == [
        *("--segmentation", f"{raw}/seg/sub-A.mgz", "--magnitude", magnitude),
        *("--colour-table", colours["colour_table"], "--space", "GRE"),
    ]
    files = set(cohort.label_files(job(A)))
    assert files == {f"{raw}/seg/sub-A.mgz", magnitude, colours["colour_table"]}


def test_one_look_at_the_disk_is_enough(with_atlas: Any, raw: Path) -> None:
    (path,) = segmented(raw, "seg/sub-A.mgz")
    cohort = with_atlas({"segmentation": "seg/{entities}.mgz"}).cohort
    path.unlink()
    assert cohort.origin(job(A)) == "segmentation"


def test_a_study_without_any_atlas_is_refused(values: dict[str, Any], raw: Path) -> None:
    values["atlases"] = dict.fromkeys(values["atlases"])
    with pytest.raises(InputError, match="at least one atlas"):
        load_study({**values, "bids_dir": str(raw)}, HOME)
