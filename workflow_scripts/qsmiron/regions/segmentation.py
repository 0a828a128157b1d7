"""A subject's own segmentation (FreeSurfer, FastSurfer …), in the numbers of the label table.

The segmentation's numbers are its own: 1035 is ``ctx-lh-insula``. Its colour table says so, and a
region is found again in the label table by its name and hemisphere.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from ..errors import InputError, Problem
from ..volumes import Volume, read_volume
from .label_table import Label


def read_segmentation(path: str | Path) -> Volume:
    """Read a label image (NIfTI or MGZ) as int64, shape (X, Y, Z); 0 is background.

    Raises
    ------
    InputError
        If a label is not a whole, non-negative number, or all are 0.
    """
    volume = read_volume(path, dtype=np.float64)
    labels = volume.data.astype(np.int64)
    no_label = (labels != volume.data) | (labels < 0)
    if no_label.any():
        wrong = volume.data[no_label]
        raise InputError(
            Problem(
                str(path),
                f"{wrong.size} voxels that are no label (such as {wrong[0]:g})",
                "whole numbers from 0 up",
                "Give a label image, resampled with nearest-neighbour interpolation.",
            )
        )
    if not labels.any():
        raise InputError(
            Problem(str(path), "no label", "labels above 0", "Give the subject's label image.")
        )
    return Volume(labels, volume.affine)


def translate_segmentation(
    segmentation: np.ndarray,
    colours: Mapping[int, Label] | None,
    table: Sequence[Label],
    segmentation_file: str = "segmentation",
    table_file: str = "label table",
) -> tuple[np.ndarray, list[Label]]:
    """The segmentation in the label table's numbers, and the regions that it cannot have.

    Parameters
    ----------
    segmentation : ndarray of int, shape (X, Y, Z)
        0 is background.
    colours : mapping of index → Label, or None
        The segmentation's colour table; without one its numbers are those of ``table``.
    table : sequence of Label
        Composites have no voxels and are left out.
    segmentation_file, table_file : str
        What error messages call them.

    Returns
    -------
    labels : ndarray of int32, shape (X, Y, Z)
        Numbers of ``table``; 0 also where the colour table's name is no region of ``table`` (white
        matter, ventricles …).
    unknown : list of Label
        Regions of ``table`` that the colour table has no number for.

    Raises
    ------
    InputError
        If the image has numbers that the colour table (without one: the label table) lacks, no
        region of the label table is in the colour table or in the image, or two of its regions
        share a name and hemisphere.
    """
    regions = [label for label in table if not label.members]
    if colours is None:
        targets, unknown = {label.index: label.index for label in regions}, []
    else:
        by_region = _by_region(regions, table_file)
        targets = {
            index: by_region[_region(label)].index if index and _region(label) in by_region else 0
            for index, label in colours.items()
        }
        reached = set(targets.values())
        unknown = [label for label in regions if label.index not in reached]
        if len(unknown) == len(regions):
            raise InputError(
                Problem(
                    table_file,
                    f"none of the {len(regions)} regions in the colour table of"
                    f" {segmentation_file}",
                    "regions that both name alike (hemisphere, case and punctuation aside)",
                    "Give the colour table of the segmentation, or name its regions alike.",
                )
            )
    codes, numbers = pd.factorize(segmentation.reshape(-1))
    strange = sorted(int(number) for number in numbers if number and number not in targets)
    if strange:
        lacking = "label" if colours is None else "colour"
        raise InputError(
            Problem(
                segmentation_file,
                f"labels that the {lacking} table lacks: {_listed(strange)}",
                f"only labels of the {lacking} table, and 0",
                "Give the colour table of the segmentation, such as FreeSurferColorLUT.txt.",
            )
        )
    values = np.array([targets.get(int(number), 0) for number in numbers], np.int32)
    if not values.any():
        raise InputError(
            Problem(
                segmentation_file,
                f"none of the {len(regions)} regions of {table_file} (labels"
                f" {_listed(sorted(int(number) for number in numbers if number))})",
                "labels of these regions",
                "Give the segmentation that the tables belong to.",
            )
        )
    return values[codes].reshape(segmentation.shape), unknown


def _region(label: Label) -> tuple[str, str]:
    return label.standard_name, label.hemisphere


def _by_region(regions: Sequence[Label], table_file: str) -> dict[tuple[str, str], Label]:
    found: dict[tuple[str, str], Label] = {}
    for label in regions:
        first = found.setdefault(_region(label), label)
        if first is not label:
            raise InputError(
                Problem(
                    table_file,
                    f"two names of one region, {first.name} ({first.index}) and {label.name}"
                    f" ({label.index})",
                    "regions that a colour table can tell apart",
                    "Remove one of them from the label table.",
                )
            )
    return found


def _listed(numbers: list[int], most: int = 20) -> str:
    text = ", ".join(map(str, numbers[:most]))
    return text + (f" and {len(numbers) - most} more" if len(numbers) > most else "")
