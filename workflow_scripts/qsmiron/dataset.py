"""What makes the results folder a BIDS derivative data set."""

from __future__ import annotations

from pathlib import Path

from . import __version__
from .bids import BIDS_VERSION
from .volumes import write_json, write_text

IGNORED = ("group", "figures", "benchmarks", "report.html", "methods.md", "work")
"""What stands in the results folder and is no part of BIDS (written as .bidsignore)."""


def describe_derivative(results: str | Path, source: str | Path) -> None:
    """Write ``dataset_description.json`` and ``.bidsignore`` into ``results``.

    Of ``source``, the raw data set, only its folder's name is stored.
    """
    results = Path(results)
    write_json(
        results / "dataset_description.json",
        {
            "Name": "Quantitative susceptibility maps, regional iron and group results",
            "BIDSVersion": BIDS_VERSION,
            "DatasetType": "derivative",
            "GeneratedBy": [{"Name": "qsmiron", "Version": __version__}],
            "SourceDatasets": [{"URL": Path(source).name}],
        },
    )
    write_text(results / ".bidsignore", "\n".join(IGNORED) + "\n")
