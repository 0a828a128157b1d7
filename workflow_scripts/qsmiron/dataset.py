"""What makes the results folder a BIDS derivative data set, and how it is told from another's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from . import __version__
from .bids import BIDS_VERSION
from .errors import InputError, Problem
from .overwriting import identity, looked_at
from .volumes import read_json, write_json, write_text

IGNORED = (
    "group", "figures", "benchmarks", "report.html", "methods.md", "preregistration.md", "work",
    "**/*_label-paramagnetic_*", "**/*_label-diamagnetic_*",
)  # fmt: skip
"""What stands in the results folder and is no part of BIDS (written as .bidsignore).

BIDS has no name yet for the maps of the sources of χ.
"""

DESCRIPTION = "dataset_description.json"

DEMO_NAME = "Simulated demonstration cohort: multi-echo GRE and T1w in ALS"

_MAKER = "qsmiron"


def describe_derivative(results: str | Path, source: str | Path) -> None:
    """Write ``dataset_description.json`` and ``.bidsignore`` into ``results``.

    Of ``source``, the raw data set, only its folder's name is stored.

    Raises
    ------
    InputError
        If ``results`` is the raw data set, or is described as anything but this workflow's results.
    """
    results = Path(results)
    found = foreign_description(results)
    if found is None and identity(results) and identity(results) == identity(source):
        found = "the raw data set itself"
    if found:
        raise InputError(
            Problem(
                str(results / DESCRIPTION),
                found,
                "a folder without a description, or results of this workflow",
                "Choose another results folder.",
            )
        )
    write_json(
        results / DESCRIPTION,
        {
            "Name": "Quantitative susceptibility maps, regional iron and group results",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": _MAKER, "Version": __version__}],
            "SourceDatasets": [{"URL": Path(source).name}],
        },
    )
    write_text(results / ".bidsignore", "\n".join(IGNORED) + "\n")


def foreign_description(folder: str | Path) -> str | None:
    """What a folder's description says that no results of this workflow do; None without one."""
    if not (Path(folder) / DESCRIPTION).exists():
        return None
    content = _description(folder)
    if content is None:
        return "a description that is no JSON object"
    if (kind := content.get("DatasetType", "raw")) != "derivative":
        return f"the description of a data set of DatasetType {kind}"
    makers = content.get("GeneratedBy")
    makers = makers if isinstance(makers, list) else []
    names = [str(maker.get("Name")) for maker in makers if isinstance(maker, dict)]
    if _MAKER not in names:
        return f"the description of a data set made by {', '.join(names) or 'another tool'}"
    return None


def is_raw(folder: str | Path) -> bool:
    """Whether a folder is described as a raw data set; BIDS has one so that does not say."""
    content = _description(folder)
    return content is not None and content.get("DatasetType", "raw") == "raw"


def check_demo_folder(folder: str | Path) -> None:
    """Raise :class:`InputError` if the demo's raw data would go among those of another data set."""
    content = _description(folder)
    if content is not None and content.get("Name") != DEMO_NAME:
        raise InputError(
            Problem(
                str(Path(folder) / DESCRIPTION),
                f"the data set {content.get('Name')}",
                "the simulated demo, or no data set",
                "Choose another folder; to process these data, name them in bids_dir.",
            )
        )


def _description(folder: str | Path) -> dict[str, Any] | None:
    try:
        with looked_at():
            return read_json(Path(folder) / DESCRIPTION)
    except InputError:
        return None
