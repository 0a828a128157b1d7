"""The direction of B0: headers that scanners and programs write raise nothing; others are named."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bids_trees import edit_sidecar, make_tree, megre
from nibabel.affines import from_matvec
from nibabel.eulerangles import euler2mat
from nibabel.orientations import axcodes2ornt, inv_ornt_aff, ornt_transform

from qsmiron.acquisition import b0_direction
from qsmiron.checks import inspect_inputs
from qsmiron.errors import Problem

SHAPE = (6, 7, 5)
AFFINE = np.diag([9.0, 9, 9, 1])
"""Of voxels a little below the largest that are allowed: a slab of 45 mm, as is said of it."""


def turned(degrees: float, z: float = 0) -> np.ndarray:
    angles = np.deg2rad([z, degrees])
    return from_matvec(euler2mat(z=angles[0], x=angles[1])) @ AFFINE


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_tree(tmp_path / "bids", n_subjects=1)


def save(root: Path, sform: tuple | None, qform: tuple | None, dtype: type = np.float64) -> None:
    """Every MEGRE image with these forms, each an affine and a code."""
    for part in ("mag", "phase"):
        for echo in (1, 2, 3):
            path = megre(root, "01", echo, part)
            data = np.asarray(nib.load(path).dataobj)
            image = nib.Nifti1Image(data, (sform or qform)[0].astype(dtype))
            image.set_sform(*(sform or (None, 0)))
            image.set_qform(*(qform or (None, 0)))
            nib.save(image, path)


def problems(root: Path, b0: object = None) -> list[Problem]:
    settings = {} if b0 is None else {"acquisition": {"b0_direction_of": {"sub-01": b0}}}
    found = inspect_inputs(root, None, settings).problems
    return [problem for problem in found if "at least 50 mm" not in problem.expected]


def orientation(affine: np.ndarray) -> list[float]:
    """ImageOrientationPatientDICOM of a grid whose second axis was flipped, as dcm2niix does."""
    cosines = affine[:3, :3] / np.linalg.norm(affine[:3, :3], axis=0)
    row, column = (np.array([-1, -1, 1]) * axis for axis in (cosines[:, 0], -cosines[:, 1]))
    return [round(float(part), 6) for part in (*row, *column)]


OBLIQUE = turned(23, z=4)
LEFT_HANDED = OBLIQUE @ np.diag([-1, 1, 1, 1])


@pytest.mark.parametrize(
    ("sform", "qform"),
    [
        ((OBLIQUE, 1), (OBLIQUE, 1)),
        ((OBLIQUE, 1), None),
        (None, (OBLIQUE, 1)),
        ((LEFT_HANDED, 1), (LEFT_HANDED, 1)),
        ((OBLIQUE, 1), (AFFINE, 2)),
        ((AFFINE, 2), None),
        ((np.round(OBLIQUE, 2), 1), (OBLIQUE, 1)),
        ((OBLIQUE, 2), (OBLIQUE, 1)),
    ],
    ids=["dcm2niix", "sform alone", "qform alone", "left-handed", "scanner's sform", "nibabel",
         "rounded", "aligned by its code, but not turned"],
)  # fmt: skip
def test_headers_of_a_scanner_raise_nothing_of_b0(root, sform, qform):
    save(root, sform, qform, np.float32)
    told = [p.found for p in problems(root) if "B0" in p.found or "perpendicular" in p.found]
    assert told == []


@pytest.mark.parametrize("codes", ["RAS", "LPS", "LAS", "PIR", "SAL"])
def test_a_sidecar_of_dcm2niix_agrees_however_the_axes_were_swapped(root, codes):
    turn = ornt_transform(axcodes2ornt("RAS"), axcodes2ornt(codes))
    stored = OBLIQUE @ inv_ornt_aff(turn, SHAPE)
    save(root, (stored, 1), (stored, 1))
    edit_sidecar(
        megre(root, "01", 1, "phase", "json"), ImageOrientationPatientDICOM=orientation(OBLIQUE)
    )
    assert problems(root) == []


@pytest.mark.parametrize(
    "given", ["text", [1, 0], [0, 0, 0, 0, 0, 0], [1, 0, 0, 1, 0, 0], [None] * 6]
)
def test_an_unusable_orientation_in_a_sidecar_says_nothing(root, given):
    edit_sidecar(megre(root, "01", 1, "phase", "json"), ImageOrientationPatientDICOM=given)
    assert problems(root) == []


@pytest.mark.parametrize("code", [2, 3, 4])
@pytest.mark.parametrize("form", ["sform", "qform"])
def test_a_realigned_header_is_a_warning_until_the_config_settles_it(root, code, form):
    forms = {"sform": None, "qform": None, form: (turned(20), code)}
    save(root, **forms)
    (problem,) = problems(root)
    assert problem.severity == "warning"
    assert f"{form}_code {code}" in problem.found
    assert "B0 20.0 degrees" in problem.found
    for b0 in (form, [0, 0.34, 0.94]):
        assert problems(root, b0) == []


def test_the_form_that_dicom_agrees_with_is_offered(root):
    save(root, (AFFINE, 2), (OBLIQUE, 1))
    edit_sidecar(
        megre(root, "01", 1, "phase", "json"), ImageOrientationPatientDICOM=orientation(OBLIQUE)
    )
    by_code, by_sidecar = (p for p in problems(root) if "B0" in p.found)
    assert "The qform is the scanner's by its code" in by_code.remedy
    assert "b0_direction_of: {sub-01: qform}" in by_code.remedy
    assert "If the voxels are the scanner's, set acquisition.b0_direction_of: {sub-01: qform}" in (
        by_sidecar.remedy
    )
    assert [p for p in problems(root, "qform") if "B0" in p.found] == []


def test_the_direction_that_a_message_gives_is_that_of_the_scanner(root):
    """Taken from the message into the config, it is what the lost affine would have given."""
    save(root, (AFFINE, 1), None)
    edit_sidecar(
        megre(root, "01", 1, "phase", "json"), ImageOrientationPatientDICOM=orientation(OBLIQUE)
    )
    (problem,) = (p for p in problems(root) if "B0" in p.found)
    given = problem.remedy.split("[")[1].split("]")[0]
    direction = np.array([float(part) for part in given.split(",")])
    assert abs(direction @ b0_direction(OBLIQUE)) == pytest.approx(1, abs=1e-3)
