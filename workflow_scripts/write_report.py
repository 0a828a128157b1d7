"""Write the report: one HTML file with every figure and table, readable without a network.

Example:

    python workflow_scripts/write_report.py --results results --config config/config.yaml
        --output results/report.html
"""

import argparse
from pathlib import Path

from qsmiron.errors import reported_to_user
from qsmiron.report.config_reading import read_config
from qsmiron.report.page import report_page
from qsmiron.report.viewer import ViewerSources
from qsmiron.volumes import write_text


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--results", required=True, help="results folder (group tables and figures)")
    add("--config", required=True, help="config: YAML or JSON file, or a JSON object as text")
    add("--participants", help="clinical table (default: participants.tsv of the results)")
    add("--methods", help="methods text (default: methods.md of the results)")
    add("--mean-chi", type=Path, help="mean χ in template space, of average_chi: the slice viewer")
    for sign, part in (("paramagnetic", "χ⁺"), ("diamagnetic", "χ⁻")):
        add(f"--mean-{sign}", type=Path, help=f"mean {part} there; with --mean-chi")
    add("--atlas", default="", help="atlas of the results that the viewer shows; with --mean-chi")
    add("--atlas-labels", type=Path, help="its labels in template space (NIfTI)")
    add("--template-map", type=Path, help="template coordinates → those of the atlas' own template")
    add("--output", required=True, help="output: HTML")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    viewer = None
    if args.mean_chi:
        parts = {"paramagnetic": args.mean_paramagnetic, "diamagnetic": args.mean_diamagnetic}
        viewer = ViewerSources(
            args.mean_chi,
            args.atlas,
            args.atlas_labels,
            args.template_map,
            {sign: path for sign, path in parts.items() if path},
        )
    with reported_to_user():
        page = report_page(
            args.results,
            read_config(args.config),
            args.participants,
            args.methods,
            viewer,
        )
        write_text(args.output, page)


if __name__ == "__main__":
    main()
