"""Measure susceptibility, iron and R2* in every region of a label image on the χ grid.

One row per region and metric; n/a where there is nothing to measure, so the deposits without
--thresholds. Example:

    python workflow_scripts/measure_regions.py --chi chi.nii.gz --labels dseg.nii.gz
        --label-table dseg.tsv --participant sub-01 --age 58 --regions regions.tsv
"""

import argparse

from qsmiron.errors import reported_to_user
from qsmiron.parameters import parse_parameters
from qsmiron.regions import region_tables as rows
from qsmiron.regions.deposits import IronParameters
from qsmiron.regions.iron import parse_age
from qsmiron.regions.label_table import read_label_table
from qsmiron.regions.measure import measure, remarks
from qsmiron.regions.scan import read_scan
from qsmiron.regions.selection import SelectionParameters
from qsmiron.regions.values import Who, write_values
from qsmiron.tables import write_table


def build_parser():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--chi", required=True, help="susceptibility map (NIfTI, ppm); NaN counts as missing")
    add("--labels", required=True, help="label image on the grid of --chi")
    add("--label-table", required=True, help="TSV: index, name[, hemisphere, structure]")
    add("--participant", required=True, help="participant_id, such as sub-01")
    add("--regions", required=True, help="output: table of all metrics (TSV)")
    add("--age", help="age (years) for iron_calibrated; n/a if unknown")
    add("--thresholds", help="TSV of pool_thresholds.py (ppm), for the deposits")
    add("--mask", help="reliable mask on the same grid; default: every finite voxel")
    add("--r2star", help="R2* map on the same grid (1/s)")
    add("--paramagnetic", help="χ⁺ on the same grid (ppm); with --diamagnetic")
    add("--diamagnetic", help="χ⁻ on the same grid (ppm)")
    add("--tissues", help="probabilities of grey, white matter, fluid on that grid (X, Y, Z, 3)")
    add("--weights", help="fraction of each voxel that belongs to its region, on that grid")
    add("--session", default="", help="session label")
    add("--desc", default="main", help="reconstruction variant (default: %(default)s)")
    add("--atlas", default="DK", help="name of the atlas (default: %(default)s)")
    add("--labels-source", default="atlas", help="origin of the labels (default: %(default)s)")
    add("--quantiles", help="output: quantile function of χ in each region (TSV)")
    add("--calibration", help="output: the subject's own line from χ to iron (TSV)")
    add("--values", help="output: χ by region (NPZ) for pool_thresholds.py, count_deposits.py")
    add("--voxels", help="output: how many voxels of each region are used, and why not all (TSV)")
    add("--parameters", help="JSON object that overrides defaults of the config block iron")
    add("--selection", help="JSON object that overrides defaults of the config block regions")
    return parser


def main(argv=None):
    parser = build_parser()
    args = parser.parse_args(argv)
    if bool(args.paramagnetic) != bool(args.diamagnetic):
        parser.error("--paramagnetic and --diamagnetic need each other")
    with reported_to_user():
        parameters = parse_parameters(IronParameters, args.parameters, "--parameters")
        options = parse_parameters(SelectionParameters, args.selection, "--selection")
        age = parse_age(args.age, "--age")
        labels = read_label_table(args.label_table)
        who = Who(args.participant, args.session, args.desc, args.atlas, args.labels_source)
        images = (args.mask, args.r2star, args.tissues, args.weights)
        parts = (args.paramagnetic, args.diamagnetic) if args.paramagnetic else None
        scan, r2star, sources, selection, white = read_scan(
            who, args.chi, args.labels, labels, *images, options, parts
        )
        thresholds = rows.read_thresholds(args.thresholds, who) if args.thresholds else None
        metrics, fit = measure(scan, labels, parameters, age, thresholds, r2star, sources, white)
        write_table(
            rows.region_rows(who, labels, metrics, scan.chi, r2star, sources),
            args.regions,
            "regions",
        )
        if args.quantiles:
            write_table(rows.quantile_rows(who, labels, scan.chi), args.quantiles, "quantiles")
        if args.calibration:
            write_table(rows.calibration_row(who, labels, fit), args.calibration, "calibration")
        if args.values:
            write_values(args.values, scan)
        if args.voxels:
            table = rows.voxel_rows(who, labels, selection.counts, scan.voxel_volume)
            write_table(table, args.voxels, "region_voxels")
        for remark in (*selection.remarks, *remarks(scan, labels, fit)):
            print(f"warning: {remark}")


if __name__ == "__main__":
    main()
