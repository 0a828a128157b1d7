import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.parameters import parse_parameters
from qsmiron.phase.field_map import FieldMapParameters

B0 = 3.0


@pytest.fixture(scope="module")
def scan(make_scan):
    """A ball of tissue with a known field and receive offset; signal-to-noise ratio 50."""
    return make_scan()


def test_field_of_the_whole_chain(scan):
    result = scan.map_field()
    error = scan.error(result.field)[scan.mask]
    assert error.std() < 0.0015
    assert result.reliable[scan.mask].mean() > 0.99
    assert not result.reliable[~scan.mask].any()
    assert not result.field[~scan.mask].any()


def test_errors_are_noise_up_to_the_rim(scan):
    """The smoothing of the offset must not leave a bias where the mask ends."""
    result = scan.map_field()
    error = scan.error(result.field)[scan.mask] / result.noise[scan.mask]
    assert (np.abs(error) > 5).mean() < 1e-3
    assert error.std() == pytest.approx(1, abs=0.1)


def test_phase_sign_turns_the_field(scan):
    one = scan.map_field()
    other = scan.with_(phase=-scan.phase).map_field(phase_sign=-1)
    assert other.field == pytest.approx(one.field, abs=1e-6)


def test_single_echo(make_scan):
    """Without an offset in the data, one echo gives the field up to whole turns."""
    scan = make_scan(times=(0.02,), snr=np.inf, offset=0)
    result = scan.map_field()
    turn = 1 / (scan.times[0] * 42.577478 * B0)
    turns = (result.field - scan.field)[scan.mask] / turn
    assert np.round(turns) == pytest.approx(turns, abs=1e-3)
    assert np.ptp(np.round(turns)) == 0
    assert result.noise[scan.mask].max() < 0.05


@pytest.mark.parametrize("method", ["romeo", "laplacian"])
def test_threads_change_nothing(scan, method):
    one, two = (scan.map_field(method, threads=threads) for threads in (1, 2))
    for part in ("field", "noise", "reliable"):
        assert np.array_equal(getattr(one, part), getattr(two, part))


def test_any_template_echo_gives_the_same_field(scan):
    fields = [scan.map_field(unwrapping={"template_echo": n}).field for n in (1, 3, 9)]
    for other in fields[1:]:
        assert scan.error(other)[scan.mask] == pytest.approx(
            scan.error(fields[0])[scan.mask], abs=1e-5
        )


def test_readout_is_declared_in_two_words():
    with pytest.raises(InputError, match="readout: found 'alternating'"):
        parse_parameters(FieldMapParameters, '{"readout": "alternating"}', "--parameters")
