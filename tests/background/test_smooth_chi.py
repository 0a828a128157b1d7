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
    mask = ball(BRICKS)
    functions = null_polynomials(mask, BRICKS, direction)
    assert functions.shape == (8, mask.sum())
    assert functions.dtype == np.float32
    assert functions.mean(axis=1, dtype=float) == pytest.approx(np.zeros(8), abs=1e-6)
    assert functions.std(axis=1, dtype=float) == pytest.approx(np.ones(8), abs=1e-5)
    ninth = no_null_polynomial(mask, BRICKS, direction)
    whole = np.vstack([functions, ninth]).astype(float)
    assert np.linalg.cond(whole @ whole.T) < 50
    x, y, z = (axis[mask] for axis in positions(mask.shape, BRICKS))
    for monomial in (x, y, z, x * x, y * y, z * z, x * y, y * z, z * x):
        weights, *_ = np.linalg.lstsq(whole.T, normalised(monomial), rcond=None)
        assert whole.T @ weights == pytest.approx(normalised(monomial), abs=1e-5)


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
            np.roll(field, 1, axis) + np.roll(field, -1, axis) - 2 * field
            for axis, edge in ((axis, edge) for axis, edge in enumerate(voxel_size))
        )
        return float(np.sqrt(np.mean(np.square(curved[deep]))))

    other = laplacian(no_null_polynomial(mask, voxel_size, direction))
    for function in null_polynomials(mask, voxel_size, direction):
        assert laplacian(function) < 0.005 * other
