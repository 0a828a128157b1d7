"""Iron and myelin of the demo's patients where effects of sources are planted: one row a patient.

python tests/benchmarks/planted_sources.py --voxel-size 4 > planted.tsv
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "tests"), str(HOME / "workflow_scripts")]

import numpy as np  # noqa: E402
from benchmarks.source_separation import make_case  # noqa: E402

from qsmiron import sources  # noqa: E402
from qsmiron.simulation.atlas_regions import label  # noqa: E402
from qsmiron.simulation.subject import read_plan, simulate_subject  # noqa: E402

CELLS = (("precentral", "R"), ("brainstem", "B"), ("paracentral", "R"), ("thalamus", "R"))
"""The last has no planted source."""


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voxel-size", type=float, default=4.0, help="mm (default: %(default)s)")
    args = parser.parse_args(argv)
    names = ("chi", "chi_para", "chi_dia", "true_chi_para", "true_chi_dia")
    columns = [f"{region}_{side}_{name}" for region, side in CELLS for name in names]
    print("\t".join(["participant_id", *columns]))
    model, separate = sources.METHODS[sources.DEFAULT].load()
    for who, row in read_plan(HOME / "config/demo/plan.tsv").items():
        case = make_case(simulate_subject(row, args.voxel_size), "raw", 1)
        mask, chi = case.maps.mask, case.maps.chi
        positive = separate(case.maps, model())
        maps = (
            chi - chi[mask].mean(), positive, np.where(mask, chi - positive, 0),
            *case.truth.values(),
        )  # fmt: skip
        cells = [
            f"{1000 * data[(case.labels == label(*cell)) & mask].mean(dtype=float):.2f}"
            for cell in CELLS
            for data in maps
        ]
        print("\t".join([who, *cells]), flush=True)


if __name__ == "__main__":
    main()
