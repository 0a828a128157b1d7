"""The dipole field against closed forms: ball and cylinder, upright and on an oblique grid.

Tolerances are ppm of field per ppm of χ. A voxelised surface is left out, since its field is not
the formula's there.
"""

from __future__ import annotations

import numpy as np
import pytest
from benchmarks.phantoms import AnalyticField, ball, cylinder

from qsmiron.acquisition import b0_direction
from qsmiron.spectral import convolve_dipole, dipole_kernel, inverse, transform
from qsmiron.volumes import voxel_size

SHAPE = (64, 60, 56)
UPRIGHT = (0.0, 0.0, 0.0)
OBLIQUE = (14.0, -9.0, 20.0)


def grid(shape, edges, degrees) -> np.ndarray:
    """RAS affine of a grid about the isocentre, turned about x, then y, then z."""
    affine = np.eye(4)
    for axis, angle in enumerate(np.radians(degrees)):
        one, two = [(1, 2), (2, 0), (0, 1)][axis]
        turn = np.eye(3)
        turn[one, one] = turn[two, two] = np.cos(angle)
        turn[one, two], turn[two, one] = -np.sin(angle), np.sin(angle)
        affine[:3, :3] = turn @ affine[:3, :3]
    affine[:3, :3] *= edges
    affine[:3, 3] = -affine[:3, :3] @ ((np.asarray(shape) - 1) / 2)
    return affine


def deviation(field: np.ndarray, truth: AnalyticField, radius: float, part: float = 0.5) -> float:
    """Largest error (ppm) in the middle ``part`` of each axis, over 2 mm from the surface."""
    edges = [round((1 - part) / 2 * n) for n in field.shape]
    middle = tuple(slice(edge, -edge) for edge in edges)
    distance = truth.distance[middle]
    checked = np.abs(distance - radius) > 2
    assert (distance[checked] < radius).any()
    assert (distance[checked] > radius).any()
    return float(np.abs(field - truth.field)[middle][checked].max())


@pytest.mark.parametrize("degrees", [UPRIGHT, OBLIQUE])
@pytest.mark.parametrize("edges", [(1.0, 1.0, 1.0), (0.8, 1.0, 1.3)])
def test_ball(edges, degrees):
    affine, radius = grid(SHAPE, edges, degrees), 10.0
    truth = ball(SHAPE, affine, radius)
    field = convolve_dipole(truth.chi, voxel_size(affine), b0_direction(affine))
    assert truth.chi.sum() * np.prod(edges) == pytest.approx(4 / 3 * np.pi * radius**3, rel=1e-3)
    assert deviation(field, truth, radius) < 0.006


@pytest.mark.parametrize("degrees", [UPRIGHT, OBLIQUE])
@pytest.mark.parametrize("angle", [0, 45, 90])
def test_cylinder(angle, degrees):
    """It runs through the whole grid, so that its ends act little on the middle."""
    affine, radius = grid(SHAPE, (1.0, 1.0, 1.0), degrees), 4.0
    truth = cylinder(SHAPE, affine, radius, angle)
    field = convolve_dipole(truth.chi, voxel_size(affine), b0_direction(affine))
    # Each missing end acts like a charge, by R²/(4d²) at a distance d: 0.012 in what is checked.
    assert deviation(field, truth, radius, part=0.25) < 0.014


@pytest.mark.parametrize("degrees", [UPRIGHT, OBLIQUE])
def test_kernel_in_k_space(degrees):
    """Sampled in k-space the kernel rings, the more the more oblique B0 is."""
    affine, radius = grid(SHAPE, (1.0, 1.0, 1.0), degrees), 10.0
    truth = ball(SHAPE, affine, radius)
    wide = tuple(2 * n for n in SHAPE)
    kernel = dipole_kernel(wide, voxel_size(affine), b0_direction(affine))
    field = inverse(transform(truth.chi, wide) * kernel, wide, SHAPE)
    assert deviation(field, truth, radius) < 0.03


def test_a_wrong_direction_would_be_noticed():
    affine, radius = grid(SHAPE, (1.0, 1.0, 1.0), OBLIQUE), 10.0
    truth = ball(SHAPE, affine, radius)
    field = convolve_dipole(truth.chi, voxel_size(affine), (0, 0, 1))
    assert deviation(field, truth, radius) > 0.1
