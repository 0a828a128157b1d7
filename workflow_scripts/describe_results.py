"""Describe the results folder as a BIDS derivative data set.

Example: python workflow_scripts/describe_results.py --results results --source /data/als
"""

import argparse

from qsmiron.dataset import describe_derivative
from qsmiron.errors import reported_to_user


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--results", required=True, help="results folder")
    parser.add_argument("--source", required=True, help="raw BIDS data set (its name is stored)")
    return parser


def main(argv: list[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        describe_derivative(arguments.results, arguments.source)


if __name__ == "__main__":
    main()
