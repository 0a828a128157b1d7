import numpy as np
import pytest

from qsmiron.acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T
from qsmiron.errors import InputError
from qsmiron.phase.field_fit import fit_field
from qsmiron.phase.field_map import FieldMapParameters, map_field
from qsmiron.phase.offset import OffsetParameters, estimate_offset, remove_offset
from qsmiron.phase.quality import QualityParameters, reliable_mask

TIMES = np.array([4, 10, 16, 22, 28]) * 1e-3
B0 = 3.0
PER_PPM = 2 * np.pi * GYROMAGNETIC_RATIO_MHZ_PER_T * B0  # rad/s
SHAPE = (40, 40, 32)
VOXEL = (2.0, 2.0, 2.0)


def coordinates(shape=SHAPE):
    return np.meshgrid(*(np.linspace(-1, 1, n) for n in shape), indexing="ij")


@pytest.fixture
def scan():
    """A ball of tissue with a known field and receive offset; signal-to-noise ratio 50."""
    x, y, z = coordinates()
    rng = np.random.default_rng(0)
    mask = x**2 + y**2 + z**2 < 0.8
    field = 0.4 * x * y + 0.3 * np.exp(-8 * ((x - 0.2) ** 2 + y**2 + z**2)) - 0.1
    offset = 1.0 + 1.5 * x - 0.8 * z + 0.6 * x * z
    magnitude = np.exp(-TIMES[:, None, None, None] * 25) * np.where(mask, 1.0, 0.01)
    phase = TIMES[:, None, None, None] * PER_PPM * field + offset
    signal = magnitude * np.exp(1j * phase)
    noise = rng.normal(size=signal.shape) + 1j * rng.normal(size=signal.shape)
    signal = signal + noise / 50
    return {
        "phase": np.angle(signal).astype(np.float32),
        "magnitude": np.abs(signal).astype(np.float32),
        "mask": mask,
        "field": field,
        "offset": offset,
    }


def test_offset_is_found(scan):
    found = estimate_offset(
        scan["phase"], scan["magnitude"], scan["mask"], TIMES, VOXEL, OffsetParameters()
    )
    difference = found - scan["offset"]
    # A whole turn in the phase difference moves the offset by TE1/(TE2 − TE1) turns everywhere.
    error = np.angle(np.exp(1j * (difference - np.median(difference[scan["mask"]]))))
    assert error[scan["mask"]].std() < 0.05


def test_removed_offset_leaves_wrapped_phase(scan):
    rest = remove_offset(scan["phase"], scan["offset"].astype(np.float32))
    expected = np.angle(np.exp(1j * (scan["phase"] - scan["offset"])))
    assert np.abs(np.angle(np.exp(1j * (rest - expected)))).max() < 1e-4
    assert np.abs(rest).max() <= np.pi + 1e-4


def test_field_of_the_whole_chain(scan):
    result = map_field(
        scan["phase"], scan["magnitude"], scan["mask"], TIMES, B0, VOXEL, FieldMapParameters()
    )
    mask = scan["mask"]
    error = (result.field - scan["field"])[mask]
    assert error.std() < 0.005
    assert (np.abs(error - np.median(error)) > 0.03).mean() < 1e-3
    assert result.reliable[mask].mean() > 0.99
    assert not result.reliable[~mask].any()
    assert not result.field[~mask].any()


def test_phase_sign_turns_the_field(scan):
    arguments = (scan["magnitude"], scan["mask"], TIMES, B0, VOXEL)
    one = map_field(scan["phase"], *arguments, FieldMapParameters())
    other = map_field(-scan["phase"], *arguments, FieldMapParameters(phase_sign=-1))
    assert other.field == pytest.approx(one.field, abs=1e-6)


def test_single_echo(scan):
    """Without an offset in the data, one echo gives the field up to whole turns."""
    time = np.array([0.02])
    phase = np.angle(np.exp(1j * time[0] * PER_PPM * scan["field"]))[None].astype(np.float32)
    result = map_field(
        phase, scan["magnitude"][:1], scan["mask"], time, B0, VOXEL, FieldMapParameters()
    )
    turn = 2 * np.pi / (time[0] * PER_PPM)
    turns = (result.field - scan["field"])[scan["mask"]] / turn
    assert np.round(turns) == pytest.approx(turns, abs=1e-3)
    assert np.ptp(np.round(turns)) == 0
    assert result.noise[scan["mask"]].max() < 0.05


def test_fit_is_exact_and_its_noise_is_that_of_repeats():
    x, y, z = coordinates()
    field = 0.3 * x + 0.1 * y * z
    magnitude = np.exp(-TIMES[:, None, None, None] * 30) * (1.2 + x)
    mask = np.ones(SHAPE, bool)
    phase = TIMES[:, None, None, None] * PER_PPM * field
    fitted, noise = fit_field(phase, magnitude, mask, TIMES, B0)
    assert fitted == pytest.approx(field, abs=1e-6)

    rng = np.random.default_rng(1)
    noisy = phase + 0.01 / magnitude * rng.normal(size=phase.shape)
    fitted, noise = fit_field(noisy, magnitude, mask, TIMES, B0)
    standardised = (fitted - field) / noise
    assert standardised.std() == pytest.approx(1, abs=0.02)
    assert standardised[x > 0].std() == pytest.approx(1, abs=0.03)


def test_noise_of_a_single_echo():
    rng = np.random.default_rng(1)
    x, _, _ = coordinates()
    field, magnitude = 0.2 * x**2, np.ones((1, *SHAPE))
    phase = 0.02 * PER_PPM * field + 0.05 * rng.normal(size=SHAPE)
    fitted, noise = fit_field(phase[None], magnitude, np.ones(SHAPE, bool), TIMES[:1] * 5, B0)
    assert (fitted - field).std() / noise.mean() == pytest.approx(1, abs=0.02)


def test_reliable_mask_fills_holes_and_drops_islands():
    mask = np.ones((30, 30, 30), bool)
    quality = np.zeros(mask.shape)
    quality[5:25, 5:25, 5:25] = 0.9
    quality[12:16, 12:16, 12:16] = 0.0  # a strong source
    quality[28, 28, 28] = 0.9
    reliable = reliable_mask(quality, mask, QualityParameters())
    assert reliable[13, 13, 13]
    assert not reliable[28, 28, 28]
    assert reliable.sum() == pytest.approx(20**3, rel=0.05)


def test_no_signal_is_refused(scan):
    with pytest.raises(InputError, match="0 in every voxel of the mask"):
        map_field(
            scan["phase"],
            np.zeros_like(scan["magnitude"]),
            scan["mask"],
            TIMES,
            B0,
            VOXEL,
            FieldMapParameters(),
        )
