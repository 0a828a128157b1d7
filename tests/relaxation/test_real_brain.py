"""Both methods on a 12-echo scan of a brain, where the data are beside the project."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from qsmiron.relaxation.arlo import ArloParameters, fit_arlo
from qsmiron.relaxation.loglinear import LoglinearParameters, fit_loglinear

SCAN = Path(__file__).parents[3] / "shared/data/mri_course/s007.nii.gz"
TIMES = 1e-3 * np.array(
    [2.89, 6.42, 10.36, 14.31, 18.25, 22.2, 26.14, 30.09, 34.03, 37.98, 41.92, 45.87]
)
WHITE_MATTER = [np.s_[118:127, 60:69, 4:7], np.s_[70:79, 60:69, 4:7], np.s_[118:126, 124:132, 4:7]]
PALLIDUM = np.s_[118:124, 100:106, 0]

pytestmark = pytest.mark.skipif(
    not SCAN.exists(), reason="needs shared/data/mri_course/s007.nii.gz beside the project"
)


@pytest.fixture(scope="module")
def maps():
    """R2* by both methods; the first echo is off the others' equal spacing."""
    magnitude = np.moveaxis(np.asarray(nib.load(SCAN).dataobj, np.float32), -1, 0)
    mask = magnitude[0] > 150
    loglinear = fit_loglinear(magnitude, TIMES, mask, LoglinearParameters())
    return mask, loglinear, fit_arlo(magnitude[1:], TIMES[1:], mask, ArloParameters())


def test_white_matter_and_pallidum_are_plausible(maps):
    _, *found = maps
    for r2star in found:
        for region in WHITE_MATTER:
            assert 20 < np.median(r2star[region]) < 25  # 21.4 to 22.4 measured
        assert np.median(r2star[PALLIDUM]) > 28


def test_methods_agree(maps):
    mask, loglinear, arlo = maps
    inside = mask & (loglinear > 5) & (loglinear < 40)
    difference = (arlo - loglinear)[inside]
    assert abs(np.median(difference)) < 0.5
    assert np.percentile(abs(difference), 75) < 1.5
