"""Carry a scan's χ, and χ⁺ and χ⁻, to the template's space for the report's picture of the cohort.

Nothing is measured in it: regions are measured on the scan's own grid, where χ is never resampled.
Example:

    python workflow_scripts/carry_chi.py --chi sub-01_desc-main_Chimap.nii.gz
        --mask sub-01_label-reliable_desc-main_mask.nii.gz --coordinates coordinates.nii.gz
        --template-chi sub-01_desc-main_templatechi.nii.gz

--template-paramagnetic and --template-diamagnetic are written without a value (NaN) for a scan that
has no sources.
"""

import argparse

import numpy as np

from qsmiron.errors import reported_to_user
from qsmiron.registration.coordinates import read_coordinates
from qsmiron.registration.template_average import picture_grid, scatter
from qsmiron.template import TEMPLATE_NAME, template_t1w
from qsmiron.volumes import check_same_grid, read_mask, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--chi", required=True, help="referenced susceptibility map (NIfTI, ppm)")
    add("--mask", required=True, help="where it is reliable, on the same grid")
    add("--coordinates", required=True, help="template coordinates of every voxel")
    add("--template-chi", required=True, help="output: χ (ppm) in template space, 2 mm, NaN: none")
    for sign, part in (("paramagnetic", "χ⁺"), ("diamagnetic", "χ⁻")):
        add(f"--{sign}", help=f"{part} (ppm), on the same grid")
        add(f"--template-{sign}", help=f"output: {part} in template space")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        chi = read_volume(args.chi)
        sources = {
            args.template_paramagnetic: args.paramagnetic,
            args.template_diamagnetic: args.diamagnetic,
        }
        maps = {args.template_chi: args.chi, **{to: path for to, path in sources.items() if to}}
        mask = read_mask(args.mask, like=chi)
        coordinates = read_coordinates(args.coordinates)
        check_same_grid(coordinates, chi, args.coordinates)
        shape, affine = picture_grid(read_volume(template_t1w(), dtype=np.uint8))
        points = coordinates.data[mask]
        sidecar = {
            "Description": "Susceptibility in template space, for pictures only: never measured",
            "Units": "ppm",
            "SpatialReference": TEMPLATE_NAME,
        }
        for output, path in maps.items():
            carried = np.full(shape, np.nan, np.float32)
            if path:
                part = read_volume(path)
                check_same_grid(part, chi, path)
                carried = scatter(part.data[mask], points, chi.voxel_size, shape, affine)
            write_volume(output, carried, affine, sidecar)


if __name__ == "__main__":
    main()
