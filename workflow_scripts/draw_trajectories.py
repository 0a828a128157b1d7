"""Draw each participant's line over the visits, with the means of the groups.

Example:

    python workflow_scripts/draw_trajectories.py --change change.tsv --regions regions.tsv
        --participants participants.tsv --config config/config.yaml --part contrast-progression
        --output results/figures/trajectories_contrast-progression.png
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.figures.cells import one_variant
from qsmiron.figures.change import trajectories_figure
from qsmiron.figures.contrast_groups import members
from qsmiron.figures.style import save_figure
from qsmiron.statistics.change.scans import read_change_inputs
from qsmiron.tables import read_table


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--change", required=True, help="change table of the part (TSV)")
    add("--regions", required=True, help="regions table (TSV)")
    add("--participants", required=True, help="clinical table (TSV), with its visits beside it")
    add("--config", required=True, help="YAML or JSON with the blocks change and contrasts")
    add("--part", required=True, help="time, or contrast-NAME")
    add("--output", required=True, help="output: PNG; the SVG goes beside it")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        inputs = read_change_inputs(args.regions, args.participants, args.config)
        tests = one_variant(read_table(args.change, "change"))
        variant = tests[["desc", "atlas"]].iloc[0].tolist()
        scans = next(s for s in inputs.scans if [s.cells.desc, s.cells.atlas] == variant)
        _, _, contrast = args.part.partition("-")
        groups = {"everybody": list(scans.people)}
        if contrast:
            data = inputs.data
            groups = members(data.clinical, data.design, contrast, args.participants, scans.people)
        name = contrast or "everybody"
        figure, title, caption = trajectories_figure(tests, scans, groups, name)
        save_figure(figure, args.output, title, caption)


if __name__ == "__main__":
    main()
