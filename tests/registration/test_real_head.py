"""Whether what is flagged tells right registrations of a person from wrong ones.

On a real head beside the project (T1w and GRE of one session), and with the T1w of another person
where Debian's mricron-data is installed. `pytest -s` prints what was measured.
"""

from pathlib import Path

import numpy as np
import pytest
from scipy import ndimage

from qsmiron import template
from qsmiron.quality import QualityParameters
from qsmiron.registration.itk_bridge import ants_session
from qsmiron.registration.similarity import local_correlation
from qsmiron.registration.template_to_t1w import TemplateParameters, register_template
from qsmiron.registration.within_subject import (
    RigidParameters,
    combine_echoes,
    register_gre,
    sharpness,
)
from qsmiron.spaces import apply_affine, decimate, grid_points, look_up
from qsmiron.volumes import Volume, read_volume

FOLDER = Path(__file__).parents[3] / "shared" / "data" / "real_head" / "sub-01" / "anat"
COLIN27 = Path("/usr/share/mricron/templates/ch2.nii.gz")
LIMITS = QualityParameters()

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not FOLDER.exists(), reason=f"needs the real head in {FOLDER}"),
]


@pytest.fixture(scope="module")
def registered():
    t1w = decimate(read_volume(FOLDER / "sub-01_T1w.nii.gz"), 2, 0.35)
    default = read_volume(template.template_t1w())
    with ants_session(1, 1) as session:
        return register_template(session, t1w, default, TemplateParameters())


@pytest.fixture(scope="module")
def gre():
    echoes = [read_volume(path) for path in sorted(FOLDER.glob("*_part-mag_MEGRE.nii.gz"))]
    return Volume(combine_echoes([echo.data for echo in echoes]), echoes[0].affine)


@pytest.fixture(scope="module")
def to_t1w(registered, gre):
    with ants_session(1, 1) as session:
        return register_gre(session, gre, registered.image, registered.brain, RigidParameters())


def test_template_in_its_place_and_elsewhere(registered):
    image, brain = registered.image, registered.brain
    default = read_volume(template.template_t1w())
    right = registered.agreement()
    print(f"T1w and template: {right:.3f}")
    assert right > LIMITS.registration_similarity + 0.1
    points = grid_points(brain.shape, image.affine)
    for distance, largest in ((5, LIMITS.registration_similarity), (10, 0.25), (20, 0.15)):
        for axis in range(3):
            moved = points + np.float32(distance) * np.eye(3, dtype=np.float32)[axis]
            wrong = look_up(default.data, default.affine, registered.to_template(moved))
            found = local_correlation(image, wrong, brain)
            print(f"{distance} mm off along axis {axis}: {found:.3f}")
            assert found < largest
    noise = np.random.default_rng(1).random(brain.shape, np.float32)
    dark = Volume(image.data.max() - image.data, image.affine)
    assert local_correlation(Volume(noise, image.affine), registered.warped, brain) < 0.05
    assert local_correlation(dark, registered.warped, brain) < 0


def test_gre_of_this_head_and_wrong_ones(registered, gre, to_t1w):
    image, brain, parameters = registered.image, registered.brain, RigidParameters()
    right = sharpness(gre, image, brain, to_t1w, parameters)
    print(f"T1w and GRE: {right:.2f}")
    assert right > LIMITS.gre_sharpness + 0.5
    for distance in (5, 10, 20):
        moved = to_t1w.copy()
        moved[1, 3] += distance
        assert sharpness(gre, image, brain, moved, parameters) < 1.5
    grain = np.abs(np.random.default_rng(1).standard_normal(gre.data.shape)).astype(np.float32)
    noise = sharpness(Volume(grain, gre.affine), image, brain, to_t1w, parameters)
    assert noise == pytest.approx(1, abs=0.1)


def test_a_mirrored_t1w(registered, gre):
    mirrored = Volume(registered.image.data[::-1].copy(), registered.image.affine)
    found = _best(gre, mirrored, registered.brain[::-1].copy())
    print(f"mirrored T1w and GRE: {found:.2f}")
    assert found < LIMITS.gre_sharpness


@pytest.mark.skipif(not COLIN27.exists(), reason="needs Debian's mricron-data")
def test_another_persons_t1w(registered, gre):
    """Its brain's centre where this person's is, which is the hardest case."""
    other = decimate(read_volume(COLIN27), 2, 0.35)
    brain = ndimage.binary_erosion(
        decimate(read_volume(COLIN27.with_name("ch2bet.nii.gz")), 2, 0.35).data > 20
    )
    own = _centre(registered.brain, registered.image.affine)
    affine = other.affine.copy()
    affine[:3, 3] += own - _centre(brain, affine)
    found = _best(gre, Volume(other.data, affine), brain)
    print(f"another person's T1w and GRE: {found:.2f}")
    assert found < LIMITS.gre_sharpness


def _centre(brain: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return apply_affine(affine, np.argwhere(brain).mean(axis=0))


def _best(gre: Volume, t1w: Volume, brain: np.ndarray) -> float:
    """Sharpness where the two agree best."""
    with ants_session(1, 1) as session:
        found = register_gre(session, gre, t1w, brain, RigidParameters())
    return sharpness(gre, t1w, brain, found, RigidParameters())
