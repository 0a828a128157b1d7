"""Made-up tables on headline findings, for the tests of what shows them."""

from functools import cache
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd

from qsmiron.tables import write_table

HEADLINES = [
    # kind, name, origin, index, region, hemisphere, family, metric, effect
    ("contrast", "progression", "study", 83, "amygdala", "L", "iron_deposits", "deposit_fraction",
     0.35),
    ("contrast", "progression", "both", 82, "hippocampus", "R", "distribution", "chi_sd", 0.5),
    ("contrast", "phenotype", "study", 76, "thalamus", "L", "susceptibility", "chi_mean", -0.2),
    ("score", "alsfrs_r", "cohort", 78, "putamen", "L", "susceptibility", "chi_mean", 0.4),
]  # fmt: skip
CELL = ["kind", "name", "origin", "index", "region", "hemisphere", "family"]
OTHER_METRIC = {"iron_deposits": "deposit_mass", "distribution": "chi_iqr",
                "susceptibility": "chi_median"}  # fmt: skip
BRANCHES = [("main", "brain", "as configured"), ("mv1", "csf", "as configured"),
            ("mv2", "brain", "deep erosion 2"), ("mv3", "csf", "deep erosion 2")]  # fmt: skip
N_SPECIFICATIONS = len(BRANCHES) * 2 * 3


@cache
def multiverse():
    """24 specifications a finding; the last of each could not be tested."""
    rng = np.random.default_rng(12)
    rows = []
    for *cell, metric, size in HEADLINES:
        metrics = [metric, OTHER_METRIC[cell[-1]]]
        every = list(product(BRANCHES, metrics, ["age,sex", None, "age"]))
        for number, ((desc, reference, voxels), name, covariates) in enumerate(every):
            tested = number < len(every) - 1
            effect = size + rng.normal(0, 0.15) if number else size
            rows.append(
                dict(zip(CELL, cell, strict=True), atlas="DK", main="no" if number else "yes",
                     counted="yes" if covariates == "age,sex" else "no",
                     desc=desc, field_map="romeo", background_field="joint_tv_tissue",
                     inversion="tv", reference=reference, sources="source_tv",
                     regions=voxels, iron="as configured",
                     metric=name, covariates=covariates, n=38 if tested else 0,
                     df=34 if tested else np.nan, effect=effect if tested else np.nan,
                     effect_name="rho" if cell[0] == "score" else "cliffs_delta",
                     p=np.exp(-8 * abs(effect)) if tested else np.nan,
                     reason=None if tested else "not measured")
            )  # fmt: skip
    return pd.DataFrame(rows)


@cache
def curves(alpha=0.05):
    """A row per finding, of what :func:`multiverse` has."""
    rows = []
    for cell, found in multiverse().groupby(CELL, sort=False):
        main = found[found["main"] == "yes"].iloc[0]
        tested = found[found["p"].notna() & (found["counted"] == "yes")]
        same = np.sign(tested["effect"]) == np.sign(main["effect"])
        rows.append(
            dict(zip(CELL, cell, strict=True), atlas="DK", effect_name=main["effect_name"],
                 n_specifications=len(found), n_tested=len(tested), n_same_sign=same.sum(),
                 n_significant=(same & (tested["p"] < alpha)).sum(), effect_main=main["effect"],
                 p_main=main["p"], effect_median=tested["effect"].median(),
                 effect_low=tested["effect"].min(), effect_high=tested["effect"].max(),
                 p_median=0.004 * (len(rows) + 1), p_share=0.01)
        )  # fmt: skip
    return pd.DataFrame(rows)


@cache
def influence(n=38):
    """A row per finding and patient; sub-05 shifts every effect most."""
    rng = np.random.default_rng(13)
    rows = []
    for *cell, metric, size in HEADLINES:
        for number in range(1, n + 1):
            shift = -0.3 if number == 5 else rng.uniform(-0.05, 0.05)
            rows.append(
                dict(zip(CELL, cell, strict=True), atlas="DK", metric=metric, n=n,
                     participant_id=f"sub-{number:02d}", effect=size, p=0.02,
                     effect_name="rho" if cell[0] == "score" else "cliffs_delta",
                     effect_without=size + shift, p_without=0.02 * np.exp(-5 * shift),
                     reason=None)
            )  # fmt: skip
    return pd.DataFrame(rows)


def write_tables(folder):
    """These tables in a results folder's ``group``."""
    folder = Path(folder)
    write_table(multiverse(), folder / "group/multiverse.tsv", "multiverse")
    write_table(curves(), folder / "group/multiverse_curves.tsv", "specification_curves")
    write_table(influence(), folder / "group/influence.tsv", "influence")
    return folder
