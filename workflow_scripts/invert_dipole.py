r"""Susceptibility (ppm, not yet referenced) from the local field.

The direction of B0 is the scanner's z axis, taken from the image's affine unless an option gives
another. The method single_step takes the total field instead of the local one.

Example::

    python workflow_scripts/invert_dipole.py --local-field local.nii.gz --mask local_mask.nii.gz \
        --chi chi.nii.gz
"""

import argparse

from qsmiron.b0 import direction_field, direction_of_job
from qsmiron.errors import reported_to_user
from qsmiron.inversion import DEFAULT, METHODS
from qsmiron.methods import get_method
from qsmiron.parameters import parse_parameters
from qsmiron.storage_order import as_stored, nearest_to_ras, turned
from qsmiron.volumes import check_same_grid, read_mask, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--local-field", required=True, metavar="NII", help="local field (ppm)")
    parser.add_argument("--mask", required=True, metavar="NII", help="where the local field holds")
    parser.add_argument("--chi", required=True, metavar="NII", help="output: susceptibility (ppm)")
    parser.add_argument(
        "--magnitude", metavar="NII", help="magnitude: weights the data, and shows medi the edges"
    )
    parser.add_argument(
        "--method", default=DEFAULT, help=f"{', '.join(METHODS)} (default: %(default)s)"
    )
    parser.add_argument(
        "--parameters", metavar="JSON", help="JSON object of parameters that differ from default"
    )
    b0 = parser.add_mutually_exclusive_group()
    b0.add_argument(
        "--b0-direction",
        nargs=3,
        type=float,
        metavar=("X", "Y", "Z"),
        help="direction of B0 along the voxel axes as stored (default: z of the affine)",
    )
    b0.add_argument("--b0-qform", metavar="NII", help="raw image of the scan: B0 is z of its qform")
    parser.add_argument("--threads", type=int, default=1, help="FFT workers (default: 1)")
    return parser


def main(argv: list[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        parameters_class, invert = get_method(METHODS, arguments.method).load()
        parameters = parse_parameters(parameters_class, arguments.parameters, "--parameters")
        stored = read_volume(arguments.local_field)
        mask = read_mask(arguments.mask, stored)
        field, turn = nearest_to_ras(stored)
        b0 = direction_of_job(field, turn, arguments.b0_direction, arguments.b0_qform)
        magnitude = None
        if arguments.magnitude:
            volume = read_volume(arguments.magnitude)
            check_same_grid(volume, stored, arguments.magnitude)
            magnitude = turned(volume.data, turn)
        chi = invert(
            field.data,
            turned(mask, turn),
            field.voxel_size,
            b0,
            parameters,
            arguments.threads,
            magnitude=magnitude,
        )
        provenance = {"Method": arguments.method, "Parameters": parameters.model_dump()}
        provenance |= direction_field(b0, turn)
        sidecar = {"Units": "ppm"} | provenance
        write_volume(arguments.chi, as_stored(chi, turn), stored.affine, sidecar)


if __name__ == "__main__":
    main()
