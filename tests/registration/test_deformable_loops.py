"""The compiled loops of the deformation against scipy's and numpy's of the same definition."""

import numpy as np
import pytest
from scipy import ndimage

from qsmiron.registration.deformable import _half_kernel
from qsmiron.registration.deformable_loops import (
    MIRROR,
    REPEAT,
    ZERO,
    compose_step,
    convolve,
    correlation_force,
    longest_vector,
    sample_image,
)
from qsmiron.registration.linear_loops import sample_points

SHAPE = (13, 17, 11)
SMALL = (3, 4, 2)  # smaller than a kernel's reach


def _image(seed: int, shape: tuple[int, ...] = SHAPE) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


def _grid(shape: tuple[int, ...]) -> np.ndarray:
    return np.stack(np.meshgrid(*[np.arange(n, dtype=np.float32) for n in shape], indexing="ij"))


@pytest.mark.parametrize("shape", [SHAPE, SMALL])
@pytest.mark.parametrize(
    ("edge", "mode"), [(ZERO, "constant"), (REPEAT, "nearest"), (MIRROR, "reflect")]
)
def test_convolution(shape, edge, mode):
    image = _image(0, shape)
    found, spare = image.copy(), np.empty_like(image)
    convolve(found, _half_kernel(1.7, 3), edge, spare)
    expected = ndimage.gaussian_filter(image, 1.7, truncate=3, mode=mode)
    np.testing.assert_allclose(found, expected, atol=2e-6)
    found = image.copy()
    convolve(found, np.full(3, 0.2, np.float32), edge, spare)
    np.testing.assert_allclose(found, ndimage.uniform_filter(image, 5, mode=mode), atol=2e-6)


def test_no_smoothing_changes_nothing():
    image = _image(0)
    found = image.copy()
    convolve(found, _half_kernel(0, 3), MIRROR, np.empty_like(image))
    np.testing.assert_array_equal(found, image)


def test_interpolation():
    """An oblique map whose points leave the image on all sides."""
    image, displacement = _image(1), 2 * _image(2, (3, *SHAPE))
    matrix = np.float32([[0.9, 0.1, -0.2, 1], [-0.1, 1.1, 0.1, -1], [0.2, 0, 0.95, 0.3]])
    found = np.empty_like(image)
    sample_image(image, matrix, displacement, found)
    points = (_grid(SHAPE) + displacement).reshape(3, -1)
    at = matrix[:, :3] @ points + matrix[:, 3:]
    expected = ndimage.map_coordinates(image, at, order=1, mode="constant", output=np.float32)
    assert 0.2 < (expected == 0).mean() < 0.8
    np.testing.assert_allclose(found.ravel(), expected, atol=2e-5)
    of_points = np.empty(points.shape[1], np.float32)
    sample_points(image, matrix, np.ascontiguousarray(points.T), of_points)
    np.testing.assert_allclose(of_points, expected, atol=2e-5)


def test_composition():
    field, step = _image(3, (3, *SHAPE)), 3 * _image(4, (3, *SHAPE))
    found = np.empty_like(field)
    compose_step(field, step, found)
    moved = _grid(SHAPE) + step
    expected = step + [ndimage.map_coordinates(f, moved, order=1, mode="nearest") for f in field]
    np.testing.assert_allclose(found, expected, atol=2e-5)


def test_force_climbs_the_squared_local_correlation():
    """Formula of the docstring's paper, in float64; 0 outside the mask."""
    target, source, mask = _image(5), _image(6), _image(7) > 0
    floors = np.float32([0.01, 0.02])

    def mean(image: np.ndarray) -> np.ndarray:
        return ndimage.uniform_filter(image.astype(float), 5, mode="constant")

    t, s = mean(target), mean(source)
    variance = mean(target * target) - t**2
    force = np.empty((3, *SHAPE), np.float32)
    arguments = (target, t, variance, source, s, mean(source * source), mean(target * source))
    arguments = [np.ascontiguousarray(part, np.float32) for part in arguments]
    correlation_force(*arguments, mask, floors, force)
    covariance = mean(target.astype(float) * source) - t * s
    other = mean(source.astype(float) ** 2) - s**2 + floors[1]
    weight = covariance / ((variance + floors[0]) * other)
    weight *= (target - t) - covariance / other * (source - s)
    # the gradient within the image; at its edges to one side
    expected = np.stack(np.gradient(source.astype(float))) * weight * mask
    np.testing.assert_allclose(force, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
    assert (force[:, ~mask] == 0).all()
    length = np.linalg.norm(force, axis=0).max()
    assert longest_vector(force) == pytest.approx(length, rel=1e-6)
