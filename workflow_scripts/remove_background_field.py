r"""Local field (ppm): the total field without what sources outside the mask make.

Example::

    python workflow_scripts/remove_background_field.py --field field.nii.gz --mask mask.nii.gz \
        --local-field local.nii.gz --local-mask local_mask.nii.gz
"""

import argparse

from qsmiron.b0 import direction_field, direction_of_job
from qsmiron.background import DEFAULT, METHODS
from qsmiron.errors import reported_to_user
from qsmiron.methods import get_method
from qsmiron.parameters import parse_parameters
from qsmiron.storage_order import as_stored, nearest_to_ras, turned
from qsmiron.volumes import read_mask, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--field", required=True, metavar="NII", help="total field (ppm)")
    parser.add_argument("--mask", required=True, metavar="NII", help="where the field is reliable")
    parser.add_argument(
        "--local-field", required=True, metavar="NII", help="output: local field (ppm)"
    )
    parser.add_argument(
        "--local-mask", required=True, metavar="NII", help="output: where the local field holds"
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
        parameters_class, remove_background = get_method(METHODS, arguments.method).load()
        parameters = parse_parameters(parameters_class, arguments.parameters, "--parameters")
        stored = read_volume(arguments.field)
        mask = read_mask(arguments.mask, stored)
        field, turn = nearest_to_ras(stored)
        b0 = direction_of_job(field, turn, arguments.b0_direction, arguments.b0_qform)
        local_field, local_mask = remove_background(
            field.data,
            turned(mask, turn),
            field.voxel_size,
            b0,
            parameters,
            arguments.threads,
        )
        provenance = {"Method": arguments.method, "Parameters": parameters.model_dump()}
        provenance |= direction_field(b0, turn)
        for path, data, kind in (
            (arguments.local_field, local_field, {"Units": "ppm"}),
            (arguments.local_mask, local_mask, {"Type": "Brain"}),
        ):
            write_volume(path, as_stored(data, turn), stored.affine, kind | provenance)


if __name__ == "__main__":
    main()
