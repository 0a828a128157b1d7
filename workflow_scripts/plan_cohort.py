"""Make the demo cohort's committed tables: participants, plan and effects, and with controls.

No rule runs this: it is how the committed files came about, and a test holds them to it.
Example: python workflow_scripts/plan_cohort.py --output config/demo
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from qsmiron.errors import reported_to_user
from qsmiron.simulation.plan import write_cohort


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=Path("config/demo"),
        metavar="DIR",
        help="folder of the tables (default: config/demo)",
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        write_cohort(arguments.output)


if __name__ == "__main__":
    main()
