import numpy as np
import pytest
from background.ball_brain import BRICKS, CUBES, OBLIQUE, UPRIGHT, ball_brain
from scipy.linalg import circulant

from qsmiron.background.distant_sources import DistantSourceParameters, distant_field
from qsmiron.background.outer_sources import SourceGrid
from qsmiron.background.pdf import PdfParameters, background_field
from qsmiron.spectral import convolve_dipole, within_distance


def periodic(response):
    """Matrix of the convolution with a periodic ``response`` (X, Y, Z)."""
    shape = response.shape
    index = np.arange(response.size).reshape(shape)
    columns = [np.roll(response, at, (0, 1, 2)).ravel() for at in np.argwhere(index >= 0)]
    return np.stack(columns, axis=1)


def dipole_and_texture(shape, voxel_size, parameters):
    """Matrices of D and of the texture's covariance, by complex transforms and formulas alone."""
    k = np.meshgrid(
        *(np.fft.fftfreq(n, edge) for n, edge in zip(shape, voxel_size, strict=True)),
        indexing="ij",
    )
    square = sum(part**2 for part in k)
    square[0, 0, 0] = 1
    dipole = 1 / 3 - k[2] ** 2 / square
    dipole[0, 0, 0] = square[0, 0, 0] = 0
    power = (1 + parameters.correlation_length**2 * square) ** -parameters.decay
    power *= parameters.texture**2 / power.mean()
    return (periodic(np.fft.ifftn(part).real) for part in (dipole, power))


def test_a_periodic_matrix_is_a_convolution():
    line = np.arange(5.0)
    assert np.array_equal(periodic(line[:, None, None]), circulant(line))


@pytest.mark.parametrize("voxel_size", [(1, 1, 1), (1, 1.25, 2)])
def test_the_estimate_is_the_most_probable_one(voxel_size):
    """Against kriging with dense matrices: B (B + T + σ²)⁻¹ f, B = a² D V Dᵀ over the mask."""
    mask = np.zeros((6, 6, 6), bool)
    mask[1:-1, 1:-1, 1:-1] = True
    parameters = DistantSourceParameters(
        distance=2.1, margin=5, coarse_iterations=0, iterations=400
    )
    grid = SourceGrid(mask, voxel_size, parameters.margin)
    dipole, texture = dipole_and_texture(grid.shape, voxel_size, parameters)
    outside = ~within_distance(grid.inside, voxel_size, parameters.distance).ravel()
    rows = dipole[grid.inside.ravel()]
    sources = 0.1**2 * rows[:, outside] @ rows[:, outside].T
    tissue = rows @ texture @ rows.T
    noise = parameters.noise**2 * np.eye(len(rows))
    field = np.zeros(mask.shape)
    field[mask] = np.random.default_rng(2).multivariate_normal(
        np.zeros(len(rows)), sources + tissue + noise
    )
    values = field[mask] - field[mask].mean()
    sources *= (parameters.strength_per_field * values.std() / 0.1) ** 2
    expected = sources @ np.linalg.solve(sources + tissue + noise, values) + field[mask].mean()
    found = distant_field(field.astype(np.float32), mask, voxel_size, UPRIGHT, parameters)
    assert found[mask] == pytest.approx(expected, abs=1e-3 * expected.std())
    assert not found[~mask].any()


@pytest.mark.parametrize("edge", [1.0, 2.0])
def test_a_texture_has_its_sd_and_spectrum(edge):
    parameters = DistantSourceParameters(texture=0.02, correlation_length=8, decay=2)
    shape, sizes = (64, 48, 40), (edge, 1.0, 1.5)
    amplitude = parameters.texture_amplitude(shape, sizes)
    white = np.random.default_rng(0).standard_normal(shape)
    texture = np.fft.irfftn(np.fft.rfftn(white) * amplitude, shape, axes=(0, 1, 2))
    assert texture.std() == pytest.approx(0.02, rel=0.05)
    # at a wave number of 1/8 per mm along y: (1 + 1)^-2 of the power at 0
    assert (amplitude[0, 6, 0] / amplitude[0, 0, 0]) ** 2 == pytest.approx(0.25, rel=1e-4)


def remaining_share(field, mask, distance):
    """What is left of a field, where the background is that of sources ``distance`` mm away."""
    start = background_field(field, mask, CUBES, UPRIGHT, PdfParameters(distance=distance))
    parameters = DistantSourceParameters(distance=distance)
    rest = np.where(mask, field - start, 0)
    rest = rest - distant_field(rest, mask, CUBES, UPRIGHT, parameters)
    return np.std(rest[mask]) / np.std(field[mask])


def test_a_folded_cortex_keeps_its_field_and_sources_far_outside_do_not():
    """χ of a few mm at the mask's rim looks like sources outside only if these may be near."""
    brain = ball_brain(CUBES, UPRIGHT)
    folds = np.sign(np.sin(np.indices(brain.mask.shape) * np.float32(2 * np.pi / 4.5)).prod(axis=0))
    folded = np.where(brain.mask & (brain.depth < 3), 0.03 * folds, 0)
    cortex = np.where(brain.mask, convolve_dipole(folded, CUBES, UPRIGHT), 0)
    kept = remaining_share(cortex, brain.mask, 3.0)
    assert kept > 0.7
    assert kept > 1.1 * remaining_share(cortex, brain.mask, 0.0)
    assert remaining_share(brain.background, brain.mask, 3.0) < 0.015


def test_a_field_without_background_keeps_what_it_has():
    """A local field given as total field: there is little for sources to explain."""
    brain = ball_brain(CUBES, UPRIGHT)
    local = np.where(brain.mask, brain.total() - brain.background, 0).astype(np.float32)
    noise = 0.002 * np.random.default_rng(0).standard_normal(local.shape).astype(np.float32)
    rest = np.where(brain.mask, 0.3 * local + noise, 0)
    taken = distant_field(rest, brain.mask, CUBES, UPRIGHT, DistantSourceParameters())
    assert np.std(taken[brain.mask]) < 0.1 * np.std(local[brain.mask])


def test_nothing_is_no_background():
    brain = ball_brain(CUBES, UPRIGHT)
    nothing = np.zeros(brain.mask.shape, np.float32)
    taken = distant_field(nothing, brain.mask, CUBES, UPRIGHT, DistantSourceParameters())
    assert not taken.any()


def test_the_same_bits_for_any_number_of_threads():
    brain = ball_brain(BRICKS, OBLIQUE)
    field = brain.total()
    parameters = DistantSourceParameters(coarse_iterations=5, iterations=5)
    one, two = (
        distant_field(field, brain.mask, BRICKS, OBLIQUE, parameters, threads) for threads in (1, 2)
    )
    assert np.array_equal(one, two)
