"""Which labels are the deep nuclei that figures outline in colour."""

from __future__ import annotations

from pathlib import Path

from ..regions.label_table import read_label_table
from .style import NUCLEUS_COLOURS


def nuclei_of(labels: str | Path, label_table: str | Path | None = None) -> dict[str, list[int]]:
    """Nucleus → its labels (both sides), in the order of the palette.

    ``label_table`` defaults to the TSV beside the label image. Names are compared without
    hemisphere, case and punctuation, so a FreeSurfer table is understood as well.
    """
    table = Path(label_table) if label_table else _beside(Path(labels))
    found: dict[str, list[int]] = {name: [] for name in NUCLEUS_COLOURS}
    for label in read_label_table(table):
        if label.standard_name in found and not label.members:
            found[label.standard_name].append(label.index)
    return {name: indices for name, indices in found.items() if indices}


def _beside(image: Path) -> Path:
    return image.with_name(image.name.removesuffix(".gz").removesuffix(".nii") + ".tsv")
