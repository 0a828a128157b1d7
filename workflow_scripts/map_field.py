r"""Total field (ppm) from the wrapped phase of a gradient-echo scan.

Removes the phase offset (two echoes or more), unwraps, and fits the field over echoes. EchoTime,
MagneticFieldStrength and the phase's Units are read from the JSON sidecars beside the images.
A positive field raises the phase: phase = +2π γ̄ B0 · field · TE. Laplacian unwrapping gives the
field only up to a harmonic one, which background removal takes away.

Example::

    python workflow_scripts/map_field.py --phase sub-01_echo-*_part-phase_MEGRE.nii.gz \
        --magnitude sub-01_echo-*_part-mag_MEGRE.nii.gz --mask mask.nii.gz --field field.nii.gz

Where every other echo is read out backwards, add ``--parameters '{"readout": "bipolar"}'``. Of
three echoes or more, the sidecars of field and noise say by how much (rad) even and odd ones still
disagree: AlternatingPhaseSlope across the brain, AlternatingPhaseConstant on average.
"""

import argparse

from qsmiron.acquisition import PHASE_UNITS
from qsmiron.echoes import check_same_echoes, read_magnitude, read_phase
from qsmiron.errors import reported_to_user
from qsmiron.methods import get_method
from qsmiron.parameters import parse_parameters
from qsmiron.phase import DEFAULT, METHODS
from qsmiron.storage_order import as_stored, nearest_to_ras, turned
from qsmiron.volumes import read_mask, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--phase", nargs="+", required=True, metavar="NII", help="phase, one file per echo"
    )
    parser.add_argument(
        "--magnitude", nargs="+", required=True, metavar="NII", help="magnitude, same order"
    )
    parser.add_argument("--mask", required=True, metavar="NII", help="brain mask")
    parser.add_argument("--field", required=True, metavar="NII", help="output: total field (ppm)")
    parser.add_argument("--noise", metavar="NII", help="output: standard error of the field (ppm)")
    parser.add_argument(
        "--quality", metavar="NII", help="output: coherence of the phase, 0 to 1 (1)"
    )
    parser.add_argument(
        "--reliable-mask", metavar="NII", help="output: part of the mask with coherent phase"
    )
    parser.add_argument(
        "--phase-units",
        choices=PHASE_UNITS,
        default="declared",
        help="scale of the stored phase; declared: the sidecar's Units (default)",
    )
    parser.add_argument(
        "--method", default=DEFAULT, help=f"{', '.join(METHODS)} (default: %(default)s)"
    )
    parser.add_argument(
        "--parameters", metavar="JSON", help="JSON object of parameters that differ from default"
    )
    parser.add_argument("--threads", type=int, default=1, help="FFT workers (default: 1)")
    return parser


def main(argv: list[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        parameters_class, map_field = get_method(METHODS, arguments.method).load()
        parameters = parse_parameters(parameters_class, arguments.parameters, "--parameters")
        phase = read_phase(arguments.phase, arguments.phase_units)
        magnitude = read_magnitude(arguments.magnitude)
        check_same_echoes(phase, magnitude)
        mask = read_mask(arguments.mask, phase.grid)
        grid, turn = nearest_to_ras(phase.grid)
        result = map_field(
            turned(phase.data, turn),
            turned(magnitude.data, turn),
            turned(mask, turn),
            phase.echo_times,
            phase.field_strength,
            grid.voxel_size,
            parameters,
            arguments.threads,
        )
        ppm = {"Units": "ppm", "Method": arguments.method, "Parameters": parameters.model_dump()}
        if result.alternation is not None:
            ppm |= {
                "AlternatingPhaseSlope": round(result.alternation.slope, 4),
                "AlternatingPhaseConstant": round(result.alternation.constant, 4),
            }
        for path, data, sidecar in (
            (arguments.field, result.field, ppm),
            (arguments.noise, result.noise, ppm),
            (arguments.quality, result.quality, {"Units": "1"}),
            (arguments.reliable_mask, result.reliable, {"Type": "Brain"}),
        ):
            if path:
                write_volume(path, as_stored(data, turn), phase.grid.affine, sidecar)


if __name__ == "__main__":
    main()
