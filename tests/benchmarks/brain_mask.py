"""Brain masks against references: Dice and what lies farther than 3 mm on either side.

python tests/benchmarks/brain_mask.py

Heads: in vivo from ../shared/data/real_head (reference by a pretrained network, fluid of sulci
inside), Colin27 of Debian's mricron-data (reference by an edited BET, sulci outside), and the
demo's patients given by --participants. What is not there is left out. The T1w stands in for the
GRE, so that the mask is judged on the reference's grid.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "tests"), str(HOME / "workflow_scripts")]

import numpy as np  # noqa: E402
from scipy import ndimage  # noqa: E402

from qsmiron import template  # noqa: E402
from qsmiron.masks.gre import (  # noqa: E402
    GreMaskParameters,
    brain_of,
    mask_from_t1w,
    mask_from_template,
)
from qsmiron.masks.surface import TemplateBrain  # noqa: E402
from qsmiron.registration.scan import (  # noqa: E402
    RegistrationParameters,
    Template,
    register_scan,
)
from qsmiron.simulation.subject import read_plan, simulate_subject  # noqa: E402
from qsmiron.spaces import bounding_box  # noqa: E402
from qsmiron.volumes import Volume, read_volume  # noqa: E402

REAL = HOME.parent / "shared" / "data" / "real_head"
COLIN = Path("/usr/share/mricron/templates")
FAR_MM = 3


def heads(participants: list[str], voxel_size: float) -> Iterator[tuple[str, Volume, np.ndarray]]:
    """Name, T1w and reference mask (bool) of each head that is there."""
    pairs = {
        "real_head": (
            REAL / "sub-01" / "anat" / "sub-01_T1w.nii.gz",
            REAL / "sub-01_T1w_brainmask_reference.nii.gz",
        ),
        "Colin27": (COLIN / "ch2.nii.gz", COLIN / "ch2bet.nii.gz"),
    }
    for name, (t1w, brain) in pairs.items():
        if t1w.exists() and brain.exists():
            yield name, read_volume(t1w), read_volume(brain).data > 0
    plan = read_plan(HOME / "config" / "demo" / "plan.tsv")
    for name in participants:
        subject = simulate_subject(plan[name], voxel_size, 1)
        there = subject.t1w_tissues
        yield name, Volume(subject.t1w.astype(np.float32), there.affine), there.brain


def judge(found: np.ndarray, reference: np.ndarray, size: tuple[float, ...]) -> list[float]:
    """Dice, ml farther than 3 mm outside the reference and ml of it missing deeper than that."""
    box = bounding_box(found | reference, 8)
    found, reference = found[box], reference[box]
    millilitres = np.prod(size) / 1000
    outside = ndimage.distance_transform_edt(~reference, sampling=size) > FAR_MM
    inside = ndimage.distance_transform_edt(reference, sampling=size) > FAR_MM
    dice = 2 * (found & reference).sum() / (found.sum() + reference.sum())
    return [dice, (found & outside).sum() * millilitres, (~found & inside).sum() * millilitres]


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--participants", nargs="*", default=["sub-02"], help="of the demo's plan")
    parser.add_argument("--voxel-size", type=float, default=2.0, help="of the demo's T1w (mm)")
    args = parser.parse_args(argv)
    files = (template.template_t1w, template.template_grey_matter, template.template_white_matter)
    parts = Template(*(read_volume(file()) for file in files))
    brain = TemplateBrain(Volume(brain_of(parts.t1w), parts.t1w.affine), parts.grey, parts.white)
    parameters = GreMaskParameters()
    print("| head | mask | Dice | ml > 3 mm outside | ml lost > 3 mm inside | CPU-s |")
    print("|---|---|---|---|---|---|")
    for name, t1w, reference in heads(args.participants, args.voxel_size):
        scan = register_scan(t1w, [t1w], parts, RegistrationParameters())
        coordinates = Volume(scan.coordinates, t1w.affine)
        for method in ("template", "surface"):
            start = time.process_time()
            if method == "template":
                found = mask_from_template(t1w, scan.coordinates, parts.t1w, parameters)
            else:
                found = mask_from_t1w(t1w, t1w, scan.gre_to_t1w, coordinates, brain, parameters)
            seconds = time.process_time() - start
            dice, out, lost = judge(found, reference, t1w.voxel_size)
            print(f"| {name} | {method} | {dice:.3f} | {out:.1f} | {lost:.1f} | {seconds:.0f} |")


if __name__ == "__main__":
    main()
