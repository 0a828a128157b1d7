import numpy as np
import pytest
from scipy import ndimage

from qsmiron.background.vsharp import VsharpParameters, vsharp
from qsmiron.phase.laplacian import unwrap_laplacian
from qsmiron.phase.wrapping import wrap
from qsmiron.spectral import convolve_dipole

VOXEL = (1.5, 2.0, 2.5)


def discrete_laplacian(data, voxel_size=VOXEL):
    kernel = [1.0, -2.0, 1.0]
    return sum(
        ndimage.correlate1d(data, kernel, axis=axis) / edge**2
        for axis, edge in enumerate(voxel_size)
    )


@pytest.fixture
def hill():
    """Many turns, up to 0.9 π per voxel; the mask a ball that lies off the centre."""
    x, y, z = np.meshgrid(*(np.linspace(-1, 1, n) for n in (36, 32, 28)), indexing="ij")
    truth = 22 * (np.exp(-2 * (x**2 + y**2 + z**2)) + 0.5 * x - 0.3 * z)
    mask = (x - 0.2) ** 2 + y**2 + z**2 < 0.5
    largest = max(np.abs(np.diff(truth, axis=axis)).max() for axis in range(3))
    return truth * 0.9 * np.pi / largest, mask


def test_what_it_adds_is_harmonic(hill):
    truth, mask = hill
    unwrapped = unwrap_laplacian(wrap(truth), mask, VOXEL)
    inner = ndimage.binary_erosion(mask)
    rest = discrete_laplacian(unwrapped.astype(float) - truth)[inner]
    assert np.abs(rest).max() < 1e-3 * np.abs(discrete_laplacian(truth)[inner]).max()
    assert not unwrapped[~mask].any()
    assert unwrapped[mask].mean() == pytest.approx(0, abs=1e-4)


def test_noise_outside_the_mask_does_not_reach_in(hill):
    truth, mask = hill
    rng = np.random.default_rng(0)
    noisy = np.where(mask, truth, rng.uniform(-np.pi, np.pi, truth.shape))
    one, other = (unwrap_laplacian(wrap(phase), mask, VOXEL) for phase in (truth, noisy))
    assert other == pytest.approx(one, abs=1e-5)


def test_phase_and_its_multiple_stay_in_proportion(hill):
    truth, mask = hill
    one, other = (unwrap_laplacian(wrap(factor * truth), mask, VOXEL) for factor in (0.5, 1.0))
    assert other == pytest.approx(2 * one, abs=1e-3)


def test_local_field_is_that_of_exact_unwrapping(make_scan):
    """After background removal on one mask, against the truth and against ROMEO; in ppm."""
    scan = make_scan(snr=np.inf)
    chi = np.zeros(scan.mask.shape, np.float32)
    chi[16:22, 20:25, 14:19] = 0.1
    tissue = convolve_dipole(chi, scan.voxel_size, (0, 0, 1))
    shift = 2 * np.pi * 42.577478 * 3 * scan.times[:, None, None, None] * tissue
    scan = scan.with_(phase=wrap(scan.phase + shift), field=scan.field + tissue)
    results = {method: scan.map_field(method) for method in ("romeo", "laplacian")}
    mask = results["laplacian"].reliable

    def local(field):
        return vsharp(field, mask, scan.voxel_size, (0, 0, 1), VsharpParameters())

    truth, inside = local(scan.field)
    found = {method: local(result.field)[0][inside] for method, result in results.items()}
    assert np.std(found["laplacian"] - found["romeo"]) < 0.01 * truth[inside].std()
    assert np.std(found["laplacian"] - truth[inside]) < 0.03 * truth[inside].std()


def test_reliable_mask_leaves_out_where_no_laplacian_is_known(make_scan):
    scan = make_scan()
    result = scan.map_field("laplacian")
    assert np.array_equal(result.reliable, ndimage.binary_erosion(scan.mask))
    assert result.field[scan.mask].all()


def test_single_echo(make_scan):
    scan = make_scan(times=(0.02,), offset=0)
    result = scan.map_field("laplacian")
    inner = ndimage.binary_erosion(scan.mask, iterations=2)
    rest = discrete_laplacian(scan.error(result.field), (1, 1, 1))[inner]
    # 42 = 6² + 6: what the Laplacian makes of white noise.
    assert rest.std() == pytest.approx(np.sqrt(42) * np.median(result.noise[inner]), rel=0.15)
