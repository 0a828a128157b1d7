"""Draw regional values against a clinical score: the study's regions and those of smallest p.

Example:

    python workflow_scripts/draw_correlations.py --regions regions.tsv
        --correlations correlations.tsv --participants participants.tsv --config config.yaml
        --score alsfrs_r --output results/figures/correlations_alsfrs_r.png
"""

import argparse

from qsmiron.clinical import read_clinical
from qsmiron.errors import reported_to_user
from qsmiron.figures.cells import VALUE_COLUMNS
from qsmiron.figures.correlations import correlations_figure
from qsmiron.figures.style import save_figure
from qsmiron.statistics.cells import measured_sessions, one_session
from qsmiron.statistics.groups import score_values
from qsmiron.statistics.settings import read_study_design
from qsmiron.tables import read_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--regions", required=True, help="regions table (TSV)")
    add("--correlations", required=True, help="correlations with the score (TSV)")
    add("--participants", required=True, help="clinical table (TSV)")
    add("--config", required=True, help="config with the block scores (YAML or JSON)")
    add("--score", required=True, help="column of the score")
    add("--output", required=True, help="output: PNG; the SVG goes beside it")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        design = read_study_design(args.config)
        design.pick_scores(args.score, args.config)
        session = design.statistics.session
        regions = read_table(args.regions, "regions", VALUE_COLUMNS)
        regions = one_session(regions, session, args.regions)
        measured = measured_sessions(regions)
        clinical = read_clinical(args.participants, design.categorical, session, measured)
        clinical = clinical[clinical.index.isin(list(measured))]
        figure, title, caption = correlations_figure(
            regions,
            read_table(args.correlations, "correlations"),
            score_values(clinical, design, args.score, args.participants),
            args.score,
        )
        save_figure(figure, args.output, title, caption)


if __name__ == "__main__":
    main()
