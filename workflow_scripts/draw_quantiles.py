"""Draw χ histograms by group and the difference of their quantile functions (shift curves).

Example:

    python workflow_scripts/draw_quantiles.py --quantiles quantiles.tsv
        --group-tests group_tests.tsv --participants participants.tsv --config config.yaml
        --contrast progression --output results/figures/quantiles_progression.png
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.figures.contrast_groups import read_members
from qsmiron.figures.quantile_differences import quantiles_figure
from qsmiron.figures.style import save_figure
from qsmiron.statistics.cells import measured_sessions, one_session
from qsmiron.statistics.settings import read_study_design
from qsmiron.tables import read_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--quantiles", required=True, help="quantile functions of χ (TSV)")
    add("--group-tests", required=True, help="group tests of the contrast (TSV)")
    add("--participants", required=True, help="clinical table or assigned groups (TSV)")
    add("--config", required=True, help="config with the block contrasts (YAML or JSON)")
    add("--contrast", required=True, help="name of the contrast")
    add("--output", required=True, help="output: PNG; the SVG goes beside it")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        design = read_study_design(args.config)
        session = design.statistics.session
        quantiles = one_session(read_table(args.quantiles, "quantiles"), session, args.quantiles)
        measured = measured_sessions(quantiles)
        groups = read_members(args.participants, design, args.contrast, measured)
        figure, title, caption = quantiles_figure(
            quantiles,
            read_table(args.group_tests, "group_tests"),
            groups,
            args.contrast,
            design.statistics.seed,
        )
        save_figure(figure, args.output, title, caption)


if __name__ == "__main__":
    main()
