"""Symmetric normalisation by antspyx: the reference that the default is measured against.

Avants et al. 2008, Med Image Anal, doi 10.1016/j.media.2007.06.004. Slower than
:mod:`.deformable` at equal accuracy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ..nifti import nib
from ..parameters import Parameters
from ..volumes import Volume
from .coordinates import TemplateMap
from .itk_bridge import matrix_of, to_itk, transform_of


class SynParameters(Parameters):
    """What antspyx is asked for; levels halve from coarse to fine."""

    iterations: tuple[int, ...] = Field((60, 40, 3), description="iterations of each level (1)")
    metric: str = Field("mattes", pattern="^(mattes|CC|meansquares)$", description="similarity")
    sampling: int = Field(32, ge=1, description="bins (mattes) or radius in voxels (CC)")
    step: float = Field(0.2, gt=0, le=1, description="gradient step (voxels)")
    step_smoothing: float = Field(3.0, ge=0, description="variance of the step's kernel (voxels²)")
    total_smoothing: float = Field(
        0.0, ge=0, description="variance of the whole displacement's kernel (voxels²)"
    )


def register_syn(
    session: tuple[Any, Path],
    fixed: Volume,
    moving: Volume,
    affine: np.ndarray,
    parameters: SynParameters,
) -> TemplateMap:
    """Deform ``fixed``'s space so that ``affine`` takes it to ``moving``'s.

    Arguments and result as for :func:`.deformable.register_greedy`; ``session`` is from
    :func:`.itk_bridge.ants_session`.
    """
    ants, folder = session
    initial = folder / "affine.mat"
    ants.write_transform(transform_of(ants, affine), str(initial))
    result = ants.registration(
        to_itk(ants, fixed),
        to_itk(ants, moving),
        "SyNOnly",
        initial_transform=[str(initial)],
        outprefix=str(folder / "syn-"),
        grad_step=parameters.step,
        flow_sigma=parameters.step_smoothing,
        total_sigma=parameters.total_smoothing,
        syn_metric=parameters.metric,
        syn_sampling=parameters.sampling,
        reg_iterations=parameters.iterations,
    )
    warp, matrix = result["fwdtransforms"]
    field = np.asarray(nib.load(warp).dataobj, np.float32).reshape(*fixed.data.shape, 3)
    return TemplateMap(
        field * np.array([-1, -1, 1], np.float32),
        fixed.affine,
        matrix_of(ants.read_transform(matrix)),
    )
