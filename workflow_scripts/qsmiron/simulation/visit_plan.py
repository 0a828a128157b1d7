"""The demo's further visits: when they are, what has changed until then, and the scores of each.

Images come from the plan alone; the scores stand in each patient's ``sub-XX_sessions.tsv``, as BIDS
has it, and only ever meet the statistics.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from ..tables import Column
from .change import PLANTED_RATES

SEED = 20250623
N_VISITS = 4
SPACING_MONTHS = 9.0
"""Between visits, on average; each visit is up to :data:`JITTER_MONTHS` off."""
JITTER_MONTHS = 3.0

VISIT_COLUMNS = {
    "participant_id": Column("Participant", text=True),
    "session": Column("Label of the visit", text=True),
    "seed": Column("Seed of position, grids and noise of the visit's images; n/a of the first"),
    "months_since_baseline": Column("Time since the first visit", "months"),
    **{
        rate.plan_column: Column("True rate of the region's mean χ", "ppm/year")
        for rate in PLANTED_RATES
    },
}

SESSION_COLUMNS = {
    "session_id": Column("Session", text=True),
    "months_since_baseline": Column("Time since the first visit", "months"),
    "age": Column("Age at the visit", "years"),
    "alsfrs_r": Column("ALS Functional Rating Scale, revised, at the visit: 0-48"),
    "umn_score": Column("Upper motor neuron score: 0-32, higher is worse"),
    "ecas_total": Column("Edinburgh Cognitive and Behavioural ALS Screen: 0-136, higher is better"),
}


def make_visits(participants: pd.DataFrame) -> pd.DataFrame:
    """The plan of the visits of all patients, the first among them: one row each."""
    rng = np.random.default_rng([SEED, 1])
    rows = []
    for number, patient in enumerate(participants.itertuples(), start=1):
        off = JITTER_MONTHS * rng.uniform(-1, 1, N_VISITS)
        months = np.round(SPACING_MONTHS * np.arange(N_VISITS) + off, 1)
        for visit in range(N_VISITS):
            row = {
                "participant_id": patient.participant_id,
                "session": str(visit + 1),
                "seed": 10_000 * visit + number,
                "months_since_baseline": float(months[visit]) if visit else 0.0,
            }
            for rate in PLANTED_RATES:
                changes = getattr(patient, rate.contrast) == rate.levels[0]
                row[rate.plan_column] = rate.rate if changes else 0.0
            rows.append(row)
    return pd.DataFrame(rows)


def make_sessions(
    participants: pd.DataFrame, visits: pd.DataFrame
) -> Iterator[tuple[str, pd.DataFrame]]:
    """Each patient's participant_id and table of sessions; the first is as in ``participants``.

    ALSFRS-R falls by about the patient's own ΔFS, the other scores slowly.
    """
    rng = np.random.default_rng([SEED, 2])
    for patient in participants.itertuples():
        months = visits.loc[
            visits["participant_id"] == patient.participant_id, "months_since_baseline"
        ].to_numpy(float)
        later = (months > 0).astype(float)
        noise = rng.standard_normal((3, len(months))) * later
        loss = patient.delta_fs * months * (1 + 0.15 * noise[0])
        rise = 0.12 * months + noise[1]
        decline = 0.25 * months + 2 * noise[2]
        yield (
            patient.participant_id,
            pd.DataFrame(
                {
                    "session_id": [f"ses-{number}" for number in range(1, len(months) + 1)],
                    "months_since_baseline": months,
                    "age": np.round(patient.age + months / 12, 1),
                    "alsfrs_r": np.clip(patient.alsfrs_r - np.rint(loss), 0, 48).astype(int),
                    "umn_score": np.clip(patient.umn_score + np.rint(rise), 0, 32).astype(int),
                    "ecas_total": np.clip(patient.ecas_total - np.rint(decline), 0, 136).astype(
                        int
                    ),
                }
            ),
        )
