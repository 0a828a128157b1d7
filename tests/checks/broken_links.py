"""Ways in which files are not where, or what, they are said to be; see `broken_images`."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
from bids_trees import AFFINE, SHAPE, edit_sidecar, image_bytes, megre
from checks.broken_images import COMPLETE, Case, renamed
from checks.broken_sidecars import JSON, in_sessions, sidecar

ANNEX = "../../.git/annex/objects/aa/bb"
POINTER = "/annex/objects/MD5E-s12--0123456789abcdef.tsv\n"
FETCH = "datalad get"
TABLE = "config/atlases/DesikanKilliany.tsv"
YEAR_2100 = 4_103_444_800.0  # s, epoch


def anat(root: Path, subject: str = "02") -> Path:
    return root / f"sub-{subject}/anat"


def linked(path: Path, target: str = ANNEX) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
    path.symlink_to(target)


def from_the_future(path: Path) -> None:
    os.utime(path, (YEAR_2100, YEAR_2100))


def foreign_t1w(root: Path, name: str, session: bool = False) -> None:
    if session:
        in_sessions(root, "1")
    folder = root / "sub-02/ses-1/anat" if session else anat(root)
    (own,) = folder.glob("*T1w.nii.gz")
    renamed(own, name)


def at_root(root: Path, name: str, **fields: Any) -> None:
    (root / name).write_text(json.dumps(fields))


def in_ms_at_root(root: Path) -> None:
    for path in root.rglob("*echo-1_part-*_MEGRE.json"):
        edit_sidecar(path, EchoTime=None)
    at_root(root, "echo-1_MEGRE.json", EchoTime=5)


def contradictory(root: Path) -> None:
    edit_sidecar(sidecar(root), EchoTime=None)
    at_root(root, "echo-1_MEGRE.json", EchoTime=0.005)
    at_root(root, "part-mag_MEGRE.json", EchoTime=0.006)


def atlas(**keys: Any) -> dict[str, Any]:
    """Settings with an atlas of the subjects' own labels."""
    own = {"label_table": TABLE, "segmentation": "seg/{subject}.nii.gz"}
    return {"atlases": {"own": own | keys}}


def labels(path: Path, affine: np.ndarray = AFFINE, first: int = 1) -> None:
    data = np.zeros(SHAPE, np.int16)
    data[1, 1, 1], data[2, 2, 2], data[3, 3, 3] = first, first + 1, first
    data.flat[-1] = int(path.name[:2]) % 2 + first  # no two are alike
    data[4, 4, 4 - int(path.name[:2]) % 5] = first
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(data, affine), path)


def segmented(root: Path, *without: str) -> None:
    for number in range(1, 7):
        if f"{number:02d}" not in without:
            labels(root / f"seg/{number:02d}.nii.gz")


def misplaced(root: Path) -> None:
    segmented(root)
    lost = AFFINE.copy()
    lost[:3, 3] = 40
    labels(root / "seg/02.nii.gz", lost)


def same_content(root: Path) -> None:
    segmented(root)
    shutil.copy(root / "seg/01.nii.gz", root / "seg/02.nii.gz")


def masks(root: Path, *without: str, shape: tuple[int, ...] = SHAPE) -> None:
    (root / "masks").mkdir()
    for number in range(1, 7):
        if f"{number:02d}" not in without:
            content = image_bytes(shape, seed=number)
            (root / f"masks/{number:02d}.nii.gz").write_bytes(content)


SEG = "config, atlases.own.segmentation"
MASK = {"reconstruction": {"mask": {"user": "masks/{subject}.nii.gz"}}}
R2 = {"reconstruction": {"sources": {"r2": "masks/{subject}.nii.gz"}}}
OF_VARIANT = {"variants": {"main": MASK["reconstruction"]}}

CASES = [
    # names of others
    Case("the T1w by another participant's name", lambda r: foreign_t1w(r, "sub-04_T1w.nii.gz"),
         "sub-02/anat/sub-04_T1w.nii.gz", "the name of sub-04", "starts with sub-02_",
         "See whose image it is"),
    Case("the T1w by another session's name",
         lambda r: foreign_t1w(r, "sub-02_ses-2_T1w.nii.gz", True),
         "ses-1/anat/sub-02_ses-2_T1w.nii.gz", "the name of sub-02_ses-2",
         "starts with sub-02_ses-1_", "move or rename"),
    Case("the T1w of a session without its name",
         lambda r: foreign_t1w(r, "sub-02_T1w.nii.gz", True), "ses-1/anat/sub-02_T1w.nii.gz",
         "the name of sub-02", "starts with sub-02_ses-1_", "move or rename"),
    Case("a second T1w, of another participant", lambda r: (
        anat(r) / "sub-03_T1w.nii.gz").write_bytes(image_bytes(seed=5)),
        "sub-02/anat/sub-03_T1w.nii.gz", "the name of sub-03", "starts with sub-02_",
        "move or rename"),
    Case("a sidecar by another participant's name", lambda r: renamed(
        sidecar(r), "sub-03_echo-1_part-mag_MEGRE.json"), "sub-03_echo-1_part-mag_MEGRE.json",
        "the name of sub-03", "starts with sub-02_", "See whose sidecar it is"),
    Case("an unused image by another participant's name", lambda r: (
        anat(r) / "sub-03_T2w.nii.gz").write_bytes(image_bytes(seed=5)), "sub-03_T2w.nii.gz",
        "the name of sub-03", "starts with sub-02_", "move or rename", "warning"),
    Case("a T1w whose ending is in capitals", lambda r: foreign_t1w(r, "sub-02_T1w.NII.GZ"),
         "sub-02_T1w.NII.GZ", "not understood", "sub-02_T1w.nii.gz", "in small letters"),
    Case("an echo whose ending is in capitals", lambda r: renamed(
        megre(r, "02", 1, "mag"), "sub-02_echo-1_part-mag_MEGRE.NII.GZ"), "MEGRE.NII.GZ",
        "not understood", "echo-1_part-mag_MEGRE.nii.gz", "in small letters"),
    Case("a T1w that is spelt otherwise", lambda r: foreign_t1w(r, "sub-02_t1w.nii.gz"),
         "sub-02_t1w.nii.gz", "not understood", "sub-02_T1w.nii.gz", "and last _T1w"),
    # links to nothing, and pointers
    Case("a sidecar that is a link to nothing", lambda r: linked(sidecar(r)), JSON,
         "a link to a file that is not there", "a JSON sidecar", FETCH),
    Case("a sidecar that git-annex points from", lambda r: sidecar(r).write_text(POINTER), JSON,
         "a pointer to content elsewhere", "a JSON sidecar", FETCH),
    Case("a sidecar that is another link as text", lambda r: sidecar(r).write_text(ANNEX), JSON,
         "a pointer to content elsewhere", "a JSON sidecar", FETCH),
    Case("a sidecar of git lfs", lambda r: sidecar(r).write_text(
        "version https://git-lfs.github.com/spec/v1\n"), JSON, "a pointer", "a JSON sidecar",
        "git lfs pull"),
    Case("a sidecar that is a folder", lambda r: [sidecar(r).unlink(), sidecar(r).mkdir()], JSON,
         "a folder", "a JSON sidecar", ""),
    Case("a T1w that is a link to nothing", lambda r: linked(anat(r) / "sub-02_T1w.nii.gz"),
         "sub-02_T1w.nii.gz", "a link to a file that is not there", COMPLETE, FETCH),
    Case("a table that is a link to nothing", lambda r: linked(r / "participants.tsv"),
         "participants.tsv", "a link to a file that is not there", "a clinical table", FETCH),
    Case("a table that git-annex points from", lambda r: (
        r / "participants.tsv").write_text(POINTER), "participants.tsv", "a pointer to content",
        "a clinical table", FETCH),
    Case("a phenotype table that is not fetched", lambda r: [
        (r / "phenotype").mkdir(), linked(r / "phenotype/ecas.tsv")], "phenotype/ecas.tsv",
        "a link to a file", "a clinical table", FETCH),
    Case("a participant who is a link to nothing", lambda r: linked(r / "sub-02"), "sub-02",
         "a link to a folder that is not there", "a folder of images", FETCH),
    Case("an anat that is a link to nothing", lambda r: linked(anat(r), "elsewhere"),
         "sub-02/anat", "a link to a folder that is not there (elsewhere)", "a folder of images",
         "Correct the link"),
    # sidecars of several images
    Case("an echo time in milliseconds at the root", in_ms_at_root, "bids/echo-1_MEGRE.json, Echo",
         "5", "seconds", "divide it by 1000"),
    Case("two sidecars at the root that disagree", contradictory,
         "part-mag_MEGRE.json, EchoTime", "0.006, where echo-1_MEGRE.json has 0.005",
         "one value for sub-02_echo-1_part-mag", "beside the image"),
    Case("a sidecar with a comment", lambda r: sidecar(r).write_text('{ // GE\n"EchoTime": 1}'),
         JSON, "malformed JSON", "a JSON object", "JSON has no comments"),
    # times
    Case("an image from the future", lambda r: from_the_future(megre(r, "02", 1, "mag")),
         "sub-02_echo-1_part-mag_MEGRE.nii.gz", "in the future, 2100-", "in the past", "touch"),
    Case("a sidecar from the future", lambda r: from_the_future(sidecar(r)), JSON,
         "a modification time in the future", "results must be newer", "the clock"),
    Case("a table from the future", lambda r: from_the_future(r / "participants.tsv"),
         "participants.tsv", "in the future", "in the past", "touch"),
    # files that the config names
    Case("segmentations of nobody", lambda r: None, SEG,
         "'seg/{subject}.nii.gz', which leads to a file of no scan", "segmentation of each scan",
         "Correct it", settings=atlas()),
    Case("segmentations of some", lambda r: segmented(r, "02", "05"), SEG,
         "no segmentation of 2 of 6 scans: sub-02, sub-05", "segmentation of each scan",
         "take the atlas in its place", "warning", atlas()),
    Case("segmentations of some, of whom all should have one", lambda r: segmented(r, "02"),
         "seg/02.nii.gz", "no such file", "atlases.own.segmentation", "Put it there",
         settings=atlas(segmentation_required=True)),
    Case("a segmentation that is a link to nothing", lambda r: [
        segmented(r), linked(r / "seg/02.nii.gz")], "seg/02.nii.gz", "a link to a file",
        "segmentation of each scan", FETCH, settings=atlas()),
    Case("a segmentation that is a folder", lambda r: [
        segmented(r, "02"), (r / "seg/02.nii.gz").mkdir()], "seg/02.nii.gz", "a folder",
        "segmentation of each scan", "Put it there", settings=atlas()),
    Case("one segmentation for everybody", segmented, SEG, "01.nii.gz for 6 participants",
         "of each participant", "Put {subject} into the path", "warning",
         atlas(segmentation="seg/01.nii.gz")),
    Case("a segmentation copied over another's", same_content, "seg/02.nii.gz", "the very image of",
         "of each participant", "copied over", "warning", atlas()),
    Case("a segmentation that lies elsewhere", misplaced, "seg/02.nii.gz",
         "a box of which 3% lies in that of sub-02_T1w.nii.gz", "nearly all", "kept its position",
         settings=atlas()),
    Case("a segmentation that lies beside the GRE", misplaced, "seg/02.nii.gz",
         "lies in that of sub-02_echo-1_part-mag", "nearly all", "segmentation_space is right",
         settings=atlas(segmentation_space="GRE")),
    Case("a segmentation in other numbers", lambda r: labels(r / "seg/01.nii.gz", first=900),
         "seg/01.nii.gz", "labels that the label table lacks: 900, 901", "only labels of the label",
         "colour table of the segmentation", settings=atlas()),
    Case("a label table that is not there", lambda r: None, "nowhere.tsv", "no such file",
         "atlases.own.label_table", "Correct the path",
         settings={"atlases": {"own": {"label_table": "nowhere.tsv"}}}),
    Case("a colour table that is not there", lambda r: None, "lut.txt", "no such file",
         "atlases.own.colour_table", "Correct the path",
         settings=atlas(segmentation=None, colour_table="lut.txt")),
    Case("an atlas that is not there", lambda r: None, "aal.nii", "no such file",
         "atlases.own.image", "Correct the path",
         settings=atlas(segmentation=None, image="aal.nii", template="ch2.nii")),
    Case("a template that is not there", lambda r: None, "ch2.nii", "no such file",
         "atlases.own.template", "Correct the path",
         settings=atlas(segmentation=None, image="aal.nii", template="ch2.nii")),
    Case("masks of nobody", lambda r: None, "masks/02.nii.gz", "no such file",
         "reconstruction.mask.user", "Put it there", settings=MASK),
    Case("masks of some, of a variant", lambda r: masks(r, "02"), "masks/02.nii.gz",
         "no such file", "variants.main.mask.user", "Put it there", settings=OF_VARIANT),
    Case("R2 maps of nobody", lambda r: None, "masks/02.nii.gz", "no such file",
         "reconstruction.sources.r2", "Put it there", settings=R2),
    Case("R2 maps of another grid", lambda r: masks(r, shape=(5, 7, 5)), "masks/02.nii.gz",
         "a grid of (5, 7, 5)", "the grid of sub-02_echo-1_part-mag", "Put the R2 map on the grid",
         settings=R2),
    Case("masks of another grid", lambda r: masks(r, shape=(5, 7, 5)), "masks/02.nii.gz",
         "a grid of (5, 7, 5)", "the grid of sub-02_echo-1_part-mag", "Put the mask on the grid",
         settings=MASK),
]  # fmt: skip
