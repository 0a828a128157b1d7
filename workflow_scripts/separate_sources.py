r"""Paramagnetic and diamagnetic susceptibility (ppm) from χ and R2*: iron apart from myelin.

χ⁺ ≥ 0 ≥ χ⁻, and χ⁺ + χ⁻ = χ + one constant, which the sidecars name: sources are counted from the
fluid of the ventricles. Without --r2 the method assumes R2. B0 is read from the sidecars of the
magnitude, R2* or χ unless --field-strength gives it. Example::

    python workflow_scripts/separate_sources.py --chi sub-01_Chimap.nii.gz \
        --r2star sub-01_R2starmap.nii.gz --mask local_mask.nii.gz \
        --paramagnetic para.nii.gz --diamagnetic dia.nii.gz
"""

import argparse
from collections.abc import Sequence

import numpy as np

from qsmiron.acquisition import field_strength, read_sidecar
from qsmiron.b0 import direction_of_job
from qsmiron.errors import InputError, Problem, reported_to_user
from qsmiron.methods import get_method
from qsmiron.parameters import parse_parameters
from qsmiron.sources import DEFAULT, METHODS
from qsmiron.sources.absolute import Origin, find_origin, given_origin
from qsmiron.sources.chi_error import chi_error
from qsmiron.sources.maps import TESLA_OF_CONSTANTS, Maps
from qsmiron.sources.rates import usable_r2, usable_r2star
from qsmiron.storage_order import as_stored, nearest_to_ras, turned
from qsmiron.volumes import (
    check_same_grid,
    read_json,
    read_mask,
    read_volume,
    sidecar_path,
    write_volume,
)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--chi", required=True, metavar="NII", help="susceptibility (ppm), with any reference")
    add("--r2star", required=True, metavar="NII", help="R2* (1/s); NaN is not known")
    add("--mask", required=True, metavar="NII", help="where both hold")
    add("--paramagnetic", required=True, metavar="NII", help="output: χ⁺ (ppm, at least 0)")
    add("--diamagnetic", required=True, metavar="NII", help="output: χ⁻ (ppm, at most 0)")
    add("--r2", metavar="NII", help="R2 (1/s) on the same grid; default: assumed by the method")
    add("--r2star-error", metavar="NII", help="standard deviation of R2* (1/s): weights")
    add(
        "--local-field", metavar="NII", help="local field (ppm): where χ explains it less, χ weighs"
    )
    add("--magnitude", nargs="+", metavar="NII", help="magnitude, first echo first: shows fluid")
    add("--method", default=DEFAULT, help=f"{', '.join(METHODS)} (default: %(default)s)")
    add("--parameters", metavar="JSON", help="JSON object of parameters that differ from default")
    add("--field-strength", type=float, metavar="T", help="B0 (T), where no sidecar says it")
    add(
        "--offset",
        type=float,
        metavar="PPM",
        help="added to χ so that tissue without sources is at 0 (default: from ventricular fluid)",
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
    return parser


def find_field_strength(arguments: argparse.Namespace) -> tuple[float, str]:
    """B0 (T) and where it comes from; 3 T where nothing says it."""
    if arguments.field_strength is not None:
        if not arguments.field_strength > 0:
            raise InputError(
                Problem(
                    "--field-strength",
                    f"{arguments.field_strength:g}",
                    "B0 in T, above 0",
                    "Correct it, or leave it out where a sidecar has MagneticFieldStrength.",
                )
            )
        return arguments.field_strength, "given"
    if arguments.magnitude:
        first = arguments.magnitude[0]
        return field_strength(read_sidecar(first), str(sidecar_path(first))), "sidecar"
    for path in map(sidecar_path, (arguments.r2star, arguments.chi)):
        sidecar = read_json(path) if path.exists() else {}
        if {"MagneticFieldStrength", "ImagingFrequency"} & set(sidecar):
            return field_strength(sidecar, str(path)), "sidecar"
    print(
        f"warning: no sidecar has MagneticFieldStrength: {TESLA_OF_CONSTANTS:g} T is taken; "
        "--field-strength gives another"
    )
    return TESLA_OF_CONSTANTS, "assumed"


class Grid:
    """Maps beside χ, each turned nearest to RAS so that nothing depends on the storage order."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.stored = read_volume(arguments.chi)
        self.chi, self.turn = nearest_to_ras(self.stored)
        self.mask = turned(read_mask(arguments.mask, self.stored), self.turn)

    def read(self, path: str | None, finite: bool = True) -> np.ndarray | None:
        """A map on the grid of χ; None where none is given."""
        if path is None:
            return None
        volume = read_volume(path, finite=finite)
        check_same_grid(volume, self.stored, path)
        return turned(volume.data, self.turn)

    def origin(self, r2star: np.ndarray) -> Origin:
        """What is added to χ."""
        if self.arguments.offset is not None:
            return given_origin(self.arguments.offset)
        first = self.arguments.magnitude[0] if self.arguments.magnitude else None
        magnitude = self.read(first, finite=False)
        return find_origin(self.chi.data, r2star, magnitude, self.mask, self.chi.voxel_size)

    def chi_error(self) -> np.ndarray | None:
        """Uncertainty of χ from the local field; None without the field."""
        field = self.read(self.arguments.local_field)
        if field is None:
            return None
        b0 = direction_of_job(
            self.chi, self.turn, self.arguments.b0_direction, self.arguments.b0_qform
        )
        return chi_error(self.chi.data, field, self.mask, self.chi.voxel_size, b0)


def main(argv: Sequence[str] | None = None) -> None:
    arguments = build_parser().parse_args(argv)
    with reported_to_user():
        parameters_class, separate = get_method(METHODS, arguments.method).load()
        parameters = parse_parameters(parameters_class, arguments.parameters, "--parameters")
        tesla, tesla_from = find_field_strength(arguments)
        grid = Grid(arguments)
        mask = grid.mask
        r2star, mended = usable_r2star(
            grid.read(arguments.r2star, finite=False), mask, arguments.r2star
        )
        r2 = grid.read(arguments.r2, finite=False)
        if r2 is not None:
            r2, mended = usable_r2(r2, r2star, mask, arguments.r2, mended)
        origin = grid.origin(r2star)
        maps = Maps(
            np.where(mask, grid.chi.data + np.float32(origin.offset), 0).astype(np.float32),
            r2star,
            mask,
            grid.chi.voxel_size,
            tesla,
            r2,
            grid.read(arguments.r2star_error),
            grid.chi_error(),
        )
        paramagnetic = separate(maps, parameters)
        diamagnetic = np.where(mask, maps.chi - paramagnetic, 0).astype(np.float32)
        sidecar = {
            "Units": "ppm",
            "SkullStripped": True,
            "Method": arguments.method,
            "Parameters": parameters.model_dump(),
            "MagneticFieldStrength": tesla,
            "MagneticFieldStrengthSource": tesla_from,
            "R2": "assumed by the method" if r2 is None else "measured",
            "Origin": origin.words,
            "OriginOffset": origin.offset,
            "OriginVoxels": origin.n_voxels,
            "MaskVoxels": int(mask.sum()),
            "MendedVoxels": vars(mended),
        }
        sign = "susceptibility; χ⁺ + χ⁻ = χ + OriginOffset"
        for path, data, kind in (
            (arguments.paramagnetic, paramagnetic, "paramagnetic"),
            (arguments.diamagnetic, diamagnetic, "diamagnetic"),
        ):
            described = {"Description": f"{kind.capitalize()} {sign}", **sidecar}
            write_volume(path, as_stored(data, grid.turn), grid.stored.affine, described)
        for remark in mended.remarks(int(mask.sum())):
            print(f"warning: {remark}")


if __name__ == "__main__":
    main()
