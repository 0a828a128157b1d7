"""Write the reference of the configuration (docs/configuration.md) from its schema.

Example: python workflow_scripts/document_config.py --output docs/configuration.md
"""

import argparse

from qsmiron.config_reference import config_reference
from qsmiron.volumes import write_text


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", default="docs/configuration.md", help="Markdown file")
    return parser


def main(argv: list[str] | None = None) -> None:
    write_text(build_parser().parse_args(argv).output, config_reference())


if __name__ == "__main__":
    main()
