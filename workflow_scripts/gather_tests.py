"""Put the tables of tests of all contrasts or scores together, in the order given.

Example:

    python workflow_scripts/gather_tests.py --name influence
        --tables contrast-progression_influence.tsv score-ecas_total_influence.tsv
        --output influence.tsv
"""

import argparse

import pandas as pd

from qsmiron.errors import reported_to_user
from qsmiron.tables import read_table, write_table

NAMES = (
    "group_tests", "correlations", "calibration_tests", "model_tests", "multiverse",
    "specification_curves", "influence", "change",
)  # fmt: skip


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--name", choices=NAMES, required=True, help="kind of table")
    add("--tables", nargs="*", default=[], help="tables of that kind (TSV)")
    add("--output", required=True, help="output: the table of all (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        tables = [read_table(path, args.name) for path in args.tables]
        tables = [table for table in tables if len(table)]
        write_table(pd.concat(tables) if tables else pd.DataFrame(), args.output, args.name)


if __name__ == "__main__":
    main()
