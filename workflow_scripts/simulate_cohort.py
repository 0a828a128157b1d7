"""Write what the simulated data set has beside its patients: dataset_description.json and README.

Example: python workflow_scripts/simulate_cohort.py --plan config/demo/plan.tsv --bids-dir demo
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from qsmiron.errors import reported_to_user
from qsmiron.simulation.raw_data import write_dataset_description
from qsmiron.simulation.subject import read_plan


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--plan", type=Path, required=True, metavar="TSV", help="plan of the cohort; it is checked"
    )
    parser.add_argument(
        "--bids-dir", type=Path, required=True, metavar="DIR", help="folder of the raw data set"
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        read_plan(arguments.plan)
        write_dataset_description(arguments.bids_dir)


if __name__ == "__main__":
    main()
