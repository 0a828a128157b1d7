import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.inversion import METHODS
from qsmiron.methods import get_method
from qsmiron.spectral import convolve_dipole

SHAPE = (52, 56, 48)
OBLIQUE = (0.0, 0.34, 0.94)


def phantom(voxel_size):
    """Ball of brain at −0.01 ppm with balls of known susceptibility; χ and their labels."""
    axes = [(np.arange(n) - n // 2) * v for n, v in zip(SHAPE, voxel_size, strict=True)]
    x, y, z = np.meshgrid(*axes, indexing="ij")
    mask = np.sqrt(x**2 + y**2 + z**2) < 40
    chi = np.where(mask, -0.01, 0).astype(np.float32)
    labels = np.zeros(SHAPE, int)
    parts = (
        ((14, 4, 0), 7, 0.13),
        ((-14, 4, 0), 7, 0.05),
        ((0, -16, 8), 8, 0.02),
        ((0, 18, -8), 7, -0.04),
        ((6, -8, -16), 6, 0.08),
    )
    for label, (centre, radius, value) in enumerate(parts, start=1):
        inside = np.linalg.norm([x - centre[0], y - centre[1], z - centre[2]], axis=0) < radius
        chi[inside], labels[inside] = value, label
    return chi, labels, mask


def invert(name, field, mask, voxel_size, direction, magnitude=None, **parameters):
    parameters_class, function = get_method(METHODS, name).load()
    return function(
        field, mask, voxel_size, direction, parameters_class(**parameters), 1, magnitude=magnitude
    )


def regional(chi, truth, labels):
    """Slope of region means on the truth, and residual SD over slope (ppb)."""
    regions = range(1, labels.max() + 1)
    x = [truth[labels == region].mean() for region in regions]
    y = [chi[labels == region].mean() for region in regions]
    slope, intercept = np.polyfit(x, y, 1)
    residual = np.array(y) - slope * np.array(x) - intercept
    return slope, 1000 * residual.std(ddof=2) / slope


@pytest.mark.parametrize(
    ("name", "lowest", "highest", "ppb"),
    [("rts", 0.9, 1.08, 3.0), ("tv", 0.9, 1.05, 2.0), ("tkd", 0.85, 1.15, 6.0)],
)
@pytest.mark.parametrize(
    ("voxel_size", "direction"),
    [((2, 2, 2), (0, 0, 1)), ((2, 2, 2), OBLIQUE), ((1.6, 1.6, 2.4), OBLIQUE)],
)
def test_regions_come_back_from_their_true_field(name, lowest, highest, ppb, voxel_size, direction):
    truth, labels, mask = phantom(voxel_size)
    field = convolve_dipole(truth, voxel_size, direction)
    chi = invert(name, field, mask, voxel_size, direction)
    slope, error = regional(chi, truth, labels)
    assert lowest < slope < highest
    assert error < ppb
    assert chi.dtype == np.float32
    assert not chi[~mask].any()


@pytest.mark.parametrize("name", list(METHODS))
def test_wrong_direction_is_worse(name):
    truth, labels, mask = phantom((2, 2, 2))
    field = convolve_dipole(truth, (2, 2, 2), OBLIQUE)
    right = regional(invert(name, field, mask, (2, 2, 2), OBLIQUE), truth, labels)
    wrong = regional(invert(name, field, mask, (2, 2, 2), (0, 0, 1)), truth, labels)
    assert right[1] < wrong[1]


@pytest.mark.parametrize("name", list(METHODS))
def test_scaling_the_field_scales_the_result_nearly(name):
    """Not exactly, since the regularisation is not linear; but there is no hidden unit."""
    truth, labels, mask = phantom((2, 2, 2))
    field = convolve_dipole(truth, (2, 2, 2), (0, 0, 1))
    one = regional(invert(name, field, mask, (2, 2, 2), (0, 0, 1)), truth, labels)[0]
    two = regional(invert(name, 2 * field, mask, (2, 2, 2), (0, 0, 1)), truth, labels)[0]
    assert two / one == pytest.approx(2, abs=0.1)


def test_magnitude_keeps_bad_voxels_from_spreading():
    truth, _, mask = phantom((2, 2, 2))
    field = convolve_dipole(truth, (2, 2, 2), (0, 0, 1))
    rng = np.random.default_rng(0)
    bad = mask & (rng.random(SHAPE) < 0.01)
    field[bad] += rng.normal(size=bad.sum()).astype(np.float32)
    magnitude = np.where(bad, 0.01, 1.0).astype(np.float32)
    without = invert("tv", field, mask, (2, 2, 2), (0, 0, 1), iterations=40)
    weighted = invert("tv", field, mask, (2, 2, 2), (0, 0, 1), magnitude, iterations=40)
    error = [np.std((chi - truth)[mask & ~bad]) for chi in (without, weighted)]
    assert error[1] < 0.7 * error[0]


def test_unknown_method_lists_the_known():
    with pytest.raises(InputError, match=r"tv or weak_harmonic or .* or rts or tikhonov or tkd"):
        get_method(METHODS, "magic")


@pytest.mark.parametrize("name", list(METHODS))
def test_registry_entry_is_whole(name):
    parameters_class, function = METHODS[name].load()
    assert parameters_class()
    assert callable(function)
    assert "doi 10." in METHODS[name].citation
