"""What a caption must add because of the metrics that a figure shows."""

from __future__ import annotations

from collections.abc import Collection

import pandas as pd

from ..statistics.calibration_remarks import CALIBRATED, told_of
from ..statistics.multiplicity import COPIES, PRIMARY_METRICS
from .wording import metric

DEPOSITS = (
    "Deposits are voxels above a threshold: a region whose whole χ is shifted has more of them "
    "(deposit_fraction_centred is blind to that), and veins count unless they are excluded."
)


def remarks(tests: pd.DataFrame, metrics: Collection[str] = ()) -> str:
    """Sentences for the end of a caption, with a space before; empty if nothing is to be said.

    ``tests`` are the rows of one contrast or score, ``metrics`` those shown (by default the primary
    ones). Where calibrated iron was tested and its calibration differs, that is said in any case:
    readers find it in the tables beside the figure.
    """
    shown = [name for name in metrics or PRIMARY_METRICS.values() if name in set(tests["metric"])]
    found = [
        f"{metric(name).label}: the same test as {metric(COPIES[name]).label}, in other units."
        for name in shown
        if name in COPIES
    ]
    if any(name.startswith("deposit_") and "centred" not in name for name in shown):
        found.append(DEPOSITS)
    told = told_of(tests)
    if told:
        found.append(f"{metric(CALIBRATED).label} (in the tables): {told}.")
    return "".join(f" {words}" for words in found)
