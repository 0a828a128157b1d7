import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.phase.bipolar import (
    alternating_phase,
    fit_ramp,
    measure_alternation,
    remove_alternating_phase,
)
from qsmiron.phase.wrapping import wrap

SHAPE = (40, 40, 32)
EQUAL = (0.004, 0.010, 0.016, 0.022, 0.028)
UNEQUAL = (0.004, 0.009, 0.016, 0.021, 0.030)


def ramp(constant, *slopes):
    axes = np.meshgrid(*(np.linspace(-1, 1, n) for n in SHAPE), indexing="ij")
    return constant + sum(slope * axis for slope, axis in zip(slopes, axes, strict=True))


def estimated(scan):
    return alternating_phase(scan.phase, scan.magnitude, scan.mask, scan.times)


@pytest.mark.parametrize("times", [EQUAL, UNEQUAL, EQUAL[:3]])
@pytest.mark.parametrize(
    "truth",
    [ramp(0.3, 0.6, 0, 0), ramp(0.2, 3.0, 0, -0.4), ramp(-0.5, 8.0, 2.0, 0)],
    ids=["weak", "wrapped", "many wraps"],
)
@pytest.mark.parametrize("snr", [50, 10])
def test_known_ramp_is_found(make_scan, times, truth, snr):
    scan = make_scan(times, snr=snr, alternating=truth)
    error = (estimated(scan) - truth)[scan.mask]
    assert np.abs(error).max() < (0.002 if snr == 50 else 0.006)


@pytest.mark.parametrize("method", ["romeo", "laplacian"])
@pytest.mark.parametrize("times", [EQUAL, UNEQUAL])
def test_field_is_as_good_as_without_the_error(make_scan, times, method):
    scan = make_scan(times)
    clean = scan.map_field(method)
    alternating = ramp(0.3, 2.0, 0, -0.4)
    scan = scan.with_(phase=remove_alternating_phase(scan.phase, -alternating))
    corrected = scan.map_field(method, readout="bipolar")
    difference = (corrected.field - clean.field)[scan.mask]
    noise = np.median(clean.noise[scan.mask])
    assert difference.std() < 0.1 * noise
    assert np.median(corrected.noise[scan.mask]) == pytest.approx(noise, rel=0.02)
    # Left in, the error shows as misfit: this is how an undeclared bipolar readout is noticed.
    assert np.median(scan.map_field(method).noise[scan.mask]) > 5 * noise


def test_monopolar_data_are_hardly_touched_by_the_declaration(make_scan):
    scan = make_scan()
    assert np.abs(estimated(scan)[scan.mask]).max() < 0.002
    assert np.array_equal(scan.map_field().field, scan.map_field(readout="monopolar").field)


@pytest.mark.parametrize("method", ["romeo", "laplacian"])
@pytest.mark.parametrize("times", [EQUAL, UNEQUAL, EQUAL[:3]])
@pytest.mark.parametrize(
    "truth", [ramp(0, 0.4, 0, 0), ramp(0.3, 0, 0.2, -0.1), ramp(-0.4, 0, 0, 0)]
)
def test_an_undeclared_bipolar_readout_is_measured(make_scan, method, times, truth):
    scan = make_scan(times, alternating=truth)
    found = scan.map_field(method).alternation
    inside = truth[scan.mask]
    assert found.slope == pytest.approx(np.ptp(inside), abs=0.02)
    assert found.constant == pytest.approx(abs(inside.mean()), abs=0.03)
    left = scan.map_field(method, readout="bipolar").alternation
    assert max(left.slope, left.constant) < 0.02


@pytest.mark.parametrize("shift", [0, 0.3, -0.45, 0.5])
def test_monopolar_data_measure_none_whatever_the_frequency(make_scan, shift):
    """A shift of the field (ppm) makes up to a turn between echoes 1 and 3."""
    scan = make_scan(snr=20)
    turns = 2 * np.pi * 42.577 * 3 * shift * scan.times
    found = scan.with_(phase=wrap(scan.phase + turns[:, None, None, None])).map_field().alternation
    assert max(found.slope, found.constant) < 0.02


def test_the_measure_needs_three_echoes_and_some_voxels(make_scan):
    scan = make_scan(EQUAL[:2])
    assert scan.map_field().alternation is None
    scan = make_scan(EQUAL[:3])
    few = np.zeros_like(scan.mask)
    few[18:22, 18:22, 15:18] = True
    found = measure_alternation(scan.phase, scan.magnitude, few, scan.times, scan.voxel_size)
    assert found is None


def test_even_and_odd_echoes_get_opposite_signs():
    alternating = ramp(0.1, 0.3, 0, 0)
    phase = np.zeros((4, *SHAPE))
    rest = remove_alternating_phase(phase, alternating)
    for echo, sign in enumerate((1, -1, 1, -1)):
        assert rest[echo] == pytest.approx(sign * alternating, abs=1e-6)


@pytest.mark.parametrize("echoes", [1, 2])
def test_too_few_echoes_are_refused(make_scan, echoes):
    scan = make_scan(EQUAL[:echoes])
    with pytest.raises(InputError, match=f"bipolar with {echoes} echo.*Set readout to monopolar"):
        scan.map_field(readout="bipolar")


def test_no_common_signal_is_refused(make_scan):
    scan = make_scan(EQUAL[:3])
    magnitude = scan.magnitude.copy()
    magnitude[0, :20], magnitude[2, 20:] = 0, 0
    with pytest.raises(InputError, match="each of the first three echoes"):
        estimated(scan.with_(magnitude=magnitude))


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_ramp_in_a_slab_of_one_voxel(axis):
    rng = np.random.default_rng(0)
    shape = np.roll((1, 40, 30), axis)
    index = np.indices(shape)
    truth = 0.4 + 0.25 * index[(axis + 1) % 3] - 0.02 * index[(axis + 2) % 3]
    weight = rng.uniform(0.5, 1, shape)
    found = fit_ramp(wrap(truth + 0.05 * rng.normal(size=shape)), weight)
    assert np.abs(wrap(found - truth)).max() < 0.02


def test_voxels_without_weight_take_no_part():
    rng = np.random.default_rng(0)
    truth = ramp(0.1, 2.0, 1.0, 0)
    weight = np.zeros(SHAPE)
    weight[5:30, 8:30, 4:28] = 1
    phase = np.where(weight > 0, truth, rng.uniform(-3, 3, SHAPE))
    assert fit_ramp(wrap(phase), weight) == pytest.approx(truth, abs=1e-3)
