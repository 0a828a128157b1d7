"""A made-up study of several visits: unequal intervals, drop-outs, and rates that are planted."""

from __future__ import annotations

import csv
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from qsmiron.tables import write_table

HOME = Path(__file__).parents[1]
LEVELS = ("fast", "slow")


@dataclass(frozen=True)
class MadeUp:
    """What is drawn: SDs in ppb, months, and the mean and SD of the rates (ppb per year)."""

    n: int = 24
    n_first: int = 12
    n_visits: int = 3
    interval: float = 9
    jitter: float = 2
    dropout: float = 0.2
    between: float = 8
    within: float = 2
    rate: float = 0
    rate_spread: float = 0


def draw(
    rng: np.random.Generator, plan: MadeUp, n_regions: int, planted: dict[int, float] | None = None
) -> tuple[pd.DataFrame, pd.DataFrame, np.ndarray]:
    """Participants, visits (person, session, months) and values (visits × regions, ppb).

    ``planted`` gives the first group's excess rate (ppb per year) by the region's number.
    """
    first = rng.permutation(plan.n) < plan.n_first
    who = pd.DataFrame(
        {
            "participant_id": [f"sub-{number:02d}" for number in range(1, plan.n + 1)],
            "age": rng.normal(60, 9, plan.n).round(1),
            "sex": np.where(rng.permutation(plan.n) < plan.n // 2, "M", "F"),
            "delta_fs": rng.gamma(2, 0.4, plan.n).round(2),
            "progression": np.where(first, *LEVELS),
        }
    )
    person, session, months = [], [], []
    for number in range(plan.n):
        for visit in range(plan.n_visits):
            if visit and rng.random() < plan.dropout:
                break  # who leaves does not come back
            person.append(number)
            session.append(str(visit + 1))
            off = rng.uniform(-plan.jitter, plan.jitter) if visit else 0
            months.append(round(visit * plan.interval + off, 1))
    visits = pd.DataFrame({"person": person, "session": session, "months": months})
    number = visits["person"].to_numpy()
    years = visits["months"].to_numpy() / 12
    rates = plan.rate + plan.rate_spread * rng.normal(size=(plan.n, n_regions))
    for region, excess in (planted or {}).items():
        rates[first, region] += excess
    values = plan.between * rng.normal(size=(plan.n, n_regions))[number]
    values += rates[number] * years[:, None]
    values += plan.within * rng.normal(size=(len(visits), n_regions))
    return who, visits, values


def regions_table(
    who: pd.DataFrame, visits: pd.DataFrame, values: np.ndarray, labels: pd.DataFrame
) -> pd.DataFrame:
    """The regions table of mean χ (ppm); ``labels`` has index, name and hemisphere."""
    scan, region = np.indices(values.shape).reshape(2, -1)
    ids = who["participant_id"].to_numpy()[visits["person"].to_numpy()]
    return pd.DataFrame(
        {
            "participant_id": ids[scan],
            "session": visits["session"].to_numpy()[scan],
            "desc": "main",
            "atlas": "DK",
            "labels_source": "atlas",
            "index": labels["index"].to_numpy()[region],
            "region": labels["name"].to_numpy()[region],
            "hemisphere": labels["hemisphere"].to_numpy()[region],
            "metric": "chi_mean",
            "family": "susceptibility",
            "value": values.ravel() / 1000,
            "unit": "ppm",
            "n_voxels": 100,
            "coverage": 1,
        }
    )


def write_study(
    folder: Path,
    seed: int = 1,
    plan: MadeUp | None = None,
    planted: dict[str, float] | None = None,
    **config: Any,
) -> Path:
    """Write regions.tsv, participants.tsv, a table of sessions for everybody, and config.json.

    ``planted`` gives the first group's excess rate (ppb per year) by region-hemisphere.
    """
    plan = plan or MadeUp()
    labels = pd.read_csv(HOME / "config/atlases/DesikanKilliany.tsv", sep="\t")
    rng = np.random.default_rng(seed)
    names = (labels["name"] + "-" + labels["hemisphere"]).tolist()
    numbers = {names.index(name): rate for name, rate in (planted or {}).items()}
    who, visits, values = draw(rng, plan, len(labels), numbers)
    folder.mkdir(parents=True, exist_ok=True)
    write_table(regions_table(who, visits, values, labels), folder / "regions.tsv", "regions")
    raw = folder / "raw"
    raw.mkdir(exist_ok=True)
    who.to_csv(raw / "participants.tsv", sep="\t", index=False)
    start = rng.integers(30, 46, plan.n)
    fall = rng.gamma(2, 0.4, plan.n)
    for number, own in visits.groupby("person"):
        name = who["participant_id"][number]
        (raw / name).mkdir(exist_ok=True)
        with (raw / name / f"{name}_sessions.tsv").open("w", newline="") as file:
            table = csv.writer(file, delimiter="\t", lineterminator="\n")
            table.writerow(["session_id", "months_since_baseline", "alsfrs_r", "ecas_total"])
            for row in own.itertuples():
                score = max(0, round(start[number] - fall[number] * row.months))
                ecas = int(rng.integers(70, 120))
                table.writerow([f"ses-{row.session}", f"{row.months:g}", score, ecas])
    settings = {
        "analysis_only": True,
        "regions_table": str(folder / "regions.tsv"),
        "clinical_table": str(raw / "participants.tsv"),
        "results_dir": str(folder / "results"),
        "contrasts": {
            "progression": {"column": "progression", "levels": list(LEVELS)},
            "phenotype": None,
        },
        "scores": ["alsfrs_r", "ecas_total"],
        "statistics": {"permutations": 199, "bootstrap": 100, "null_permutations": 20},
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(settings | config))
    return folder
