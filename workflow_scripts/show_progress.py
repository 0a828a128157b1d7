"""Show how far a run is: jobs done and planned of each stage, and about how long it may take.

It reads what the run leaves in its results folder, so it can be asked from anywhere, at any time;
the jobs of a failed scan stay undone. Example::

    python workflow_scripts/show_progress.py results
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.progress import as_text, read_progress
from qsmiron.results import Results


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("results", metavar="RESULTS", nargs="?", default="results",
                        help="results folder (default: %(default)s)")  # fmt: skip
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        print(as_text(read_progress(Results(args.results).benchmarks)))


if __name__ == "__main__":
    main()
