"""Planted against recovered effects: does the workflow bring back what was put into the images?

The only place besides the simulation where the plan is read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from pydantic import Field
from scipy import stats

from ..parameters import Parameters
from ..regions.metrics import METRICS, SOURCE_FAMILIES

SMALLEST_N_FOR_RHO = 4
SMALLEST_GROUP = 2


class RecoveryParameters(Parameters):
    """The bootstrap of the ratio."""

    resamples: int = Field(2000, ge=100, description="Bootstrap resamples of the patients")
    seed: int = Field(1, ge=0, description="Seed of the bootstrap")
    level: float = Field(0.95, gt=0, lt=1, description="Level of the interval (1)")


def compare(
    plan: pd.DataFrame,
    effects: pd.DataFrame,
    regions: pd.DataFrame,
    participants: pd.DataFrame,
    parameters: RecoveryParameters | None = None,
) -> pd.DataFrame:
    """One row per planted effect, reconstruction variant and atlas.

    Parameters
    ----------
    plan : the plan, with ``participant_id`` and each effect's ``plan_column``.
    effects : the planted effects.
    regions : the measured table (``tables.TABLES["regions"]``); may hold fewer patients.
    participants : indexed by participant_id; a column for each contrast (levels) and score, under
        its name.
    parameters : see :class:`RecoveryParameters`.

    Returns
    -------
    Columns of ``tables.TABLES["recovery"]``. An effect that cannot be computed (a group or the
    measured cell is missing) has missing values and its n; an atlas without the region has no row.
    """
    parameters = parameters or RecoveryParameters()
    rows = []
    variants = regions[["desc", "atlas"]].drop_duplicates()
    known_regions = set(zip(regions["atlas"], regions["region"], strict=True))
    keys = ["participant_id"]
    for _, effect in effects.iterrows():
        name = str(effect["contrast_or_score"])
        is_region = (regions["region"] == effect["region"]) & (
            regions["hemisphere"] == effect["hemisphere"]
        )
        is_cell = is_region & (regions["metric"] == effect["metric"])
        known = plan[[*keys, effect["plan_column"]]].rename(
            columns={effect["plan_column"]: "planted"}
        )
        if name in participants:
            known["clinical"] = known["participant_id"].map(participants[name])
        else:
            known["clinical"] = None
        for desc, atlas in variants.itertuples(index=False):
            if (atlas, effect["region"]) not in known_regions:
                continue
            is_here = (regions["desc"] == desc) & (regions["atlas"] == atlas)
            cell = regions[is_cell & is_here]
            measured = cell.groupby("participant_id", as_index=False)["value"].mean()
            data = known.merge(measured, on=keys).dropna().sort_values(keys)
            net = regions[is_region & is_here & (regions["metric"] == "chi_mean")]
            rows.append(
                {
                    "effect": effect["effect"],
                    "desc": desc,
                    "atlas": atlas,
                    "contrast_or_score": name,
                    "region": effect["region"],
                    "hemisphere": effect["hemisphere"],
                    "metric": effect["metric"],
                    "measure": effect["measure"],
                    "unit": "1" if effect["measure"] == "rho" else _unit(cell),
                    "p_reported": effect["p_reported"],
                    "rho_reported": effect["rho_reported"],
                    "assumption": effect["assumption"],
                    **compare_values(data, effect, parameters),
                    **_net_difference(data, net, effect, parameters),
                }
            )
    return pd.DataFrame(rows)


def _unit(cell: pd.DataFrame) -> str | None:
    units = cell["unit"].dropna().unique()
    return str(units[0]) if len(units) else None


def compare_values(
    data: pd.DataFrame, effect: Mapping[str, object], parameters: RecoveryParameters
) -> dict:
    """Planted and recovered effect, their ratio with its interval, and p of both.

    ``data`` has a row per patient: ``planted``, measured ``value`` and ``clinical``, the level or
    score. Of ``effect`` the ``measure`` is read, and the ``levels`` of a difference.
    """
    planted, measured = (data[key].to_numpy(float) for key in ("planted", "value"))
    if effect["measure"] == "rho":
        clinical = pd.to_numeric(data["clinical"], errors="coerce").to_numpy(float)
        possible = len(data) >= SMALLEST_N_FOR_RHO and np.ptp(clinical) > 0
        measure, p_value = rank_correlation, _spearman_p
        resample = _resampling([np.arange(len(data))])
    else:
        levels = [level.strip() for level in str(effect["levels"]).split(",")]
        data = data[data["clinical"].isin(levels)]
        planted, measured = (data[key].to_numpy(float) for key in ("planted", "value"))
        clinical = (data["clinical"] == levels[0]).to_numpy(float)
        groups = [np.flatnonzero(clinical == 1), np.flatnonzero(clinical == 0)]
        possible = min(len(group) for group in groups) >= SMALLEST_GROUP
        measure, p_value = mean_difference, _mann_whitney_p
        resample = _resampling(groups)
    if not possible:
        return {"n": len(data)}
    true, found = measure(planted, clinical), measure(measured, clinical)
    low, high = _ratio_interval(planted, measured, clinical, measure, resample, parameters)
    return {
        "n": len(data),
        "planted": true,
        "recovered": found,
        "ratio": found / true if true else np.nan,
        "ratio_low": low,
        "ratio_high": high,
        "p_planted": p_value(planted, clinical),
        "p_recovered": p_value(measured, clinical),
        "same_sign": ("yes" if np.sign(found) == np.sign(true) else "no") if true else None,
    }


def _net_difference(
    data: pd.DataFrame,
    net: pd.DataFrame,
    effect: Mapping[str, object],
    parameters: RecoveryParameters,
) -> dict:
    """What net χ shows where sources differ: the groups' difference, its interval and p.

    Nothing for an effect of another family. Arguments as in :func:`compare_values`; ``net`` are
    the regions table's rows of net χ in the cell.
    """
    if METRICS[str(effect["metric"])].family not in SOURCE_FAMILIES:
        return {}
    levels = [level.strip() for level in str(effect["levels"]).split(",")]
    values = net.groupby("participant_id")["value"].mean()
    data = data[data["clinical"].isin(levels)].assign(net=data["participant_id"].map(values))
    data = data.dropna(subset=["net"])
    first = (data["clinical"] == levels[0]).to_numpy(float)
    groups = [np.flatnonzero(first == 1), np.flatnonzero(first == 0)]
    if min(map(len, groups)) < SMALLEST_GROUP:
        return {}
    chi, resample = data["net"].to_numpy(float), _resampling(groups)
    rng = np.random.default_rng(parameters.seed)
    drawn = [resample(rng) for _ in range(parameters.resamples)]
    differences = [mean_difference(chi[who], first[who]) for who in drawn]
    tail = 50 * (1 - parameters.level)
    low, high = np.percentile(differences, [tail, 100 - tail])
    return {
        "net": mean_difference(chi, first),
        "net_low": float(low),
        "net_high": float(high),
        "p_net": _mann_whitney_p(chi, first),
    }


def mean_difference(values: np.ndarray, first: np.ndarray) -> float:
    """Mean of the group ``first`` (n,; 1 or 0) minus the mean of the other, in values' unit."""
    return float(values[first == 1].mean() - values[first == 0].mean())


def rank_correlation(values: np.ndarray, score: np.ndarray) -> float:
    """Spearman's rho; NaN where one of the arrays is constant."""
    a, b = stats.rankdata(values), stats.rankdata(score)
    a, b = a - a.mean(), b - b.mean()
    norm = np.sqrt((a @ a) * (b @ b))
    return float(a @ b / norm) if norm else np.nan


def _mann_whitney_p(values: np.ndarray, first: np.ndarray) -> float:
    """Two-sided p: exact without ties, else asymptotic, tie-corrected, with continuity."""
    method = "exact" if len(np.unique(values)) == len(values) else "asymptotic"
    return float(stats.mannwhitneyu(values[first == 1], values[first == 0], method=method).pvalue)


def _spearman_p(values: np.ndarray, score: np.ndarray) -> float:
    return float(stats.spearmanr(values, score).pvalue)


def _resampling(groups: list[np.ndarray]) -> Callable[[np.random.Generator], np.ndarray]:
    """Draw patients with replacement, each group keeping its size."""
    return lambda rng: np.concatenate([rng.choice(group, len(group)) for group in groups])


def _ratio_interval(
    planted: np.ndarray,
    measured: np.ndarray,
    clinical: np.ndarray,
    measure: Callable[[np.ndarray, np.ndarray], float],
    resample: Callable[[np.random.Generator], np.ndarray],
    parameters: RecoveryParameters,
) -> tuple[float, float]:
    """Percentile interval of recovered / planted; a resample brings both values of a patient."""
    rng = np.random.default_rng(parameters.seed)
    ratios = np.full(parameters.resamples, np.nan)
    for number in range(parameters.resamples):
        who = resample(rng)
        true = measure(planted[who], clinical[who])
        if true and np.isfinite(true):
            ratios[number] = measure(measured[who], clinical[who]) / true
    ratios = ratios[np.isfinite(ratios)]
    if not ratios.size:
        return np.nan, np.nan
    tail = 50 * (1 - parameters.level)
    low, high = np.percentile(ratios, [tail, 100 - tail])
    return float(low), float(high)
