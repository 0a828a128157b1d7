"""Planted against recovered rates: by a table whose slopes are known."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from qsmiron.simulation.recovered_rates import compare_rates
from qsmiron.tables import TABLES, read_table

DEMO = Path(__file__).parents[2] / "config" / "demo"
SHARE = 0.8  # of the planted rate that comes back


@pytest.fixture(scope="module")
def visits() -> pd.DataFrame:
    table = read_table(DEMO / "visits" / "plan.tsv")
    return table.assign(session=table["session"].astype(str))


@pytest.fixture(scope="module")
def participants() -> pd.DataFrame:
    return read_table(DEMO / "participants.tsv").set_index("participant_id")


def measured(visits: pd.DataFrame, n: int, sessions: tuple[str, ...]) -> pd.DataFrame:
    rows = []
    people = [f"sub-{number:02d}" for number in range(1, n + 1)]
    for visit in visits[visits["participant_id"].isin(people)].itertuples():
        if visit.session not in sessions:
            continue
        start = 0.01 * int(visit.participant_id[-1])
        years = visit.months_since_baseline / 12
        for region, side, rate in (
            ("amygdala", "R", visit.amygdala_R_chi_mean_per_year),
            ("hippocampus", "L", 0.001),
        ):
            rows.append(
                {
                    "participant_id": visit.participant_id,
                    "session": visit.session,
                    "desc": "main",
                    "atlas": "DK",
                    "region": region,
                    "hemisphere": side,
                    "metric": "chi_mean",
                    "value": start + SHARE * rate * years,
                }
            )
    return pd.DataFrame(rows)


@pytest.mark.parametrize("sessions", [("1", "2"), ("1", "2", "3", "4"), ("2", "4")])
def test_rates_come_back_from_any_visits(visits, participants, sessions):
    found = compare_rates(visits, measured(visits, 8, sessions), participants).set_index("effect")
    assert set(found.columns) <= set(TABLES["recovery"])
    amygdala = found.loc["rate_amygdala_R"]
    assert (amygdala["unit"], amygdala["n"]) == ("ppm/year", 8)
    assert amygdala["planted"] == pytest.approx(0.005)
    assert amygdala["recovered"] == pytest.approx(SHARE * 0.005)
    assert amygdala["ratio_low"] == pytest.approx(SHARE)
    assert amygdala["same_sign"] == "yes"
    still = found.loc["rate_hippocampus_L"]
    assert still["planted"] == 0 and still["recovered"] == pytest.approx(0, abs=1e-12)
    assert pd.isna(still["same_sign"]) and np.isnan(still["ratio"])


def test_who_was_seen_once_has_no_rate(visits, participants):
    regions = measured(visits, 8, ("1", "2"))
    dropped = (regions["participant_id"] == "sub-03") & (regions["session"] == "2")
    regions.loc[(regions["participant_id"] == "sub-04") & (regions["session"] == "2"), "value"] = (
        np.nan
    )
    found = compare_rates(visits, regions[~dropped], participants)
    assert set(found["n"]) == {6}
