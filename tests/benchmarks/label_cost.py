"""What carried labels cost in a finished demo: region means there against those at the true labels.

python tests/benchmarks/label_cost.py --results results --participants sub-02 sub-09

For the true χ of the simulated head and for the χ map that the workflow made: the median over the
regions and participants of |mean at the carried labels − mean at the true labels|, in ppb.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "workflow_scripts")]

import numpy as np  # noqa: E402

from qsmiron.simulation.atlas_regions import BRAINSTEM, is_deep  # noqa: E402
from qsmiron.simulation.subject import read_plan, simulate_subject  # noqa: E402
from qsmiron.volumes import check_same_grid, read_volume  # noqa: E402

INDEX = np.arange(is_deep().size)
KINDS = {
    "subcortical": is_deep() & (INDEX != BRAINSTEM),
    "cortical": ~is_deep() & (INDEX > 0),
}


def region_means(values: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Mean of ``values`` in every region, by label."""
    total = np.bincount(labels.ravel(), values.ravel(), INDEX.size)
    return total / np.maximum(np.bincount(labels.ravel(), minlength=INDEX.size), 1)


def compare(results: Path, participant: str) -> dict[str, np.ndarray]:
    """Dice of every region, and the cost (ppb) on the true χ and on the map, by label."""
    anat = results / participant / "anat"
    carried = read_volume(anat / f"{participant}_atlas-DK_dseg.nii.gz", dtype=np.int64)
    chi = read_volume(anat / f"{participant}_desc-main_Chimap.nii.gz")
    plan = read_plan(HOME / "config" / "demo" / "plan.tsv")
    # a header holds voxel sizes as float32
    subject = simulate_subject(plan[participant], round(carried.voxel_size[0], 3))
    check_same_grid(carried, chi, participant)
    truth, labels = subject.labels.astype(np.int64), carried.data
    sizes = sum(np.bincount(image.ravel(), minlength=INDEX.size) for image in (truth, labels))
    shared = np.bincount(truth[truth == labels], minlength=INDEX.size)
    found = {"Dice": 2 * shared / np.maximum(sizes, 1)}
    for name, image in (("true χ", subject.chi), ("χ map", chi.data)):
        difference = region_means(image, labels) - region_means(image, truth)
        found[name] = 1000 * np.abs(difference)
    return found


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", default="results", type=Path, help="of the demo")
    parser.add_argument("--participants", nargs="+", default=["sub-02"])
    args = parser.parse_args(argv)
    found = [compare(args.results, participant) for participant in args.participants]
    print("| regions | Dice | cost on the true χ (ppb) | cost on the χ map (ppb) |")
    print("|---|---|---|---|")
    for kind, chosen in KINDS.items():
        dice, true, mapped = (
            np.stack([row[name][chosen] for row in found]) for name in ("Dice", "true χ", "χ map")
        )
        print(f"| {kind} | {dice.mean():.3f} | {np.median(true):.2f} | {np.median(mapped):.2f} |")


if __name__ == "__main__":
    main()
