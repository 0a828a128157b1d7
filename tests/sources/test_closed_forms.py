"""Exact where the model is exact; signs and sum hold everywhere."""

import numpy as np
import pytest
from sources.mixtures import inner, maps_of, sources

from qsmiron.sources import METHODS
from qsmiron.sources.r2prime import R2primeParameters, from_r2prime
from qsmiron.sources.r2star import R2starParameters, from_r2star

EXACT = 1e-6


@pytest.fixture(scope="module")
def truth():
    return sources()


@pytest.mark.parametrize("tesla", [1.5, 3.0, 7.0])
@pytest.mark.parametrize(("plus", "minus"), [(137, 137), (107.8, 133.8), (114, 30)])
def test_r2prime_is_inverted_exactly_at_any_field(truth, tesla, plus, minus):
    positive, negative = truth
    r2 = np.full(positive.shape, 11.0, np.float32)
    r2prime = tesla / 3 * (plus * positive - minus * negative)
    maps = maps_of(positive, negative, r2 + r2prime, r2=r2, field_strength=tesla)
    parameters = R2primeParameters(dr_paramagnetic=plus, dr_diamagnetic=minus)
    found = from_r2prime(maps, parameters)
    assert np.abs(found - positive)[maps.mask].max() < EXACT
    assert np.abs(maps.chi - found - negative)[maps.mask].max() < EXACT


def test_without_r2_one_value_is_taken_off(truth):
    positive, negative = truth
    rate = 12.5 + 137 * (positive - negative)
    found = from_r2prime(maps_of(positive, negative, rate), R2primeParameters())
    assert np.abs(found - positive)[inner()].max() < EXACT


@pytest.mark.parametrize("tesla", [1.5, 3.0, 7.0])
def test_r2star_is_inverted_exactly_at_any_field(truth, tesla):
    positive, negative = truth
    rate = tesla / 3 * 274 * (positive - negative)
    maps = maps_of(positive, negative, rate, field_strength=tesla)
    found = from_r2star(maps, R2starParameters())
    assert np.abs(found - positive)[maps.mask].max() < EXACT


def test_a_constant_of_another_field_scales_with_it(truth):
    """Twice the field and twice the relaxation by sources: the same sources."""
    positive, negative = truth
    rate = 274 * (positive - negative)
    once = from_r2star(maps_of(positive, negative, rate), R2starParameters())
    twice = from_r2star(
        maps_of(positive, negative, 2 * rate, field_strength=6.0), R2starParameters()
    )
    np.testing.assert_allclose(once, twice, atol=1e-7)


@pytest.mark.parametrize("name", METHODS)
def test_signs_and_sum_hold_where_no_source_explains_the_data(name):
    rng = np.random.default_rng(3)
    positive, negative = sources(1)
    maps = maps_of(positive, negative, rng.uniform(0, 60, positive.shape))
    model, separate = METHODS[name].load()
    found = separate(maps, model())
    assert found.dtype == np.float32
    assert (found >= 0).all()
    assert (maps.chi - found)[maps.mask].max() <= 0
    assert not found[~maps.mask].any()


@pytest.mark.parametrize("name", METHODS)
def test_unknown_r2star_spoils_no_voxel(name):
    positive, negative = sources(1)
    rate = (12.5 + 140 * (positive - negative)).astype(np.float32)
    rate[10:12] = np.nan
    maps = maps_of(positive, negative, rate)
    model, separate = METHODS[name].load()
    found = separate(maps, model())
    assert np.isfinite(found).all()
    assert (found >= np.maximum(maps.chi, 0))[maps.mask].all()
