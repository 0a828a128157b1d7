"""Whole turns of phase."""

from __future__ import annotations

import numpy as np

TWO_PI = 2 * np.pi


def wrap(phase: np.ndarray) -> np.ndarray:
    """``phase`` (rad, any shape) brought into −π…π by whole turns; float32."""
    turn = np.float32(TWO_PI)
    phase = np.asarray(phase, np.float32)
    return phase - turn * np.round(phase / turn)
