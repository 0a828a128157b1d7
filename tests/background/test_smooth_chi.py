import numpy as np
import pytest
from background.ball_brain import BRICKS, CUBES, GEOMETRIES, OBLIQUE, UPRIGHT, distance, positions
from scipy import ndimage

from qsmiron.background.smooth_chi import (
    LARGEST_SAMPLE,
    TissueParameters,
    null_polynomials,
    smooth_chi,
)
from qsmiron.spectral import convolve_dipole

DIRECTIONS = (UPRIGHT, OBLIQUE, (1.0, 0.0, 0.0), (-0.5, 0.6, -0.2))
PPB = 1e-3


def unit(direction):
    return np.array(direction) / np.linalg.norm(direction)


def ball(voxel_size=CUBES, radius=40.0):
    shape = [2 * int((radius + 4) / edge) for edge in voxel_size]
    return distance(positions(shape, voxel_size), (0, 0, 0)) < radius


def normalised(values):
    return (values - values.mean()) / values.std()


def no_null_polynomial(mask, voxel_size, direction):
    """2z² − x² − y² with z along B0: the one quadratic that a field can tell."""
    points = positions(mask.shape, voxel_size)
    along = sum(axis * b for axis, b in zip(points, unit(direction), strict=True))
    square = sum(axis**2 for axis in points)
    return normalised((3 * along**2 - square)[mask])


def second_derivatives(values, voxel_size):
    """Hessian (3, 3) of a quadratic, by differences over three voxels (exact for it)."""
    step, middle = 3, np.array(values.shape) // 2
    hessian = np.empty((3, 3))
    for one in range(3):
        for other in range(3):
            total = 0.0
            for sign_one in (1, -1):
                for sign_other in (1, -1):
                    at = middle.copy()
                    at[one] += sign_one * step
                    at[other] += sign_other * step
                    total += sign_one * sign_other * float(values[tuple(at)])
            hessian[one, other] = total / (4 * step**2 * voxel_size[one] * voxel_size[other])
    return hessian


@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("voxel_size", [CUBES, BRICKS])
def test_polynomials_fulfil_their_equation(voxel_size, direction):
    """χ_xx + χ_yy = 2 χ_zz with z along B0: ΔΧ = 3 bᵀHb, to 1e-5 of a quadratic's size."""
    mask, b = np.ones((20, 18, 16), bool), unit(direction)
    largest = 0.0
    for function in null_polynomials(mask, voxel_size, direction):
        hessian = second_derivatives(function.reshape(mask.shape), voxel_size)
        largest = max(largest, np.abs(hessian).max())
        assert abs(np.trace(hessian) - 3 * b @ hessian @ b) < 2e-8
    assert largest > 2e-3
    other = no_null_polynomial(mask, voxel_size, direction).reshape(mask.shape)
    hessian = second_derivatives(other, voxel_size)
    assert abs(np.trace(hessian) - 3 * b @ hessian @ b) > 1e-3


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_polynomials_are_eight_of_mean_0_and_sd_1(direction):
    """Independent, and with the ninth all there are up to the second degree but the constant."""
    mask = ball(BRICKS, 20)
    functions = null_polynomials(mask, BRICKS, direction)
    assert functions.shape == (8, mask.sum())
    assert functions.dtype == np.float32
    assert functions.mean(axis=1, dtype=float) == pytest.approx(np.zeros(8), abs=1e-6)
    assert functions.std(axis=1, dtype=float) == pytest.approx(np.ones(8), abs=1e-5)
    ninth = no_null_polynomial(mask, BRICKS, direction)
    whole = np.vstack([functions, ninth]).astype(float)
    assert np.linalg.cond(whole @ whole.T) < 50
    x, y, z = (axis[mask] for axis in positions(mask.shape, BRICKS))
    monomials = (x, y, z, x * x, y * y, z * z, x * y, y * z, z * x)
    monomials = np.stack([normalised(monomial) for monomial in monomials], axis=1)
    weights = np.linalg.solve(whole @ whole.T, whole @ monomials)
    assert whole.T @ weights == pytest.approx(monomials, abs=1e-5)


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_field_of_the_polynomials_is_harmonic(voxel_size, direction):
    """Deep in a ball that is filled with them, to 0.5 % of what the ninth quadratic does there."""
    mask = ball(voxel_size)
    deep = distance(positions(mask.shape, voxel_size), (0, 0, 0)) < 30

    def laplacian(function):
        chi = np.zeros(mask.shape, np.float32)
        chi[mask] = function
        field = convolve_dipole(chi, voxel_size, direction)
        assert np.std(field[deep]) > 0.04  # of 1 ppm: it is harmonic, but not 0
        curved = sum(
            (np.roll(field, 1, axis) + np.roll(field, -1, axis) - 2 * field) / edge**2
            for axis, edge in enumerate(voxel_size)
        )
        return float(np.sqrt(np.mean(np.square(curved[deep]))))

    other = laplacian(no_null_polynomial(mask, voxel_size, direction))
    for function in null_polynomials(mask, voxel_size, direction):
        assert laplacian(function) < 0.005 * other


def tissues(mask, noise_ppb=5.0, seed=0):
    """White matter of −30 and grey of 20 ppb in lumps, more of it at the surface and on one side.

    One voxel in fifty is an outlier of 200 ppb.
    """
    rng = np.random.default_rng(seed)
    lumps = normalised(ndimage.gaussian_filter(rng.normal(size=mask.shape), 3))
    lumps += np.linspace(-1, 1, len(mask))[:, None, None]
    grey = (lumps > 0.7) | (ndimage.distance_transform_edt(mask) < 2.5)
    chi = np.where(grey, 20, -30) + rng.normal(scale=noise_ppb, size=mask.shape)
    outliers = rng.random(mask.shape) < 0.02
    chi[outliers] += rng.choice((-200, 200), size=outliers.sum())
    return PPB * np.where(mask, chi, 0)


def planted(mask, voxel_size, direction, seed=1):
    """A combination of the polynomials, 4 ppb of each."""
    weights = np.random.default_rng(seed).normal(scale=4 * PPB, size=8)
    smooth = np.zeros(mask.shape)
    smooth[mask] = weights @ null_polynomials(mask, voxel_size, direction)
    return smooth


def find(chi, mask, voxel_size=CUBES, direction=UPRIGHT, **parameters):
    parameters = TissueParameters(**parameters)
    return smooth_chi(chi.astype(np.float32), mask, voxel_size, direction, parameters)


def rms_ppb(values):
    return float(np.sqrt(np.mean(np.square(values)))) / PPB


@pytest.mark.parametrize(("noise_ppb", "within_ppb"), [(5, 0.25), (10, 1.0)])
@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_planted_combination_is_found(voxel_size, direction, noise_ppb, within_ppb):
    mask = ball(voxel_size)
    truth = planted(mask, voxel_size, direction)
    assert rms_ppb(truth[mask]) > 6
    found = find(tissues(mask, noise_ppb) + truth, mask, voxel_size, direction)
    assert rms_ppb((found - truth)[mask]) < within_ppb
    assert found.dtype == np.float32
    assert not found[~mask].any()


def test_tissues_that_are_flat_already_stay_so():
    mask = ball()
    assert rms_ppb(find(tissues(mask), mask)[mask]) < 0.25


def test_what_is_no_null_polynomial_stays():
    """The ninth quadratic has a field: it is the data's affair."""
    mask = ball()
    ninth = np.zeros(mask.shape)
    ninth[mask] = 4 * PPB * no_null_polynomial(mask, CUBES, UPRIGHT)
    assert rms_ppb(find(tissues(mask) + ninth, mask)[mask]) < 0.5


def test_wrong_direction_misses_a_part():
    mask = ball()
    x, y, _ = positions(mask.shape, CUBES)
    truth = np.zeros(mask.shape)
    truth[mask] = 4 * PPB * normalised((x**2 - y**2)[mask])
    right, wrong = (
        find(tissues(mask) + truth, mask, CUBES, direction)
        for direction in ((0.0, 0.0, 1.0), (1.0, 0.0, 0.0))
    )
    assert rms_ppb((right - truth)[mask]) < 0.25
    assert rms_ppb((wrong - truth)[mask]) > 2


def test_the_constant_is_left_alone():
    """χ is known up to one; whichever it is, the same is found."""
    mask = ball()
    chi = tissues(mask) + planted(mask, CUBES, UPRIGHT)
    found = find(chi, mask)
    assert found[mask].mean(dtype=float) == pytest.approx(0, abs=1e-8)
    assert find(chi + 0.5, mask) == pytest.approx(found, abs=1e-6)


def test_bright_nuclei_do_not_draw_it():
    """Two balls of 130 ppb, pallidum-like, are another class or none: less than 0.1 ppb."""
    mask = ball()
    chi = tissues(mask) + planted(mask, CUBES, UPRIGHT)
    found = find(chi, mask)
    points = positions(mask.shape, CUBES)
    for side in (-13, 13):
        chi[distance(points, (side, 3, 0)) < 7] = 0.13
    assert rms_ppb((find(chi, mask) - found)[mask]) < 0.1


def test_outliers_on_one_side_do_not_draw_it():
    """A tenth of the voxels there, as of large veins, at 250 ppb; less than 0.3 ppb."""
    mask = ball()
    truth = planted(mask, CUBES, UPRIGHT)
    chi = tissues(mask) + truth
    x, _, _ = positions(mask.shape, CUBES)
    chi[(x > 15) & (np.random.default_rng(2).random(mask.shape) < 0.1)] = 0.25
    assert rms_ppb((find(chi, mask) - truth)[mask]) < 0.3


def test_a_biased_rim_does_not_draw_it():
    """χ falls by up to 30 ppb towards the surface of the outer 6 mm: less than 0.3 ppb."""
    mask = ball()
    depth = CUBES[0] * ndimage.distance_transform_edt(mask)
    biased = tissues(mask) - 30 * PPB * np.clip(1 - depth / 6, 0, 1) * mask
    assert rms_ppb(find(biased, mask)[mask]) < 0.3
    assert rms_ppb(find(biased, mask, rim=0)[mask]) > 1


def test_a_rim_that_holds_one_of_the_tissues_has_its_say():
    """Grey matter within 6 mm of the surface only: as found without a rim."""
    mask = ball()
    depth = CUBES[0] * ndimage.distance_transform_edt(mask)
    noise = np.random.default_rng(0).normal(scale=2, size=mask.shape)
    chi = PPB * np.where(mask, np.where(depth < 5, 20, -30) + noise, 0)
    chi += planted(mask, CUBES, UPRIGHT)
    found = find(chi, mask)
    assert found.any()
    assert np.array_equal(found, find(chi, mask, rim=0))


@pytest.mark.parametrize("smooth", [False, True])
def test_one_tissue_tells_nothing(smooth):
    """Classes that end up together cannot settle anything: exactly 0."""
    mask = ball()
    noise = np.random.default_rng(0).normal(-30, 5, size=mask.shape)
    chi = PPB * np.where(mask, noise, 0) + smooth * planted(mask, CUBES, UPRIGHT)
    assert not find(chi, mask).any()
    assert find(chi, mask, least_separation=0).any() or not smooth


def test_least_separation_is_that_of_the_means():
    """50 ppb here."""
    mask = ball()
    chi = tissues(mask) + planted(mask, CUBES, UPRIGHT)
    assert find(chi, mask, least_separation=45).any()
    assert not find(chi, mask, least_separation=60).any()


def test_number_of_voxels_does_not_matter():
    """Beyond 100 000 only a share of them is looked at."""
    mask = np.ones((60, 60, 56), bool)
    assert mask.sum() > 2 * LARGEST_SAMPLE
    truth = planted(mask, CUBES, UPRIGHT)
    found = find(tissues(mask) + truth, mask)
    assert rms_ppb((found - truth)[mask]) < 0.25


@pytest.mark.parametrize("chi", [0.0, 0.1])
@pytest.mark.parametrize("thickness", [(1, 1, 1), (2, 1, 1), (1, 12, 12), (12, 12, 1), (9, 9, 9)])
def test_constant_chi_in_any_mask_has_no_smooth_part(chi, thickness):
    """Also where the polynomials are not independent: in a plane, a line, or a single voxel."""
    mask = np.zeros((14, 14, 14), bool)
    mask[tuple(slice(1, 1 + n) for n in thickness)] = True
    assert not find(np.full(mask.shape, chi), mask, CUBES, OBLIQUE).any()
