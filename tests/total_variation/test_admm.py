from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np
import pytest
from numpy import fft
from scipy import ndimage
from total_variation.double_precision import (
    adjoint,
    difference_spectrum,
    dipole_spectrum,
    filtered,
    total_variation,
)

from qsmiron.total_variation.admm import (
    STIFFNESS,
    DipoleSystem,
    HarmonicSystem,
    iterate,
)
from qsmiron.total_variation.grid import DipoleGrid
from qsmiron.total_variation.settings import Settings, TotalVariationParameters
from qsmiron.total_variation.slabs import Slabs

OBLIQUE = (0.2, -0.4, 0.9)
SHAPE = (18, 16, 14)
VOXEL = (1.0, 1.0, 1.5)
NOISE_PPM = 0.002
LAMBDA = 3e-4
RHO = 600 * LAMBDA
MU = 0.3
BETA = 150.0


def random(shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@dataclass
class Problem:
    """A block of 0.1 ppm in an ellipsoid of −0.03 ppm, its field measured with noise."""

    grid: DipoleGrid
    chi: np.ndarray
    data: np.ndarray

    @property
    def weight(self):
        return self.grid.inside.astype(np.float32)

    def solve(self, iterations, softness=None, threads=1, data=None, **settings):
        """χ and h after so many iterations; h is left out where ``softness`` is None."""
        parts = {"regularisation": LAMBDA, "rho": RHO, "mu": MU, **settings}
        with Slabs(threads) as slabs:
            if softness is None:
                system = DipoleSystem(self.grid, parts["mu"], parts["rho"], slabs)
            else:
                system = HarmonicSystem(self.grid, parts["mu"], parts["rho"], slabs, softness)
            chi, modelled = iterate(
                self.grid,
                system,
                self.data if data is None else data,
                self.weight,
                Settings(iterations=iterations, **parts),
                slabs,
            )
        return chi, modelled - self.field(chi)

    @cached_property
    def dipole(self):
        return dipole_spectrum(self.grid.shape, VOXEL, OBLIQUE)

    def field(self, chi):
        return filtered(chi, self.dipole)

    def laplacian(self, h):
        return -filtered(h, difference_spectrum(self.grid.shape, VOXEL))

    def objective(self, chi, h=0.0, regularisation=LAMBDA):
        """½‖w(Dχ + h − f)‖² + λ‖∇χ‖₁ + ½β‖Δh‖² in the mask."""
        rest = (self.field(chi) + h - self.data)[self.grid.inside]
        value = 0.5 * (rest**2).sum()
        value += regularisation * total_variation(chi.astype(float), VOXEL)
        if np.ndim(h):
            value += 0.5 * BETA * (self.laplacian(h)[self.grid.inside] ** 2).sum()
        return value


@pytest.fixture(scope="module")
def problem():
    axes = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in SHAPE), indexing="ij")
    mask = sum((axis / (0.48 * n)) ** 2 for axis, n in zip(axes, SHAPE, strict=True)) < 1
    chi = np.where(mask, -0.03, 0).astype(np.float32)
    chi[5:10, 4:9, 5:9] = 0.1
    grid = DipoleGrid(mask, VOXEL, OBLIQUE, margin=6)
    field = grid.extract(grid.field(grid.embed(chi))) + NOISE_PPM * random(SHAPE)
    return Problem(grid, grid.embed(chi), grid.embed(field))


@pytest.fixture(params=[(1.0, 1.0, 1.0), (0.8, 1.0, 2.0)], ids=["cubes", "bricks"])
def targets(request):
    """A grid and what y, z and v are drawn to in its updates, of size 1."""
    grid = DipoleGrid(np.ones((14, 15, 13), bool), request.param, OBLIQUE, margin=10)
    return grid, random(grid.shape, 1), random((3, *grid.shape), 2), random(grid.shape, 3)


@pytest.mark.parametrize("rho", [0.004, 0.05, 1.0])
def test_dipole_system_minimises_its_quadratic(targets, rho):
    """½μ‖y − Dχ‖² + ½ρ‖z − ∇χ‖² frequency by frequency; to 2e-6 of the largest χ."""
    grid, y, z, _ = targets
    with Slabs(1) as slabs:
        chi, modelled = DipoleSystem(grid, MU, rho, slabs).solve(y, adjoint(z))
    d = dipole_spectrum(grid.shape, grid.voxel_size, OBLIQUE)
    # ∇ per axis, e^{2πik} − 1, not just the spectrum of ∇ᵀ∇.
    steps = np.stack(
        np.meshgrid(*(np.exp(2j * np.pi * fft.fftfreq(n)) - 1 for n in grid.shape), indexing="ij")
    )
    fit = np.sqrt(MU) * d
    smooth = np.sqrt(rho) * steps
    rows = np.concatenate([fit[None], smooth])
    goals = np.concatenate(
        [
            np.sqrt(MU) * fft.fftn(y.astype(float))[None],
            np.sqrt(rho) * fft.fftn(z.astype(float), axes=(1, 2, 3)),
        ]
    )
    square = (np.abs(rows) ** 2).sum(axis=0)
    square[0, 0, 0] = 1
    spectrum = (rows.conj() * goals).sum(axis=0) / square
    truth = fft.ifftn(spectrum).real
    assert abs(chi.mean()) < 1e-6  # what no data tell
    assert chi == pytest.approx(truth, abs=2e-6 * np.abs(truth).max())
    assert modelled == pytest.approx(fft.ifftn(d * spectrum).real, abs=5e-6)


@pytest.mark.parametrize("rho", [0.004, 0.05, 1.0])
def test_harmonic_system_minimises_its_quadratic(targets, rho):
    """½μ‖y − Dχ − h‖² + ½ρ‖z − ∇χ‖² + ½σ‖v + Δh‖² as dense 2 × 2 systems in complex128.

    To 1e-5 of the largest χ: at the lowest frequencies χ and h make nearly the same field.
    """
    grid, y, z, v = targets
    v = v - v.mean()  # no h has a Laplacian with a mean
    with Slabs(1) as slabs:
        system = HarmonicSystem(grid, MU, rho, slabs, relaxation=1.0)
        grid.inside = np.zeros(grid.shape, bool)  # so that v is taken as it is
        system.laplacian = v
        chi, modelled = system.solve(y, adjoint(z))
    d = dipole_spectrum(grid.shape, grid.voxel_size, OBLIQUE)
    curvature = difference_spectrum(grid.shape)
    bend = difference_spectrum(grid.shape, grid.voxel_size)
    mu, sigma = MU, STIFFNESS
    y, pull, v = (fft.fftn(part.astype(float)) for part in (y, adjoint(z), v))
    matrix = np.array([[mu * d**2 + rho * curvature, mu * d], [mu * d, mu + sigma * bend**2]])
    right = np.array([mu * d * y + rho * pull, mu * y + sigma * bend * v])
    matrix, right = np.moveaxis(matrix, (0, 1), (-2, -1)), np.moveaxis(right, 0, -1)
    matrix[0, 0, 0, 0, 0] = 1  # the mean of χ, which is left at 0
    solution = np.linalg.solve(matrix.astype(complex), right[..., None])[..., 0]
    truth, h = solution[..., 0], solution[..., 1]
    expected = fft.ifftn(truth).real
    assert chi == pytest.approx(expected, abs=1e-5 * np.abs(expected).max())
    assert modelled == pytest.approx(fft.ifftn(d * truth + h).real, abs=5e-6)
    assert system.laplacian == pytest.approx(fft.ifftn(bend * h).real, abs=5e-6)


@pytest.mark.parametrize("softness", [0.0, 1 / BETA])
def test_laplacian_is_shrunk_in_the_mask_alone(targets, softness):
    """To σg/(β + σ), where ½βz² + ½σ(z − g)² is least; g − z is the dual, z − dual the next aim.

    g is the Laplacian over-relaxed with the z of before, and the dual.
    """
    grid, y, _, v = targets
    grid.inside = random(grid.shape, 4) > 0
    with Slabs(1) as slabs:
        system = HarmonicSystem(grid, MU, 0.05, slabs, softness, relaxation=1.5)
        system.laplacian, system.dual = v.copy(), random(grid.shape, 5)
        system._drawn = random(grid.shape, 6)
        g = 1.5 * v - 0.5 * (system._drawn + system.dual) + system.dual
        system.solve(y, np.zeros_like(y))
    share = STIFFNESS / (BETA + STIFFNESS) if softness else 0.0
    z = np.where(grid.inside, share * g, g)
    assert system.dual == pytest.approx(g - z, abs=1e-6)
    assert system._drawn == pytest.approx(2 * z - g, abs=1e-6)


def directions(problem, count=12):
    """Changes of χ with SD 1, from white to smooth, and some that stay in the mask."""
    for seed in range(count):
        change = ndimage.gaussian_filter(random(problem.grid.shape, 100 + seed), seed % 4)
        if seed % 3 == 0:
            change = np.where(problem.grid.inside, change, 0)
        yield change / change.std()


def test_dipole_iterations_find_the_least_objective(problem):
    """No change of χ, small or large, makes it smaller, and a longer run hardly does."""
    chi, _ = problem.solve(400)
    least = problem.objective(chi)
    assert least < 0.2 * problem.objective(np.zeros_like(chi))
    assert least < problem.objective(problem.solve(3)[0])
    assert least < problem.objective(problem.chi)
    steepest = problem.chi - chi
    for change in (*directions(problem), chi, steepest):
        for step in (1e-5, 1e-4, 1e-3, 1e-2):
            for sign in (-1, 1):
                assert problem.objective(chi + sign * step * change) > least * (1 - 1e-7)
    assert problem.objective(problem.solve(3000)[0]) > least * (1 - 3e-5)


@pytest.mark.parametrize(("penalty", "value"), [("rho", RHO), ("mu", MU)])
def test_penalties_set_the_speed_and_not_the_result(problem, penalty, value):
    """A factor of 3 in either; to 1e-3 of the spread of χ."""
    low, high = (problem.solve(600, **{penalty: factor * value})[0] for factor in (0.5, 1.5))
    inside = problem.grid.inside
    assert np.std((low - high)[inside]) < 1e-3 * problem.chi[inside].std()


def test_weak_harmonic_iterations_lower_the_objective(problem):
    """χ and h make nearly the same field, hence they go on slowly; but no step is downhill."""
    values = [problem.objective(*problem.solve(count, 1 / BETA)) for count in (2, 10, 40, 160)]
    assert values == sorted(values, reverse=True)
    # Room for h only lowers it.
    assert values[-1] < problem.objective(problem.solve(400)[0])
    chi, h = problem.solve(400, 1 / BETA)
    least = problem.objective(chi, h)
    for change in directions(problem):
        for step in (1e-5, 1e-4, 1e-3, -1e-5, -1e-4, -1e-3):
            assert problem.objective(chi + step * change, h) > least * (1 - 1e-6)
            assert problem.objective(chi, h + step * change) > least * (1 - 1e-6)


def test_strictly_harmonic_part_is_harmonic_in_the_mask_alone(problem):
    _, h = problem.solve(150, 0.0)
    bend, inside = problem.laplacian(h), problem.grid.inside
    assert np.std(bend[inside]) < 1e-3 * np.std(bend[~inside])
    assert h[inside].std() > 1e-4


def test_harmonic_field_is_no_chi(problem):
    """A polynomial that the 7-point Laplacian knows as harmonic: without h, χ has to explain it."""
    grid = problem.grid
    x, y, z = (
        (np.arange(n) - n / 2).reshape(np.roll((-1, 1, 1), axis)) * edge
        for axis, (n, edge) in enumerate(zip(grid.shape, VOXEL, strict=True))
    )
    polynomial = 3e-4 * (x**2 - z**2) - 2e-4 * x * y + 1e-3 * z + 0.01
    data = np.where(grid.inside, polynomial, 0).astype(np.float32)
    size = data[grid.inside].std()
    chi, h = problem.solve(300, 0.0, data=data)
    assert chi[grid.inside].std() < 1e-3 * size
    assert np.std((h - data)[grid.inside]) < 0.02 * size
    alone, _ = problem.solve(300, data=data)
    assert alone[grid.inside].std() > size


@pytest.mark.parametrize("softness", [None, 0.0, 1 / BETA])
def test_threads_do_not_change_a_bit(problem, softness):
    one, two, three = (
        problem.solve(25, softness, threads, reweighted_at=(10, 20), edge_gain=2.0)
        for threads in (1, 2, 3)
    )
    assert np.array_equal(one, two)
    assert np.array_equal(one, three)


def test_data_without_weight_do_not_count(problem):
    spoilt = problem.data + np.where(problem.grid.inside, 0, random(problem.grid.shape, 8))
    same = problem.solve(20)[0]
    assert np.array_equal(problem.solve(20, data=spoilt.astype(np.float32))[0], same)


def test_gain_multiplies_the_threshold(problem):
    """At the first iteration χ is 0 and has no edges yet: only the gain acts."""
    gained = problem.solve(30, reweighted_at=(0,), edge_gain=2.0)[0]
    doubled = problem.solve(30, regularisation=2 * LAMBDA)[0]
    assert np.array_equal(gained, doubled)
    assert not np.array_equal(gained, problem.solve(30)[0])


def test_reweighting_gives_back_the_contrast_that_the_penalty_takes(problem):
    """Of 0.13 ppm between block and surroundings; λ is large here."""
    settings = {"regularisation": 8 * LAMBDA, "rho": 8 * RHO}
    block = problem.chi > 0
    rest = problem.grid.inside & ~ndimage.binary_dilation(block, iterations=2)

    def contrast(chi):
        return chi[block].mean() - chi[rest].mean()

    shrunk = contrast(problem.solve(200, **settings)[0])
    kept = contrast(problem.solve(200, reweighted_at=(40, 60, 80), **settings)[0])
    assert shrunk < 0.8 * 0.13
    assert abs(kept - 0.13) < 0.5 * abs(shrunk - 0.13)


def test_tolerance_ends_the_iterations_early(problem):
    """At the first that changes χ by less than that: neither one before nor one after."""
    counts = range(1, 61)
    runs = [problem.solve(count)[0] for count in counts]
    changes = [
        np.linalg.norm(after - before) / np.linalg.norm(after) for before, after in pairwise(runs)
    ]
    tolerance = 0.01
    last = 1 + next(index for index, change in enumerate(changes) if change < tolerance)
    assert 5 < last < 50
    assert np.array_equal(problem.solve(200, tolerance=tolerance)[0], runs[last])


def test_no_field_is_no_chi(problem):
    """Also with a tolerance, relative as it is."""
    zero = np.zeros_like(problem.data)
    for softness in (None, 0.0):
        parts = problem.solve(20, softness, data=zero, tolerance=1e-3, reweighted_at=(10,))
        assert not np.any(parts)


def test_settings_follow_the_noise_down_to_the_least():
    mask, noise = np.ones((30, 30, 30), bool), NOISE_PPM * random((30, 30, 30))
    parameters = TotalVariationParameters(
        regularisation_per_noise=0.1, least_regularisation=1e-5, mu_per_regularisation=2000
    )
    settings = parameters.settings(noise, mask)
    assert settings.regularisation == pytest.approx(0.1 * NOISE_PPM, rel=0.03)
    assert settings.rho == pytest.approx(1000 * settings.regularisation)
    assert settings.mu == pytest.approx(2000 * settings.regularisation)
    least = parameters.settings(0 * noise, mask)
    assert (least.regularisation, least.mu) == (1e-5, 0.2)
    fixed = TotalVariationParameters(regularisation=7e-4).settings(noise, mask)
    assert (fixed.regularisation, fixed.mu) == (7e-4, 1.0)


def test_iterations_do_not_end_before_the_last_reweighting(problem):
    settings = {"reweighted_at": (60,), "edge_gain": 2.0}
    eager = problem.solve(200, tolerance=0.05, **settings)[0]
    assert np.array_equal(eager, problem.solve(62, **settings)[0])
