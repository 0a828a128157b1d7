"""What outcomes are tested against: a contrast's groups or a score.

One interface for both, so that what tests, permutes or repeats a test under other choices need not
know which it is: they differ in how the regressor is ranked, in the rank test of the replication
arm and in the effect size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pandas as pd
from scipy import stats

from .cell_results import MIN_DF, NOBODY, CellResults, open_group_sizes
from .delta_intervals import delta_intervals
from .effect_sizes import cliffs_delta, hedges_g
from .groups import assign_group, score_values
from .harmonisation import refuse_confounded
from .inputs import Inputs
from .linear import Nuisance, nuisance_space
from .partial_spearman import partial_spearman, ranked_nuisance
from .permutation import Permutations
from .rank_ancova import PartialTest, rank_ancova
from .replication import mann_whitney, spearman
from .resampling import Intervals
from .rho_intervals import rho_intervals
from .settings import Levels, Statistics


@dataclass(frozen=True)
class Regressor:
    """A number per participant (by participant_id), missing where there is none.

    ``blocks`` of exchangeability and ``variance_groups`` are whole numbers per participant.
    """

    name: str
    values: pd.Series
    standard_error: str = "usual"
    blocks: pd.Series | None = None
    variance_groups: pd.Series | None = None

    kind = ""
    term = ""
    effect_name = ""
    numbers: ClassVar[tuple[str, ...]] = ()

    def labels(self, arm: str) -> dict[str, Any]:
        """The columns of its rows that are the same in every cell."""
        raise NotImplementedError

    def describe(
        self, results: CellResults, columns: np.ndarray, outcomes: np.ndarray, x: np.ndarray
    ) -> bool:
        """Set what describes the subjects of cells; whether there is anything to test."""
        raise NotImplementedError

    def replicate(self, outcomes: np.ndarray, x: np.ndarray) -> dict[str, np.ndarray]:
        """The replication arm's results by column, of outcomes (n × cells) on ``x`` (n)."""
        raise NotImplementedError

    def nuisance(self, covariates: np.ndarray) -> Nuisance:
        """Space of the covariates (n × k, complete) as the test takes them."""
        raise NotImplementedError

    def ranked(self, x: np.ndarray) -> np.ndarray:
        """The regressor (n) as the test's model has it."""
        raise NotImplementedError

    def permutations(self, participants: pd.Index, seed: int, count: int) -> Permutations:
        """Orders of the participants, within the blocks."""
        blocks = None if self.blocks is None else self.blocks.reindex(participants).to_numpy()
        return Permutations(seed, count, len(participants), blocks)

    def groups_of(self, participants: pd.Index) -> np.ndarray | None:
        """The variance group of each of the participants, from 0 on."""
        if self.variance_groups is None:
            return None
        codes = self.variance_groups.reindex(participants).to_numpy()
        return np.unique(codes, return_inverse=True)[1]

    def test(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, participants: pd.Index
    ) -> PartialTest:
        """The rigorous arm's test of outcomes (n × cells) on the regressor ``x`` (n)."""
        raise NotImplementedError

    def effect(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, test: PartialTest
    ) -> np.ndarray:
        """Its effect size in every cell."""
        raise NotImplementedError

    def adjusted(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, test: PartialTest
    ) -> dict[str, Any]:
        """The rigorous arm's results by column."""
        raise NotImplementedError

    def intervals(
        self, outcomes: np.ndarray, x: np.ndarray, covariates: np.ndarray, settings: Statistics
    ) -> Intervals:
        """Bootstrap intervals of the effect, with covariates (n × k) or without (k = 0)."""
        raise NotImplementedError


@dataclass(frozen=True)
class ContrastRegressor(Regressor):
    """1 for the first level, 0 for the second; rank ANCOVA and Cliff's δ of residuals."""

    levels: Levels = ("first", "second")

    kind = "contrast"
    term = "group"
    effect_name = "cliffs_delta"
    numbers = (
        "n_1", "n_2", "median_1", "median_2", "statistic", "df", "p", "p_perm", "p_maxt", "effect",
        "ci_low", "ci_high", "hedges_g",
    )  # fmt: skip

    def labels(self, arm: str) -> dict[str, Any]:
        """Contrast, levels, test and kind of effect."""
        return {
            **self.names,
            "test": "mann_whitney" if arm == "replication" else "rank_ancova",
            "effect_name": self.effect_name,
        }

    @property
    def names(self) -> dict[str, str]:
        """Contrast and levels, by column."""
        return {"contrast": self.name, "level_1": self.levels[0], "level_2": self.levels[1]}

    def describe(
        self, results: CellResults, columns: np.ndarray, outcomes: np.ndarray, x: np.ndarray
    ) -> bool:
        """Sizes and medians of the groups."""
        if not open_group_sizes(results, columns, x == 1):
            return False
        for number, members in ((1, x == 1), (2, x == 0)):
            if members.any():
                median = np.median(outcomes[members], axis=0)
                results.set(columns, **{f"median_{number}": median})
        return True

    def replicate(self, outcomes: np.ndarray, x: np.ndarray) -> dict[str, np.ndarray]:
        """Mann-Whitney."""
        u, p = mann_whitney(outcomes, x == 1)
        return {"statistic": u, "p": p, **self._sizes(outcomes, x)}

    def _sizes(self, outcomes: np.ndarray, x: np.ndarray) -> dict[str, np.ndarray]:
        first = x == 1
        return {"effect": cliffs_delta(outcomes, first), "hedges_g": hedges_g(outcomes, first)}

    def nuisance(self, covariates: np.ndarray) -> Nuisance:
        """Space of the covariates as they are."""
        return nuisance_space(covariates)

    def ranked(self, x: np.ndarray) -> np.ndarray:
        """The groups: rank ANCOVA ranks the outcome alone."""
        return x

    def test(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, participants: pd.Index
    ) -> PartialTest:
        """Rank ANCOVA."""
        groups = self.groups_of(participants)
        return rank_ancova(outcomes, x == 1, nuisance, self.standard_error, groups)

    def effect(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, test: PartialTest
    ) -> np.ndarray:
        """Cliff's δ of the residuals after the covariates."""
        return cliffs_delta(nuisance.residuals(outcomes), x == 1)

    def adjusted(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, test: PartialTest
    ) -> dict[str, Any]:
        """T of the group term, and effect sizes of the residuals."""
        sizes = self._sizes(nuisance.residuals(outcomes), x)
        return {"statistic": test.t, "df": test.df_shown, "p": test.p, **sizes}

    def intervals(
        self, outcomes: np.ndarray, x: np.ndarray, covariates: np.ndarray, settings: Statistics
    ) -> Intervals:
        """Of Cliff's δ, the groups resampled apart."""
        nuisance = nuisance_space(covariates)
        return delta_intervals(outcomes, x == 1, nuisance, settings.bootstrap, settings.seed)


class ScoreRegressor(Regressor):
    """A score; partial Spearman, whose coefficient is the effect."""

    kind = "score"
    term = "score"
    effect_name = "rho"
    numbers = ("n", "df", "rho", "ci_low", "ci_high", "p", "p_perm", "p_maxt")

    def labels(self, arm: str) -> dict[str, Any]:
        """Score and method."""
        method = "spearman" if arm == "replication" else "partial_spearman"
        return {"score": self.name, "method": method}

    def describe(
        self, results: CellResults, columns: np.ndarray, outcomes: np.ndarray, x: np.ndarray
    ) -> bool:
        """The number of subjects."""
        results.set(columns, n=x.size)
        if not x.size:
            results.refuse(columns, NOBODY)
        if x.size < MIN_DF + 2:
            results.refuse(columns, f"fewer than {MIN_DF + 2} subjects")
            return False
        if np.ptp(x) == 0:
            results.refuse(columns, "constant score")
        return True

    def replicate(self, outcomes: np.ndarray, x: np.ndarray) -> dict[str, Any]:
        """Spearman."""
        return spearman(outcomes, x)._asdict()

    def nuisance(self, covariates: np.ndarray) -> Nuisance:
        """Space of the ranked covariates."""
        return ranked_nuisance(covariates)

    def ranked(self, x: np.ndarray) -> np.ndarray:
        """Its midranks."""
        return stats.rankdata(x)

    def test(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, participants: pd.Index
    ) -> PartialTest:
        """Partial Spearman."""
        groups = self.groups_of(participants)
        return partial_spearman(outcomes, x, nuisance, self.standard_error, groups)

    def effect(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, test: PartialTest
    ) -> np.ndarray:
        """Its coefficient."""
        return test.r

    def adjusted(
        self, outcomes: np.ndarray, x: np.ndarray, nuisance: Nuisance, test: PartialTest
    ) -> dict[str, Any]:
        """The coefficient and its test."""
        return {"rho": test.r, "df": test.df_shown, "p": test.p}

    def intervals(
        self, outcomes: np.ndarray, x: np.ndarray, covariates: np.ndarray, settings: Statistics
    ) -> Intervals:
        """Of the coefficient."""
        return rho_intervals(outcomes, x, covariates, settings.bootstrap, settings.seed)


def contrast_regressors(data: Inputs, name: str | None = None) -> list[ContrastRegressor]:
    """Every contrast of the design, or the one named.

    Raises
    ------
    InputError
        For a name that the design lacks, or a column that does not serve.
    """
    found = []
    for contrast, settings in data.design.pick_contrasts(name, data.config).items():
        group = assign_group(data.clinical, settings, data.participants, data.design.roles)
        values = group.map({settings.levels[0]: 1.0, settings.levels[1]: 0.0}).astype(float)
        of_sites = _of_sites(data, values)
        if data.design.statistics.harmonisation != "none":
            sites = data.clinical[data.design.statistics.harmonisation_sites]
            refuse_confounded(values, sites, settings.levels, f"config, contrasts.{contrast}")
        found.append(ContrastRegressor(contrast, **of_sites, levels=settings.levels))
    return found


def score_regressors(data: Inputs, name: str | None = None) -> list[ScoreRegressor]:
    """Every score of the design, or the one named; errors as :func:`contrast_regressors`."""
    return [
        ScoreRegressor(
            score,
            **_of_sites(data, score_values(data.clinical, data.design, score, data.participants)),
        )
        for score in data.design.pick_scores(name, data.config)
    ]


def _of_sites(data: Inputs, values: pd.Series) -> dict[str, Any]:
    """A regressor's values, standard error, blocks and variance groups."""
    settings, people = data.design.statistics, data.clinical.index
    codes = (
        data.column_codes(column, people)
        for column in (settings.exchangeability_blocks, settings.variance_groups)
    )
    blocks, groups = (None if found is None else pd.Series(found, people) for found in codes)
    return {
        "values": values.where(data.in_blocks(people)),
        "standard_error": settings.standard_error,
        "blocks": blocks,
        "variance_groups": groups,
    }


def regressor_of(data: Inputs, contrast: str | None, score: str | None) -> Regressor:
    """The contrast or the score (one of them named) of the design."""
    found = (
        score_regressors(data, score) if contrast is None else contrast_regressors(data, contrast)
    )
    return found[0]
