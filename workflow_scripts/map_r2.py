r"""R2 (1/s) from a multi-echo spin echo (BIDS MESE), on the grid of the GRE.

EchoTime is read from the JSON sidecars. R2 is fitted where the spin echo was measured and carried
to the GRE by a rigid registration; NaN where the spin echo does not reach. Example::

    python workflow_scripts/map_r2.py --spin-echo sub-01_echo-*_MESE.nii.gz \
        --magnitude sub-01_echo-*_part-mag_MEGRE.nii.gz --mask mask.nii.gz --r2 R2map.nii.gz
"""

import argparse
from collections.abc import Sequence

import numpy as np

from qsmiron.echoes import Echoes, read_magnitude
from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.registration.spin_echo import carried_map, carried_mask, gre_to_spin_echo
from qsmiron.registration.within_subject import RigidParameters
from qsmiron.relaxation.spin_echo import SpinEchoParameters, fit_r2
from qsmiron.storage_order import as_stored, nearest_to_ras, turned
from qsmiron.volumes import Volume, read_mask, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--spin-echo", nargs="+", required=True, metavar="NII", help="magnitude, a file per echo")
    add("--magnitude", nargs="+", required=True, metavar="NII", help="GRE, a file per echo")
    add("--mask", required=True, metavar="NII", help="brain mask on the grid of the GRE")
    add("--r2", required=True, metavar="NII", help="output: R2 (1/s) on the grid of the GRE")
    add("--parameters", metavar="JSON", help="JSON object of parameters that differ from default")
    add("--threads", type=int, default=1, help="threads (default: %(default)s)")
    return parser


def nearest_echoes(echoes: Echoes) -> tuple[np.ndarray, Volume]:
    """The echoes (E, X, Y, Z) stored nearest to RAS, and the first of them as a volume."""
    grid, turn = nearest_to_ras(echoes.grid)
    return np.stack([turned(echo, turn) for echo in echoes.data]), grid


def main(argv: Sequence[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        parameters = parse_parameters(SpinEchoParameters, arguments.parameters, "--parameters")
        spin_echo, gre = read_magnitude(arguments.spin_echo), read_magnitude(arguments.magnitude)
        mask, turn = nearest_to_ras(Volume(read_mask(arguments.mask, gre.grid), gre.grid.affine))
        echoes, grid = nearest_echoes(spin_echo)
        to_spin_echo = gre_to_spin_echo(
            echoes, grid.affine, nearest_echoes(gre)[0], mask, RigidParameters(), arguments.threads
        )
        known = carried_mask(mask, to_spin_echo, grid)
        r2 = Volume(fit_r2(echoes, spin_echo.echo_times, known, parameters), grid.affine)
        on_gre = carried_map(r2, known, mask, to_spin_echo)
        sidecar = {
            "Description": "R2 of the spin echoes, carried to the GRE",
            "Units": "1/s",
            "SkullStripped": True,
            "Parameters": parameters.model_dump(),
            "EchoTimes": spin_echo.echo_times.tolist(),
            "GREToSpinEcho": np.round(to_spin_echo, 6).tolist(),
        }
        write_volume(arguments.r2, as_stored(on_gre, turn), gre.grid.affine, sidecar)
        missing = int(np.isnan(on_gre).sum())
        if missing:
            share = missing / max(int(mask.data.sum()), 1)
            print(
                f"warning: the spin echo does not reach {share:.0%} of the brain: R2 is NaN there"
            )


if __name__ == "__main__":
    main()
