"""Separation by least total variation: exact without noise, better than the closed form with it."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sources.mixtures import inner, maps_of, nrmse, sources

from qsmiron.sources.maps import Maps
from qsmiron.sources.r2prime import R2primeParameters, from_r2prime
from qsmiron.sources.source_tv import SourceTvParameters, least_variation

MEASURED = {"dr_paramagnetic": 114.0, "dr_diamagnetic": 30.0}


OWN = SourceTvParameters()


def rates(positive, negative):
    """R2* and R2 (1/s) by the method's own constants at 3 T."""
    r2 = OWN.r2_without_sources
    r2 = r2 + OWN.r2_per_paramagnetic * positive - OWN.r2_per_diamagnetic * negative
    return r2 + OWN.dr_paramagnetic * positive - OWN.dr_diamagnetic * negative, r2


@pytest.mark.parametrize("measured", [True, False])
def test_without_noise_it_is_the_closed_form(measured):
    positive, negative = sources()
    r2star, r2 = rates(positive, negative)
    maps = maps_of(positive, negative, r2star, r2=r2 if measured else None)
    found = least_variation(maps, SourceTvParameters(regularisation_per_noise=0))
    assert np.abs(found - positive)[maps.mask].max() < 1e-6


def test_own_constants_from_true_chi_and_r2prime():
    """The regularised default on noiseless data: χ⁺ and χ⁻ within a tenth of the truth."""
    positive, negative = sources()
    r2star, r2 = rates(positive, negative)
    maps = maps_of(positive, negative, r2star, r2=r2)
    found = least_variation(maps, SourceTvParameters())
    assert nrmse(found, positive, maps.mask) < 0.1
    assert nrmse(maps.chi - found, negative, maps.mask) < 0.1


def test_noise_costs_less_than_in_closed_form():
    positive, negative = sources()
    r2star, r2 = rates(positive, negative)
    noisy = r2star + 1.5 * np.random.default_rng(0).standard_normal(r2star.shape)
    maps = maps_of(positive, negative, noisy, r2=r2)
    plain = from_r2prime(maps, R2primeParameters(**MEASURED))
    found = least_variation(maps, SourceTvParameters())
    assert nrmse(found, positive, inner()) < 0.7 * nrmse(plain, positive, inner())


def test_a_wrong_r2_of_tissue_moves_all_alike():
    """Contrasts of both sources outlive the assumption; their level does not."""
    positive, negative = sources()
    positive, negative = positive + 0.03, negative - 0.03
    r2star, _ = rates(positive, negative)
    maps = maps_of(positive, negative, r2star)
    first = least_variation(maps, SourceTvParameters(regularisation_per_noise=0))
    less = OWN.r2_without_sources / 4
    other = SourceTvParameters(
        regularisation_per_noise=0, r2_without_sources=OWN.r2_without_sources - less
    )
    moved = (least_variation(maps, other) - first)[maps.mask]
    per_ppm = OWN.dr_paramagnetic + OWN.dr_diamagnetic
    per_ppm += OWN.r2_per_paramagnetic + OWN.r2_per_diamagnetic
    np.testing.assert_allclose(moved, less / per_ppm, rtol=1e-3)


def test_the_minimum_is_that_of_a_general_solver():
    """A row of eight voxels, against L-BFGS-B on a smoothed total variation."""
    rng = np.random.default_rng(5)
    chi = rng.normal(0, 0.02, 8).astype(np.float32)
    rate = rng.uniform(8, 20, 8).astype(np.float32)
    shape = (8, 1, 1)
    maps = Maps(
        chi.reshape(shape), rate.reshape(shape), np.ones(shape, bool), (2.0, 1.0, 1.0), 3.0,
        r2=np.full(shape, 8, np.float32), r2star_error=np.full(shape, 1, np.float32),
    )  # fmt: skip
    parameters = SourceTvParameters(iterations=2000, tolerance=0, regularisation_per_noise=0.5)
    found = least_variation(maps, parameters).ravel() - chi

    sd = np.hypot(1, 114 * parameters.chi_noise) / 144
    data = (rate - 8 + 30 * chi) / 144 - chi

    def objective(u):
        slopes = np.concatenate([np.diff(u), np.diff(u + chi)])
        variation = np.sqrt(slopes**2 + 1e-12).sum()
        return 1e4 * (0.5 * ((u - data) ** 2).sum() + 0.5 * sd / 2 * variation)

    bounds = [(max(0.0, -float(c)), None) for c in chi]
    best = minimize(
        objective, np.maximum(data, [low for low, _ in bounds]), bounds=bounds,
        options={"maxiter": 20000, "maxfun": 10**6, "ftol": 1e-15, "gtol": 1e-9},
    )  # fmt: skip
    assert objective(found) <= best.fun * (1 + 1e-3)
    np.testing.assert_allclose(found, best.x, atol=3e-4)


def test_noisy_voxels_lean_on_their_neighbours():
    """A voxel whose R2* is known to be bad is filled from around."""
    positive = np.full((9, 9, 9), 0.04, np.float32)
    negative = np.full((9, 9, 9), -0.02, np.float32)
    r2star, r2 = rates(positive, negative)
    error = np.full(positive.shape, 1, np.float32)
    r2star[4, 4, 4] += 20
    error[4, 4, 4] = 50
    mask = np.ones(positive.shape, bool)
    maps = maps_of(positive, negative, r2star, r2=r2, r2star_error=error, mask=mask)
    found = least_variation(maps, SourceTvParameters(iterations=500, tolerance=0))
    assert found[4, 4, 4] == pytest.approx(0.04, abs=0.002)
