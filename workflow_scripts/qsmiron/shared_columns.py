"""Columns that several result tables have."""

from __future__ import annotations

from typing import NamedTuple


class Column(NamedTuple):
    """Description and unit of a table's column; ``text`` columns are read as strings."""

    description: str
    unit: str | None = None
    text: bool = False


WHO = {
    "participant_id": Column("Participant, as in the clinical table", text=True),
    "session": Column("Session label; n/a without sessions", text=True),
}
VARIANT = {
    "desc": Column("Reconstruction variant (the desc- label of its files)", text=True),
    "atlas": Column("Atlas whose labels define the regions", text=True),
}
LABELS_SOURCE = Column(
    "Origin of the labels: atlas, segmentation (the subject's own) or tissues; _without_t1w after "
    "it where they were carried by the GRE's own contrasts, which is less exact",
    text=True,
)
WITHOUT_T1W = "_without_t1w"
"""Ends the origin of labels that were carried without a T1w."""
CELL = {
    "index": Column("Label of the region in the atlas"),
    "region": Column("Region, as the label table names it", text=True),
    "hemisphere": Column("L, R, or B for both or the midline", text=True),
    "metric": Column("Measured quantity", text=True),
    "family": Column("Outcome family of the metric", text=True),
}
INFERENCE = {
    "p": Column("Two-sided parametric or exact p value, uncorrected"),
    "p_perm": Column("Permutation p value, (b + 1)/(B + 1)"),
    "p_maxt": Column("Family-wise p value by permutation of the maximum over the correction set"),
    "q": Column("Benjamini-Hochberg q value over the correction set, on p"),
    "reason": Column(
        "Why a value of the row is n/a; or what its test is a copy of, or may come from", text=True
    ),
}
