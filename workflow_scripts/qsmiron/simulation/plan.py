"""The demo cohort's committed tables, made deterministically.

Group sizes, age and sex are those of the abstract (doi 10.1080/21678421.2025.2522406); the scores
are made up with plausible relations. The true values of the planted cells are arranged over the
patients (see ``ranks``) so that the replication arm's tests of the plan give the abstract's p and
rho. The images are made from the plan alone; the clinical table only ever meets the statistics.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
from scipy import special, stats

from ..errors import InputError, Problem
from ..tables import MISSING, Column, describe_columns
from ..volumes import write_text
from .controls import ROLE, make_controls, plan_controls, with_role
from .effects import EFFECTS, Effect
from .ranks import arrange, arrange_groups, midranks
from .visit_plan import SESSION_COLUMNS, VISIT_COLUMNS, make_sessions, make_visits

SEED = 20250622
AGE_MEAN, AGE_SD = 58.7, 9.8
FOLLOWUP_MONTHS = 6

CELLS = {  # (progression, phenotype): patients and men among them; 16/22, 18/20 and 23 in all
    ("fast", "UMN+"): (8, 5),
    ("slow", "other"): (12, 7),
    ("fast", "other"): (8, 5),
    ("slow", "UMN+"): (10, 6),
}

PARTICIPANT_COLUMNS = {
    "participant_id": Column("Participant", text=True),
    "age": Column("Age at the scan", "years"),
    "sex": Column("Sex: M or F", text=True),
    "months_since_onset": Column("Time from first symptom to the scan", "months"),
    "alsfrs_r": Column("ALS Functional Rating Scale, revised, at the scan: 0-48, 48 is unimpaired"),
    "delta_fs": Column("Progression rate: (48 - alsfrs_r) / months_since_onset", "1/month"),
    "alsfrs_r_followup": Column(f"ALSFRS-R {FOLLOWUP_MONTHS} months after the scan"),
    "umn_score": Column("Upper motor neuron score: 0-32, higher is worse"),
    "ecas_total": Column("Edinburgh Cognitive and Behavioural ALS Screen: 0-136, higher is better"),
    "ecas_als_specific": Column("ECAS, ALS-specific part: 0-100"),
    "ecas_nonspecific": Column("ECAS, part not specific to ALS: 0-36"),
    "kings_stage": Column("King's clinical stage: 1-5"),
    "progression": Column("Progression class: fast or slow", text=True),
    "phenotype": Column("Phenotype: UMN+ (predominant upper motor neuron) or other", text=True),
}

PLAN_COLUMNS = {
    "participant_id": Column("Participant", text=True),
    "seed": Column("Seed of everything random in the patient's images"),
    "age": Column("Age that sets the iron of the basal ganglia", "years"),
    "ventricles_mm": Column("Outward shift of the ventricles' walls", "mm"),
    "atrophy": Column("Linear shrinkage of the brain within the skull", "1"),
    **{
        effect.plan_column: Column(
            f"True {effect.plan_column.split('_', 2)[2]} of the region on the true labels",
            "1" if "fraction" in effect.metric else "ppm",
        )
        for effect in EFFECTS
    },
}

ROLE_COLUMN = Column("Who it is: patient or control", text=True)

EFFECT_COLUMNS = {
    "effect": Column("Name of the effect", text=True),
    "family": Column("Outcome family", text=True),
    "metric": Column("Metric that is measured", text=True),
    "region": Column("Region of the Desikan-Killiany atlas", text=True),
    "hemisphere": Column("L or R", text=True),
    "contrast_or_score": Column("Contrast or score that it is planted in", text=True),
    "levels": Column("Levels of the contrast, first,second; n/a for a score", text=True),
    "direction": Column("Sign of the effect: first level above second, or sign of rho", text=True),
    "p_reported": Column("p that the abstract reports"),
    "rho_reported": Column("rho that the abstract reports"),
    "measure": Column("How the effect is expressed: mean_difference or rho", text=True),
    "plan_column": Column("Column of the plan with each patient's true value", text=True),
    "assumption": Column("What the abstract leaves open and was chosen", text=True),
}


def make_participants() -> pd.DataFrame:
    """The clinical table of the 38 patients; the first 4, 8, 12 … have equal shares of groups."""
    rng = np.random.default_rng(SEED)
    groups = _ordered_groups()
    n = len(groups)
    fast = np.array([progression == "fast" for progression, _ in groups])
    umn = np.array([phenotype == "UMN+" for _, phenotype in groups])
    male = _men(groups)
    ages = _whole_years(n)
    ranks = arrange(fast.astype(float), 0.0, [umn, male], rng)
    age = ages[ranks]

    severity = rng.standard_normal(n)  # of the disability, shared by the scores
    alsfrs = np.where(fast, 34.0, 39.0) + 4.5 * severity
    alsfrs = np.clip(np.rint(alsfrs), 22, 46).astype(int)
    rate = np.where(
        fast, 1.35 + 0.25 * np.clip(rng.standard_normal(n), -1.4, 2.2),
        0.36 * np.exp(0.40 * np.clip(rng.standard_normal(n), -2, 1.6)),
    )  # fmt: skip
    months = np.maximum(3, np.rint((48 - alsfrs) / rate)).astype(int)
    delta_fs = np.round((48 - alsfrs) / months, 3)
    loss = FOLLOWUP_MONTHS * delta_fs * (1 + 0.08 * np.clip(rng.standard_normal(n), -2, 2))
    followup = np.maximum(0, alsfrs - np.rint(loss).astype(int))

    umn_score = (
        np.where(umn, 18.0, 8.0)
        - 0.8 * severity
        + np.where(umn, 4.5, 3.5) * (rng.standard_normal(n))
    )
    umn_score = np.clip(np.rint(umn_score), 0, 32).astype(int)
    cognition = 0.3 * severity - 0.35 * (age - AGE_MEAN) / AGE_SD + 0.88 * rng.standard_normal(n)
    specific = np.clip(np.rint(75 + 10 * cognition + 2 * rng.standard_normal(n)), 30, 97)
    nonspecific = np.clip(np.rint(26 + 3 * cognition + 2.5 * rng.standard_normal(n)), 8, 35)
    stage = np.clip(np.rint(2.4 - 0.10 * (alsfrs - 37) + 0.5 * rng.standard_normal(n)), 1, 4)
    return pd.DataFrame(
        {
            "participant_id": [f"sub-{number:02d}" for number in range(1, n + 1)],
            "age": age,
            "sex": np.where(male, "M", "F"),
            "months_since_onset": months,
            "alsfrs_r": alsfrs,
            "delta_fs": delta_fs,
            "alsfrs_r_followup": followup,
            "umn_score": umn_score,
            "ecas_total": (specific + nonspecific).astype(int),
            "ecas_als_specific": specific.astype(int),
            "ecas_nonspecific": nonspecific.astype(int),
            "kings_stage": stage.astype(int),
            "progression": [progression for progression, _ in groups],
            "phenotype": [phenotype for _, phenotype in groups],
        }
    )


def _ordered_groups() -> list[tuple[str, str]]:
    left = {cell: count for cell, (count, _) in CELLS.items()}
    groups = []
    while any(left.values()):
        for cell in CELLS:
            if left[cell]:
                left[cell] -= 1
                groups.append(cell)
    return groups


def _men(groups: list[tuple[str, str]]) -> np.ndarray:
    """Who is a man: each group's number of men, spread evenly over its patients.

    Two of the four groups begin with a man, so that the first four patients are of both sexes.
    """
    seen = dict.fromkeys(CELLS, 0)
    men = []
    for cell in groups:
        size, count = CELLS[cell]
        start = size - 1 if cell[1] == "UMN+" else 0
        number = seen[cell]
        men.append(((number + 1) * count + start) // size > (number * count + start) // size)
        seen[cell] += 1
    return np.array(men)


def _whole_years(n: int) -> np.ndarray:
    """Ascending ages in whole years, normal, with the abstract's mean and SD to 0.1.

    Rounding to years changes both a little: the distribution is narrowed and moved by as little as
    it takes to meet them.
    """
    score = _normal_scores(n) / _normal_scores(n).std(ddof=1)
    steps = [(narrow, move) for narrow in range(20) for move in range(-10, 11)]
    for narrow, move in sorted(steps, key=lambda step: (step[0] + abs(step[1]), step)):
        ages = np.rint(AGE_MEAN + 0.05 * move + (AGE_SD - 0.05 * narrow) * score).astype(int)
        if (round(ages.mean(), 1), round(ages.std(ddof=1), 1)) == (AGE_MEAN, AGE_SD):
            return ages
    raise ValueError(f"no {n} whole years have mean {AGE_MEAN} and SD {AGE_SD}")


def _normal_scores(n: int) -> np.ndarray:
    return special.ndtri((np.arange(n) + 0.5) / n)


def make_plan(participants: pd.DataFrame) -> pd.DataFrame:
    """The plan of the images: seeds, anatomy, and the true value of every planted cell."""
    rng = np.random.default_rng([SEED, 1])
    n = len(participants)
    age = participants["age"].to_numpy(float)
    older = (age - AGE_MEAN) / AGE_SD
    ventricles = np.clip(1.5 + 0.5 * older + 0.5 * rng.standard_normal(n), 0, 3.2)
    atrophy = np.clip(0.018 + 0.006 * older + 0.006 * rng.standard_normal(n), 0, 0.04)
    plan = pd.DataFrame(
        {
            "participant_id": participants["participant_id"],
            "seed": 1000 + np.arange(1, n + 1),
            "age": participants["age"],
            "ventricles_mm": ventricles.round(3),
            "atrophy": atrophy.round(5),
        }
    )
    for effect in EFFECTS:
        if effect.cancels:
            other = next(each for each in EFFECTS if each.plan_column == effect.cancels)
            total = effect.centre + other.centre
            plan[effect.plan_column] = (total - plan[effect.cancels]).round(6)
            continue
        ranks = _planted_ranks(effect, participants, plan, rng)
        plan[effect.plan_column] = _ordered_values(effect, n)[ranks]
    return plan


def _planted_ranks(
    effect: Effect, participants: pd.DataFrame, plan: pd.DataFrame, rng: np.random.Generator
) -> np.ndarray:
    """Ranks over patients that give the effect's p or rho, unrelated to what else there is."""
    nuisances = [
        participants["age"].to_numpy(float),
        (participants["sex"] == "M").to_numpy(float),
    ]
    other = [
        planted.plan_column
        for planted in EFFECTS
        if (planted.region, planted.hemisphere) == (effect.region, effect.hemisphere)
        and planted.plan_column in plan
    ]
    nuisances += [midranks(plan[column].to_numpy()) for column in other]
    column = participants[effect.contrast_or_score]
    if effect.rho is not None:
        return arrange(midranks(column.to_numpy()), effect.rho, nuisances, rng)
    other_contrast = {"progression": "phenotype", "phenotype": "progression"}
    group = participants[other_contrast[effect.contrast_or_score]]
    nuisances.append((group == group.iloc[0]).to_numpy(float))
    return arrange_groups((column == effect.levels[0]).to_numpy(), effect.p, nuisances, rng)


def _ordered_values(effect: Effect, n: int) -> np.ndarray:
    """Ascending true values: normal for χ, beta for a fraction, with the wanted mean."""
    if effect.metric != "deposit_fraction":
        score = _normal_scores(n)
        return (effect.centre + effect.spread * score / score.std(ddof=1)).round(6)
    mean, variance = effect.centre, effect.spread**2
    size = mean * (1 - mean) / variance - 1
    values = stats.beta.ppf((np.arange(n) + 0.5) / n, mean * size, (1 - mean) * size)
    values = (values * mean / values.mean()).round(6)
    values[n // 2] += n * mean - values.sum()  # rounding must not move the mean
    return values.round(6)


def make_effects() -> pd.DataFrame:
    """The planted effects as a table."""
    return pd.DataFrame(
        [
            {
                "effect": effect.effect,
                "family": effect.family,
                "metric": effect.metric,
                "region": effect.region,
                "hemisphere": effect.hemisphere,
                "contrast_or_score": effect.contrast_or_score,
                "levels": ",".join(effect.levels) or None,
                "direction": effect.direction,
                "p_reported": effect.p if effect.reported else None,
                "rho_reported": effect.rho,
                "measure": effect.measure,
                "plan_column": effect.plan_column,
                "assumption": effect.assumption,
            }
            for effect in EFFECTS
        ]
    )


def write_cohort(folder: str | Path) -> None:
    """Write participants.tsv, plan.tsv, effects.tsv and the visits, with JSON, into ``folder``.

    Participants and plan of patients and controls together go to its folder ``controls``. Raises
    :class:`.InputError` if it has a participants.tsv of another data set.
    """
    folder = Path(folder)
    if (folder / "participants.tsv").exists() and not (folder / "plan.tsv").exists():
        found, expected = "a table without plan.tsv beside it", "the demo's, or none"
        where = str(folder / "participants.tsv")
        raise InputError(Problem(where, found, expected, "Give another folder."))
    patients = make_participants()
    plan = make_plan(patients)
    controls = make_controls(patients)
    planned = plan_controls(controls, patients, plan)
    role = {ROLE: ROLE_COLUMN}
    tables = (
        ("participants", patients, PARTICIPANT_COLUMNS),
        ("plan", plan, PLAN_COLUMNS),
        ("effects", make_effects(), EFFECT_COLUMNS),
        ("controls/participants", with_role(patients, controls), PARTICIPANT_COLUMNS | role),
        ("controls/plan", with_role(plan, planned), PLAN_COLUMNS | role),
    )
    for name, table, columns in tables:
        _write(folder / f"{name}.tsv", table, columns)
    visits = make_visits(patients)
    _write(folder / "visits/plan.tsv", visits, VISIT_COLUMNS)
    # the same table, with each patient's sessions beside it
    _write(folder / "visits/participants.tsv", patients, PARTICIPANT_COLUMNS)
    for who, sessions in make_sessions(patients, visits):
        _write(folder / f"visits/{who}/{who}_sessions.tsv", sessions, SESSION_COLUMNS)


def _write(path: Path, table: pd.DataFrame, columns: dict[str, Column]) -> None:
    if list(table.columns) != list(columns):
        raise ValueError(f"{path}: the table's columns are not the described ones")
    text = table.to_csv(sep="\t", index=False, na_rep=MISSING, lineterminator="\n")
    write_text(path, text)
    describe_columns(path, columns)
