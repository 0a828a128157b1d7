import numpy as np
import pytest
from background.dipole_head import ANISOTROPIC, ISOTROPIC, B, positions

from qsmiron.spectral import convolve_dipole


@pytest.fixture(scope="module", params=[ISOTROPIC, ANISOTROPIC], ids=["isotropic", "anisotropic"])
def head(request):
    """A ball of brain (42 mm) with small sources inside and strong ones outside."""
    voxel_size = request.param
    shape = [int(2 * 50 / edge) for edge in voxel_size]
    x, y, z = positions(shape, voxel_size)
    r = np.sqrt(x**2 + y**2 + z**2)
    inner = np.zeros(shape, np.float32)
    for centre, size, chi in (
        ((10, 5, 0), 7, 0.1),
        ((-12, 8, 6), 6, -0.05),
        ((0, -14, -8), 8, 0.08),
    ):
        inner[np.linalg.norm([x - centre[0], y - centre[1], z - centre[2]], axis=0) < size] = chi
    outer = np.zeros(shape, np.float32)
    outer[np.linalg.norm([x, y - 20, z + 48], axis=0) < 7] = 9.4
    outer[np.linalg.norm([x - 50, y, z], axis=0) < 5] = 9.4
    background = convolve_dipole(outer, voxel_size, B) + 0.002 * x - 0.1
    local = convolve_dipole(inner, voxel_size, B)
    return voxel_size, r < 42, r, local, background.astype(np.float32)
