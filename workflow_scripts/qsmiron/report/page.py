"""The report: one HTML file with everything in it, readable without a network."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import __version__
from ..config import Config
from ..errors import InputError
from ..figures.cells import one_variant
from ..figures.contrast_groups import members
from ..results import Results
from ..tables import TABLES, read_table
from .calibration_table import calibration_table
from .cautions import assumptions, cautions
from .change_table import change_table, repeatability_rows
from .cohort_table import cohort_table
from .costs_table import costs_table
from .deviations_table import deviations_table
from .findings_table import findings_table
from .headline_table import count_sets, headline_table
from .markdown import to_html
from .models_table import models_table
from .null_rates_table import null_rates_tables
from .people_words import count_roles, people_words
from .pictures import figures_in, figures_of, quality_pictures
from .planning_table import planning_table
from .quality_table import quality_table
from .recovery_table import recovery_table
from .region_table import region_table
from .rendering import render, template_file
from .robustness_table import robustness_table
from .viewer import ViewerSources, slice_viewer


def report_page(
    results: str | Path,
    config: Config,
    participants: str | Path | None = None,
    methods: str | Path | None = None,
    viewer: ViewerSources | None = None,
) -> str:
    """HTML of the report on a results folder.

    Parameters
    ----------
    results
        Results folder: ``group`` with its tables, ``figures`` with the PNGs. What is missing (a
        run without images has no quality table, a real cohort no recovery) is left out.
    config
        The configuration of the run.
    participants
        Clinical table; default: ``participants.tsv`` of the results.
    methods
        Methods text (Markdown); default: ``methods.md`` of the results.
    viewer
        What the slice viewer shows; default: there is none.

    Raises
    ------
    InputError
        For an unreadable table.
    """
    results = Path(results)
    paths = Results(str(results))
    tests = _in_order(_table(paths, "group_tests"), config)
    correlations = _in_order(_table(paths, "correlations"), config)
    regions = _table(paths, "regions", config.regions_table)
    quality = _table(paths, "quality")
    clinical = read_table(participants or results / "participants.tsv")
    # Who has no images is no part of the study's cohort, but may decide a derived group's cut.
    among = regions if quality.empty else quality
    studied = clinical[among.empty | clinical["participant_id"].isin(among["participant_id"])]
    roles = count_roles(studied, config)
    methods = Path(methods or results / "methods.md")
    prereg = methods.with_name("preregistration.md")
    flagged = [] if quality.empty else quality[quality["flags"].notna()]["participant_id"].tolist()
    measured = quality["participant_id"].tolist()
    pages, left_out = quality_pictures(results / "figures", measured, flagged)
    is_demo = config.bids_dir is None and not config.analysis_only
    first_atlas = one_variant(tests)["atlas"].iloc[0] if len(tests) else ""
    tables = {"group_tests": tests, "correlations": correlations}
    rates = _in_order(_table(paths, "null_rates"), config)
    return render(
        "report.html.j2",
        style=template_file("report.css"),
        scripts=[template_file(name) for name in ("report.js", *(["viewer.js"] * bool(viewer)))],
        version=__version__,
        demo=is_demo,
        people=people_words(roles),
        n_used=None if quality.empty else int(
            quality[quality["used"] == "yes"]["participant_id"].nunique()
        ),
        headline=headline_table(tests, correlations),
        n_sets=count_sets(tests, correlations),
        first_atlas=first_atlas,
        several_atlases=tests["atlas"].nunique() > 1,
        cohort=_cohort_tables(studied, clinical, config),
        findings=findings_table(tests, correlations),
        calibration=calibration_table(_table(paths, "calibration_tests")),
        models=models_table(_table(paths, "model_tests")),
        change=change_table(_table(paths, "change")),
        change_unharmonised=config.statistics.harmonisation != "none",
        repeatability=repeatability_rows(_table(paths, "change")),
        deviations=deviations_table(_table(paths, "deviations")),
        planning_power=config.statistics.planning_power,
        planning_alpha=config.statistics.alpha,
        planning=planning_table(_table(paths, "planning")),
        preregistration=to_html(prereg.read_text("utf-8"), 2) if prereg.exists() else "",
        robustness=robustness_table(
            _table(paths, "specification_curves", paths.group("multiverse_curves.tsv")),
            _table(paths, "influence"),
        ),
        figures=figures_in(results / "figures", figures_of(config)),
        viewer=slice_viewer(viewer, tests, correlations, regions) if viewer else None,
        region_tables=[region_table(table, name) for name, table in tables.items() if len(table)],
        recovery=recovery_table(_table(paths, "recovery")) if is_demo else [],
        null_rates=null_rates_tables(rates),
        null_alpha=f"{rates['alpha'].max():g}".lstrip("0") if len(rates) else "",
        null_permutations=int(rates["n_permutations"].max()) if len(rates) else 0,
        quality=quality_table(quality),
        quality_pages=pages,
        quality_left_out=left_out,
        methods=to_html(methods.read_text("utf-8"), 2) if methods.exists() else "",
        assumptions=assumptions(config),
        cautions=cautions(config, regions, tests, correlations, roles),
        costs=costs_table(paths.benchmarks, None if quality.empty else set(measured)),
        files=[
            f"group/{path.name}" for path in sorted((results / "group").glob("*.tsv"))
        ],
    )  # fmt: skip


def _table(paths: Results, name: str, given: str | None = None) -> pd.DataFrame:
    path = Path(given or paths.group(f"{name}.tsv"))
    if not path.exists():
        return pd.DataFrame(columns=list(TABLES[name]))
    return read_table(path, name)


def _in_order(table: pd.DataFrame, config: Config) -> pd.DataFrame:
    """The rows by atlas as the configuration has them: what shows one atlas shows the first."""
    places = {name: place for place, name in enumerate(config.atlases)}
    order = table["atlas"].map(lambda name: places.get(name, len(places)))
    return table.iloc[np.argsort(order.to_numpy(float), kind="stable")]


def _cohort_tables(
    studied: pd.DataFrame, clinical: pd.DataFrame, config: Config
) -> list[dict[str, Any]]:
    found = []
    for name in config.contrasts:
        try:
            groups = members(clinical.set_index("participant_id"), config, name)
        except InputError:
            # a table that cannot tell the groups still has a cohort to describe
            continue
        found.append({"name": name, "rows": cohort_table(studied, groups)})
    return found or [{"name": "cohort", "rows": cohort_table(studied, {})}]
