"""Carry one of a scan's maps to the template's space, for voxelwise programs.

One trilinear interpolation, in which what lies outside the scan's mask has no weight. What this
workflow measures stays on the scan's own grid. Example:

    python workflow_scripts/carry_map.py --map sub-01_desc-main_Chimap.nii.gz
        --mask sub-01_label-reliable_desc-main_mask.nii.gz --inverse templatetogre.nii.gz
        --target-mask sub-01_space-MNI152NLin2009aSym_label-reliable_desc-main_mask.nii.gz
        --target-map sub-01_space-MNI152NLin2009aSym_desc-main_Chimap.nii.gz
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.registration.coordinates import read_coordinates
from qsmiron.registration.inverse import carry_map
from qsmiron.sidecars import sidecar_path
from qsmiron.template import TEMPLATE_NAME
from qsmiron.volumes import check_same_grid, read_json, read_mask, read_volume, write_volume


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--map", required=True, help="the map on the scan's own grid (NIfTI); its sidecar is kept")
    add("--mask", required=True, help="where it is reliable, on the same grid")
    add("--inverse", required=True, help="scanner RAS mm of every voxel of the template")
    add("--target-mask", required=True, help="the same mask in the template's space")
    add("--target-map", required=True, help="output: the map in the template's space, 0 outside")
    return parser


def main(argv: list[str] | None = None) -> None:
    args = build_parser().parse_args(argv)
    with reported_to_user():
        image = read_volume(args.map)
        mask = read_mask(args.mask, like=image)
        points = read_coordinates(args.inverse)
        inside = read_volume(args.target_mask)
        check_same_grid(inside, points, args.target_mask)
        carried = carry_map(image, mask, points.data, inside.data > 0)
        described = read_json(sidecar_path(args.map)) if sidecar_path(args.map).exists() else {}
        about = {"SpatialReference": TEMPLATE_NAME, "Interpolation": "trilinear, within the mask"}
        write_volume(args.target_map, carried, points.affine, described | about)


if __name__ == "__main__":
    main()
