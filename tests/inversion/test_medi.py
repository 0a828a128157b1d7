import numpy as np
import pytest
from inversion.ball_phantom import GEOMETRIES, OBLIQUE, ball_phantom

from qsmiron.inversion.medi import MediParameters, morphology_enabled
from qsmiron.inversion.tikhonov import TikhonovParameters, closed_form_l2

CUBE, UPRIGHT = (2, 2, 2), (0, 0, 1)


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
@pytest.mark.parametrize(("seen", "lowest"), [(True, 0.92), (False, 0.88)])
def test_regions_come_back_from_their_true_field(seen, lowest, voxel_size, direction):
    phantom = ball_phantom(voxel_size, direction)
    magnitude = phantom.magnitude() if seen else None
    chi = morphology_enabled(
        phantom.field,
        phantom.mask,
        voxel_size,
        direction,
        MediParameters(),
        magnitude=magnitude,
    )
    slope, error = phantom.regional(chi)
    assert lowest < slope < 1.02
    assert error < 3
    assert chi.dtype == np.float32
    assert not chi[~phantom.mask].any()


def test_edges_of_the_magnitude_keep_contrast():
    phantom = ball_phantom()
    slopes = []
    for percentage in (0, 30):
        parameters = MediParameters(edge_percentage=percentage, regularisation=1e-3)
        chi = morphology_enabled(
            phantom.field, phantom.mask, CUBE, UPRIGHT, parameters, magnitude=phantom.magnitude()
        )
        slopes.append(phantom.regional(chi)[0])
    assert slopes[0] < 0.85
    assert slopes[1] > 0.95


def test_a_ball_that_the_magnitude_does_not_show_comes_back_too():
    phantom = ball_phantom()
    magnitude = np.where(phantom.labels == 2, 1.02, phantom.magnitude())
    noise = np.random.default_rng(1).normal(size=magnitude.shape)
    chi = morphology_enabled(
        phantom.field,
        phantom.mask,
        CUBE,
        UPRIGHT,
        MediParameters(),
        magnitude=(magnitude + 0.02 * noise).astype(np.float32),
    )
    ball, tissue = (chi[phantom.labels == label].mean() for label in (2, 0))
    assert ball - tissue == pytest.approx(0.06, abs=0.012)


def test_flat_first_update_is_the_closed_form():
    """From χ = 0 and without edges the diffusivity is λ/ε everywhere."""
    shape = (12, 10, 8)
    field = np.random.default_rng(2).normal(scale=0.01, size=shape).astype(np.float32)
    everywhere = np.ones(shape, bool)
    parameters = MediParameters(
        regularisation=2e-4,
        smoothing=1e-2,
        edge_percentage=0,
        outer_iterations=1,
        inner_iterations=200,
        tolerance=1e-6,
        margin=0,
    )
    quick = TikhonovParameters(regularisation=2e-2, margin=0)
    found, expected = (
        invert(field, everywhere, (1, 1.5, 2), OBLIQUE, settings)
        for invert, settings in ((morphology_enabled, parameters), (closed_form_l2, quick))
    )
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_magnitude_keeps_bad_voxels_from_spreading():
    phantom = ball_phantom()
    bad = phantom.few_voxels()
    field = phantom.field.copy()
    field[bad] += np.random.default_rng(0).normal(size=bad.sum())
    parameters = MediParameters(outlier_threshold=1e6)
    errors = []
    for magnitude in (phantom.magnitude(), np.where(bad, 0.01, phantom.magnitude())):
        chi = morphology_enabled(
            field, phantom.mask, CUBE, UPRIGHT, parameters, magnitude=magnitude
        )
        errors.append(phantom.error(chi, phantom.mask & ~bad))
    assert errors[1] < 0.1 * errors[0]


def test_voxels_that_nothing_explains_lose_their_weight():
    phantom = ball_phantom()
    bad = phantom.few_voxels()
    field = phantom.field.copy()
    field[bad] += np.random.default_rng(0).normal(size=bad.sum())
    errors = []
    for threshold in (1e6, 0.05):
        chi = morphology_enabled(
            field,
            phantom.mask,
            CUBE,
            UPRIGHT,
            MediParameters(outlier_threshold=threshold),
            magnitude=phantom.magnitude(),
        )
        errors.append(phantom.error(chi, phantom.mask & ~bad))
    assert errors[1] < 0.1 * errors[0]


def test_threads_do_not_change_a_bit():
    phantom = ball_phantom()
    one, two = (
        morphology_enabled(phantom.field, phantom.mask, CUBE, OBLIQUE, MediParameters(), threads)
        for threads in (1, 2)
    )
    assert np.array_equal(one, two)
