"""A preregistration paragraph: what a run with this configuration will test, and how."""

from __future__ import annotations

from ..config import Config
from ..figures.wording import FAMILY_LABELS, metric, score_name
from ..statistics.multiplicity import DISTINCT_PRIMARY
from .methods_text import choice_words, contrast_words
from .rendering import render


def preregistration_text(config: Config) -> str:
    """Markdown of the paragraph, from the configuration alone: no result is in it."""
    families = [
        f"{FAMILY_LABELS[family].lower()} ({metric(name).label})"
        for family, name in DISTINCT_PRIMARY.items()
    ]
    questions = len(config.contrasts) + len(config.scores)
    return render(
        "preregistration.md.j2",
        contrasts={name: contrast_words(block) for name, block in config.contrasts.items()},
        scores=[score_name(name) for name in config.scores],
        models=sorted(config.models),
        roles=config.roles,
        covariates=config.covariates,
        statistics=config.statistics,
        families=families,
        n_sets=questions * len(families) * len(config.atlases) * len(config.variants),
        excluded=config.exclude,
        choices=choice_words(config),
    )
