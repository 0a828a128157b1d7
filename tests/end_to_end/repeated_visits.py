"""A demo of few patients with several visits, for what is made of images: no group is compared."""

from __future__ import annotations

from pathlib import Path

from end_to_end.small_cohort import Run
from heads import COARSE

N_PATIENTS = 2
UPRIGHT = {
    "rotations": [0.0], "rises": [0.0, 30.0], "advances": [0.0], "searched": 1, "refined": 1,
}  # fmt: skip
"""Of the demo's heads none is far from upright: few starts of the pose do."""


def repeated_demo(folder: Path, visits: int = 2) -> Run:
    """The study's settings, in ``folder``; nothing has run."""
    nothing = {"covariates": [], "metrics": {}, "reference": [], "regions": []}
    run = Run(
        folder,
        {
            "demo": {"participants": N_PATIENTS, "voxel_size": 4.0, "visits": visits},
            "contrasts": {"phenotype": None},
            "scores": [],
            "statistics": {"permutations": 99, "bootstrap": 200, "null_permutations": 20},
            "multiverse": nothing,
            "registration": {"parameters": {"template": {"pose": UPRIGHT, **COARSE["template"]}}},
            "clinical_table": None,
        },
    )
    return run
