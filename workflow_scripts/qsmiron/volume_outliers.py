"""Region volumes that are unusual for the cohort: a sign of misplaced labels.

The volume of each region is taken as a share of everything labelled in the scan, so that head
size cancels, and compared with the same region of all other scans whose labels have the same
origin: an atlas and the subjects' own segmentations draw their borders differently.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

LEAST_SCANS = 5
"""Fewer scans of an atlas tell too little of what is usual."""

LEAST_SPREAD = 0.02
"""Smallest spread of the log share that a volume is judged by: about 2 % of the volume."""

MAD_TO_SD = 1.4826
_LEAST_VOLUME = 1.0


def volume_scores(voxels: pd.DataFrame) -> pd.DataFrame:
    """The cohort's region volumes with their robust z scores.

    Parameters
    ----------
    voxels
        The table of region voxels: one row per scan, variant, atlas and region, ``volume`` in mm³.

    Returns
    -------
    participant_id, session, desc, atlas, region, hemisphere and ``z`` of every row: the log of
    the region's share of the scan's labelled volume, less its median over the scans, over
    1.4826 times their median absolute deviation. That spread is taken as no smaller than
    :data:`LEAST_SPREAD` and than the median spread of the atlas's regions. NaN where fewer than
    :data:`LEAST_SCANS` scans have the region, where most of them lack it, and for a scan without
    any label.
    """
    columns = ["participant_id", "session", "desc", "atlas", "region", "hemisphere"]
    keys = voxels.assign(session=voxels["session"].fillna(""))
    scan = [keys[name] for name in ("participant_id", "session", "desc", "atlas")]
    volume = voxels["volume"].astype(float)
    total = volume.groupby(scan).transform("sum")
    # a region that vanished has no logarithm: it counts as 1 mm³, far below any real one
    share = np.log(volume.clip(lower=_LEAST_VOLUME) / total.where(total > 0))

    origin = [voxels[name] for name in ("desc", "atlas", "labels_source")]
    cell = [*origin, voxels["index"]]
    deviation = share - share.groupby(cell).transform("median")
    spread = MAD_TO_SD * deviation.abs().groupby(cell).transform("median")
    # of few scans, some of the many regions agree by chance, and all others would stand out
    typical = spread.groupby(origin).transform("median")
    spread = np.maximum(spread, typical).clip(lower=LEAST_SPREAD)
    usual = volume.groupby(cell).transform("median") > 0
    enough = share.groupby(cell).transform("count") >= LEAST_SCANS
    z = (deviation / spread).where(usual & enough)
    return voxels[columns].assign(z=z)
