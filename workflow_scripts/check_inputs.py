"""Check a data set, its clinical table and the config before anything long starts.

Prints every problem at once, errors and warnings apart, and ends with status 1 if there is an
error. Reads all headers, sidecars and tables, and the voxels of each scan's first echo and T1w, so
that a cohort takes seconds. Example::

    python workflow_scripts/check_inputs.py /data/bids --config config/config.yaml
"""

import argparse
import contextlib
import logging
import shutil
import sys
from pathlib import Path
from typing import Any

from qsmiron.checks import inspect_inputs
from qsmiron.checks.report import as_json, as_text, check_report_place
from qsmiron.checks.settings import read_checked
from qsmiron.errors import InputError, Problem, reported_to_user
from qsmiron.volumes import write_json

SHIPPED_CONFIG = Path(__file__).resolve().parents[1] / "config/config.yaml"


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("bids_dir", metavar="BIDS_DIR", help="raw data set (BIDS)")
    parser.add_argument(
        "--participants",
        metavar="TSV",
        help="clinical table (default: participants.tsv of the data set)",
    )
    parser.add_argument(
        "--config",
        metavar="YAML",
        help="config (YAML or JSON), whole or what differs from the shipped one: all of it is "
        "checked, and the data with its contrasts, scores, covariates, categorical, "
        "participant_label, session_label, exclude, acquisition and statistics.session "
        "(default: none, and no contrast or score is checked)",
    )
    parser.add_argument(
        "--every-image",
        action="store_true",
        help="read the voxels of every image: minutes instead of seconds",
    )
    parser.add_argument("--report", metavar="JSON", help="write all problems to this file too")
    return parser


def write_report(path: str, content: dict[str, Any], bids_dir: str) -> None:
    check_report_place(path, bids_dir)
    try:
        write_json(path, content)
    except OSError as error:
        remedy = "Give --report a file in a folder that can be written."
        raise InputError(Problem(path, str(error.strerror), "a file to write", remedy)) from error


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)  # problems say it better
    with contextlib.suppress(AttributeError):
        sys.stdout.reconfigure(errors="backslashreplace")
    with reported_to_user():
        settings, refused = read_checked(args.config, SHIPPED_CONFIG)
        inspection = inspect_inputs(args.bids_dir, args.participants, settings, args.every_image)
        inspection.problems[:0] = refused
        terminal = sys.stdout.isatty()
        width = min(shutil.get_terminal_size((100, 24)).columns, 120) if terminal else None
        print(as_text(inspection, args.bids_dir, width, terminal), flush=True)
        if args.report:
            write_report(args.report, as_json(inspection, args.bids_dir), args.bids_dir)
    if inspection.errors:
        sys.exit(1)


if __name__ == "__main__":
    main()
