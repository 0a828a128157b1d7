"""The total-variation half of an ADMM iteration, shared by the methods that minimise one."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


class GradientShrinkage:
    """Splits z = ∇x off a problem with Σ tᵢ‖∂ᵢx‖₁ and keeps its scaled dual variable.

    ``thresholds`` are the shrinkage per axis, in units of x per voxel: λ divided by the voxel's
    edge (so that λ weighs a gradient per mm) and by the penalty ρ. Differences are forward and
    periodic.
    """

    def __init__(self, shape: Sequence[int], thresholds: Sequence[float]) -> None:
        self.thresholds = [np.float32(threshold) for threshold in thresholds]
        self.duals = [np.zeros(shape, np.float32) for _ in range(3)]
        self._work = np.empty(shape, np.float32)

    def update(self, x: np.ndarray) -> np.ndarray:
        """One update of z and of the dual u; returns ∇ᵀ(z − u), what the next x is drawn to.

        With p = ∇x + u, shrinking p leaves z = p − clip(p) and u = clip(p), hence
        z − u = p − 2 clip(p): z itself need not be stored.
        """
        result = np.zeros_like(x)
        work = self._work
        for axis, (dual, threshold) in enumerate(zip(self.duals, self.thresholds, strict=True)):
            forward, ahead, last, first = _neighbours(axis)
            np.subtract(x[ahead], x[forward], out=work[forward])
            np.subtract(x[first], x[last], out=work[last])
            work += dual
            np.clip(work, -threshold, threshold, out=dual)
            work -= dual
            work -= dual
            result -= work
            result[ahead] += work[forward]
            result[first] += work[last]
        return result


def _neighbours(axis: int) -> list[tuple[slice, ...]]:
    slices = (slice(None, -1), slice(1, None), slice(-1, None), slice(0, 1))
    return [tuple(s if a == axis else slice(None) for a in range(3)) for s in slices]
