"""Find the voxels of the template that every scan covers.

A scan whose registration gave up covers nothing and is passed over; the sidecar counts the others.
Example:

    python workflow_scripts/share_mask.py --masks sub-*_space-*_label-reliable_desc-main_mask.nii.gz
        --output results/group/space-MNI152NLin2009aSym_desc-main_mask.nii.gz

Arguments may stand in a file, one a line: @arguments.txt.
"""

import argparse

from qsmiron.errors import InputError, Problem, reported_to_user
from qsmiron.template import TEMPLATE_NAME
from qsmiron.volumes import check_same_grid, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        fromfile_prefix_chars="@",
    )
    add = parser.add_argument
    add("--masks", nargs="+", required=True, help="each scan's mask in the template's space")
    add("--output", required=True, help="output: what all of them cover")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        first = read_volume(args.masks[0])
        shared, number = None, 0
        for path in args.masks:
            volume = read_volume(path)
            check_same_grid(volume, first, path)
            mask = volume.data > 0
            if mask.any():
                shared, number = mask if shared is None else shared & mask, number + 1
        if shared is None:
            found = "a mask without any voxel in every scan"
            remedy = "See why no scan could be registered."
            raise InputError(Problem("--masks", found, "one scan at least that has some", remedy))
        about = {
            "Type": "Brain",
            "Description": "What every scan covers",
            "NumberOfScans": number,
            "NotRegistered": len(args.masks) - number,
            "SpatialReference": TEMPLATE_NAME,
        }
        write_volume(args.output, shared, first.affine, about)


if __name__ == "__main__":
    main()
