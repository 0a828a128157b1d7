"""The options that the scripts of the group results share, and what these read by them.

``add`` is a parser's method that adds an option.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .inputs import Inputs, read_inputs


def add_inputs(add: Callable[..., Any], blocks: str, **regions: Any) -> None:
    """The tables and the config; ``blocks`` of it are used. ``regions`` changes that option."""
    add("--regions", required=True, **{"help": "regions table (TSV)", **regions})
    add("--participants", required=True, help="clinical table (TSV)")
    add("--config", required=True, help=f"YAML or JSON; its blocks {blocks} are used")
    add("--quality", help="quality table (TSV), for covariates of the scans")
    add("--region-voxels", help="region_voxels table (TSV), for the covariate region_volume")


def inputs_of(args: Any) -> Inputs:
    """What these options name; the first of several regions tables.

    Raises
    ------
    InputError
        As :func:`.read_inputs`.
    """
    several = isinstance(args.regions, list)
    return read_inputs(
        args.regions[0] if several else args.regions,
        args.participants,
        args.config,
        getattr(args, "quantiles", None),
        args.quality,
        args.region_voxels,
    )


def add_calibration(add: Callable[..., Any]) -> None:
    """The calibration lines and the table of their tests."""
    add("--calibration", help="calibration table (TSV): marks iron_calibrated where lines differ")
    add("--calibration-tests", help="output: tests of the calibration lines (TSV; JSON beside it)")


def add_headlines(parser: Any) -> None:
    """Of which contrast or score, variant and atlas the headline findings are."""
    add = parser.add_argument
    add("--tests", required=True, help="group_tests or correlations table, for the headlines")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--contrast", help="name of a contrast of the config")
    which.add_argument("--score", help="name of a score of the config")
    add("--desc", help="variant of the headlines (default: by --prefer)")
    add("--atlas", help="atlas of the headlines (default: by --prefer)")
    add(
        "--prefer",
        nargs="+",
        default=["main", "DK"],
        help="variants and atlases to take before others of the table (default: %(default)s)",
    )
