"""Plan a study: participants per group for differences in ppb, by this cohort's own variance.

Every region and primary metric in ppm, for one test and corrected over the regions. Example:

    python workflow_scripts/plan_sample_size.py --regions results/group/regions.tsv
        --participants participants.tsv --config config/config.yaml --output planning.tsv
"""

import argparse

import pandas as pd

from qsmiron.errors import reported_to_user
from qsmiron.statistics.arguments import add_inputs, inputs_of
from qsmiron.statistics.people import role_numbers
from qsmiron.statistics.planning import planning_table
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_inputs(parser.add_argument, "covariates, roles and statistics")
    parser.add_argument("--output", required=True, help="output: planning table (TSV)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        data = inputs_of(args)
        settings = data.design.statistics
        numbers = (settings.planning_effects, settings.alpha, settings.planning_power)
        roles = role_numbers(data.clinical, data.design.roles, args.participants)
        tables = [
            planning_table(
                cells,
                data.covariates(cells),
                None if roles is None else roles.reindex(cells.participants).to_numpy(float),
                *numbers,
            )
            for cells in data.cells
        ]
        write_table(pd.concat(tables), args.output, "planning")


if __name__ == "__main__":
    main()
