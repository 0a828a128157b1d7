import numpy as np
import pytest

from qsmiron.phase.romeo import edge_weights, unwrap_in_space, unwrap_in_time, voxel_quality

TWO_PI = 2 * np.pi


def wrap(phase):
    return np.angle(np.exp(1j * phase)).astype(np.float32)


def smooth_phase(shape, height):
    """A tilted hill: many turns, but well below half a turn from voxel to voxel."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")
    return height * (np.exp(-2 * (x**2 + y**2 + z**2)) + 0.5 * x - 0.3 * z)


def whole_turns(difference):
    turns = difference / TWO_PI
    return np.round(turns), np.abs(turns - np.round(turns)).max() * TWO_PI


def test_many_wraps_come_off_exactly():
    truth = smooth_phase((40, 36, 32), 30.0)
    mask = np.ones(truth.shape, bool)
    phase = wrap(truth)
    unwrapped = unwrap_in_space(phase, edge_weights(phase, mask), mask)
    turns, rest = whole_turns(unwrapped - truth)
    assert len(np.unique(turns)) == 1
    assert rest < 1e-4
    assert abs(np.median(unwrapped)) <= np.pi


def test_agrees_with_an_independent_unwrapper():
    restoration = pytest.importorskip("skimage.restoration")
    rng = np.random.default_rng(3)
    phase = wrap(smooth_phase((24, 24, 20), 11.0) + 0.2 * rng.normal(size=(24, 24, 20)))
    mask = np.ones(phase.shape, bool)
    unwrapped = unwrap_in_space(phase, edge_weights(phase, mask), mask)
    turns, _ = whole_turns(unwrapped - restoration.unwrap_phase(phase))
    assert len(np.unique(turns)) == 1


def test_goes_around_an_untrusted_wall():
    """Noise without signal between two halves must not carry a wrong turn across."""
    rng = np.random.default_rng(0)
    truth = smooth_phase((40, 40, 12), 10.0)
    magnitude = np.ones(truth.shape)
    wall = (slice(18, 22), slice(4, None), slice(None))
    noisy = truth.copy()
    noisy[wall] = rng.uniform(-np.pi, np.pi, noisy[wall].shape)
    magnitude[wall] = 0.02
    phase = wrap(noisy)
    mask = np.ones(truth.shape, bool)
    unwrapped = unwrap_in_space(phase, edge_weights(phase, mask, magnitude), mask)
    good = np.ones(truth.shape, bool)
    good[wall] = False
    turns = np.round((unwrapped - truth) / TWO_PI)[good]
    assert len(np.unique(turns)) == 1


def test_separate_parts_each_start_near_zero():
    truth = smooth_phase((30, 20, 20), 12.0) + 40.0
    mask = np.ones(truth.shape, bool)
    mask[14:16] = False
    phase = wrap(truth)
    unwrapped = unwrap_in_space(phase, edge_weights(phase, mask), mask)
    for part in (slice(0, 14), slice(16, None)):
        turns, rest = whole_turns((unwrapped - truth)[part])
        assert len(np.unique(turns)) == 1
        assert rest < 1e-4
        assert abs(np.median(unwrapped[part])) <= np.pi + 1e-5
    assert not unwrapped[~mask].any()


def test_weights_are_the_product_of_the_three_coherences():
    phase = np.zeros((3, 2, 2), np.float32)
    phase[1] = 1.0
    second = 2 * phase + np.array([0, 0.1, 0], np.float32)[:, None, None]
    magnitude = np.array([1.0, 0.5, 0.5], np.float32)[:, None, None] * np.ones((3, 2, 2))
    mask = np.ones(phase.shape, bool)
    weights = edge_weights(phase, mask, magnitude, second, 0.5)
    first = (1 - 1 / np.pi) * (1 - abs(1 - 2.1 * 0.5)) * 0.5**2
    assert weights[0, 0] == pytest.approx(first, rel=1e-5)
    assert weights[0, 2] == pytest.approx(0)
    assert weights[1, :, 0] == pytest.approx(1)


def test_quality_is_high_where_smooth_and_low_in_noise():
    rng = np.random.default_rng(0)
    phase = wrap(smooth_phase((24, 24, 24), 10.0))
    phase[12:] = rng.uniform(-np.pi, np.pi, phase[12:].shape)
    mask = np.ones(phase.shape, bool)
    second = wrap(2 * phase)
    second[12:] = rng.uniform(-np.pi, np.pi, phase[12:].shape)
    quality = voxel_quality(edge_weights(phase, mask, None, second, 0.5), mask)
    assert quality[:11].min() > 0.7
    assert np.median(quality[13:]) < 0.3


def test_later_echoes_follow_the_template():
    times = np.array([4, 10, 16, 22, 28]) * 1e-3
    rng = np.random.default_rng(2)
    rate = smooth_phase((20, 20, 16), 600.0)  # rad/s, 17 rad at the last echo
    truth = times[:, None, None, None] * rate
    noise = 0.1 * rng.normal(size=truth.shape)
    magnitude = np.ones(truth.shape, np.float32)
    unwrapped = unwrap_in_time(wrap(truth + noise), truth[0] + noise[0], 0, magnitude, times)
    assert unwrapped == pytest.approx(truth + noise, abs=1e-4)
    # … and earlier ones, from a template in the middle.
    unwrapped = unwrap_in_time(wrap(truth + noise), truth[2] + noise[2], 2, magnitude, times)
    assert unwrapped == pytest.approx(truth + noise, abs=1e-4)
