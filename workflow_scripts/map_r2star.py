r"""R2* (1/s), and T2* (s) if asked, from the magnitude of at least two echoes.

EchoTime is read from the JSON sidecars beside the images.

Example::

    python workflow_scripts/map_r2star.py --magnitude sub-01_echo-*_part-mag_MEGRE.nii.gz \
        --mask mask.nii.gz --r2star sub-01_R2starmap.nii.gz
"""

import argparse

from qsmiron.echoes import read_magnitude
from qsmiron.errors import reported_to_user
from qsmiron.methods import get_method
from qsmiron.parameters import parse_parameters
from qsmiron.relaxation import DEFAULT, METHODS
from qsmiron.relaxation.t2star import t2star_from_r2star
from qsmiron.volumes import read_mask, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--magnitude", nargs="+", required=True, metavar="NII", help="one file per echo"
    )
    parser.add_argument("--mask", required=True, metavar="NII", help="brain mask")
    parser.add_argument("--r2star", required=True, metavar="NII", help="output: R2* (1/s)")
    parser.add_argument("--t2star", metavar="NII", help="output: T2* = 1/R2* (s), 0 where R2* is 0")
    parser.add_argument(
        "--method", default=DEFAULT, help=f"{', '.join(METHODS)} (default: %(default)s)"
    )
    parser.add_argument(
        "--parameters", metavar="JSON", help="JSON object of parameters that differ from default"
    )
    return parser


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
        if arguments.t2star:
            t2star = t2star_from_r2star(r2star)
            write_volume(arguments.t2star, t2star, magnitude.grid.affine, sidecar | {"Units": "s"})


if __name__ == "__main__":
    main()
