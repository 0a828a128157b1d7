import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.phase.offset import OffsetParameters, estimate_offset, remove_offset
from qsmiron.phase.smoothing import LocalFit


def offset_error(scan, **parameters):
    """Error of the estimated offset in the mask, rad.

    A whole turn in the phase difference moves the offset by TE1/(TE2 − TE1) turns everywhere, so
    the median is taken off.
    """
    found = estimate_offset(
        scan.phase,
        scan.magnitude,
        scan.mask,
        scan.times,
        scan.voxel_size,
        OffsetParameters(**parameters),
    )
    error = (found - scan.offset)[scan.mask]
    return np.angle(np.exp(1j * (error - np.median(error))))


def test_a_smooth_offset_is_found_up_to_the_rim(make_scan):
    """Over a head of 110 mm the offset runs through 3 rad; it is known to a hundredth of that."""
    error = offset_error(make_scan())
    assert error.std() < 0.01
    assert np.abs(error).max() < 0.04


def test_a_linear_offset_leaves_no_bias(make_scan):
    scan = make_scan(snr=np.inf, strength=0)
    x = np.linspace(-1, 1, scan.mask.shape[0])[:, None, None]
    shift = 2 * x - scan.offset
    scan = scan.with_(phase=scan.phase + shift.astype(np.float32), offset=scan.offset + shift)
    assert np.abs(offset_error(scan)).max() < 0.015


def test_removed_offset_leaves_wrapped_phase(make_scan):
    scan = make_scan()
    rest = remove_offset(scan.phase, scan.offset.astype(np.float32))
    expected = np.angle(np.exp(1j * (scan.phase - scan.offset)))
    assert np.abs(np.angle(np.exp(1j * (rest - expected)))).max() < 1e-4
    assert np.abs(rest).max() <= np.pi + 1e-4


def test_two_echoes_without_a_common_voxel_are_refused(make_scan):
    scan = make_scan()
    magnitude = scan.magnitude.copy()
    magnitude[0, :20], magnitude[1, 20:] = 0, 0
    with pytest.raises(InputError, match="both of the first two echoes"):
        offset_error(scan.with_(magnitude=magnitude))


@pytest.mark.parametrize("shape", [(20, 22, 18), (24, 20, 1), (1, 24, 20)])
def test_local_lines_are_those_of_direct_least_squares(shape):
    """Under the same window; the ridge and the window's end account for the difference."""
    rng = np.random.default_rng(5)
    voxel_size, sigma = (2.0, 2.5, 3.0), 6.0
    mask = rng.random(shape) < 0.9
    weight = rng.uniform(0.2, 1, shape) * mask
    axes = np.meshgrid(
        *(n * v for n, v in zip(map(np.arange, shape), voxel_size, strict=True)), indexing="ij"
    )
    data = sum(np.sin(0.05 * (i + 1) * axis) for i, axis in enumerate(axes))
    fitted = LocalFit(weight, mask, voxel_size, sigma).line(data.astype(np.float32))
    points = np.stack([axis.ravel() for axis in axes], axis=1)
    inside = np.flatnonzero(mask)
    for voxel in rng.choice(inside, 12, replace=False):
        away = points - points[voxel]
        window = weight.ravel() * np.exp(-0.5 * (away**2).sum(axis=1) / sigma**2)
        design = np.concatenate([np.ones((len(away), 1)), away], axis=1)
        root = np.sqrt(window)[:, None]
        value = np.linalg.lstsq(design * root, data.ravel() * root[:, 0], rcond=None)[0][0]
        assert fitted.ravel()[voxel] == pytest.approx(value, abs=0.02)
    assert not fitted[~mask].any()
