"""What the tests of background filters share: voxels, positions, and B0 upright."""

import numpy as np

B = (0.0, 0.0, 1.0)
ISOTROPIC = (2.0, 2.0, 2.0)
ANISOTROPIC = (1.6, 1.6, 2.6)


def positions(shape, voxel_size):
    axes = [(np.arange(n) - n // 2) * v for n, v in zip(shape, voxel_size, strict=True)]
    return np.meshgrid(*axes, indexing="ij")


def rms(values):
    return float(np.sqrt(np.mean(np.square(values))))
