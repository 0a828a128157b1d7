"""Carry an atlas from the template to the grid of the GRE, in one nearest-neighbour look-up.

Example: python workflow_scripts/carry_labels.py --coordinates coordinates.nii.gz --atlas DK.nii.gz
    --label-table config/atlases/DesikanKilliany.tsv --labels sub-01_atlas-DK_dseg.nii.gz
"""

import argparse
from pathlib import Path

import numpy as np

from qsmiron.errors import reported_to_user
from qsmiron.regions.label_table import read_label_table
from qsmiron.registration.coordinates import read_coordinates
from qsmiron.registration.labels import carry_labels, check_labels
from qsmiron.volumes import read_volume, sidecar_path, write_text, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--coordinates", required=True, help="template coordinates of every GRE voxel")
    add("--atlas", required=True, help="labels in template space (NIfTI)")
    add("--label-table", required=True, help="TSV: index, name[, hemisphere, structure]")
    add("--labels", required=True, help="output: labels on the GRE grid; table and sidecar beside")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        table = read_label_table(args.label_table)
        coordinates = read_coordinates(args.coordinates)
        atlas = read_volume(args.atlas, dtype=np.int32)
        check_labels(atlas, {region.index for region in table}, args.atlas, args.label_table)
        labels = carry_labels(coordinates.data, atlas).astype(np.int16)
        sidecar = {"Description": "Atlas labels, nearest neighbour", "Atlas": Path(args.atlas).name}
        write_text(
            sidecar_path(args.labels).with_suffix(".tsv"), Path(args.label_table).read_text()
        )
        write_volume(args.labels, labels, coordinates.affine, sidecar)


if __name__ == "__main__":
    main()
