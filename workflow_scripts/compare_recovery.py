"""Compare the demo's planted effects with those that the workflow recovered.

Example: python workflow_scripts/compare_recovery.py --plan config/demo/plan.tsv
--effects config/demo/effects.tsv --regions results/group/regions.tsv
--participants config/demo/participants.tsv --config config/config.yaml
--output results/group/recovery.tsv
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from qsmiron.clinical import read_clinical
from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.simulation.recovered_rates import compare_rates
from qsmiron.simulation.recovery import RecoveryParameters, compare
from qsmiron.statistics.cells import one_session
from qsmiron.statistics.groups import assign_group
from qsmiron.statistics.settings import read_study_design
from qsmiron.tables import read_table, write_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--plan", type=Path, required=True, metavar="TSV", help="plan with the true values")
    add("--effects", type=Path, required=True, metavar="TSV", help="the planted effects")
    add("--regions", type=Path, required=True, metavar="TSV", help="measured regional table")
    add("--participants", type=Path, required=True, metavar="TSV", help="clinical table")
    add("--config", type=Path, required=True, metavar="YAML", help="config; contrasts are read")
    add("--output", type=Path, required=True, metavar="TSV", help="output: the recovery table")
    add("--visits", type=Path, metavar="TSV", help="plan of the visits, with the true rates")
    add(
        "--parameters",
        metavar="JSON",
        help="what differs from the defaults: "
        + ", ".join(RecoveryParameters.model_json_schema()["properties"]),
    )
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        parameters = parse_parameters(RecoveryParameters, arguments.parameters, "--parameters")
        design = read_study_design(arguments.config)
        contrasts = design.contrasts
        participants = read_clinical(
            arguments.participants, design.categorical, design.statistics.session
        )
        groups = {
            name: assign_group(participants, contrast, str(arguments.participants), design.roles)
            for name, contrast in contrasts.items()
        }
        regions = read_table(arguments.regions, "regions")
        table = compare(
            read_table(arguments.plan),
            read_table(arguments.effects),
            one_session(regions, design.statistics.session, str(arguments.regions)),
            participants.assign(**groups),
            parameters,
        )
        if arguments.visits:
            visits = read_table(arguments.visits, columns=None)
            visits = visits.assign(session=visits["session"].astype(str))
            rates = compare_rates(visits, regions, participants.assign(**groups), parameters)
            table = pd.concat([table, rates], ignore_index=True)
        write_table(table, arguments.output, "recovery")


if __name__ == "__main__":
    main()
