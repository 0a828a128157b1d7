import numpy as np
import pytest
from inversion.ball_phantom import GEOMETRIES, OBLIQUE, ball_phantom

from qsmiron.inversion.nonlinear_tv import NonlinearTvParameters, nonlinear_total_variation
from qsmiron.inversion.tv import TvParameters, total_variation
from qsmiron.spectral import convolve_dipole

CUBE, UPRIGHT = (2, 2, 2), (0, 0, 1)
CYCLE_PPM = 2 * np.pi / NonlinearTvParameters().phase_scale


@pytest.mark.parametrize(("voxel_size", "direction"), GEOMETRIES)
def test_regions_come_back_from_their_true_field(voxel_size, direction):
    phantom = ball_phantom(voxel_size, direction)
    chi = nonlinear_total_variation(
        phantom.field, phantom.mask, voxel_size, direction, NonlinearTvParameters()
    )
    slope, error = phantom.regional(chi)
    assert 0.9 < slope < 1.02
    assert error < 3
    assert chi.dtype == np.float32
    assert not chi[~phantom.mask].any()


def test_whole_cycles_of_phase_are_tolerated_where_a_linear_data_term_fails():
    """exp(isf) stays the same when f changes by 2π/s; only the start of the search notices."""
    phantom = ball_phantom(CUBE, OBLIQUE)
    wrapped = phantom.few_voxels()
    cycles = np.random.default_rng(1).choice((-2, -1, 1, 2), size=wrapped.sum())
    field = phantom.field.copy()
    field[wrapped] += CYCLE_PPM * cycles
    errors = {}
    for invert, parameters in (
        (nonlinear_total_variation, NonlinearTvParameters()),
        (total_variation, TvParameters()),
    ):
        clean, found = (
            invert(data, phantom.mask, CUBE, OBLIQUE, parameters) for data in (phantom.field, field)
        )
        errors[invert] = np.abs(found - clean)[phantom.mask].max()
    assert errors[nonlinear_total_variation] < 0.002
    assert errors[total_variation] > 0.05


def test_a_field_of_more_than_half_a_cycle_keeps_its_strength():
    """The search starts near the field given; from 0 it would end a cycle below."""
    phantom = ball_phantom()
    chi = np.where(phantom.labels == 3, 1.2, phantom.chi).astype(np.float32)
    field = convolve_dipole(chi, CUBE, UPRIGHT)
    assert np.abs(field[phantom.mask]).max() > 0.6 * CYCLE_PPM
    found = nonlinear_total_variation(field, phantom.mask, CUBE, UPRIGHT, NonlinearTvParameters())
    contrast = found[phantom.labels == 3].mean() - found[phantom.labels == 0].mean()
    assert contrast == pytest.approx(1.21, rel=0.05)


def test_phase_scale_does_not_matter_while_residuals_are_small():
    phantom = ball_phantom()
    weak, strong = (
        nonlinear_total_variation(
            phantom.field, phantom.mask, CUBE, UPRIGHT, NonlinearTvParameters(phase_scale=scale)
        )
        for scale in (0.5, 16)
    )
    assert np.abs(weak - strong).max() < 1e-3


def test_magnitude_keeps_bad_voxels_from_spreading():
    phantom = ball_phantom()
    bad = phantom.few_voxels()
    field = phantom.field.copy()
    field[bad] += np.random.default_rng(0).normal(size=bad.sum())
    errors = []
    for magnitude in (None, np.where(bad, 0.01, 1).astype(np.float32)):
        chi = nonlinear_total_variation(
            field, phantom.mask, CUBE, UPRIGHT, NonlinearTvParameters(), magnitude=magnitude
        )
        errors.append(phantom.error(chi, phantom.mask & ~bad))
    assert errors[1] < 0.2 * errors[0]


def test_threads_do_not_change_a_bit():
    phantom = ball_phantom()
    one, two = (
        nonlinear_total_variation(
            phantom.field, phantom.mask, CUBE, OBLIQUE, NonlinearTvParameters(), threads
        )
        for threads in (1, 2)
    )
    assert np.array_equal(one, two)
