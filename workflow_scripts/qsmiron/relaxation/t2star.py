"""T2* from R2*."""

from __future__ import annotations

import numpy as np


def t2star_from_r2star(r2star: np.ndarray) -> np.ndarray:
    """T2* (s; float32) = 1/R2* of any shape; 0 where R2* (1/s) is not above 0, or not finite."""
    decays = np.isfinite(r2star) & (r2star > 0)
    return np.divide(1, r2star, out=np.zeros(r2star.shape, np.float32), where=decays)
