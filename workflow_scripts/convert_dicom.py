"""Convert a scanner's DICOM export into the BIDS data set that the workflow reads, and check it.

Needs dcm2niix: pip install -r envs/requirements-dicom.txt. The mapping is a table (TSV) with the
columns folder (of one examination, below DICOM_DIR), participant_id, session (optional), gre and
t1w (optional): a pattern of SeriesDescription or ProtocolName such as *gre*, or series numbers
such as 5, 6. Whatever is not understood is refused, and then nothing is written. The status is 1
also where the input check finds an error in what was written. Example::

    python workflow_scripts/convert_dicom.py /data/dicom --mapping mapping.tsv --output /data/als
"""

import argparse
import logging
import sys

from qsmiron.checks import inspect_inputs
from qsmiron.checks.report import as_text
from qsmiron.config_files import read_settings
from qsmiron.dicom import convert
from qsmiron.dicom.mapping import read_mapping
from qsmiron.errors import reported_to_user


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dicom_dir", metavar="DICOM_DIR", help="folder of the examinations")
    parser.add_argument("--mapping", required=True, metavar="TSV", help="which folder is whose")
    parser.add_argument("--output", required=True, metavar="BIDS_DIR", help="data set to write")
    parser.add_argument(
        "--config",
        metavar="YAML",
        help="config for the input check at the end, as check_inputs takes it",
    )
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    logging.getLogger("nibabel.global").setLevel(logging.CRITICAL)  # problems say it better
    with reported_to_user():
        settings = read_settings(args.config) if args.config else {}
        examinations = read_mapping(args.mapping, args.dicom_dir)
        convert(examinations, args.dicom_dir, args.output, tell=print)
        print(f"Written to {args.output}.\n")
        inspection = inspect_inputs(args.output, None, settings)
        print(as_text(inspection, args.output), flush=True)
    if inspection.errors:
        sys.exit(1)


if __name__ == "__main__":
    main()
