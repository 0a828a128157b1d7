"""Average the participants' χ in the template's space, for the report's picture of the cohort.

Every participant counts once; a point that fewer than half of them have is left empty. A map's
file name begins with its participant. Example:

    python workflow_scripts/average_chi.py --maps sub-*_desc-main_templatechi.nii.gz
        --mean desc-main_meanchi.nii.gz --count desc-main_chicount.nii.gz

Of a large cohort, the arguments may stand in a file, one a line: @arguments.txt.
"""

import argparse
from collections import defaultdict
from pathlib import Path

from qsmiron.errors import reported_to_user
from qsmiron.registration.template_average import average
from qsmiron.template import TEMPLATE_NAME
from qsmiron.volumes import check_same_grid, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        fromfile_prefix_chars="@",
    )
    add = parser.add_argument
    add("--maps", nargs="+", required=True, help="χ in template space, of carry_chi (NIfTI, ppm)")
    add("--mean", required=True, help="output: mean χ (NIfTI, ppm), NaN where empty")
    add("--count", required=True, help="output: participants with a value at each voxel")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        first = read_volume(args.maps[0], finite=False)
        by_participant = defaultdict(list)
        for path in args.maps:
            by_participant[Path(path).name.split("_")[0]].append(path)

        def read(path: str):
            volume = read_volume(path, finite=False)
            check_same_grid(volume, first, path)
            return volume.data

        mean, count = average(map(read, paths) for paths in by_participant.values())
        about = {
            "SpatialReference": TEMPLATE_NAME,
            "NumberOfParticipants": int(count.max()),
        }
        described = {"Description": "Mean χ of the participants, for pictures only", "Units": "ppm"}
        write_volume(args.mean, mean, first.affine, described | about)
        described = {"Description": "Number of participants with a value"}
        write_volume(args.count, count.astype("int16"), first.affine, described | about)


if __name__ == "__main__":
    main()
