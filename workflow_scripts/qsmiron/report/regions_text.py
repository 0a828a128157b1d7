"""Where regions come from and which of their voxels count, in words."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from ..config import TISSUES, Atlas, Config
from ..shared_columns import WITHOUT_T1W
from .citations import CITATIONS


def label_atlases(config: Config) -> dict[str, Atlas]:
    """The atlases whose labels come from an image or a segmentation."""
    return {name: atlas for name, atlas in config.atlases.items() if atlas.image != TISSUES}


def tissue_atlases(config: Config) -> list[str]:
    """The atlases whose regions are the tissues of each subject."""
    return [name for name, atlas in config.atlases.items() if atlas.image == TISSUES]


def uses_tissues(config: Config) -> bool:
    """Whether any value rests on the tissues of the T1w: of cortex relative to white matter too."""
    return bool(config.atlases)


def atlas_words(config: Config) -> list[str]:
    """What the atlases with labels are, one by one."""
    words = []
    for name, atlas in label_atlases(config).items():
        said = CITATIONS["atlas"]
        if atlas.image is not None:
            said = f"atlas {name} ({Path(atlas.image).name})"
        if atlas.template is not None:
            said += f", through its own template ({Path(atlas.template).name})"
        words.append(said)
    return words


def label_source_words(config: Config, regions: pd.DataFrame | None) -> list[str]:
    """Sentences: how many scans' labels come from their own segmentations, or without a T1w.

    ``regions`` is the ``regions`` table. Nothing is said of an atlas without either; before there
    is a table, only the rule is told.
    """
    sentences = []
    for name, atlas in label_atlases(config).items():
        whose = f" of {name}" * (len(label_atlases(config)) > 1)
        if regions is None or regions.empty:
            if atlas.segmentation:
                sentences.append(
                    f"Labels{whose} are those of the subjects' own segmentations where they exist."
                )
            continue
        own = regions[regions["atlas"] == name]
        scans = own.drop_duplicates(["participant_id", "session"])["labels_source"]
        count = int((scans == "segmentation").sum())
        without = int(scans.str.endswith(WITHOUT_T1W).sum())
        if without:
            sentences.append(
                f"Labels{whose} of {without} of {len(scans)} scans, without a T1w, were carried by "
                "a registration of the template to a hybrid contrast of R2* and χ."
            )
        if count:
            others = "" if count == len(scans) else ", those of the others from the atlas"
            sentences.append(
                f"Labels{whose} of {count} of {len(scans)} scans come from the subjects' own "
                f"segmentations{others}."
            )
    return sentences


def is_mixed(regions: pd.DataFrame | None) -> bool:
    """Whether the labels of one atlas have more than one origin."""
    if regions is None or regions.empty:
        return False
    return bool((regions.groupby("atlas")["labels_source"].nunique() > 1).any())


def selection_words(config: Config) -> list[str]:
    """The options that decide which voxels count, those that are on, with their values."""
    chosen = config.regions
    said = {
        f"deep regions without the voxels within {chosen.deep_erosion:g} mm of their border": (
            chosen.deep_erosion > 0
        ),
        "cortex only where the probability of grey matter is at least "
        f"{chosen.cortex_grey_matter:g}": chosen.cortex_grey_matter > 0,
        "no veins (voxels whose χ and R2* both exceed the region's median by more than "
        f"{chosen.vein_robust_sd:g} robust SDs)": chosen.exclude_veins,
        f"no voxels whose χ is farther than {chosen.outlier_robust_sd or 0:g} robust SDs from the "
        "region's median": chosen.outlier_robust_sd is not None,
        f"no value of a region of which less than {100 * chosen.minimum_coverage:g} % lies within "
        "the reliable mask": chosen.minimum_coverage > 0,
        "means weighted by the fraction of each voxel in its region, in cortex times its "
        "probability of grey matter": chosen.partial_volume_weights,
    }
    return [words for words, is_on in said.items() if is_on]
