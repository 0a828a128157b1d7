"""What outcomes are tested against: a contrast's groups or a score, with the rigorous arm's test.

One interface for both, so that what repeats a test under other choices need not know which it is.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy import stats

from .effect_sizes import cliffs_delta
from .groups import assign_group, get_numeric
from .inputs import Inputs
from .linear import Nuisance, nuisance_space
from .partial_spearman import partial_spearman, ranked_nuisance
from .rank_ancova import PartialTest, rank_ancova


@dataclass(frozen=True)
class Regressor:
    """A number per participant (by participant_id), missing where there is none."""

    name: str
    values: pd.Series

    kind = ""
    effect_name = ""

    def nuisance(self, covariates: np.ndarray) -> Nuisance:
        """Space of the covariates (n × k, complete) as the test takes them."""
        raise NotImplementedError

    def ranked(self, x: np.ndarray) -> np.ndarray:
        """The regressor (n) as the test's model has it."""
        raise NotImplementedError

    def test(self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance) -> PartialTest:
        """The rigorous arm's test of outcomes (n × cells) on the regressor ``x`` (n)."""
        raise NotImplementedError

    def effect(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, test: PartialTest
    ) -> np.ndarray:
        """Its effect size in every cell."""
        raise NotImplementedError


class ContrastRegressor(Regressor):
    """1 for the first level, 0 for the second; rank ANCOVA and Cliff's δ of residuals."""

    kind = "contrast"
    effect_name = "cliffs_delta"

    def nuisance(self, covariates: np.ndarray) -> Nuisance:
        """Space of the covariates as they are."""
        return nuisance_space(covariates)

    def ranked(self, x: np.ndarray) -> np.ndarray:
        """The groups: rank ANCOVA ranks the outcome alone."""
        return x

    def test(self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance) -> PartialTest:
        """Rank ANCOVA."""
        return rank_ancova(outcomes, x == 1, nuisance)

    def effect(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, test: PartialTest
    ) -> np.ndarray:
        """Cliff's δ of the residuals after the covariates."""
        return cliffs_delta(nuisance.residuals(outcomes), x == 1)


class ScoreRegressor(Regressor):
    """A score; partial Spearman, whose coefficient is the effect."""

    kind = "score"
    effect_name = "rho"

    def nuisance(self, covariates: np.ndarray) -> Nuisance:
        """Space of the ranked covariates."""
        return ranked_nuisance(covariates)

    def ranked(self, x: np.ndarray) -> np.ndarray:
        """Its midranks."""
        return stats.rankdata(x)

    def test(self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance) -> PartialTest:
        """Partial Spearman."""
        return partial_spearman(outcomes, x, nuisance)

    def effect(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, test: PartialTest
    ) -> np.ndarray:
        """Its coefficient."""
        return test.r


def regressor_of(data: Inputs, contrast: str | None, score: str | None) -> Regressor:
    """The contrast or the score (one of them named) of the design.

    Raises
    ------
    InputError
        For a name that the design lacks, or a column that does not serve.
    """
    if contrast is not None:
        settings = data.design.pick_contrasts(contrast, data.config)[contrast]
        level = assign_group(data.clinical, settings, data.participants)
        values = level.map({settings.levels[0]: 1.0, settings.levels[1]: 0.0})
        return ContrastRegressor(contrast, values.astype(float))
    (name,) = data.design.pick_scores(score, data.config)
    return ScoreRegressor(name, get_numeric(data.clinical, name, data.participants))
