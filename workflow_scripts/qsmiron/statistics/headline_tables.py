"""Tables of the headline findings: the multiverse, its curves, and each patient's influence."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import asdict

import pandas as pd

from ..regions.metrics import SOURCE_FAMILIES
from .analysis_choices import AnalysisChoices
from .cells import Cells
from .covariates import Covariates
from .headlines import Headline
from .influence import influence
from .inputs import Inputs
from .multiplicity import PRIMARY_METRICS
from .multiverse import curve, specifications
from .regressors import Regressor


def multiverse_tables(
    found: Sequence[Headline],
    branches: Sequence[Cells],
    choices: Mapping[str, Mapping[str, str]],
    analysis: AnalysisChoices,
    regressor: Regressor,
    data: Inputs,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every specification of every headline, and one row per curve.

    Parameters
    ----------
    found
        The headlines.
    branches
        Measurements of every branch, the main one first.
    choices
        What each branch (``desc``) chose, by stage, in words.
    analysis
        The choices within the analysis.
    regressor, data
        The contrast or score, and the design with the clinical table.

    Returns
    -------
    multiverse, curves
        Columns of ``TABLES["multiverse"]`` and ``TABLES["specification_curves"]``.
    """
    names = [data.design.covariates, *analysis.covariates]
    names = list(dict.fromkeys(map(tuple, names)))
    covariates = {
        cells.desc: [data.covariates(cells, each) for each in names] for cells in branches
    }
    others = [how for how in analysis.harmonisation if how != data.design.statistics.harmonisation]
    ways = [branches, *([data.harmonised(cells, how) for cells in branches] for how in others)]
    everybody = pd.Index(dict.fromkeys(name for cells in branches for name in cells.participants))
    settings = data.design.statistics
    permutations = regressor.permutations(everybody, settings.seed, settings.permutations)
    rows, curves = [], []
    for headline in found:
        metrics = list(
            dict.fromkeys(
                [PRIMARY_METRICS[headline.family], *analysis.metrics.get(headline.family, ())]
            )
        )
        tests = [
            one
            for way in ways
            for one in specifications(
                headline,
                different(way, choices, headline.family),
                metrics,
                covariates,
                regressor,
                everybody,
            )
        ]
        cell = _cell(headline, branches[0].atlas)
        for number, one in enumerate(tests):
            rows.append(
                {
                    **cell,
                    "main": "no" if number else "yes",
                    "counted": "yes" if one.holds(tests[0]) else "no",
                    "desc": one.desc,
                    **choices.get(one.desc, {}),
                    "metric": one.metric,
                    "covariates": one.covariates,
                    "n": one.n,
                    "df": one.test.df if one.test else None,
                    "effect": one.effect,
                    "effect_name": regressor.effect_name,
                    "p": one.p,
                    "reason": one.reason,
                }
            )
        summary = asdict(curve(tests, permutations, settings.alpha))
        curves.append({**cell, **summary, "effect_name": regressor.effect_name})
    return pd.DataFrame(rows), pd.DataFrame(curves)


def different(
    branches: Sequence[Cells], choices: Mapping[str, Mapping[str, str]], family: str
) -> list[Cells]:
    """The branches in which a family's values may differ, the first of those that are alike.

    χ⁺ and χ⁻ have no reference, and no other family hangs on how they are separated.
    """
    passed = ("reference", "iron") if family in SOURCE_FAMILIES else ("sources",)
    first: dict[Hashable, Cells] = {}
    for cells in branches:
        chosen = choices.get(cells.desc)
        told = chosen and tuple((stage, chosen[stage]) for stage in chosen if stage not in passed)
        first.setdefault(told or cells.desc, cells)
    return list(first.values())


def influence_table(
    found: Sequence[Headline], cells: Cells, covariates: Covariates, regressor: Regressor
) -> pd.DataFrame:
    """A row per headline and patient, columns of ``TABLES["influence"]``."""
    return pd.DataFrame(
        [
            {
                **_cell(headline, cells.atlas),
                "metric": headline.metric,
                "effect_name": regressor.effect_name,
                **row,
            }
            for headline in found
            for row in influence(headline, cells, covariates, regressor)
        ]
    )


def _cell(headline: Headline, atlas: str) -> dict[str, object]:
    return {
        "kind": headline.kind,
        "name": headline.name,
        "origin": headline.origin,
        "atlas": atlas,
        "index": headline.index,
        "region": headline.region,
        "hemisphere": headline.hemisphere,
        "family": headline.family,
    }
