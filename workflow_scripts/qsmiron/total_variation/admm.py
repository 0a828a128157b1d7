"""The ADMM iterations: data term, total variation, and the systems that join them."""

from __future__ import annotations

from typing import Protocol

import numpy as np

from ..spectral import inner_product, laplacian_kernel
from .grid import DipoleGrid
from .settings import Settings
from .shrinkage import GradientShrinkage, flat_weights
from .slabs import Slabs

STIFFNESS = 3.0
"""Penalty σ of the splitting of the harmonic field's Laplacian (mm⁴)."""

RELAXATION = 1.8
"""Over-relaxation α of all splittings (1); Boyd et al. 2011, doi 10.1561/2200000016, §3.4.3."""


class System(Protocol):
    """The update of χ, and of whatever else the modelled field consists of."""

    def solve(self, field: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """χ and the modelled field, given what they are drawn to: y − u and ∇ᵀ(z − u)."""


class DipoleSystem:
    """The field is Dχ. ``mu`` and ``rho`` are the penalties in :class:`.settings.Settings`."""

    def __init__(self, grid: DipoleGrid, mu: float, rho: float, slabs: Slabs) -> None:
        self.grid, self.slabs = grid, slabs
        self.mu, self.rho = np.float32(mu), np.float32(rho)
        self.curvature = laplacian_kernel(grid.shape)

    def solve(self, field: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See :class:`System`."""
        from .loops import solve_dipole

        grid = self.grid
        spectra = grid.transform(field), grid.transform(gradient)
        self.slabs.run(
            solve_dipole, len(spectra[0]), *spectra, grid.dipole, self.curvature,
            self.mu, self.rho,
        )  # fmt: skip
        modelled, chi = (grid.inverse(spectrum) for spectrum in spectra)
        return chi, modelled


class HarmonicSystem:
    """The field is Dχ + h, where h is harmonic in the mask.

    ``softness`` is the weight 1/β (mm⁻⁴) of h's squared Laplacian in the mask: 0 makes h harmonic
    to the voxel, above 0 only weakly so. Both are updated at once, by a 2 × 2 system for each
    spatial frequency: updated in turn they would take ten times as many iterations, since a
    smooth χ and h make nearly the same field.
    """

    def __init__(
        self,
        grid: DipoleGrid,
        mu: float,
        rho: float,
        slabs: Slabs,
        softness: float = 0.0,
        relaxation: float = RELAXATION,
    ) -> None:
        self.grid, self.slabs = grid, slabs
        self.mu, self.rho = np.float32(mu), np.float32(rho)
        self.curvature = laplacian_kernel(grid.shape)
        self.bending = laplacian_kernel(grid.shape, grid.voxel_size)
        # shrinkage of a split Laplacian z: min ½β z² + ½σ (z − g)²
        self.kept = np.float32(STIFFNESS * softness / (1 + STIFFNESS * softness))
        self.relaxation = np.float32(relaxation)
        self.laplacian = np.zeros(grid.shape, np.float32)
        self.dual = np.zeros(grid.shape, np.float32)
        self._drawn = np.zeros(grid.shape, np.float32)

    def solve(self, field: np.ndarray, gradient: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """See :class:`System`."""
        from .loops import solve_dipole_and_harmonic, split_laplacian

        grid = self.grid
        self.slabs.run(
            split_laplacian, len(field), self.laplacian, self.dual, grid.inside, self.kept,
            self.relaxation, self._drawn,
        )  # fmt: skip
        spectra = [grid.transform(part) for part in (field, gradient, self._drawn)]
        self.slabs.run(
            solve_dipole_and_harmonic, len(spectra[0]), *spectra, grid.dipole, self.curvature,
            self.bending, self.mu, self.rho, np.float32(STIFFNESS),
        )  # fmt: skip
        modelled, chi, self.laplacian = (grid.inverse(spectrum) for spectrum in spectra)
        return chi, modelled


def iterate(
    grid: DipoleGrid,
    system: System,
    data: np.ndarray,
    weight: np.ndarray,
    settings: Settings,
    slabs: Slabs,
) -> tuple[np.ndarray, np.ndarray]:
    """Run the iterations from χ = 0.

    Parameters
    ----------
    grid : where the problem lives.
    system : the update of χ.
    data : field (ppm) on the padded grid.
    weight : squared weight of each voxel's data (0 where there is none), on the padded grid.
    settings : see :class:`Settings`.
    slabs : threads of the loops.

    Returns
    -------
    chi, modelled : float32 ppm on the padded grid; χ continues smoothly outside the mask.
    """
    from .loops import split_field

    thresholds = [settings.regularisation / (settings.rho * edge) for edge in grid.voxel_size]
    shrinkage = GradientShrinkage(grid.shape, thresholds, slabs, RELAXATION)
    gain = np.float32(settings.edge_gain)
    chi = np.zeros(grid.shape, np.float32)
    modelled = np.zeros(grid.shape, np.float32)
    dual = np.zeros(grid.shape, np.float32)
    drawn = np.zeros(grid.shape, np.float32)
    last_change = max(settings.reweighted_at, default=-1)
    for iteration in range(settings.iterations):
        if iteration in settings.reweighted_at:
            shrinkage.weights = gain * flat_weights(chi, grid.inside, grid.voxel_size)
        slabs.run(
            split_field, len(chi), modelled, dual, data, weight, np.float32(settings.mu),
            np.float32(RELAXATION), drawn,
        )  # fmt: skip
        before = chi
        chi, modelled = system.solve(drawn, shrinkage.update(chi))
        if settings.tolerance and iteration > last_change:
            before -= chi
            changed = inner_product(before, before)
            if changed <= settings.tolerance**2 * inner_product(chi, chi):
                break
    return chi, modelled
