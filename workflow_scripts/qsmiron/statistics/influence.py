"""How much one patient carries a finding: the rigorous arm's test without each in turn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from .cells import Cells
from .covariates import Covariates
from .headlines import Headline
from .multiverse import Specification, specifications
from .regressors import Regressor


def influence(
    headline: Headline, cells: Cells, covariates: Covariates, regressor: Regressor
) -> Iterator[dict[str, object]]:
    """A row per patient in the test: effect and p of a headline with everybody, and without them.

    Parameters
    ----------
    headline
        Its cell; the metric is the headline's own.
    cells, covariates
        The main branch's measurements and the design's covariates, the same participants.
    regressor
        The contrast or score.
    """
    # a patient less is a copy of the measurements: of this cell's alone
    mine = (cells.index["index"] == headline.index) & (cells.index["metric"] == headline.metric)
    cells = replace(cells, index=cells.index[mine], values=cells.values[:, mine.to_numpy()])
    whole = _test(headline, cells, covariates, regressor)
    if whole.test is None or whole.rows is None:
        return
    for row in whole.rows:
        kept = np.arange(len(cells.participants)) != row
        without = _test(
            headline,
            replace(cells, participants=cells.participants[kept], values=cells.values[kept]),
            covariates.subset(kept),
            regressor,
        )
        yield {
            "participant_id": cells.participants[row],
            "n": whole.n,
            "effect": whole.effect,
            "p": whole.p,
            "effect_without": without.effect,
            "p_without": without.p,
            "reason": without.reason,
        }


def _test(
    headline: Headline, cells: Cells, covariates: Covariates, regressor: Regressor
) -> Specification:
    sets = {cells.desc: [covariates]}
    participants = pd.Index(cells.participants)
    return specifications(headline, [cells], [headline.metric], sets, regressor, participants)[0]
