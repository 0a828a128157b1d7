"""Simulate a further visit of a patient of the demo cohort, with the changes that are planned.

Example: python workflow_scripts/simulate_visit.py --plan config/demo/plan.tsv
--visits config/demo/visits/plan.tsv --participant sub-01 --session 2 --bids-dir demo
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from qsmiron.errors import InputError, Problem, reported_to_user
from qsmiron.simulation.follow_up import read_visits, simulate_visit
from qsmiron.simulation.raw_data import write_subject
from qsmiron.simulation.subject import read_plan


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--plan", type=Path, required=True, metavar="TSV", help="plan of the cohort")
    add("--visits", type=Path, required=True, metavar="TSV", help="plan of the visits")
    add("--participant", required=True, metavar="ID", help="participant_id, e.g. sub-01")
    add("--session", required=True, metavar="LABEL", help="the visit's label, e.g. 2")
    add("--bids-dir", type=Path, required=True, metavar="DIR", help="folder of the raw data set")
    add(
        "--voxel-size",
        type=float,
        default=2.0,
        metavar="MM",
        help="edge of the isotropic voxels of all images, mm, 0.8-4 (default: 2)",
    )
    add("--threads", type=int, default=1, metavar="N", help="threads (default: 1)")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        plan, visits = read_plan(arguments.plan), read_visits(arguments.visits)
        who = arguments.participant, arguments.session
        if who[0] not in plan or who not in visits:
            found, expected = f"no visit {' '.join(who)}", "a participant and session of the plans"
            raise InputError(
                Problem(str(arguments.visits), found, expected, "Correct --participant, --session.")
            )
        subject = simulate_visit(plan[who[0]], visits[who], arguments.voxel_size, arguments.threads)
        write_subject(arguments.bids_dir, who[0], subject, who[1])


if __name__ == "__main__":
    main()
