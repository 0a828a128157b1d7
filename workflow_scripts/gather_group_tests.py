"""Put the contrasts' tables together into one group_tests table, in the order given.

Example:

    python workflow_scripts/gather_group_tests.py --tables first.tsv second.tsv
        --output group_tests.tsv
"""

import argparse

import pandas as pd

from qsmiron.errors import reported_to_user
from qsmiron.tables import read_table, write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    # None at all, where the config declares no contrast, makes a table without rows.
    add("--tables", nargs="*", default=[], help="group_tests tables (TSV), one per contrast")
    add("--output", required=True, help="output: the table of all (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        tables = [read_table(path, "group_tests") for path in args.tables]
        table = pd.concat(tables) if tables else pd.DataFrame()
        write_table(table, args.output, "group_tests")


if __name__ == "__main__":
    main()
