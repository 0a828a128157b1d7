"""What of the shipped design a data set's clinical table can serve.

The contrasts, scores and covariates of the shipped configuration are those of the study that the
workflow was built after. A data set without their columns still gets its maps and regions: what
it cannot serve is left out, with a warning. What a user declares is never left out; if its column
is missing, the input check stops the run.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..config import Config
from ..errors import Problem
from ..scan_covariates import REGION_VOLUME, SCAN_COVARIATES
from ..statistics.settings import StudyDesign


def fit_design(
    config: Config, columns: Collection[str] | None, table: str
) -> tuple[Config, list[Problem]]:
    """The configuration without shipped contrasts, scores and covariates that have no column.

    ``columns`` are those of the clinical ``table``; ``None`` if there is none. The warnings say
    what was left out.
    """
    shipped = StudyDesign()
    present = set(columns or ())
    contrasts = {
        name: contrast
        for name, contrast in config.contrasts.items()
        if contrast != shipped.contrasts.get(name) or contrast_columns(contrast) <= present
    }
    scores, covariates = (
        tuple(name for name in ours if name in present or ours != theirs)
        for ours, theirs in (
            (config.scores, shipped.scores),
            (config.covariates, shipped.covariates),
        )
    )
    known = {*present, *SCAN_COVARIATES, REGION_VOLUME}
    chosen = [names for names in config.multiverse.covariates if set(names) <= known]
    multiverse = config.multiverse.model_copy(update={"covariates": tuple(chosen)})
    fitted = config.model_copy(
        update={
            "contrasts": contrasts,
            "scores": scores,
            "covariates": covariates,
            "multiverse": multiverse,
        }
    )
    return fitted, list(_warnings(config, fitted, columns is not None, table))


def contrast_columns(contrast: object) -> set[str]:
    """The columns of the clinical table that a contrast reads."""
    names = (getattr(contrast, key, None) for key in ("column", "baseline", "followup", "months"))
    return {name for name in names if name}


def _warnings(config: Config, fitted: Config, readable: bool, table: str) -> Iterator[Problem]:
    for block in ("contrasts", "scores", "covariates"):
        left_out = [name for name in getattr(config, block) if name not in getattr(fitted, block)]
        if left_out:
            yield Problem(
                table,
                f"no column for the shipped {block} {', '.join(left_out)}"
                if readable
                else f"no such file: the shipped {block} {', '.join(left_out)} cannot be served",
                "a clinical table with their columns",
                f"They are left out of the group results; name your own under {block} in the "
                "config, or add the columns.",
                "warning",
            )
    for names in config.multiverse.covariates:
        if readable and names not in fitted.multiverse.covariates:
            yield Problem(
                f"{table}, multiverse.covariates",
                f"no column for each of {', '.join(names)}",
                "a clinical table with these columns",
                "The choice is left out.",
                "warning",
            )
