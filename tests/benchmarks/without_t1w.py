"""What labels lose without a T1w: Dice and the cost in χ, against labels by the T1w.

python tests/benchmarks/without_t1w.py --results results --participants sub-05 sub-09

Takes the maps and labels that a run on the demo left in ``results``, registers each scan again by
its R2* and χ alone, and judges both against the simulated truth.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "tests"), str(HOME / "workflow_scripts")]

import numpy as np  # noqa: E402
from benchmarks.registration import COLUMNS, judge_labels  # noqa: E402
from heads import reference  # noqa: E402

from qsmiron.registration.hybrid import HybridParameters, register_without_t1w  # noqa: E402
from qsmiron.registration.labels import carry_labels  # noqa: E402
from qsmiron.registration.scan import RegistrationParameters  # noqa: E402
from qsmiron.results import Results  # noqa: E402
from qsmiron.simulation.subject import read_plan, simulate_subject  # noqa: E402
from qsmiron.template import desikan_killiany  # noqa: E402
from qsmiron.volumes import read_mask, read_volume  # noqa: E402


def main() -> None:
    """Two rows a participant."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, required=True, help="of a run on the demo")
    parser.add_argument("--participants", nargs="+", required=True)
    args = parser.parse_args()
    plan = read_plan(HOME / "config/demo/plan.tsv")
    atlas = read_volume(desikan_killiany(), dtype=np.int32)
    shown = [(name, form) for name, form in COLUMNS[2:] if name not in ("s", "peak MB")]
    print("\t".join(["participant", "labels by", *[name for name, _ in shown]]))
    for who in args.participants:
        paths = Results(str(args.results), who, who, "main", "DK")
        chi = read_volume(paths.chi_unreferenced, finite=False)
        subject = simulate_subject(plan[who], round(chi.voxel_size[0], 3))
        found = register_without_t1w(
            chi,
            read_volume(paths.r2star, finite=False).data,
            read_mask(paths.brain_mask, chi),
            reference(),
            RegistrationParameters(),
            HybridParameters(),
        )
        by_t1w = read_volume(paths.labels, dtype=np.int32).data
        for name, labels in (
            ("T1w", by_t1w),
            ("R2* and χ", carry_labels(found.coordinates, atlas)),
        ):
            row = judge_labels(labels, subject.labels, subject.chi)
            print("\t".join([who, name, *[f"{row[key]:{form}}" for key, form in shown]]))


if __name__ == "__main__":
    main()
