"""Write the clinical table of the results, with the derived groups (ΔFS cut, k-means) added.

Every column of the clinical table stays as it is; a derived contrast NAME adds group_NAME.
Example:

    python workflow_scripts/assign_groups.py --participants participants.tsv
        --config config/config.yaml --output results/participants.tsv
"""

import argparse

from qsmiron.clinical import read_clinical
from qsmiron.errors import reported_to_user
from qsmiron.statistics.cells import VISIT, measured_sessions
from qsmiron.statistics.group_columns import add_derived_groups, describe, write_participants
from qsmiron.statistics.settings import read_study_design
from qsmiron.tables import read_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--participants", required=True, help="clinical table (TSV)")
    add("--config", required=True, help="YAML or JSON: its blocks contrasts and statistics")
    add("--regions", help="regions table (TSV) with the sessions; default: those with images")
    add("--output", required=True, help="output: the table with groups (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        design = read_study_design(args.config)
        contrasts = design.contrasts
        session = design.statistics.session
        measured = (
            measured_sessions(read_table(args.regions, "regions", VISIT)) if args.regions else None
        )
        clinical = read_clinical(args.participants, design.categorical, session, measured)
        table = add_derived_groups(clinical, contrasts, args.participants, design.roles)
        write_participants(table, describe(table, contrasts, args.participants), args.output)


if __name__ == "__main__":
    main()
