"""Parameters of the iterations: as a user sets them, and as they run."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from .noise import field_noise

SMALLEST_MU, LARGEST_MU = 0.2, 1.0


@dataclass(frozen=True)
class Settings:
    """What the iterations run with.

    ``regularisation`` is λ (ppm·mm); ``rho`` the penalty of the gradient splitting (1), which
    sets how fast they converge: a step of λ/ρ ppm survives one iteration, so that this should be
    the scale of contrast between tissues. ``mu`` is the penalty of the field splitting, where the
    data weigh 1 (1). At each iteration in ``reweighted_at`` the edges of χ
    are taken out of the penalty anew and λ is multiplied by ``edge_gain``. They stop when one
    changes χ by less than ``tolerance``, relative.
    """

    regularisation: float
    rho: float
    mu: float
    iterations: int
    reweighted_at: Collection[int] = ()
    edge_gain: float = 1.0
    tolerance: float = 0.0


class TotalVariationParameters(Parameters):
    """What the methods that minimise a total variation have in common."""

    regularisation: float | None = Field(
        None,
        gt=0,
        description="λ, weight of the total variation per mm (ppm·mm); null: by the field's noise",
    )
    regularisation_per_noise: float = Field(
        0.12, gt=0, description="λ over the noise of the field, where λ is null (mm)"
    )
    least_regularisation: float = Field(
        1e-5, gt=0, description="smallest λ, where λ is null (ppm·mm)"
    )
    rho_per_regularisation: float = Field(
        1000.0, gt=0, description="penalty of the gradient splitting over λ (1/ppm)"
    )
    mu_per_regularisation: float = Field(
        5000.0,
        gt=0,
        description="penalty of the field splitting over λ (1/(ppm·mm)); it stays within 0.2 and 1",
    )
    reweighted_at: tuple[int, ...] = Field(
        (), description="iterations at which edges of χ are taken out of the penalty (1)"
    )
    edge_gain: float = Field(
        1.0,
        gt=0,
        description="λ is multiplied by this when edges are taken out of the penalty (1)",
    )
    iterations: int = Field(40, ge=1, le=2000, description="most iterations (1)")
    tolerance: float = Field(
        1e-3,
        ge=0,
        lt=1,
        description="stop when an iteration changes χ by less than this, relative (1)",
    )
    margin: float = Field(
        24.0, ge=0, le=200, description="zero padding between the brain and its copy (mm)"
    )

    def settings(self, field: np.ndarray, mask: np.ndarray) -> Settings:
        """The settings for a ``field`` (X, Y, Z; ppm) in a ``mask``."""
        regularisation = self.regularisation or max(
            self.regularisation_per_noise * field_noise(field, mask), self.least_regularisation
        )
        return Settings(
            regularisation=regularisation,
            rho=self.rho_per_regularisation * regularisation,
            mu=min(max(self.mu_per_regularisation * regularisation, SMALLEST_MU), LARGEST_MU),
            iterations=self.iterations,
            reweighted_at=self.reweighted_at,
            edge_gain=self.edge_gain,
            tolerance=self.tolerance,
        )
