r"""Magnitude and phase of one echo, from raw files that store a scan in another form.

Either from real and imaginary parts, or from magnitude and phase with all echoes along the 4th
dimension (the list EchoTime of the sidecar gives their times, in s); both may come together. The
outputs are 3D, with a sidecar each; of real and imaginary parts the phase is in rad, else its
declared unit stays.

Example::

    python workflow_scripts/extract_echo.py --raw-magnitude sub-01_part-mag_MEGRE.nii.gz \
        --raw-phase sub-01_part-phase_MEGRE.nii.gz --echo 2 \
        --magnitude sub-01_echo-2_part-mag_MEGRE.nii.gz \
        --phase sub-01_echo-2_part-phase_MEGRE.nii.gz
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.raw_echo import check_same_part, copy_echo, read_raw_echo, write_polar


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--raw-magnitude", metavar="NII", help="magnitude of this or of all echoes")
    add("--raw-phase", metavar="NII", help="phase of this or of all echoes")
    add("--real", metavar="NII", help="real part of this or of all echoes")
    add("--imaginary", metavar="NII", help="imaginary part of this or of all echoes")
    add("--echo", type=int, default=1, help="which echo, from 1, where a file holds all of them")
    add("--magnitude", required=True, metavar="NII", help="output: magnitude of the echo")
    add("--phase", required=True, metavar="NII", help="output: phase of the echo")
    return parser


def main(argv: list[str] | None = None) -> None:
    parser = build_parser()
    arguments = parser.parse_args(argv)
    polar = (arguments.raw_magnitude, arguments.raw_phase)
    cartesian = (arguments.real, arguments.imaginary)
    if not (all(polar) and not any(cartesian)) and not (all(cartesian) and not any(polar)):
        parser.error("give --raw-magnitude and --raw-phase, or --real and --imaginary")
    with reported_to_user():
        first, second = (
            read_raw_echo(path, arguments.echo) for path in (*polar, *cartesian) if path
        )
        if all(cartesian):
            write_polar(first, second, arguments.magnitude, arguments.phase)
        else:
            check_same_part(second, first)
            copy_echo(first, arguments.magnitude)
            copy_echo(second, arguments.phase)


if __name__ == "__main__":
    main()
