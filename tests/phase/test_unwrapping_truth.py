"""Exactness of unwrapping: whole turns, and no errors, against truth and another program."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from scipy import ndimage

from qsmiron.phase.romeo import edge_weights, unwrap_in_space, voxel_quality
from qsmiron.phase.wrapping import TWO_PI, wrap

IN_VIVO = Path(__file__).parents[3] / "shared" / "data" / "romeo_small"
IN_VIVO_TIMES = np.array([4.0, 8.0, 12.0])  # ms


def steep_phase(shape, largest, rng):
    """Phase (rad) whose step along each axis swings smoothly between ±``largest``."""
    total = np.zeros(shape)
    for axis, length in enumerate(shape):
        steps = largest * np.sin(rng.uniform(0, TWO_PI) + np.arange(length) * rng.uniform(0.1, 0.4))
        steps *= largest / np.abs(steps).max()
        total = total + np.cumsum(steps).reshape(np.roll((-1, 1, 1), axis))
    return total


def pieces(shape, rng):
    """Connected pieces of uneven outline that do not touch (faces), labelled from 1."""
    field = ndimage.gaussian_filter(rng.normal(size=shape), 2)
    labels, count = ndimage.label(field > 0.8 * field.std())
    assert count > 5
    return labels, count


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("with_magnitude", [False, True])
def test_steep_phase_in_pieces_comes_back_without_an_error(seed, with_magnitude):
    rng = np.random.default_rng(seed)
    shape = (36, 33, 30)
    truth = steep_phase(shape, 0.9 * np.pi, rng)
    largest = max(np.abs(np.diff(truth, axis=axis)).max() for axis in range(3))
    assert largest == pytest.approx(0.9 * np.pi)
    labels, count = pieces(shape, rng)
    mask = labels > 0
    magnitude = rng.uniform(0.05, 1, shape) if with_magnitude else None
    phase = wrap(truth)
    unwrapped = unwrap_in_space(phase, edge_weights(phase, mask, magnitude), mask)
    turns = (unwrapped - truth) / TWO_PI
    for label in range(1, count + 1):
        piece = labels == label
        assert np.ptp(np.round(turns[piece])) == 0
        assert np.abs(turns[piece] - np.round(turns[piece])).max() < 1e-4
        assert abs(np.median(unwrapped[piece])) <= np.pi + 1e-4
    assert not unwrapped[~mask].any()


def test_thousands_of_pieces_are_quick():
    rng = np.random.default_rng(0)
    mask = rng.random((60, 60, 40)) < 0.15
    phase = rng.uniform(-np.pi, np.pi, mask.shape).astype(np.float32)
    unwrapped = unwrap_in_space(phase, edge_weights(phase, mask), mask)
    alone = mask & (ndimage.convolve(mask.astype(int), ndimage.generate_binary_structure(3, 1)) < 2)
    assert alone.sum() > 3000
    assert unwrapped[alone] == pytest.approx(phase[alone], abs=1e-6)


@pytest.mark.parametrize("echo", [0, 1, 2])
def test_agrees_with_another_program_in_vivo(echo):
    """skimage (Herraez et al. 2002, doi 10.1364/AO.41.007437) on a brain; whole turns apart."""
    restoration = pytest.importorskip("skimage.restoration")
    if not IN_VIVO.is_dir():
        pytest.skip(f"development data are not beside the project: {IN_VIVO}")
    # The file's scaling factor does not belong to it: the stored values are in rad.
    stored = nib.load(IN_VIVO / "small_Phase.nii").dataobj.get_unscaled()
    stored = np.moveaxis(np.asarray(stored, np.float32), -1, 0).copy()
    assert np.abs(stored).max() == pytest.approx(np.pi, abs=1e-3)
    magnitude = np.asarray(nib.load(IN_VIVO / "small_Mag.nii").dataobj, np.float32)[..., echo]
    mask = magnitude > 0.3 * np.percentile(magnitude, 95)
    other = echo + 1 if echo < 2 else echo - 1
    weights = edge_weights(
        stored[echo], mask, magnitude, stored[other], IN_VIVO_TIMES[echo] / IN_VIVO_TIMES[other]
    )
    unwrapped = unwrap_in_space(stored[echo], weights, mask)
    reference = restoration.unwrap_phase(np.ma.array(stored[echo], mask=~mask), rng=0)
    turns = (unwrapped - reference.filled(0))[mask & (voxel_quality(weights, mask) > 0.3)] / TWO_PI
    whole = np.round(turns)
    assert np.abs(turns - whole).max() < 1e-4
    assert (whole == np.median(whole)).mean() > 0.999
