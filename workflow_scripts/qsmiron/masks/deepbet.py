"""Brain mask by deepbet, a pretrained network that is not installed by default.

Fisch et al., Comput Biol Med 2024 (doi 10.48550/arXiv.2308.07003). Its weights come in its wheel
(MIT), and it needs PyTorch. It was trained on T1w images of adults: look at its masks of
gradient-echo magnitudes.
"""

from __future__ import annotations

import numpy as np

from ..errors import InputError, Problem
from ..nifti import nib
from ..volumes import Volume
from .gre import GreMaskParameters


def mask_by_deepbet(magnitude: Volume, parameters: GreMaskParameters) -> np.ndarray:
    """Brain mask (X, Y, Z) bool of a head ``magnitude`` (X, Y, Z).

    ``parameters`` are those of the other extractors; none concerns the network.

    Raises
    ------
    InputError
        Where deepbet is not installed, or finds no brain.
    """
    try:
        from deepbet import BrainExtraction
    except ImportError as error:
        raise InputError(
            Problem(
                "mask.extractor",
                f"deepbet, which cannot be imported ({error})",
                "an installed package",
                "Run: pip install deepbet (the version is in envs/requirements-deepbet.txt), or "
                "set mask.extractor to brightness.",
            )
        ) from error
    data = np.nan_to_num(magnitude.data.astype(np.float32), nan=0, posinf=0, neginf=0)
    image = nib.Nifti1Image(data, magnitude.affine)
    try:
        # On the processor, so that a mask does not depend on the machine.
        _, mask, _ = BrainExtraction(no_gpu=True).run(image)
    except (AssertionError, ValueError) as error:  # its ways of finding nothing
        raise _nothing_found(str(error)) from error
    found = np.asarray(mask.dataobj) > 0.5
    if not found.any():
        raise _nothing_found("an empty mask")
    return found


def _nothing_found(said: str) -> InputError:
    return InputError(
        Problem(
            "brain mask by deepbet",
            f"no brain ({said})",
            "the magnitude of a head",
            "Set mask.extractor to brightness, or give a mask of your own (mask.user).",
        )
    )
