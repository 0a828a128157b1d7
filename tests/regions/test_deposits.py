import math
import statistics
import tracemalloc
from fractions import Fraction

import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.regions.deposits import (
    IronParameters,
    Threshold,
    count_deposits,
    deposits_by_region,
    mixture_quantile,
    pool_thresholds,
)
from qsmiron.regions.label_table import Label
from qsmiron.regions.values import RegionValues, Who, read_values, sort_by_region, write_values


def brute_force(samples, weights, probability):
    """Smallest value at which the exactly summed weights reach the probability."""
    pairs = sorted(
        (float(value), Fraction(weight) / len(sample))
        for sample, weight in zip(samples, weights, strict=True)
        for value in sample
    )
    total = Fraction(0)
    for position, (value, share) in enumerate(pairs):
        total += share
        last_of_its_value = position + 1 == len(pairs) or pairs[position + 1][0] != value
        if last_of_its_value and total >= probability:
            return value
    raise AssertionError


@pytest.mark.parametrize("seed", range(30))
def test_mixture_quantile_against_brute_force(seed):
    rng = np.random.default_rng(seed)
    n_samples = int(rng.integers(1, 12))
    samples = [
        np.sort(np.round(rng.normal(rng.normal(), 1, rng.integers(1, 60)), 1 if seed % 2 else 6))
        for _ in range(n_samples)
    ]
    weights = [Fraction(1, n_samples)] * n_samples
    for percent in (1, 20, 50, 90, 95, 99):
        assert mixture_quantile(
            samples, [float(weight) for weight in weights], percent / 100
        ) == brute_force(samples, weights, Fraction(percent, 100))


@pytest.mark.parametrize("seed", range(6))
def test_quantile_of_samples_larger_than_the_knots_that_bracket_it(seed):
    rng = np.random.default_rng(seed)
    decimals = 1 if seed % 2 else 5  # with many ties and with few
    samples = [
        np.sort(np.round(rng.normal(rng.normal(), 1, n), decimals)).astype(np.float32)
        for n in (1, 999, 1000, 1001, 2500, 9000)
    ]
    weights = [Fraction(1, 12)] * 4 + [Fraction(1, 3)] * 2
    for percent in (1, 50, 95, 99):
        assert mixture_quantile(
            samples, [float(weight) for weight in weights], percent / 100
        ) == brute_force(samples, weights, Fraction(percent, 100))


def test_every_subject_weighs_the_same():
    # Half of the mixture is the constant 5, however many voxels the other subject has.
    many, few = np.arange(1000.0), np.array([5.0])
    assert mixture_quantile([many, few], [0.5, 0.5], 0.5) == 5
    # F(899) = .5 · 900/1000 + .5 = .95 exactly.
    assert mixture_quantile([many, few], [0.5, 0.5], 0.95) == 899


def scan(participant, samples, session="", **who):
    """A scan whose region i + 1 has these values."""
    labels = np.repeat(np.arange(1, len(samples) + 1), [len(sample) for sample in samples])
    labels = labels.reshape(-1, 1, 1)
    values = np.concatenate([np.asarray(sample, float) for sample in samples]).reshape(-1, 1, 1)
    index = range(1, len(samples) + 1)
    regions = sort_by_region(labels, values, np.ones(labels.shape, bool), index)
    return RegionValues(Who(participant, session, **who), regions, 8.0)


def test_pooled_thresholds():
    rng = np.random.default_rng(5)
    data = [
        [rng.normal(0.05, 0.02, rng.integers(20, 90)), rng.normal(0, 0.03, 40), [], [0.1]]
        for _ in range(7)
    ]
    data[3][1] = []
    scans = [scan(f"sub-{i}", samples) for i, samples in enumerate(data)]
    thresholds, _, n_subjects = pool_thresholds(scans, IronParameters())
    assert n_subjects.tolist() == [7, 6, 0, 7]
    for region in (0, 1, 3):
        samples = [one.chi.of(region) for one in scans if one.chi.of(region).size]
        weights = [Fraction(1, len(samples))] * len(samples)
        assert thresholds[region] == brute_force(samples, weights, Fraction(95, 100))
    assert math.isnan(thresholds[2])


def test_centred_threshold_is_that_of_what_the_medians_leave():
    rng = np.random.default_rng(6)
    data = [[rng.normal(rng.normal(0, 0.05), 0.02, rng.integers(21, 90))] for _ in range(6)]
    scans = [scan(f"sub-{i}", samples) for i, samples in enumerate(data)]
    _, centred, _ = pool_thresholds(scans, IronParameters(deposit_percentile=80))
    samples = [one.chi.of(0) for one in scans]
    samples = [values - np.float32(statistics.median(values.tolist())) for values in samples]
    weights = [Fraction(1, 6)] * 6
    assert centred[0] == brute_force(samples, weights, Fraction(80, 100))


def test_a_shift_of_a_whole_region_leaves_the_centred_fraction_as_it_is():
    rng = np.random.default_rng(7)
    values = np.sort(rng.normal(0, 0.02, 501)).astype(np.float32)
    threshold = Threshold(0.03, 0.03)
    before, after = (
        count_deposits(values + np.float32(shift), threshold, 1.0, IronParameters())
        for shift in (0, 0.015625)
    )
    assert after["deposit_fraction"] > 2 * before["deposit_fraction"]
    assert after["deposit_fraction_centred"] == before["deposit_fraction_centred"] > 0


def test_sessions_share_their_subjects_weight():
    a, b, c = [1.0, 2, 3, 4], [11.0, 12, 13, 14], [5.0, 6, 7, 8]
    scans = [scan("sub-1", [a], "1"), scan("sub-1", [b], "2"), scan("sub-2", [c])]
    thresholds, _, n_subjects = pool_thresholds(scans, IronParameters(deposit_percentile=60))
    weights = [Fraction(1, 4), Fraction(1, 4), Fraction(1, 2)]
    assert thresholds[0] == brute_force([a, b, c], weights, Fraction(60, 100))
    assert n_subjects.tolist() == [2]


def test_fixed_threshold():
    scans = [scan("sub-1", [[0.1], []]), scan("sub-2", [[0.2], []])]
    thresholds, _, n_subjects = pool_thresholds(scans, IronParameters(deposit_threshold=0.15))
    assert thresholds[0] == 0.15
    assert math.isnan(thresholds[1])
    # beside the fixed one: what it exceeds the mean median by
    centred = pool_thresholds(scans, IronParameters(deposit_threshold=0.15)).centred
    assert centred[0] == pytest.approx(0, abs=1e-7) and math.isnan(centred[1])
    assert n_subjects.tolist() == [2, 0]


def test_pooling_files_holds_one_scan_at_a_time(tmp_path):
    rng = np.random.default_rng(3)
    table, scans = [Label(1, "brain", "B")], []
    for i in range(30):
        scans.append(scan(f"sub-{i}", [rng.normal(rng.normal(), 1, 100_000)]))
        write_values(tmp_path / f"{i}.npz", scans[-1])
    expected = pool_thresholds(scans, IronParameters())
    n_bytes = sum(one.chi.values.nbytes for one in scans)
    tracemalloc.start()
    try:
        stored = [read_values(tmp_path / f"{i}.npz", table, lazily=True) for i in range(30)]
        found = pool_thresholds(stored, IronParameters())
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert found.chi[0] == expected.chi[0]
    assert found.centred[0] == expected.centred[0]
    assert peak < n_bytes / 3  # one scan is 1/30, the knots' values and shares about 1/8


def test_pooling_refuses_mixed_or_repeated_scans():
    with pytest.raises(InputError, match="several variants or atlases"):
        pool_thresholds([scan("sub-1", [[1]]), scan("sub-2", [[1]], desc="tv")], IronParameters())
    with pytest.raises(InputError, match="sub-1 2 times"):
        pool_thresholds([scan("sub-1", [[1]]), scan("sub-1", [[1]])], IronParameters())


def test_deposits_by_hand():
    values = np.array([-0.02, 0.05, 0.0445, 0.089, 0.178], dtype=np.float32)
    values.sort()
    found = count_deposits(values, Threshold(0.05, 0.02), 8.0, IronParameters())
    # 0.089 ppm → 100 mg/kg, 0.178 ppm → 200 mg/kg; a voxel weighs 8e-6 L · 1.04 kg/L.
    assert found["deposit_volume"] == 16
    assert found["deposit_fraction"] == pytest.approx(0.4, rel=1e-12)
    assert found["deposit_mass"] == pytest.approx(300 * 8e-6 * 1.04, rel=1e-6)
    # the median is .05: .039 and .128 above it
    assert found["deposit_fraction_centred"] == pytest.approx(0.4, rel=1e-12)


def test_nothing_above_is_zero_and_nothing_measured_is_missing():
    values = np.array([0.01, 0.02], dtype=np.float32)
    assert set(count_deposits(values, Threshold(0.02, 0.01), 8.0, IronParameters()).values()) == {
        0.0
    }
    for missing in (
        count_deposits(values, Threshold(), 8.0, IronParameters()),
        count_deposits(values[:0], Threshold(0.02, 0.01), 8.0, IronParameters()),
    ):
        assert all(math.isnan(value) for value in missing.values())


def test_region_without_threshold_is_missing():
    one = scan("sub-1", [[0.1, 0.3], [0.1, 0.3]])
    found = deposits_by_region(one, {2: Threshold(0.2)}, IronParameters())
    assert math.isnan(found["deposit_fraction"][0])
    assert found["deposit_fraction"][1] == 0.5


def test_pooled_share_above_is_five_percent():
    rng = np.random.default_rng(8)
    scans = [scan(f"sub-{i}", [rng.normal(0, 1, 400)]) for i in range(20)]
    thresholds, _, _ = pool_thresholds(scans, IronParameters())
    shares = [
        deposits_by_region(one, {1: Threshold(thresholds[0])}, IronParameters())[
            "deposit_fraction"
        ][0]
        for one in scans
    ]
    assert np.mean(shares) == pytest.approx(0.05, abs=1 / 400)
