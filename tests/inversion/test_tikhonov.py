from itertools import product

import numpy as np
import pytest
from inversion.ball_phantom import GEOMETRIES, OBLIQUE, ball_phantom

from qsmiron.inversion.tikhonov import TikhonovParameters, closed_form_l2


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_regions_come_back_from_their_true_field(voxel_size, direction):
    phantom = ball_phantom(voxel_size, direction)
    chi = closed_form_l2(phantom.field, phantom.mask, voxel_size, direction, TikhonovParameters())
    slope, error = phantom.regional(chi)
    assert 0.8 < slope < 0.95  # a quadratic penalty shrinks contrast
    assert error < 3
    assert phantom.error(chi) < 0.35
    assert chi.dtype == np.float32
    assert not chi[~phantom.mask].any()


def dense_solution(field, voxel_size, direction, regularisation):
    """The normal equations, assembled as matrices in double precision and solved directly."""
    shape, n = field.shape, field.size
    b = np.array(direction) / np.linalg.norm(direction)
    kernel = np.zeros(shape)
    for signs in product((-1, 1), repeat=3):  # the Nyquist sample stands for both its signs
        k = np.meshgrid(
            *(
                np.where(np.arange(m) == m // 2, sign, 1) * np.fft.fftfreq(m, v)
                for sign, m, v in zip(signs, shape, voxel_size, strict=True)
            ),
            indexing="ij",
        )
        square = sum(part**2 for part in k)
        square[0, 0, 0] = 1
        along = sum(part * component for part, component in zip(k, b, strict=True))
        kernel += (1 / 3 - along**2 / square) / 8
    kernel[0, 0, 0] = 0
    impulses = np.eye(n).reshape(n, *shape)
    axes = (1, 2, 3)
    dipole = np.fft.ifftn(kernel * np.fft.fftn(impulses, axes=axes), axes=axes).real
    dipole = dipole.reshape(n, n).T
    system = dipole.T @ dipole
    for axis, edge in enumerate(voxel_size, start=1):
        difference = ((np.roll(impulses, -1, axis) - impulses) / edge).reshape(n, n)
        system += regularisation * difference.T @ difference
    return np.linalg.lstsq(system, dipole.T @ field.ravel(), rcond=1e-10)[0].reshape(shape)


@pytest.mark.parametrize("direction", [(0, 0, 1), (0.3, 0.34, 0.9)])
def test_agrees_with_the_dense_normal_equations(direction):
    voxel_size, shape = (1.0, 1.5, 2.0), (8, 6, 8)
    rng = np.random.default_rng(3)
    field = rng.normal(scale=0.05, size=shape)
    found = closed_form_l2(
        field.astype(np.float32),
        np.ones(shape, bool),
        voxel_size,
        direction,
        TikhonovParameters(regularisation=0.02, margin=0),
    )
    expected = dense_solution(field, voxel_size, direction, 0.02)
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_is_linear():
    phantom = ball_phantom()
    arguments = phantom.mask, (2, 2, 2), (0, 0, 1), TikhonovParameters()
    one = closed_form_l2(phantom.field, *arguments)
    np.testing.assert_allclose(closed_form_l2(3 * phantom.field, *arguments), 3 * one, atol=1e-6)


def test_threads_do_not_change_a_bit():
    phantom = ball_phantom()
    one, two = (
        closed_form_l2(phantom.field, phantom.mask, (2, 2, 2), OBLIQUE, TikhonovParameters(), n)
        for n in (1, 2)
    )
    assert np.array_equal(one, two)
