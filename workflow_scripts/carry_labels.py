"""Carry labels to the grid of the GRE, in one nearest-neighbour look-up.

An atlas, through the coordinate map of the scan (and a map to the atlas' own template):
    python workflow_scripts/carry_labels.py --coordinates coordinates.nii.gz --atlas DK.nii.gz
    --label-table config/atlases/DesikanKilliany.tsv --labels sub-01_atlas-DK_dseg.nii.gz

Or the subject's own segmentation, by the rigid map of the scan (none if it is in the GRE's space):
    python workflow_scripts/carry_labels.py --segmentation aparc+aseg.mgz --space T1w
    --gre-to-t1w registration.json --magnitude sub-01_echo-1_part-mag_MEGRE.nii.gz
    --colour-table FreeSurferColorLUT.txt --label-table config/atlases/DesikanKilliany.tsv
    --labels sub-01_atlas-DK_dseg.nii.gz
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from qsmiron.errors import reported_to_user
from qsmiron.regions.colour_table import read_colour_table
from qsmiron.regions.label_table import (
    N_BEYOND,
    N_BEYOND_DESCRIPTION,
    Label,
    read_label_table,
    write_label_table,
)
from qsmiron.regions.segmentation import read_segmentation, translate_segmentation
from qsmiron.registration.coordinates import read_coordinates
from qsmiron.registration.field_of_view import voxels_beyond
from qsmiron.registration.labels import (
    FRACTION_STEP,
    carry_labels,
    check_carried,
    check_labels,
    compact,
    label_fractions,
)
from qsmiron.registration.rigid_map import read_rigid_map
from qsmiron.registration.routes import CoordinateRoute, RigidRoute, Route, read_template_map
from qsmiron.volumes import (
    Volume,
    image_grid,
    read_volume,
    sidecar_path,
    write_scaled_volume,
    write_volume,
)


def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--coordinates", help="template coordinates of every GRE voxel")
    add("--atlas", help="labels in template space (NIfTI or MGZ)")
    add("--template-map", help="template coordinates → those of the atlas' own template")
    add("--segmentation", help="the subject's own labels (NIfTI or MGZ), instead of an atlas")
    add("--space", choices=("T1w", "GRE"), help="whose scanner space the segmentation is in")
    add(
        "--magnitude",
        help="a magnitude or ready map, for the GRE grid; with --segmentation",
    )
    add("--gre-to-t1w", help="JSON with the rigid map of the scan; with --space T1w")
    add("--colour-table", help="names of the segmentation's numbers, if not the label table's")
    add("--label-table", required=True, help="TSV: index, name[, hemisphere, structure]")
    add("--labels", required=True, help="output: labels on the GRE grid; table and sidecar beside")
    add("--weights", help="output: fraction of each voxel that lies in its label")
    return parser


def read_arguments(argv: list[str] | None) -> argparse.Namespace:
    """The arguments, those of one source of labels only: the others would be ignored unseen."""
    parser = build_parser()
    args = parser.parse_args(argv)
    needed, optional = ["coordinates", "atlas"], ["template_map"]
    foreign = ["segmentation", "space", "magnitude", "gre_to_t1w", "colour_table"]
    if args.segmentation:
        foreign = needed + optional
        needed = ["segmentation", "space", "magnitude"]
        needed += ["gre_to_t1w"] if args.space == "T1w" else []
    for names, given, fault in ((needed, False, "missing"), (foreign, True, "out of place")):
        wrong = [name for name in names if bool(getattr(args, name)) is given]
        if wrong:
            options = ", ".join("--" + name.replace("_", "-") for name in wrong)
            source = "a segmentation" if args.segmentation else "an atlas"
            parser.error(f"{fault} with labels of {source}: {options}")
    return args


def base_names(**files: str | None) -> dict[str, str]:
    return {key: Path(file).name for key, file in files.items() if file}


def from_atlas(
    args: argparse.Namespace, table: list[Label]
) -> tuple[Volume, Route, np.ndarray, dict[str, str]]:
    """The label image, the route to it, the GRE's affine and what the sidecar says."""
    coordinates = read_coordinates(args.coordinates)
    onward = read_template_map(args.template_map) if args.template_map else None
    atlas = read_volume(args.atlas, dtype=np.int32)
    check_labels(atlas, {region.index for region in table}, args.atlas, args.label_table)
    sidecar = {
        "Description": "Atlas labels, nearest neighbour",
        "LabelsSource": "atlas",
        N_BEYOND: N_BEYOND_DESCRIPTION,
        **base_names(Atlas=args.atlas, TemplateMap=args.template_map),
    }
    return atlas, CoordinateRoute(coordinates.data, onward), coordinates.affine, sidecar


def from_segmentation(
    args: argparse.Namespace, table: list[Label]
) -> tuple[Volume, Route, np.ndarray, dict[str, str]]:
    """As :func:`from_atlas`; regions that the segmentation cannot have are warned of."""
    shape, affine = image_grid(args.magnitude)
    matrix = read_rigid_map(args.gre_to_t1w) if args.space == "T1w" else np.eye(4)
    colours = read_colour_table(args.colour_table) if args.colour_table else None
    image = read_segmentation(args.segmentation)
    labels, unknown = translate_segmentation(
        image.data, colours, table, args.segmentation, args.label_table
    )
    if unknown:
        names = ", ".join(f"{region.name} ({region.hemisphere})" for region in unknown)
        print(f"warning: {args.colour_table}: no number for the regions {names}", file=sys.stderr)
    sidecar = {
        "Description": "Labels of the subject's own segmentation, nearest neighbour",
        "LabelsSource": "segmentation",
        N_BEYOND: N_BEYOND_DESCRIPTION,
        "SegmentationSpace": args.space,
        **base_names(Segmentation=args.segmentation, ColourTable=args.colour_table),
    }
    route = RigidRoute(shape, affine, matrix)
    return Volume(labels, image.affine), route, affine, sidecar


def main(argv: list[str] | None = None) -> None:
    args = read_arguments(argv)
    with reported_to_user():
        table = read_label_table(args.label_table)
        read = from_segmentation if args.segmentation else from_atlas
        image, route, affine, sidecar = read(args, table)
        points = route.centres()
        labels = carry_labels(points, image)
        if args.segmentation:
            check_carried(labels, args.segmentation, args.magnitude)
        beyond = voxels_beyond(labels, points, image)
        write_label_table(sidecar_path(args.labels).with_suffix(".tsv"), args.label_table, beyond)
        write_volume(args.labels, compact(labels), affine, sidecar)
        if args.weights:
            fractions = label_fractions(labels, route, image)
            about = {"Description": "Fraction of the voxel in its own label", "Units": "1"}
            write_scaled_volume(args.weights, fractions, affine, FRACTION_STEP, about)


if __name__ == "__main__":
    main()
