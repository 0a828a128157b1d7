"""Controls for the demo cohort: of the patients' ages and sexes, without what is planted in them.

Control k is of the sex of patient k and of about the age, so that the first n of both are alike. A
planted cell of a control has the distribution of those patients who are not raised: of the second
level of the effect's contrast, or of all patients where it is planted in a score.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from .effects import EFFECTS, Effect

ROLE, PATIENT, CONTROL = "role", "patient", "control"
SEED = 20250623
AGE_STEPS = 2
"""A control is at most so many years older or younger than the patient of its number."""
FRACTIONS = (0.005, 0.125)
"""Least and most of a control's region that is deposit."""


def make_controls(patients: pd.DataFrame) -> pd.DataFrame:
    """The clinical table of as many controls as patients: age and sex; scores are missing."""
    rng = np.random.default_rng(SEED)
    n = len(patients)
    controls = pd.DataFrame(index=range(n), columns=patients.columns, dtype=object)
    controls["participant_id"] = [f"sub-C{number:02d}" for number in range(1, n + 1)]
    controls["age"] = patients["age"].to_numpy() + rng.integers(-AGE_STEPS, AGE_STEPS + 1, n)
    controls["sex"] = patients["sex"].to_numpy()
    return controls


def plan_controls(
    controls: pd.DataFrame, patients: pd.DataFrame, plan: pd.DataFrame
) -> pd.DataFrame:
    """The plan of the controls' images, in the columns of the patients' ``plan``."""
    rng = np.random.default_rng([SEED, 1])
    n = len(controls)
    planned = pd.DataFrame(
        {
            "participant_id": controls["participant_id"],
            "seed": 2000 + np.arange(1, n + 1),
            "age": controls["age"],
            # the anatomy of age alone: of the patient of that number
            "ventricles_mm": plan["ventricles_mm"],
            "atrophy": plan["atrophy"],
        }
    )
    for effect in EFFECTS:
        column = effect.plan_column
        if effect.cancels:
            total = plan[column].iloc[0] + plan[effect.cancels].iloc[0]
            planned[column] = (total - planned[effect.cancels]).round(6)
            continue
        usual = plan[column][_not_raised(effect, patients)].to_numpy(float)
        values = rng.normal(usual.mean(), usual.std(ddof=1), n)
        values += usual.mean() - values.mean()
        if effect.metric == "deposit_fraction":
            values = np.clip(values, *FRACTIONS)
        planned[column] = values.round(6)
    return planned


def _not_raised(effect: Effect, patients: pd.DataFrame) -> np.ndarray:
    if not effect.levels:
        return np.ones(len(patients), dtype=bool)
    return (patients[effect.contrast_or_score] == effect.levels[1]).to_numpy()


def with_role(patients: pd.DataFrame, controls: pd.DataFrame) -> pd.DataFrame:
    """Patients and controls in one table, with a column that says who is which."""
    parts = [
        table.assign(**{ROLE: role}) for table, role in ((patients, PATIENT), (controls, CONTROL))
    ]
    return pd.concat([part.astype(object) for part in parts], ignore_index=True)
