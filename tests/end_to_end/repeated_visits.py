"""A data set of few patients with several visits, for what is made of images alone."""

from __future__ import annotations

import shutil
from pathlib import Path

from end_to_end.small_cohort import HOME, Run
from heads import COARSE

from qsmiron.simulation.follow_up import read_visits, simulate_visit
from qsmiron.simulation.raw_data import write_dataset_description, write_subject
from qsmiron.simulation.subject import read_plan, simulate_subject

PATIENTS = ("sub-01", "sub-02")
VOXEL = 4.0
UPRIGHT = {
    "rotations": [0.0], "rises": [0.0, 30.0], "advances": [0.0], "searched": 1, "refined": 1,
}  # fmt: skip
"""Of the demo's heads none is far from upright: few starts of the pose do."""


def repeated_visits(folder: Path) -> Run:
    """Two visits of two patients and the study's settings, in ``folder``; nothing has run."""
    raw = folder / "raw"
    write_dataset_description(raw)
    tables = HOME / "config/demo/visits"
    rows = (tables / "participants.tsv").read_text().splitlines(keepends=True)
    (raw / "participants.tsv").write_text("".join(rows[: 1 + len(PATIENTS)]))
    for who in PATIENTS:
        plan = read_plan(HOME / "config/demo/plan.tsv")[who]
        write_subject(raw, who, simulate_subject(plan, VOXEL), "1")
        add_visit(folder, who, "2")
        shutil.copy(tables / who / f"{who}_sessions.tsv", raw / who)
    nothing = {"covariates": [], "metrics": {}, "reference": [], "regions": []}
    return Run(
        folder,
        {
            "bids_dir": "raw",
            "clinical_table": None,
            "contrasts": {"progression": None, "phenotype": None},
            "scores": [],
            "multiverse": nothing,
            "registration": {"parameters": {"template": {**COARSE["template"], "pose": UPRIGHT}}},
        },
    )


def add_visit(folder: Path, who: str, session: str) -> None:
    """The images of a further visit."""
    plan = read_plan(HOME / "config/demo/plan.tsv")[who]
    visit = read_visits(HOME / "config/demo/visits/plan.tsv")[who, session]
    write_subject(folder / "raw", who, simulate_visit(plan, visit, VOXEL), session)
