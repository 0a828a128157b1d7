"""The origin of sources: ventricular fluid, or a stated mean of the brain."""

import numpy as np
import pytest

from qsmiron.sources.absolute import BRAIN_CHI_PPM, find_origin

SHAPE = (60, 60, 60)


@pytest.fixture
def head():
    """χ (ppm), R2* (1/s), mask: a ball with fluid of 0.05 ppm in its middle."""
    grid = np.indices(SHAPE) - 29.5
    radius = np.sqrt((grid**2).sum(axis=0))
    mask, fluid = radius < 28, radius < 6
    rng = np.random.default_rng(0)
    chi = np.where(fluid, 0.05, -0.02) + 0.005 * rng.standard_normal(SHAPE)
    return chi.astype(np.float32), np.where(fluid, 2.0, 20.0).astype(np.float32), mask, fluid


def test_fluid_is_put_at_zero(head):
    chi, r2star, mask, fluid = head
    origin = find_origin(chi, r2star, None, mask, (1, 1, 1))
    assert origin.n_voxels == fluid.sum()
    assert (chi + origin.offset)[fluid].mean() == pytest.approx(0, abs=1e-3)
    assert "fluid" in origin.words


def test_the_origin_does_not_depend_on_the_reference(head):
    chi, r2star, mask, _ = head
    first = find_origin(chi, r2star, None, mask, (1, 1, 1)).offset
    other = find_origin(chi + np.float32(0.3), r2star, None, mask, (1, 1, 1)).offset
    assert other == pytest.approx(first - 0.3, abs=1e-6)


def test_a_void_is_no_fluid(head):
    chi, r2star, mask, fluid = head
    magnitude = np.where(fluid, 0.0, 100.0)
    origin = find_origin(chi, r2star, magnitude, mask, (1, 1, 1))
    assert "no ventricular fluid" in origin.words


def test_without_fluid_the_brain_has_a_stated_mean(head):
    chi, r2star, mask, _ = head
    origin = find_origin(chi, np.maximum(r2star, 15), None, mask, (1, 1, 1))
    assert (chi + origin.offset)[mask].mean() == pytest.approx(BRAIN_CHI_PPM, abs=1e-6)
    assert origin.n_voxels == mask.sum()
