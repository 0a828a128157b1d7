"""Measure how far each patient lies from the controls, adjusted for the covariates.

Every region and primary metric; the config's block roles says who is a patient and who a control.
Example:

    python workflow_scripts/measure_deviations.py --regions results/group/regions.tsv
        --participants participants.tsv --config config/config.yaml --output deviations.tsv
"""

import argparse

import pandas as pd

from qsmiron.errors import reported_to_user
from qsmiron.statistics.arguments import add_inputs, inputs_of
from qsmiron.statistics.deviations import deviation_table
from qsmiron.statistics.people import belong
from qsmiron.tables import write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add_inputs(add, "roles and covariates")
    add("--output", required=True, help="output: deviations table (TSV; JSON beside it)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        data = inputs_of(args)
        roles = data.design.people("deviations from controls", args.config)
        patients, controls = (
            belong(data.clinical, roles, of, args.participants) for of in ("patients", "controls")
        )
        tables = [
            deviation_table(
                cells,
                patients.reindex(cells.participants).to_numpy(bool),
                controls.reindex(cells.participants).to_numpy(bool),
                data.covariates(cells),
            )
            for cells in data.cells
        ]
        write_table(pd.concat(tables), args.output, "deviations")


if __name__ == "__main__":
    main()
