"""Odd but possible input: a right answer, or a message that says what is wrong."""

import numpy as np
import pytest
from scipy import ndimage

from qsmiron.errors import InputError

METHODS = ("romeo", "laplacian")
HOLE = (slice(18, 22), slice(19, 24), slice(14, 17))


@pytest.fixture(scope="module")
def scan(make_scan):
    return make_scan()


def with_voxels(images, echoes, value):
    changed = images.copy()
    changed[(echoes, *HOLE)] = value
    return changed


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("part", "value"),
    [("phase", np.nan), ("phase", np.inf), ("magnitude", np.nan), ("magnitude", 0.0)],
)
def test_voxels_without_signal_stay_by_themselves(scan, method, part, value):
    changed = scan.with_(**{part: with_voxels(getattr(scan, part), slice(None), value)})
    before, after = scan.map_field(method), changed.map_field(method)
    assert not after.field[HOLE].any()
    assert not after.noise[HOLE].any()
    assert not after.reliable[HOLE].any()
    assert np.isfinite(after.field).all()
    assert np.isfinite(after.noise).all()
    hole = np.zeros(scan.mask.shape, bool)
    hole[HOLE] = True
    beside = ndimage.binary_dilation(hole) & ~hole
    # A Laplacian needs all neighbours; exact unwrapping does not.
    assert after.reliable[beside].all() == (method == "romeo")
    rest = before.reliable & ~hole & ~(beside if method == "laplacian" else hole)
    assert after.reliable[rest].all()
    if method == "romeo":
        # Beside the hole the offset rests on fewer voxels; its window reaches no farther.
        change = np.abs(after.field - before.field)[rest]
        assert change.max() < 2 * np.median(before.noise[rest])
        assert np.median(change) < 5e-6


def test_the_inputs_are_left_as_they_are(scan):
    changed = scan.with_(phase=with_voxels(scan.phase, slice(None), np.nan))
    phase, magnitude = changed.phase.copy(), changed.magnitude.copy()
    changed.map_field(readout="bipolar")
    assert np.array_equal(changed.phase, phase, equal_nan=True)
    assert np.array_equal(changed.magnitude, magnitude)


def test_a_gap_in_a_later_echo_costs_only_precision(scan):
    changed = scan.with_(phase=with_voxels(scan.phase, slice(3, 4), np.nan))
    result, before = changed.map_field(), scan.map_field()
    assert (np.abs(scan.error(result.field)[HOLE]) < 5 * result.noise[HOLE]).all()
    assert (result.noise[HOLE] > 1.1 * before.noise[HOLE]).all()
    assert result.reliable[HOLE].all()


def test_a_gap_in_the_template_leaves_no_field(scan):
    changed = scan.with_(magnitude=with_voxels(scan.magnitude, slice(0, 1), 0.0))
    result = changed.map_field()
    assert not result.field[HOLE].any()
    assert not result.reliable[HOLE].any()
    assert np.abs(changed.map_field(unwrapping={"template_echo": 2}).field[HOLE]).min() > 0


@pytest.mark.parametrize("method", METHODS)
def test_mask_up_to_the_edge_of_the_image(scan, method):
    """The middle of the ball, tissue on every face."""
    box = (slice(11, 30), slice(11, 30), slice(9, 23))
    part = scan.part(*box)
    assert part.mask.all()
    result = part.map_field(method)
    # The opening of the reliable mask rounds off the corners.
    if method == "romeo":
        assert part.error(result.field).std() < 0.002
        assert result.reliable.sum() >= part.mask.size - 8
    else:
        assert result.reliable.sum() >= 17 * 17 * 12 - 8
        assert not result.reliable[0].any()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("margin", [0, 3])
@pytest.mark.parametrize("method", METHODS)
def test_slab_of_one_voxel(make_scan, axis, margin, method):
    """Alone in its image, or as a mask of one voxel in a thicker one."""
    scan = make_scan(offset=0.3)
    box = [slice(None)] * 3
    box[axis] = slice(16 - margin, 17 + margin)
    slab = scan.part(*box)
    inside = np.zeros_like(slab.mask)
    plane = (slice(None),) * axis + (slice(margin, margin + 1),)
    inside[plane] = slab.mask[plane]
    slab = slab.with_(mask=inside)
    result = slab.map_field(method)
    assert np.isfinite(result.field).all()
    assert result.reliable[inside].mean() > (0.99 if method == "romeo" else 0.85)
    if method == "romeo":
        assert np.nanstd(slab.error(result.field)) < 0.003


def test_two_echoes(scan):
    pair = scan.only(0, 1)
    result = pair.map_field()
    error = pair.error(result.field)[pair.mask]
    # The offset is fitted to the same two echoes: what the smoothing leaves adds to the noise.
    assert (error / result.noise[pair.mask]).std() == pytest.approx(1, abs=0.4)
    assert error.std() < 0.006


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("order", [(1, 0, 2, 3, 4), (4, 3, 2, 1, 0), (0, 1, 1, 2, 3)])
def test_echoes_out_of_order_are_refused(scan, method, order):
    with pytest.raises(InputError, match=r"EchoTime: found .*; expected echo times that increase"):
        scan.only(*order).map_field(method)


@pytest.mark.parametrize("value", [0.0, np.nan])
def test_no_signal_is_refused(scan, value):
    empty = scan.with_(magnitude=np.full_like(scan.magnitude, value))
    with pytest.raises(InputError, match="echo 1, 2, 3, 4, 5: found 0 in every voxel of the mask"):
        empty.map_field()


def test_an_empty_echo_is_named(scan):
    magnitude = scan.magnitude.copy()
    magnitude[1] = 0
    with pytest.raises(InputError, match="magnitude, echo 2: found 0 in every voxel"):
        scan.with_(magnitude=magnitude).map_field()


def test_no_voxel_with_all_echoes_is_refused(scan):
    magnitude = scan.magnitude.copy()
    magnitude[3, :20], magnitude[4, 20:] = 0, 0
    changed = scan.with_(magnitude=magnitude)
    with pytest.raises(
        InputError, match="no voxel of the mask with a signal in echo 1, 2, 3, 4, 5"
    ):
        changed.map_field("laplacian")
    assert changed.map_field().reliable.any()


def test_an_empty_mask_is_refused(scan):
    with pytest.raises(InputError, match="mask: found an empty mask"):
        scan.with_(mask=np.zeros_like(scan.mask)).map_field()


@pytest.mark.parametrize("part", ["phase", "magnitude"])
def test_shapes_that_differ_are_refused(scan, part):
    changed = scan.with_(**{part: getattr(scan, part)[:, 1:]})
    with pytest.raises(InputError, match=rf"{part}: found the shape \(5, 39, 40, 32\)"):
        changed.map_field()


def test_incoherent_phase_is_refused(scan):
    rng = np.random.default_rng(0)
    noise = rng.uniform(-np.pi, np.pi, scan.phase.shape).astype(np.float32)
    with pytest.raises(InputError, match="no voxel with a phase quality of"):
        scan.with_(phase=noise).map_field(quality={"threshold": 0.9})
