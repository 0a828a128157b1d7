"""Names of raw and derived files."""

from __future__ import annotations

from pathlib import Path

import pytest
from bids_trees import make_tree, megre

from qsmiron.bids import LABEL, find_scans, image_template, raw_scan
from qsmiron.results import Results


def test_a_made_up_scan_is_found_under_the_same_names(tmp_path):
    make_tree(tmp_path, n_subjects=2, n_echoes=3)
    assert find_scans(tmp_path) == [raw_scan(tmp_path, label, 3) for label in ("01", "02")]


def test_echoes_come_in_the_order_of_their_numbers(tmp_path):
    make_tree(tmp_path, n_subjects=1, n_echoes=11)
    (scan,) = find_scans(tmp_path)
    for part, files in (("mag", scan.magnitude), ("phase", scan.phase)):
        assert list(files) == [megre(tmp_path, "01", echo, part) for echo in range(1, 12)]
    assert len(scan.files) == 23


def test_selection_with_or_without_prefix(tmp_path):
    make_tree(tmp_path, n_subjects=3)
    for wanted in (["01", "03"], ["sub-01", "sub-03"]):
        assert [s.participant_id for s in find_scans(tmp_path, wanted)] == ["sub-01", "sub-03"]


def test_sessions_are_scans_of_their_own(tmp_path):
    for session in ("a", "b"):
        anat = tmp_path / f"sub-01/ses-{session}/anat"
        anat.mkdir(parents=True)
        (anat / f"sub-01_ses-{session}_echo-1_part-mag_MEGRE.nii").touch()
    first, second = find_scans(tmp_path)
    assert (first.session, first.folder, first.entities) == ("a", "sub-01/ses-a", "sub-01_ses-a")
    assert second.session == "b"
    assert first.t1w is None
    assert find_scans(tmp_path, sessions=["ses-b"]) == [second]


def test_acquisitions_are_told_apart(tmp_path):
    anat = tmp_path / "sub-01" / "anat"
    anat.mkdir(parents=True)
    for entities in ("sub-01", "sub-01_acq-x_run-2"):
        (anat / f"{entities}_echo-1_part-mag_MEGRE.nii.gz").touch()
    assert {scan.entities for scan in find_scans(tmp_path)} == {"sub-01", "sub-01_acq-x_run-2"}


def test_unusable_names_are_not_taken_up(tmp_path):
    for name in ("sub-01;touch x", "sub-a_b", "sub-", "Sub-01", "derivatives"):
        anat = tmp_path / name / "anat"
        anat.mkdir(parents=True)
        (anat / f"{name}_echo-1_part-mag_MEGRE.nii.gz").touch()
    assert find_scans(tmp_path) == []
    assert find_scans(tmp_path / "none") == []
    for label in ("a b", "a;b", "a/b", "..", "a\n", "é", "", "a-b"):
        assert not LABEL.fullmatch(label)


def test_a_folder_without_anat_or_images_has_no_scan(tmp_path):
    (tmp_path / "sub-01").mkdir()
    (tmp_path / "sub-02" / "anat").mkdir(parents=True)
    (tmp_path / "sub-02" / "anat" / "sub-02_T1w.nii.gz").touch()
    assert find_scans(tmp_path) == []


def test_files_of_a_scan_elsewhere(tmp_path):
    scan = raw_scan(tmp_path, "01", 1)
    for ending in ("nii", "nii.gz", "mgz"):
        name = image_template(f"derivatives/freesurfer/{{subject}}/mri/x.{ending}")
        assert "{" not in name
        expected = tmp_path / f"derivatives/freesurfer/01/mri/x.{ending}"
        assert scan.file(name, tmp_path) == expected
    for path in ("{subject}/x.mgh", "{subject}/x", "{subject}/mgz"):
        with pytest.raises(ValueError, match=r"ends in \.nii, \.nii\.gz or \.mgz"):
            image_template(path)
    with pytest.raises(ValueError, match="no other placeholders"):
        image_template("{run}/x.mgz")


def test_results_lie_below_their_root_and_raw_names_are_not_reused():
    paths = Results("out", "sub-01/ses-a", "sub-01_ses-a", "main", "DK")
    assert paths.chi == "out/sub-01/ses-a/anat/sub-01_ses-a_desc-main_Chimap.nii.gz"
    assert paths.labels == "out/sub-01/ses-a/anat/sub-01_ses-a_atlas-DK_dseg.nii.gz"
    mask = Path(paths.brain_mask).name
    assert mask == "sub-01_ses-a_label-brain_desc-main_mask.nii.gz"
    assert paths.intermediate("x.nii.gz") == "out/work/sub-01/ses-a/sub-01_ses-a_x.nii.gz"
    assert Results("out").chi == "out/{folder}/anat/{entities}_desc-{desc}_Chimap.nii.gz"
    assert paths.group("regions.tsv") == "out/group/regions.tsv"
    assert paths.log("check_inputs") == "out/logs/check_inputs/check_inputs.log"
