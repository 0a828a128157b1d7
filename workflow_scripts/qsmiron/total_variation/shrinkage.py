"""The total-variation half of an ADMM iteration."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .slabs import Slabs


class GradientShrinkage:
    """Splits z = ∇x off a problem with Σ tᵢ‖∂ᵢx‖₁ and keeps its scaled dual variable.

    ``thresholds`` are the shrinkage per axis, in units of x per voxel: λ divided by the voxel's
    edge (so that λ weighs a gradient per mm) and by the penalty ρ. Differences are forward and
    periodic. ``weights`` (X, Y, Z), where set, multiply them: an edge has the smaller of its two
    voxels'. ``relaxation`` α over 1 replaces ∇x by α∇x + (1 − α)z, z being that of the update
    before.
    """

    def __init__(
        self,
        shape: Sequence[int],
        thresholds: Sequence[float],
        slabs: Slabs | None = None,
        relaxation: float = 1.0,
    ) -> None:
        self.thresholds = np.asarray(thresholds, np.float32)
        self.weights = np.empty((0, 0, 0), np.float32)
        self.relaxation = np.float32(relaxation)
        self._duals = np.zeros((3, *shape), np.float32)
        self._drawn = np.zeros((3, *shape), np.float32)
        self._result = np.empty(shape, np.float32)
        self._slabs = slabs or Slabs(1)

    def update(self, x: np.ndarray) -> np.ndarray:
        """One update of z and of the dual u; returns ∇ᵀ(z − u), what the next x is drawn to.

        With p = ∇x + u, shrinking p leaves z = p − clip(p) and u = clip(p), hence
        z − u = p − 2 clip(p): z itself need not be stored. The result is overwritten by the next
        call.
        """
        from .loops import gradient_adjoint, shrink_gradient

        planes = len(x)
        self._slabs.run(
            shrink_gradient, planes, x, self._duals, self.weights, self.thresholds,
            self.relaxation, self._drawn,
        )  # fmt: skip
        self._slabs.run(gradient_adjoint, planes, self._drawn, self._result)
        return self._result


EDGE_SCALE = 1.5
"""Gradients of so many times the median count half."""


def flat_weights(x: np.ndarray, inside: np.ndarray, voxel_size: Sequence[float]) -> np.ndarray:
    """Weights (X, Y, Z; 0 to 1) that take edges of ``x`` out of its total variation.

    1 / (1 + (|∇x| / s)²) with s a multiple of the median gradient ``inside``, 1 elsewhere:
    repeated, the penalty becomes Cauchy's, which hardly grows with the height of an edge, so that
    contrast is not shrunk (reweighted ℓ1, Candès et al., J Fourier Anal Appl 2008,
    doi 10.1007/s00041-008-9045-x). Differences are central, so that a mirrored ``x`` has mirrored
    weights.
    """
    square = np.zeros_like(x)
    for axis, edge in enumerate(voxel_size):
        step = np.roll(x, -1, axis)
        step -= np.roll(x, 1, axis)
        step /= np.float32(2 * edge)
        step *= step
        square += step
    scale = np.float32(EDGE_SCALE**2) * np.median(square[inside])
    if not scale > 0:
        return np.ones_like(x)
    square /= scale
    square[~inside] = 0
    square += 1
    return np.reciprocal(square)
