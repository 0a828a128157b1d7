"""What the reader must bear in mind, and what was assumed."""

from __future__ import annotations

import pandas as pd

from ..config import Config, variant
from .people_words import control_caution
from .power_text import power_words
from .regions_text import is_mixed, label_source_words, selection_words, tissue_atlases

CAUTIONS: tuple[str, ...] = (
    "Not a medical device. Research use only: nothing here is a diagnosis, and no single patient "
    "may be judged by it.",
    "χ is relative to its reference: another reference region shifts every value of a subject. "
    "Contrasts of neighbouring or left and right regions are more trustworthy than absolute means: "
    "right minus left, and cortex minus the white matter next to it, which iron of the cortex "
    "raises and loss of myelin as well.",
    "Susceptibility is not iron alone: myelin is diamagnetic and confounds hippocampus, amygdala, "
    "thalamus and cortex; so do calcium and blood.",
    "Smoothly varying susceptibility is almost invisible to any background field removal: what is "
    "assumed of it instead stands under the assumptions.",
    "χ⁺ and χ⁻ tell iron from myelin by a model of relaxation, not by a measurement of either. "
    "Without a measured R2 they hang on an assumed one and are relative: compare people and "
    "neighbouring regions, not values with those of another study. R2* of white matter depends on "
    "the angle of its fibres to B0 by up to a fifth, and so do they; calcium counts as myelin, "
    "blood as iron. What the field's course adds to R2* is corrected for, less well beside air. An "
    "error of net χ lands in both.",
    "Small and thin regions carry partial volume of their neighbours.",
    "Iron deposits are voxels above a threshold. A region whose whole χ is shifted has more of "
    "them: only deposit_fraction_centred, with each subject's median removed, tells deposits from "
    "a shift. Veins count as deposits unless they are excluded.",
    "The raw p values are uncorrected over regions, metrics, contrasts and scores; q and p max-T "
    "correct over the regions of one contrast or score, one family and its primary metric, and "
    "not over these sets.",
    "Adjusted effect sizes are those of what covariates leave of the outcome. Where covariates "
    "differ between the groups, a part of the difference goes with them: adjusted δ, g and "
    "distances are then smaller than the effect itself; t and p are not concerned.",
)


def cautions(
    config: Config,
    regions: pd.DataFrame | None = None,
    tests: pd.DataFrame | None = None,
    correlations: pd.DataFrame | None = None,
    roles: dict[str, int] | None = None,
) -> list[str]:
    """The cautions of any run, and those of this one.

    ``regions`` is the ``regions`` table, for where the labels come from; ``tests`` and
    ``correlations`` are the ``group_tests`` and ``correlations`` tables, for the power; ``roles``
    are the numbers of patients and controls.
    """
    found = [*CAUTIONS, control_caution(roles or {}), power_words(tests, correlations)]
    # of values that were given the config does not know atlas and reference
    measured = not config.analysis_only
    if measured and any(atlas.image is None for atlas in config.atlases.values()):
        found.append(
            "The Desikan-Killiany atlas' accumbens is about 3.5 times that of a dedicated "
            "subcortical atlas."
        )
    if measured and not config.maps.chi:
        found.append(
            "A difference of χ in the cortex comes back smaller than one in the deep nuclei: on a "
            "simulated head of 1 mm by two fifths, where the nuclei lose a twentieth. Where real "
            "tissue was the truth, removing the background was most of the error."
        )
    references = [variant(config, name).reference for name in config.variants]
    whole_brain = any(each.region == "brain" and each.atlas is None for each in references)
    if measured and tissue_atlases(config) and whole_brain:
        found.append(
            "The whole brain's mean χ is zero by construction where the brain is the reference, "
            "and not tested; the means of grey matter, white matter and fluid depend on each other."
        )
    if measured and config.maps.chi and config.maps.mixed:
        found.append(
            "χ may come from the phase in some scans and be a ready map in others, as the quality "
            "table says: programs differ by more than people do, and groups that differ in the "
            "origin of their maps differ in that too."
        )
    if is_mixed(regions):
        found.append(
            " ".join(label_source_words(config, regions))
            + " The two draw borders differently: groups that differ in the origin of their "
            "labels differ in their regions too."
        )
    return found


SMOOTH_CHI = {
    "joint_tv_tissue": "a prior: white and grey matter have one χ each all over the brain. True "
    "differences that follow a straight line or a square of position along the whole brain are "
    "removed with the bias",
    "joint_tv": "total variation, with a bias of several ppb between the centre of the brain and "
    "its surface",
}


def _smooth_chi(config: Config) -> list[str]:
    """What settled the smooth part of χ that no field can tell, for each way that was used."""
    used = {variant(config, name).background_field.method for name in config.variants}
    used |= {
        "joint_tv_tissue"
        for name in config.variants
        if variant(config, name).inversion.method == "single_step"
    }
    return [
        f"Smoothly varying χ, which no field can tell from background ({name}): {words}."
        for name, words in SMOOTH_CHI.items()
        if name in used
    ]


def assumptions(config: Config) -> list[str]:
    """The choices that the study's abstract leaves open, with their values in this run."""
    replication = (
        "Replication arm: two-sided Mann-Whitney and Spearman without correction, as the "
        "reported numbers suggest."
    )
    if config.analysis_only:
        return [
            "The primary metrics are mean χ, SD of χ, iron by the global line and the fraction of "
            "iron deposits, where the given table has them; it does not say how they came about.",
            "Tests, correction and the rules for fast/slow and UMN+ of the study are not public; "
            "those used here are in the methods.",
            replication,
        ]
    iron, group = config.iron, config.iron.deposit_group
    threshold = (
        f"{1000 * iron.deposit_threshold:g} ppb, the same everywhere"
        if iron.deposit_threshold is not None
        else f"the {iron.deposit_percentile:g}th percentile of the region's χ pooled over "
        + (f"participants with {group.column} {group.level}" if group else "all subjects")
        + " with equal weight"
    )
    reference = {
        "brain": "mean over the reliable part of the brain mask",
        "csf": "mean of the ventricles' fluid",
        "none": "none",
    }
    return [
        "Susceptibility family: mean, median and trimmed mean of χ; primary: the mean.",
        "Distribution family: SD, interquartile range, skewness, excess kurtosis, 5th and 95th "
        "percentile and the whole quantile function; primary: the SD.",
        f"Global iron line: χ (ppb) = {iron.line_slope:g} · iron (mg/kg wet) + "
        f"{iron.line_intercept:g}; primary of its family. It is monotone in the mean: its "
        "test is that of mean χ in other units.",
        "Calibrated iron: each subject's own line through caudate, putamen and pallidum, taken as "
        "age-normal; these nuclei have no value themselves. Exploratory, since a difference in one "
        "of them is carried into every other region.",
        f"Iron deposits: voxels above {threshold}; tissue density {iron.tissue_density:g} kg/L; "
        "primary: the fraction of the region.",
        "Reference of χ: "
        + reference.get(config.reconstruction.reference.region,
                        config.reconstruction.reference.region)
        + ("; ready maps that state one keep theirs" if config.maps.chi else "") + ".",
        "Voxels of a region: all in the reliable mask"
        + "".join(f"; {words}" for words in selection_words(config)) + ".",
        *_smooth_chi(config),
        "Scanner, sequence, reconstruction, atlas, tests, correction and the rules for fast/slow "
        "and UMN+ of the study are not public; those used here are in the methods.",
        replication,
    ]  # fmt: skip
