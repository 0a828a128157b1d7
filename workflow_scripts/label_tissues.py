"""Label the grey matter, white matter and fluid of a scan by the likeliest tissue of each voxel.

Example: python workflow_scripts/label_tissues.py --tissues tissues.nii.gz
    --label-table config/atlases/Tissues.tsv --labels sub-01_atlas-tissues_dseg.nii.gz
"""

import argparse

import numpy as np

from qsmiron.errors import reported_to_user
from qsmiron.regions.label_table import (
    N_BEYOND,
    N_BEYOND_DESCRIPTION,
    read_label_table,
    write_label_table,
)
from qsmiron.registration.field_of_view import read_tissues_beyond
from qsmiron.registration.tissues import PROBABILITY_STEP, tissue_labels
from qsmiron.volumes import (
    read_volume,
    sidecar_path,
    write_scaled_volume,
    write_volume,
)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--tissues", required=True, help="probabilities of grey matter, white matter and fluid")
    add("--label-table", required=True, help="TSV: 1 grey matter, 2 white matter, 3 fluid …")
    add("--labels", required=True, help="output: labels on the same grid; table, sidecar beside")
    add("--registration", help="JSON of register_subject.py, for what the scan does not show")
    add("--weights", help="output: probability of each voxel's own tissue")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        read_label_table(args.label_table)
        tissues = read_volume(args.tissues, dimensions=4)
        sidecar = {
            "Description": "Likeliest tissue of each voxel, from the T1w",
            "LabelsSource": "tissues",
            N_BEYOND: N_BEYOND_DESCRIPTION,
        }
        beyond = read_tissues_beyond(args.registration) if args.registration else {}
        write_label_table(sidecar_path(args.labels).with_suffix(".tsv"), args.label_table, beyond)
        labels = tissue_labels(tissues.data)
        write_volume(args.labels, labels, tissues.affine, sidecar)
        if args.weights:
            weights = np.where(labels > 0, tissues.data.max(axis=-1), 0)
            write_scaled_volume(args.weights, weights, tissues.affine, PROBABILITY_STEP)


if __name__ == "__main__":
    main()
