"""The methods section, filled from the configuration that ran and the versions installed."""

from __future__ import annotations

import json
import platform
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path
from typing import Any

import pandas as pd

from .. import __version__
from ..config import STAGES, Config, variant
from ..figures.wording import metric, score_name
from ..methods import get_method
from ..quality import NO_PHASE, READY_MAP
from ..statistics.multiplicity import COPIES, PRIMARY_METRICS
from ..statistics.settings import DeltaFsContrast, GivenContrast
from . import regions_text
from .acquisition_table import acquisition_table
from .citations import CITATIONS, PACKAGES
from .rendering import render

STAGE_LABELS = {
    "field_map": "Field map",
    "background_field": "Background field removal",
    "inversion": "Dipole inversion",
    "r2star": "R2*",
    "sources": "Iron apart from myelin",
}


def methods_text(
    config: Config,
    quality: pd.DataFrame | None,
    echoes: Iterable[str | Path] = (),
    regions: pd.DataFrame | None = None,
    quantiles: bool = False,
    change: bool = False,
) -> str:
    """Markdown of the methods section.

    Parameters
    ----------
    config
        The configuration of the run.
    quality
        The ``quality`` table, for who was used; ``None`` for a run without images.
    echoes
        Raw echoes of one part, or the JSON beside each, for the acquisition table.
    regions
        The ``regions`` table, for where the labels come from, and for whose values were given to a
        run without images.
    quantiles
        Whether a run without images was given quantile functions of χ, whose distributions it
        tests; one with images has them.
    change
        Whether participants have several visits, whose change was tested.
    """
    registration = json.dumps(config.registration.parameters, sort_keys=True)
    return render(
        "methods.md.j2",
        has_images=not config.analysis_only,
        whole_distribution=quantiles or not config.analysis_only,
        n_given=0 if regions is None else regions["participant_id"].nunique(),
        variants=[{"name": name, "steps": steps_of(config, name)} for name in config.variants],
        reference=config.reconstruction.reference.region,
        registration=registration,
        # the one choice within the registration
        deformation="syn" if '"method": "syn"' in registration else "greedy",
        atlases=regions_text.atlas_words(config),
        n_atlases=_n_atlases(config, regions),
        label_sources=regions_text.label_source_words(config, regions),
        tissue_atlases=regions_text.tissue_atlases(config),
        uses_tissues=regions_text.uses_tissues(config),
        selection=regions_text.selection_words(config),
        adjacent=config.regions,
        iron=config.iron,
        contrasts={name: contrast_words(block) for name, block in config.contrasts.items()},
        scores=[score_name(name) for name in config.scores],
        scores_of={score_name(name): of for name, of in config.scores_of.items()},
        roles=config.roles,
        covariates=[
            f"{name} (as categories)" if name in config.categorical else name
            for name in config.covariates
        ],
        statistics=config.statistics,
        primary=[
            metric(name).label
            + (
                f" (the test of {metric(COPIES[name]).label} in other units)"
                if name in COPIES
                else ""
            )
            for name in PRIMARY_METRICS.values()
        ],
        change=config.change if change else None,
        choices=choice_words(config),
        cohort=_cohort(quality),
        excluded=config.exclude,
        acquisition=acquisition_table(echoes),
        ready_maps=config.maps,
        cite=CITATIONS,
        version=__version__,
        versions=package_versions(),
        python=platform.python_version(),
        demo=config.bids_dir is None and not config.analysis_only,
    )


def _n_atlases(config: Config, regions: pd.DataFrame | None) -> int:
    """Atlases of the correction sets: those of the config, or of the table that was given."""
    given = config.analysis_only and regions is not None
    return regions["atlas"].nunique() if given else len(config.atlases)


def steps_of(config: Config, name: str) -> list[dict[str, Any]]:
    """Stage, method, citation and every parameter (defaults included) of a variant."""
    chain = variant(config, name)
    steps = []
    for stage, registry in STAGES.items():
        step = getattr(chain, stage)
        if stage == "sources" and not step.run:
            continue
        method = get_method(registry, step.method)
        model, _ = method.load()
        values = model.model_validate(step.parameters).model_dump()
        steps.append(
            {
                "stage": STAGE_LABELS.get(stage, stage.replace("_", " ")),
                "method": step.method,
                "citation": method.citation + _readout(values),
                "parameters": ", ".join(f"{key} {_value(value)}" for key, value in values.items()),
            }
        )
    return steps


def _readout(values: dict[str, Any]) -> str:
    return f", readouts aligned after {CITATIONS['bipolar']}" * (values.get("readout") == "bipolar")


def _value(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_value(item)}" for key, item in value.items()) + ")"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return "by the data" if value is None else str(value)


def contrast_words(block: Any) -> str:
    """How a contrast assigns its levels, in words."""
    first, second = block.levels
    if isinstance(block, GivenContrast):
        return f"{first} against {second}, as the column {block.column} says"
    if isinstance(block, DeltaFsContrast):
        cut = "the cohort's median" if block.cut is None else f"{block.cut:g} points per month"
        return f"{first} against {second}, ΔFS above or at most {cut}"
    return (
        f"{first} against {second}, by exact k-means (k = 2) on the change from {block.baseline} "
        f"to {block.followup}" + (f" per month ({block.months})" if block.months else "")
    )


def choice_words(config: Config) -> list[str]:
    """The choices that the multiverse of a usual run varies, in words; none for an empty one."""
    block = config.multiverse
    references = [" ".join(filter(None, (one.atlas, one.region))) for one in block.reference]
    covariates = [", ".join(names) or "none" for names in block.covariates]
    metrics = [metric(name).label for names in block.metrics.values() for name in names]
    # branches of other images need images
    varied = {} if config.analysis_only else {
        "reference": references,
        "voxels of a region": [_changes(change) for change in block.regions],
        "iron and deposits": [_changes(change) for change in block.iron],
    }  # fmt: skip
    varied |= {
        "covariates": covariates,
        "harmonisation of sites": list(block.harmonisation),
        "metric": metrics,
    }
    return [f"{stage} ({'; '.join(words)})" for stage, words in varied.items() if words]


def _changes(changes: Mapping[str, Any]) -> str:
    return ", ".join(f"{key.replace('_', ' ')} {_value(value)}" for key, value in changes.items())


def _cohort(quality: pd.DataFrame | None) -> dict[str, int] | None:
    if quality is None or quality.empty:
        return None
    # of a scan of which a job failed nothing was measured
    is_ready = quality.get("chi_source", pd.Series("", quality.index)) == READY_MAP
    made = quality["n_echoes"].notna() | is_ready
    people, measured, used = (
        set(quality.loc[which, "participant_id"])
        for which in (slice(None), made, quality["used"] == "yes")
    )
    without_phase = set(quality.loc[quality["flags"] == NO_PHASE, "participant_id"]) - measured
    return {
        "n": len(measured),
        "ready": quality.loc[is_ready, "participant_id"].nunique(),
        "used": len(used),
        "failed": len(people - measured - without_phase),
        "without_phase": len(without_phase),
    }


def package_versions() -> dict[str, str]:
    """Version of every package of the methods text that is installed."""
    found = {}
    for name in PACKAGES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
