"""What a difference of one nucleus does to calibrated iron everywhere else: one table.

python tests/benchmarks/calibrated_iron.py --cohorts 1000

Every cohort has 16 and 22 patients of about 59 ± 10 years, six nuclei that hold the iron expected
at their age and 20 further regions without any effect (between-subject SD 8 ppb in the nuclei,
7 ppb elsewhere); then one nucleus is shifted in the first group, on both sides. Rates are of p <
.05 (Mann-Whitney) in the 20 regions; *told* is the share of cohorts whose calibrated rows say that
the calibration differs. The last row has an effect of 7 ppb in all 20 regions: power.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "workflow_scripts"), str(HOME / "tests")]

import numpy as np  # noqa: E402

from qsmiron.regions.iron import (  # noqa: E402
    LineParameters,
    calibrate,
    expected_iron,
    iron_by_line,
)
from qsmiron.regions.label_table import Label  # noqa: E402
from qsmiron.statistics.replication import mann_whitney  # noqa: E402

N_FIRST, N_SECOND, REGIONS, ALPHA = 16, 22, 20, 0.05
NUCLEI = ("caudate", "putamen", "pallidum")
LABELS = [Label(2 * i + side, name, "LR"[side]) for i, name in enumerate(NUCLEI) for side in (0, 1)]


def cohort(rng: np.random.Generator, nucleus: str, shift: float, effect: float) -> dict[str, float]:
    """Rates of one cohort; ``shift`` and ``effect`` in ppb."""
    n = N_FIRST + N_SECOND
    first = np.arange(n) < N_FIRST
    chi = 1e-3 * (20 + 7 * rng.normal(size=(n, REGIONS)) + effect * first[:, None])
    calibrated, lines = np.empty_like(chi), np.empty((n, 2))
    for who in range(n):
        age = float(np.clip(rng.normal(59, 10), 25, 85))
        medians = np.array([0.89e-3 * expected_iron(label.name, age) for label in LABELS])
        medians += 8e-3 * rng.normal(size=len(LABELS))
        medians[[label.name == nucleus for label in LABELS]] += 1e-3 * shift * first[who]
        line = calibrate(LABELS, medians, age)
        calibrated[who] = line.iron(chi[who])
        lines[who] = line.slope, line.intercept
    p = {
        "iron_line": mann_whitney(iron_by_line(chi, LineParameters()), first).p,
        "iron_calibrated": mann_whitney(calibrated, first).p,
    }
    found = {name: float((values < ALPHA).mean()) for name, values in p.items()}
    return found | {"told": float((mann_whitney(lines, first).p < ALPHA).any())}


def main() -> None:
    """Print the rates, averaged over cohorts."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cohorts", type=int, default=1000)
    args = parser.parse_args()
    print("nucleus\tshift\teffect\tiron_line\tiron_calibrated\ttold")
    for nucleus, shift, effect in (
        ("caudate", 0, 0), ("caudate", -10, 0), ("pallidum", 15, 0), ("caudate", 0, 7),
    ):  # fmt: skip
        rng = np.random.default_rng([1, abs(shift), effect])
        found = [cohort(rng, nucleus, shift, effect) for _ in range(args.cohorts)]
        rates = "\t".join(f"{np.mean([one[key] for one in found]):.3f}" for key in found[0])
        print(f"{nucleus}\t{shift}\t{effect}\t{rates}", flush=True)


if __name__ == "__main__":
    main()
