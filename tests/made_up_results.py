"""Made-up tables and volumes with the shape of real results, for the tests of what shows them."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd
from scipy import ndimage, stats

from qsmiron.regions.metrics import METRICS
from qsmiron.statistics.multiplicity import PRIMARY_METRICS
from qsmiron.tables import TABLES, write_table
from qsmiron.template import desikan_killiany, template_t1w, template_white_matter
from qsmiron.volumes import read_volume, write_json, write_text, write_volume

LABEL_TABLE = Path(__file__).parents[1] / "config/atlases/DesikanKilliany.tsv"
CONTRASTS = {
    "progression": {"column": "progression", "levels": ["fast", "slow"]},
    "phenotype": {"column": "phenotype", "levels": ["UMN+", "other"]},
}
SCORES = ["alsfrs_r", "umn_score", "ecas_total"]
TYPICAL_PPM = {"pallidum": 0.13, "putamen": 0.06, "caudate": 0.045, "thalamus": 0.005}
PLANTED = [
    ("progression", "amygdala", "L", "deposit_fraction"),
    ("progression", "amygdala", "R", "deposit_fraction"),
    ("progression", "hippocampus", "R", "chi_sd"),
    ("phenotype", "thalamus", "L", "chi_mean"),
    ("phenotype", "amygdala", "R", "chi_mean"),
]
_SCALE = {"ppm": (0.02, 0.008), "mg/kg": (60, 15), "mm3": (40, 15), "mg": (0.1, 0.03),
          "1/s": (22, 3), "1": (0.06, 0.03)}  # fmt: skip


@cache
def label_table():
    return pd.read_csv(LABEL_TABLE, sep="\t")


@cache
def participants(n=38):
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {
            "participant_id": [f"sub-{i:02d}" for i in range(1, n + 1)],
            "age": rng.normal(58.7, 9.8, n).round(1),
            "sex": np.where(np.arange(n) % 38 < 23, "M", "F"),
            "months_since_onset": rng.gamma(4, 6, n).round(),
            "alsfrs_r": rng.integers(22, 47, n).astype(float),
            "delta_fs": rng.gamma(2, 0.4, n).round(2),
            "alsfrs_r_followup": rng.integers(10, 40, n).astype(float),
            "umn_score": rng.integers(0, 28, n).astype(float),
            "ecas_total": rng.integers(70, 125, n).astype(float),
            "ecas_als_specific": rng.integers(50, 95, n).astype(float),
            "ecas_nonspecific": rng.integers(15, 34, n).astype(float),
            "kings_stage": rng.integers(1, 5, n),
            "progression": np.where(rng.permutation(n) < round(n * 16 / 38), "fast", "slow"),
            "phenotype": np.where(rng.permutation(n) < round(n * 18 / 38), "UMN+", "other"),
        }
    )
    table.loc[[4, 9], "ecas_total"] = np.nan
    return table


@cache
def regions(n=38):
    rng = np.random.default_rng(5)
    people = participants(n)
    cells, columns = [], []
    for label in label_table().itertuples():
        for name, metric in METRICS.items():
            middle, spread = _SCALE[metric.unit]
            if name == "chi_mean":
                middle = TYPICAL_PPM.get(label.name, 0.01)
            values = rng.normal(middle, spread, n)
            for contrast, region, hemisphere, planted in PLANTED:
                if (region, hemisphere, planted) == (label.name, label.hemisphere, name):
                    first = CONTRASTS[contrast]["levels"][0]
                    values += 1.0 * spread * (people[contrast] == first)
            if name == "deposit_fraction":
                values = np.abs(values)
            if name == "iron_calibrated" and label.name in ("caudate", "putamen", "pallidum"):
                values[:] = np.nan
            columns.append(values)
            cells.append((label[1], label.name, label.hemisphere, name, metric.family, metric.unit))
    names = ["index", "region", "hemisphere", "metric", "family", "unit"]
    table = pd.DataFrame(cells, columns=names).loc[np.repeat(np.arange(len(cells)), n)]
    return table.reset_index(drop=True).assign(
        participant_id=np.tile(people["participant_id"], len(cells)),
        value=np.concatenate(columns), desc="main", atlas="DK", labels_source="atlas",
        n_voxels=100, coverage=1.0,
    )  # fmt: skip


def _bh(p):
    return stats.false_discovery_control(np.nan_to_num(p, nan=1.0))


@cache
def group_tests(n=38):
    rng = np.random.default_rng(7)
    wide = regions(n).pivot_table(
        "value", "participant_id", ["region", "hemisphere", "index", "metric", "family"],
        sort=False, dropna=False,
    ).dropna(axis=1, how="all")  # fmt: skip
    people = participants(n).set_index("participant_id").loc[wide.index]
    tables = []
    for contrast, block in CONTRASTS.items():
        first, second = (
            wide[(people[contrast] == level).to_numpy()].to_numpy() for level in block["levels"]
        )
        u, p = stats.mannwhitneyu(first, second, axis=0)
        delta = 2 * u / (len(first) * len(second)) - 1
        cells = wide.columns.to_frame(index=False)
        for arm, test in (("replication", "mann_whitney"), ("rigorous", "rank_ancova")):
            adjusted = p if arm == "replication" else np.clip(p * rng.uniform(0.5, 2, p.size), 0, 1)
            table = cells.assign(
                arm=arm, desc="main", atlas="DK", contrast=contrast, level_1=block["levels"][0],
                level_2=block["levels"][1], test=test,
                covariates="age,sex" if arm == "rigorous" else np.nan, n_1=len(first),
                n_2=len(second), median_1=np.median(first, 0), median_2=np.median(second, 0),
                statistic=u, p=adjusted, effect=delta, effect_name="cliffs_delta",
                ci_low=delta - 0.3, ci_high=np.minimum(delta + 0.3, 1), hedges_g=delta * 1.8,
            )  # fmt: skip
            table["q"] = (
                table.groupby("metric")["p"].transform(_bh) if arm == "rigorous" else np.nan
            )
            tables.append(table)
            whole = table[table["metric"] == "chi_sd"]
            for name in ("wasserstein", "wasserstein_centred"):
                tables.append(
                    whole.assign(
                        metric=name,
                        test=name,
                        statistic=rng.uniform(1, 5, len(whole)) / 1000,
                        effect=np.nan,
                        ci_low=np.nan,
                        ci_high=np.nan,
                        hedges_g=np.nan,
                    )
                )
    return pd.concat(tables, ignore_index=True).reindex(columns=list(TABLES["group_tests"]))


@cache
def correlations(n=38):
    rng = np.random.default_rng(8)
    wide = regions(n).pivot_table(
        "value", "participant_id", ["region", "hemisphere", "index", "metric", "family"],
        sort=False, dropna=False,
    ).dropna(axis=1, how="all")  # fmt: skip
    people = participants(n).set_index("participant_id").loc[wide.index]
    tables = []
    for score in SCORES:
        there = people[score].notna().to_numpy()
        ranks = stats.rankdata(wide.to_numpy()[there], axis=0)
        x = stats.rankdata(people[score][there])
        rho = np.array([np.corrcoef(x, column)[0, 1] for column in ranks.T])
        df = there.sum() - 2
        p = 2 * stats.t.sf(np.abs(rho) * np.sqrt(df / (1 - rho**2)), df)
        for arm, method in (("replication", "spearman"), ("rigorous", "partial_spearman")):
            adjusted = p if arm == "replication" else np.clip(p * rng.uniform(0.5, 2, p.size), 0, 1)
            table = wide.columns.to_frame(index=False).assign(
                arm=arm, desc="main", atlas="DK", score=score, method=method, n=there.sum(),
                covariates="age,sex" if arm == "rigorous" else np.nan,
                df=df - 2 * (arm == "rigorous"), rho=rho, p=adjusted, ci_low=rho - 0.3,
                ci_high=rho + 0.3,
            )  # fmt: skip
            table["q"] = (
                table.groupby("metric")["p"].transform(_bh) if arm == "rigorous" else np.nan
            )
            tables.append(table)
    return pd.concat(tables, ignore_index=True).reindex(columns=list(TABLES["correlations"]))


@cache
def quantiles(n=38):
    rng = np.random.default_rng(9)
    probability = np.linspace(0.005, 0.995, 100)
    people = participants(n)
    parts = []
    for label in label_table()[label_table()["structure"] != "cortex"].to_dict("records"):
        for who in people.itertuples():
            wider = 1.3 if (
                (label["name"], label["hemisphere"]) == ("hippocampus", "R")
                and who.progression == "fast"
            ) else 1.0  # fmt: skip
            mean = TYPICAL_PPM.get(label["name"], 0.0) + rng.normal(0, 0.006)
            spread = 0.03 * wider * np.exp(rng.normal(0, 0.12))
            chi = np.sort(mean + spread * stats.skewnorm.ppf(probability, 1.5))
            parts.append(
                pd.DataFrame(
                    {
                        "participant_id": who.participant_id,
                        "desc": "main",
                        "atlas": "DK",
                        "index": label["index"],
                        "region": label["name"],
                        "hemisphere": label["hemisphere"],
                        "probability": probability,
                        "chi": chi,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


@cache
def recovery(n=38):
    rows = []
    for number, (contrast, region, hemisphere, metric) in enumerate(PLANTED):
        size = {"chi_mean": 0.0105, "chi_sd": 0.0063, "deposit_fraction": 0.028}[metric]
        ratio = [0.8, 1.1, 0.62, 0.9, -0.2][number]
        rows.append(
            dict(effect=f"{metric}_{region}_{hemisphere}", contrast_or_score=contrast,
                 region=region, hemisphere=hemisphere, metric=metric, measure="mean_difference",
                 unit="ppm", n=38, planted=size, recovered=ratio * size, ratio=ratio,
                 ratio_low=ratio - 0.6, ratio_high=ratio + [0.5, 3, 0.5, 0.5, 0.6][number],
                 p_planted=0.002, p_recovered=0.01, p_reported=0.0014, rho_reported=np.nan)
        )  # fmt: skip
    for score, region, metric, rho in (
        ("alsfrs_r", "paracentral", "chi_mean", 0.36),
        ("ecas_total", "thalamus", "deposit_fraction", -0.46),
    ):
        rows.append(
            dict(effect=f"{score}_{region}", contrast_or_score=score, region=region,
                 hemisphere="L", metric=metric, measure="rho", unit="1", n=37, planted=rho,
                 recovered=0.8 * rho, ratio=0.8, ratio_low=0.3, ratio_high=1.2, p_planted=0.01,
                 p_recovered=0.04, p_reported=0.026, rho_reported=rho)
        )  # fmt: skip
    table = pd.DataFrame(rows).assign(desc="main", atlas="DK", assumption="A choice.")
    table["same_sign"] = np.where(table["ratio"] > 0, "yes", "no")
    return table


@cache
def quality(n=38):
    rng = np.random.default_rng(11)
    table = pd.DataFrame(
        {
            "participant_id": participants(n)["participant_id"], "desc": "main", "used": "yes",
            "flags": np.nan, "n_echoes": 5, "field_strength": 3.0,
            "obliquity": rng.normal(5, 1, n), "brain_volume": rng.normal(1350, 90, n),
            "reliable_fraction": rng.normal(0.93, 0.01, n),
            "reference_mean": rng.normal(0, 1e-3, n),
            "reference_sd": 0.04, "reference_volume": 1250.0,
            "registration_similarity": rng.normal(0.95, 0.01, n), "gre_similarity": 0.8,
            "gre_sharpness": 4.0,
            "jacobian_min": 0.4, "jacobian_max": 1.9, "n_regions": 83, "min_coverage": 0.7,
            "pallidum_chi": rng.normal(0.13, 0.01, n),
        }
    ).astype({"flags": object})  # fmt: skip
    table.loc[6, ["used", "flags"]] = ["no", "no T1w; motion <script>alert(1)</script>"]
    return table


@cache
def null_rates(n=38):
    table = pd.DataFrame(
        [
            dict(arm=arm, desc="main", atlas="DK", contrast=contrast, family=family,
                 metric=metric, n_permutations=500, n_cells=83, alpha=0.05)
            for arm in ("replication", "rigorous")
            for contrast in CONTRASTS
            for family, metric in PRIMARY_METRICS.items()
        ]
    )  # fmt: skip
    rate = 0.042 + 0.001 * np.arange(len(table))
    return table.assign(rate=rate, rate_low=rate - 0.003, rate_high=rate + 0.003)


def write_subject(folder, step=2, participant="sub-01"):
    """A head from the template at ``step`` mm, its maps and masks; paths by name."""
    template = read_volume(template_t1w())
    white = read_volume(template_white_matter())
    atlas = read_volume(desikan_killiany(), dtype=np.int32)
    labels = np.zeros(template.data.shape, np.int32)
    start = np.round(np.linalg.inv(template.affine) @ atlas.affine[:, 3])[:3].astype(int)
    labels[tuple(slice(a, a + s) for a, s in zip(start, atlas.data.shape, strict=True))] = (
        atlas.data
    )
    thin = (slice(None, None, step),) * 3
    t1, wm, labels = template.data[thin], white.data[thin] / 255, labels[thin]
    affine = template.affine @ np.diag([step, step, step, 1.0])
    brain = ndimage.binary_fill_holes(t1 > 10)
    reliable = ndimage.binary_erosion(brain)
    rng = np.random.default_rng(2)
    chi = 0.02 - 0.05 * wm
    r2star = 18 + 6 * wm
    for label in label_table().to_dict("records"):
        if label["name"] in TYPICAL_PPM:
            chi[labels == label["index"]] = TYPICAL_PPM[label["name"]]
            r2star[labels == label["index"]] += 120 * TYPICAL_PPM[label["name"]]
    noise = ndimage.gaussian_filter(rng.normal(0, 1, chi.shape), 0.7)
    chi = ((chi + 0.02 * noise) * reliable).astype(np.float32)
    field = (ndimage.gaussian_filter(chi, (1, 1, 3)) - chi) * 0.4 * reliable
    maps = {
        "chi": chi,
        "magnitude": (400 - t1 + 20 * rng.normal(size=t1.shape)) * (0.1 + 0.9 * brain),
        "brain": brain, "reliable": reliable, "r2star": r2star * brain, "field": field,
        "labels": labels * brain,
    }  # fmt: skip
    folder = Path(folder)
    paths = {name: folder / f"{participant}_{name}.nii.gz" for name in maps}
    for name, data in maps.items():
        if data.dtype == np.float64:
            data = data.astype(np.float32)
        write_volume(paths[name], data, affine)
    write_text(folder / f"{participant}_labels.tsv", LABEL_TABLE.read_text())
    return paths


MAKERS = {"regions": regions, "group_tests": group_tests, "correlations": correlations,
          "quantiles": quantiles, "recovery": recovery, "quality": quality,
          "null_rates": null_rates}  # fmt: skip


def write_tables(folder, names=tuple(MAKERS), n=38):
    """These group tables in a results folder's ``group``, participants.tsv, a config."""
    folder = Path(folder)
    for name in names:
        write_table(MAKERS[name](n), folder / f"group/{name}.tsv", name)
    text = participants(n).to_csv(sep="\t", index=False, na_rep="n/a")
    write_text(folder / "participants.tsv", text)
    write_json(folder / "config.json", {"contrasts": CONTRASTS, "scores": SCORES})
    return folder
