"""Write the methods section from the configuration that ran, the versions and the sidecars.

Example:

    python workflow_scripts/write_methods.py --config config/config.yaml
        --quality results/group/quality.tsv --sidecar data/sub-*/anat/*_part-mag_MEGRE.json
        --output results/methods.md
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.report.config_reading import read_config
from qsmiron.report.methods_text import methods_text
from qsmiron.report.preregistration_text import preregistration_text
from qsmiron.tables import read_table
from qsmiron.volumes import write_text


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--config", required=True, help="config: YAML or JSON file, or a JSON object as text")
    add("--quality", help="quality table (TSV); without it the cohort is not described")
    add("--regions", help="regions table (TSV), for where the labels come from")
    add(
        "--whole-distribution",
        action="store_true",
        help="say that whole distributions were tested",
    )
    add("--change", action="store_true", help="say how change over time was tested")
    add(
        "--sidecar",
        nargs="*",
        default=[],
        help="JSON beside each raw magnitude echo; it may inherit",
    )
    add("--output", required=True, help="output: Markdown")
    add("--preregistration", help="output: a paragraph to preregister such a run with (Markdown)")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        quality = read_table(args.quality, "quality") if args.quality else None
        regions = read_table(args.regions, "regions") if args.regions else None
        config = read_config(args.config)
        text = methods_text(
            config, quality, args.sidecar, regions, args.whole_distribution, args.change
        )
        write_text(args.output, text)
        if args.preregistration:
            write_text(args.preregistration, preregistration_text(config))


if __name__ == "__main__":
    main()
