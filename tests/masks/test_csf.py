from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from qsmiron.masks.csf import CsfParameters, ventricular_fluid
from qsmiron.relaxation.loglinear import LoglinearParameters, fit_loglinear

SHAPE, SIZE = (60, 72, 44), (2.0, 2.0, 3.0)
SCAN = Path(__file__).parents[3] / "shared/data/mri_course/s007.nii.gz"


@pytest.fixture
def head():
    """A brain with two ventricles that reach out of its centre, and fluid where none is meant."""
    x, y, z = np.meshgrid(
        *((np.arange(n) - n / 2) * s for n, s in zip(SHAPE, SIZE, strict=True)), indexing="ij"
    )
    brain = (x / 55) ** 2 + (y / 68) ** 2 + (z / 60) ** 2 < 1
    ventricles = (abs(abs(x) - 12) < 5) & (abs(y) < 45) & (abs(z) < 8)
    far = np.linalg.norm([x - 40, y, z], axis=0) < 4  # a cyst, not central
    rim = brain & (ndimage.distance_transform_edt(brain, sampling=SIZE) < 5)
    r2star = np.where(ventricles | far | rim, 2.0, 20.0) * brain
    magnitude = np.where(brain, 500.0, 5.0)
    return r2star, magnitude, brain, ventricles


def test_finds_the_ventricles_and_no_other_fluid(head):
    r2star, magnitude, brain, ventricles = head
    found = ventricular_fluid(r2star, magnitude, brain, SIZE, CsfParameters())
    assert np.array_equal(found, ventricles)


def test_without_signal_there_is_no_fluid(head):
    r2star, magnitude, brain, ventricles = head
    left = ventricles & (np.arange(SHAPE[0]) < SHAPE[0] / 2)[:, None, None]
    magnitude[left] = 3
    r2star[left] = 0
    magnitude[30, 30, 22] = np.nan
    found = ventricular_fluid(r2star, magnitude, brain, SIZE, CsfParameters())
    assert np.array_equal(found, ventricles & ~left)


def test_nan_is_no_fluid(head):
    r2star, magnitude, brain, ventricles = head
    voxel = tuple(np.argwhere(ventricles)[0])
    r2star[voxel] = np.nan
    found = ventricular_fluid(r2star, magnitude, brain, SIZE, CsfParameters())
    assert not found[voxel]
    assert found.sum() == ventricles.sum() - 1


def test_nothing_is_found_where_there_is_no_fluid(head):
    r2star, magnitude, brain, _ = head
    found = ventricular_fluid(r2star + 10, magnitude, brain, SIZE, CsfParameters())
    assert not found.any()


@pytest.mark.skipif(
    not SCAN.exists(), reason="needs shared/data/mri_course/s007.nii.gz beside the project"
)
def test_ventricles_of_a_real_brain():
    magnitude = np.moveaxis(np.asarray(nib.load(SCAN).dataobj, np.float32), -1, 0)
    times = 1e-3 * np.r_[2.89, 6.42 + 3.945 * np.arange(11)]
    size = (1.22, 1.22, 2.0)
    # The slab has no top and bottom: slice by slice, 22 mm inside the skin is about the brain.
    head = [ndimage.binary_fill_holes(one > 150) for one in np.moveaxis(magnitude[0], -1, 0)]
    brain = np.stack([ndimage.distance_transform_edt(one) * size[0] > 22 for one in head], axis=-1)
    r2star = fit_loglinear(magnitude, times, brain, LoglinearParameters())
    found = ventricular_fluid(r2star, magnitude[0], brain, size, CsfParameters())
    assert 100 < found.sum() < 1000  # 303 voxels, 0.9 mL
    middle = np.s_[85:112, 70:122]  # the lateral and third ventricles of these slices
    assert found[middle].sum() > 0.9 * found.sum()
    # Fluid is the brightest tissue of the last echo.
    assert np.median(magnitude[-1][found]) > 1.5 * np.median(magnitude[-1][brain])
