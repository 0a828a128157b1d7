import numpy as np
import pytest

from qsmiron.background.vsharp import VsharpParameters, radii, vsharp
from qsmiron.errors import InputError
from qsmiron.spectral import convolve_dipole

VOXEL = (2.0, 2.0, 2.0)
B = (0.0, 0.0, 1.0)
SHAPE = (56, 60, 52)


@pytest.fixture(scope="module")
def head():
    """A ball of brain with small sources inside and strong ones outside."""
    x, y, z = np.meshgrid(*((np.arange(n) - n // 2) * 2.0 for n in SHAPE), indexing="ij")
    r = np.sqrt(x**2 + y**2 + z**2)
    mask = r < 42
    inner = np.zeros(SHAPE, np.float32)
    for centre, size, chi in (
        ((10, 5, 0), 7, 0.1),
        ((-12, 8, 6), 6, -0.05),
        ((0, -14, -8), 8, 0.08),
    ):
        inner[np.linalg.norm([x - centre[0], y - centre[1], z - centre[2]], axis=0) < size] = chi
    outer = np.zeros(SHAPE, np.float32)
    outer[np.linalg.norm([x, y - 20, z + 48], axis=0) < 7] = 9.4
    outer[np.linalg.norm([x - 50, y, z], axis=0) < 5] = 9.4
    background = convolve_dipole(outer, VOXEL, B) + 0.002 * x - 0.1
    return mask, r, convolve_dipole(inner, VOXEL, B), background.astype(np.float32)


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))


def test_harmonic_background_is_removed(head):
    mask, _, _, background = head
    rest, inside = vsharp(background, mask, VOXEL, B, VsharpParameters())
    assert rms(rest[inside]) < 0.02 * background[inside].std()


def test_local_field_survives(head):
    mask, r, local, background = head
    found, inside = vsharp(local + background, mask, VOXEL, B, VsharpParameters())
    core = inside & (r < 30)
    truth = local[core] - local[core].mean()
    error = found[core] - found[core].mean() - truth
    slope = np.polyfit(truth, found[core], 1)[0]
    assert rms(error) / rms(truth) < 0.2
    assert slope == pytest.approx(1, abs=0.1)


def test_mask_loses_a_rim_of_one_voxel_edge(head):
    mask, r, local, _ = head
    found, inside = vsharp(local, mask, VOXEL, B, VsharpParameters())
    assert not (inside & ~mask).any()
    assert inside[r < 42 - 3].all()
    assert not inside[r > 42 - 1].any()
    assert not found[~inside].any()


def test_larger_padding_of_the_grid_changes_nothing(head):
    mask, _, local, background = head
    field = local + background
    found, _ = vsharp(field, mask, VOXEL, B, VsharpParameters())
    wider, _ = vsharp(np.pad(field, 6), np.pad(mask, 6), VOXEL, B, VsharpParameters())
    assert wider[6:-6, 6:-6, 6:-6] == pytest.approx(found, abs=1e-6)


def test_radii_end_at_the_voxel():
    assert radii(VsharpParameters(), (1, 1, 1)) == pytest.approx(np.arange(12, 0, -1))
    assert radii(VsharpParameters(), (1, 1, 3)).min() == pytest.approx(3)
    assert radii(VsharpParameters(largest_radius=1), (2, 2, 2)) == pytest.approx([2])


def test_thin_mask_is_refused():
    mask = np.zeros((10, 10, 10), bool)
    mask[5] = True
    with pytest.raises(InputError, match="thick enough"):
        vsharp(np.zeros(mask.shape, np.float32), mask, VOXEL, B, VsharpParameters())
