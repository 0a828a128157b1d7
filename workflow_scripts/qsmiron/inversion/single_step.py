"""Single-step inversion: χ from the total field, without a local field in between.

The χ of the joint estimate of χ and background itself (:mod:`..background.joint_tv`). Single-step
QSM was introduced by Chatnuntawech et al., NMR Biomed 2017, doi 10.1002/nbm.3570, and as total
field inversion by Liu et al., Magn Reson Med 2017, doi 10.1002/mrm.26331.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ..background.joint_tv import JointTvTissueParameters, chi_with_tissue


class SingleStepParameters(JointTvTissueParameters):
    """Parameters of the single-step inversion."""


def single_step(
    total_field: np.ndarray,
    mask: np.ndarray,
    voxel_size: Sequence[float],
    b0_direction: Sequence[float],
    parameters: SingleStepParameters,
    threads: int = 1,
    magnitude: np.ndarray | None = None,
) -> np.ndarray:
    """Susceptibility (float32 ppm, 0 outside ``mask``) from the total field (X, Y, Z; ppm).

    To be used behind the background method ``none``, though a local field does no harm.
    ``magnitude`` is not used.
    """
    return chi_with_tissue(total_field, mask, voxel_size, b0_direction, parameters, threads)
