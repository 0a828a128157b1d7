"""Simulate one patient of the demo cohort: multi-echo GRE magnitude and phase, T1w, sidecars.

Everything comes from the patient's row of the plan; no clinical table is read. Example:
python workflow_scripts/simulate_subject.py --plan config/demo/plan.tsv --participant sub-01
--bids-dir demo
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from qsmiron.errors import InputError, Problem, reported_to_user
from qsmiron.simulation.raw_data import write_subject
from qsmiron.simulation.subject import read_plan, simulate_subject


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--plan", type=Path, required=True, metavar="TSV", help="plan of the cohort"
    )
    parser.add_argument(
        "--participant", required=True, metavar="ID", help="participant_id in the plan, e.g. sub-01"
    )
    parser.add_argument(
        "--bids-dir", type=Path, required=True, metavar="DIR", help="folder of the raw data set"
    )
    parser.add_argument(
        "--voxel-size",
        type=float,
        default=2.0,
        metavar="MM",
        help="edge of the isotropic voxels of all images, mm, 0.8-4 (default: 2)",
    )
    parser.add_argument("--session", metavar="LABEL", help="label of the visit, if any")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="threads (default: 1)")
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        plan = read_plan(arguments.plan)
        if arguments.participant not in plan:
            raise InputError(
                Problem(
                    f"{arguments.plan}, participant_id",
                    f"no {arguments.participant!r}",
                    f"one of {', '.join(plan)}",
                    "Correct --participant.",
                )
            )
        subject = simulate_subject(
            plan[arguments.participant], arguments.voxel_size, arguments.threads
        )
        write_subject(arguments.bids_dir, arguments.participant, subject, arguments.session)


if __name__ == "__main__":
    main()
