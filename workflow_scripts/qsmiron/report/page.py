"""The report: one HTML file with everything in it, readable without a network."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .. import __version__
from ..bids import Results
from ..config import Config
from ..errors import InputError
from ..figures.cells import one_variant
from ..figures.contrast_groups import members
from ..figures.wording import (
    FAMILY_LABELS,
    format_probability,
    metric,
    region_label,
    score_label,
)
from ..statistics.multiplicity import PRIMARY_METRICS
from ..tables import TABLES, read_table
from .cautions import assumptions, cautions
from .cohort_table import cohort_table
from .costs_table import costs_table
from .findings_table import findings_table
from .markdown import to_html
from .pictures import figures_in, figures_of, quality_pictures
from .region_table import WHICH, region_table
from .rendering import render, template_file
from .robustness_table import robustness_table
from .viewer import ViewerSources, slice_viewer

QUALITY_SHOWN: dict[str, tuple[str, Callable[[float], str]]] = {
    "brain_volume": ("Brain (mL)", "{:.0f}".format),
    "reliable_fraction": ("Reliable (%)", lambda value: f"{100 * value:.0f}"),
    "reference_mean": ("Reference mean (ppb)", lambda value: f"{1000 * value:.1f}"),
    "reference_sd": ("Reference SD (ppb)", lambda value: f"{1000 * value:.0f}"),
    "registration_similarity": ("T1w–template r", "{:.2f}".format),
    "gre_similarity": ("T1w–GRE MI", "{:.2f}".format),
    "brain_overlap": ("Brain overlap", "{:.2f}".format),
    "jacobian_min": ("Jacobian min", "{:.2f}".format),
    "jacobian_max": ("Jacobian max", "{:.2f}".format),
    "min_coverage": ("Least coverage (%)", lambda value: f"{100 * value:.0f}"),
    "volume_outliers": ("Odd volumes", "{:.0f}".format),
    "pallidum_chi": ("Pallidum χ (ppb)", lambda value: f"{1000 * value:.0f}"),
}
"""Columns of the quality table that the report shows, their headings and formats."""

MOST_QUALITY_ROWS = 400


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
    studied = clinical[quality.empty | clinical["participant_id"].isin(quality["participant_id"])]
    methods = Path(methods or results / "methods.md")
    flagged = [] if quality.empty else quality[quality["flags"].notna()]["participant_id"].tolist()
    measured = quality["participant_id"].tolist()
    pages, left_out = quality_pictures(results / "figures", measured, flagged)
    is_demo = config.bids_dir is None and not config.analysis_only
    first_atlas = one_variant(tests)["atlas"].iloc[0] if len(tests) else ""
    tables = {"group_tests": tests, "correlations": correlations}
    return render(
        "report.html.j2",
        style=template_file("report.css"),
        scripts=[template_file(name) for name in ("report.js", *(["viewer.js"] * bool(viewer)))],
        version=__version__,
        demo=is_demo,
        n=len(studied),
        n_used=None if quality.empty else int(
            quality[quality["used"] == "yes"]["participant_id"].nunique()
        ),
        headline=_headline(tests, correlations),
        first_atlas=first_atlas,
        several_atlases=tests["atlas"].nunique() > 1,
        cohort=_cohort_tables(studied, clinical, config),
        findings=findings_table(tests, correlations),
        robustness=robustness_table(
            _table(paths, "specification_curves", paths.group("multiverse_curves.tsv")),
            _table(paths, "influence"),
        ),
        figures=figures_in(results / "figures", figures_of(config)),
        viewer=slice_viewer(viewer, tests, correlations, regions) if viewer else None,
        region_tables=[region_table(table, name) for name, table in tables.items() if len(table)],
        recovery=_recovery(_table(paths, "recovery")) if is_demo else [],
        null_rates=_null_rates(_table(paths, "null_rates")),
        quality=_quality(quality),
        quality_pages=pages,
        quality_left_out=left_out,
        methods=to_html(methods.read_text("utf-8"), 2) if methods.exists() else "",
        assumptions=assumptions(config),
        cautions=cautions(config, regions, tests, correlations),
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
            groups = members(clinical, config, name)
        except InputError:
            # a table that cannot tell the groups still has a cohort to describe
            continue
        found.append({"name": name, "rows": cohort_table(studied, groups)})
    return found or [{"name": "cohort", "rows": cohort_table(studied, {})}]


def _headline(tests: pd.DataFrame, correlations: pd.DataFrame) -> list[str]:
    """How many cells of the primary metrics pass .05, uncorrected and corrected, per question.

    Of several variants and atlases, each by itself: q corrects over the regions of one.
    """
    lines = []
    for table, key in ((tests, "contrast"), (correlations, "score")):
        which = _telling(table)
        for (name, *kind), rows in table.groupby([key, *which], sort=False):
            primary = rows[rows["metric"].isin(PRIMARY_METRICS.values())]
            raw = primary[primary["arm"] == "replication"]
            adjusted = primary[primary["arm"] == "rigorous"]
            tested = int(raw["p"].notna().sum())
            lines.append(
                f"{_question(key, name)}{_in_brackets(kind)}: "
                f"{int((raw['p'] < 0.05).sum())} of {tested} cells with p < .05 uncorrected "
                f"({0.05 * tested:.0f} expected by chance), "
                f"{int((adjusted['q'] < 0.05).sum())} with q < .05"
            )
    return lines


def _telling(table: pd.DataFrame) -> list[str]:
    """The columns that tell variants and atlases apart, where there are several."""
    return [key for key, _, _ in WHICH if table[key].nunique() > 1]


def _in_brackets(kind: list[str]) -> str:
    return f" ({', '.join(kind)})" if kind else ""


def _question(key: str, name: str) -> str:
    if key == "score":
        return score_label(name).split(" (")[0]
    return f"{name[:1].upper()}{name[1:]}"


def _recovery(table: pd.DataFrame) -> list[list[str]]:
    if table.empty:
        return []
    rows = [["Effect", "Planted", "Recovered", "Ratio [95 % CI]", "Sign", "Assumption"]]
    which = _telling(table)
    for _, row in table.iterrows():
        shown = metric(row["metric"])
        is_rho = row["measure"] == "rho"
        factor, unit = (1.0, "") if is_rho else (shown.factor, shown.unit)
        rows.append(
            [
                f"{shown.label}, {region_label(row['region'], row['hemisphere'])}, "
                f"{row['contrast_or_score']}{_in_brackets([row[key] for key in which])}",
                _signed(row["planted"] * factor, unit, is_rho),
                _signed(row["recovered"] * factor, unit, is_rho),
                f"{row['ratio']:.2f} [{row['ratio_low']:.2f}, {row['ratio_high']:.2f}]".replace(
                    "-", "−"
                ),
                "same" if row["same_sign"] == "yes" else "opposite",
                "" if pd.isna(row["assumption"]) else str(row["assumption"]),
            ]
        )
    return rows


def _signed(value: float, unit: str, is_rho: bool) -> str:
    if not np.isfinite(value):
        return "n/a"
    text = f"{value:+.2f}" if is_rho else f"{value:+.1f} {unit}"
    return text.replace("-", "−").strip()


def _null_rates(table: pd.DataFrame) -> list[list[str]]:
    if table.empty:
        return []
    which = [column for column in WHICH if column[0] in _telling(table)]
    rows = [
        ["Arm", *(label for _, label, _ in which), "Contrast", "Family", "Metric", "Permutations",
         "Regions", "Rate [99 % CI]"]
    ]  # fmt: skip
    for _, row in table.iterrows():
        rates = [format_probability(row[key]) for key in ("rate", "rate_low", "rate_high")]
        rows.append(
            [
                row["arm"],
                *(row[key] for key, _, _ in which),
                row["contrast"],
                FAMILY_LABELS.get(row["family"], row["family"]),
                metric(row["metric"]).label,
                f"{row['n_permutations']:.0f}",
                f"{row['n_cells']:.0f}",
                f"{rates[0]} [{rates[1]}, {rates[2]}]",
            ]
        )
    return rows


def _quality(table: pd.DataFrame) -> list[list[str]]:
    if table.empty:
        return []
    keys = [key for key in QUALITY_SHOWN if table[key].notna().any()]
    several = bool(table["session"].notna().any())
    variants = table["desc"].nunique() > 1
    origins = table["labels_source"].nunique() > 1
    rows = [
        ["Participant", *(["Session"] * several), *(["Variant"] * variants), "Used",
         *(["Labels"] * origins),
         *(QUALITY_SHOWN[key][0] for key in keys), "Flags"]
    ]  # fmt: skip
    # flagged subjects stay even in a cohort too large to list
    shown = table if len(table) <= MOST_QUALITY_ROWS else table[table["flags"].notna()]
    for _, row in shown.iterrows():
        values = (
            QUALITY_SHOWN[key][1](row[key]).replace("-", "−") if pd.notna(row[key]) else "n/a"
            for key in keys
        )
        names = [row["participant_id"]]
        names += [_text(row["session"])] * several + [_text(row["desc"])] * variants
        rows.append(
            [
                *names,
                _text(row["used"]),
                *[_text(row["labels_source"])] * origins,
                *values,
                _text(row["flags"]),
            ]
        )
    return rows


def _text(value: Any) -> str:
    return "" if pd.isna(value) else str(value)
