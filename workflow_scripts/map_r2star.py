r"""R2* (1/s), and T2* (s) if asked, from the magnitude of at least two echoes.

EchoTime is read from the JSON sidecars beside the images. With --field, --local-r2star is R2*
without the decay that the field's course through each voxel adds, and --error its uncertainty.

Example::

    python workflow_scripts/map_r2star.py --magnitude sub-01_echo-*_part-mag_MEGRE.nii.gz \
        --mask mask.nii.gz --r2star sub-01_R2starmap.nii.gz
"""

import argparse
from collections.abc import Callable

import numpy as np

from qsmiron.echoes import Echoes, read_magnitude
from qsmiron.errors import InputError, Problem, reported_to_user
from qsmiron.methods import get_method
from qsmiron.parameters import Parameters, parse_parameters
from qsmiron.relaxation import DEFAULT, METHODS
from qsmiron.relaxation.field_gradient import LEAST_SIGNAL, remaining_signal, without_dephasing
from qsmiron.relaxation.t2star import t2star_from_r2star
from qsmiron.relaxation.uncertainty import r2star_error, with_correction
from qsmiron.volumes import check_same_grid, read_mask, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--magnitude", nargs="+", required=True, metavar="NII", help="one file per echo"
    )
    parser.add_argument("--mask", required=True, metavar="NII", help="brain mask")
    parser.add_argument("--r2star", required=True, metavar="NII", help="output: R2* (1/s)")
    parser.add_argument("--field", metavar="NII", help="total field (ppm), unwrapped")
    parser.add_argument("--field-mask", metavar="NII", help="where the field holds (default: mask)")
    parser.add_argument(
        "--local-r2star", metavar="NII", help="output: R2* corrected for the field's course (1/s)"
    )
    parser.add_argument(
        "--error", metavar="NII", help="output: standard deviation of the corrected R2* (1/s)"
    )
    parser.add_argument("--t2star", metavar="NII", help="output: T2* = 1/R2* (s), 0 where R2* is 0")
    parser.add_argument(
        "--method", default=DEFAULT, help=f"{', '.join(METHODS)} (default: %(default)s)"
    )
    parser.add_argument(
        "--parameters", metavar="JSON", help="JSON object of parameters that differ from default"
    )
    return parser


def write_corrected(
    arguments: argparse.Namespace,
    magnitude: Echoes,
    mask: np.ndarray,
    plain: np.ndarray,
    sidecar: dict,
    fit: Callable[..., np.ndarray],
    parameters: Parameters,
) -> None:
    """R2* of the magnitude without dephasing within voxels, and its standard deviation."""
    if not arguments.field:
        raise InputError(
            Problem(
                "--local-r2star, --error",
                "no --field",
                "the total field (ppm), whose course through a voxel is corrected for",
                "Give the field of map_field.py.",
            )
        )
    field = read_volume(arguments.field)
    check_same_grid(field, magnitude.grid, arguments.field)
    known = mask
    if arguments.field_mask:
        known = mask & read_mask(arguments.field_mask, magnitude.grid)
    times = magnitude.echo_times
    share = remaining_signal(field.data, known, magnitude.field_strength, times)
    corrected = without_dephasing(magnitude.data, share)
    r2star = fit(corrected, times, mask, parameters)
    described = {
        **sidecar,
        "MagneticFieldStrength": magnitude.field_strength,
        "Correction": "echoes divided by the sinc of the field's course through each voxel",
        "LeastRemainingSignal": LEAST_SIGNAL,
    }
    affine = magnitude.grid.affine
    if arguments.local_r2star:
        write_volume(arguments.local_r2star, r2star, affine, described)
    if arguments.error:
        error = with_correction(r2star_error(corrected, times, mask, r2star), r2star, plain)
        write_volume(arguments.error, error, affine, described)


def main(argv: list[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        parameters_class, fit = get_method(METHODS, arguments.method).load()
        parameters = parse_parameters(parameters_class, arguments.parameters, "--parameters")
        magnitude = read_magnitude(arguments.magnitude)
        mask = read_mask(arguments.mask, magnitude.grid)
        r2star = fit(magnitude.data, magnitude.echo_times, mask, parameters)
        sidecar = {
            "Units": "1/s",
            "SkullStripped": True,
            "Method": arguments.method,
            "Parameters": parameters.model_dump(),
            "EchoTimes": magnitude.echo_times.tolist(),
        }
        write_volume(arguments.r2star, r2star, magnitude.grid.affine, sidecar)
        if arguments.local_r2star or arguments.error:
            write_corrected(arguments, magnitude, mask, r2star, sidecar, fit, parameters)
        if arguments.t2star:
            t2star = t2star_from_r2star(r2star)
            write_volume(arguments.t2star, t2star, magnitude.grid.affine, sidecar | {"Units": "s"})


if __name__ == "__main__":
    main()
