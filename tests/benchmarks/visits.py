"""How far regional χ differs between two visits without any change: within-subject SD in ppb.

python tests/benchmarks/visits.py --participants 6 --voxel-size 2

Each patient of the demo is imaged twice, at another place, on other grids and with other noise, and
with the same χ. Regions are measured by the true labels, by those of each visit registered alone,
and by those from the template within the participant, with the poses that were found and with the
true ones, which is what better rigid maps could reach at most: in the true χ, where labels alone
differ, and in that of the default chain. Root mean square over patients, then over regions.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "tests"), str(HOME / "workflow_scripts")]

import numpy as np  # noqa: E402
from benchmarks.chains import load_method  # noqa: E402

from qsmiron import background, inversion, phase  # noqa: E402
from qsmiron.acquisition import b0_direction  # noqa: E402
from qsmiron.config import Reconstruction  # noqa: E402
from qsmiron.registration.coordinates import compose  # noqa: E402
from qsmiron.registration.itk_bridge import ants_session  # noqa: E402
from qsmiron.registration.labels import carry_labels  # noqa: E402
from qsmiron.registration.scan import (  # noqa: E402
    RegistrationParameters,
    Template,
    register_head,
    register_scan,
)
from qsmiron.registration.visit import register_visit  # noqa: E402
from qsmiron.registration.within_subject_template import average_visits  # noqa: E402
from qsmiron.simulation.atlas_regions import is_deep  # noqa: E402
from qsmiron.simulation.follow_up import VisitRow, head_position, simulate_visit  # noqa: E402
from qsmiron.simulation.subject import SimulatedSubject, read_plan, simulate_subject  # noqa: E402
from qsmiron.template import (  # noqa: E402
    desikan_killiany,
    template_grey_matter,
    template_t1w,
    template_white_matter,
)
from qsmiron.volumes import Volume, read_volume, voxel_size  # noqa: E402

UPRIGHT = {
    "rotations": (0.0,), "rises": (0.0, 30.0), "advances": (0.0,), "searched": 1, "refined": 1,
}  # fmt: skip
"""Of the demo's heads none is far from upright: few starts of the pose do."""
WAYS = (
    "true labels", "each visit alone", "template within the participant", "the same, true poses",
)  # fmt: skip
MAPS = ("true χ", "default chain")


def reconstructed(visit: SimulatedSubject, threads: int) -> np.ndarray:
    """χ (ppm) by the default chain in the true brain, relative to its mean there; NaN elsewhere."""
    chain = Reconstruction()
    geometry = voxel_size(visit.affine), b0_direction(visit.affine)
    field_map, values = load_method(phase.METHODS, chain.field_map.method, {})
    found = field_map(
        np.angle(visit.echoes), np.abs(visit.echoes), visit.brain, np.array(visit.echo_times),
        visit.field_strength, geometry[0], values, threads,
    )  # fmt: skip
    remove, values = load_method(background.METHODS, chain.background_field.method, {})
    local, mask = remove(found.field, found.reliable, *geometry, values, threads)
    invert, values = load_method(inversion.METHODS, chain.inversion.method, {})
    chi = invert(local, mask, *geometry, values, threads)
    return np.where(mask, chi - chi[mask].mean(), np.nan)


def means(chi: np.ndarray, labels: np.ndarray, number: int) -> np.ndarray:
    """Mean of every label from 1 on, over voxels that have a value."""
    known = np.isfinite(chi) & (labels > 0)
    total = np.bincount(labels[known], chi[known].astype(float), number)
    with np.errstate(invalid="ignore"):
        return (total / np.bincount(labels[known], minlength=number))[1:]


def measure(
    visits: Sequence[SimulatedSubject], positions: Sequence[np.ndarray], threads: int
) -> np.ndarray:
    """Regional means (ppm) by (map, way, visit, region).

    ``positions`` (4, 4) take mm of each visit's T1w to mm of the first one's.
    """
    parameters = RegistrationParameters.model_validate({"template": {"pose": UPRIGHT}})
    template = Template(
        *map(read_volume, (template_t1w(), template_grey_matter(), template_white_matter()))
    )
    atlas = read_volume(desikan_killiany(), dtype=np.int32)
    number = int(atlas.data.max()) + 1
    heads = [Volume(visit.t1w, visit.t1w_tissues.affine) for visit in visits]
    magnitudes = [[Volume(np.abs(echo), visit.affine) for echo in visit.echoes] for visit in visits]
    with ants_session(threads, parameters.seed) as session:
        mean = average_visits(
            session, heads, template.t1w, parameters.template, parameters.rigid, parameters.visits
        )
        head = register_head(session, mean.image, template, parameters)
    to_heads = [np.linalg.inv(to_visit) for to_visit in mean.to_visits]
    table = np.empty((len(MAPS), len(WAYS), len(visits), number - 1))
    for place, visit in enumerate(visits):
        alone = register_scan(heads[place], magnitudes[place], template, parameters, threads)
        common = register_visit(
            head, heads[place], to_heads[place], magnitudes[place], parameters, threads
        )
        if not place:
            first = to_heads[0] @ common.gre_to_t1w @ np.linalg.inv(visit.gre_to_t1w)
        known = first @ positions[place] @ visit.gre_to_t1w
        exact = compose(visit.brain.shape, visit.affine, known, head.to_template)
        found = (alone.coordinates, common.coordinates, exact)
        labels = [visit.labels.astype(np.int32), *(carry_labels(each, atlas) for each in found)]
        true = np.where(visit.brain, visit.chi - visit.chi[visit.brain].mean(), np.nan)
        for which, chi in enumerate((true, reconstructed(visit, threads))):
            for way, each in enumerate(labels):
                table[which, way, place] = means(chi, each, number)
    return table


def within_subject_sd(tables: Sequence[np.ndarray], regions: np.ndarray) -> np.ndarray:
    """Root mean square over patients and regions of the visits' SD, ppb, by (map, way)."""
    variance = np.stack(tables).var(axis=3, ddof=1)[..., regions]
    return 1000 * np.sqrt(np.nanmean(variance, axis=(0, 3)))


def show(tables: Sequence[np.ndarray]) -> None:
    """Print the SDs of what was measured so far."""
    deep = is_deep()[1:]
    print(f"\n{len(tables)} patients, two visits each; within-subject SD (ppb)\n")
    print("| map | labels | deep nuclei | cortex |\n|---|---|---|---|")
    nuclei, cortex = (within_subject_sd(tables, which) for which in (deep, ~deep))
    for which, name in enumerate(MAPS):
        for way, labels in enumerate(WAYS):
            print(f"| {name} | {labels} | {nuclei[which, way]:.2f} | {cortex[which, way]:.2f} |")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--participants", type=int, default=6, help="the first n of the plan")
    parser.add_argument("--voxel-size", type=float, default=2.0, help="mm")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args(argv)
    plan = read_plan(HOME / "config/demo/plan.tsv")
    tables = []
    for number, row in enumerate(list(plan.values())[: arguments.participants], start=1):
        began = time.process_time()
        visit = VisitRow("2", 10_000 + number, 12.0)
        visits = [
            simulate_subject(row, arguments.voxel_size, arguments.threads),
            simulate_visit(row, visit, arguments.voxel_size, arguments.threads),
        ]
        tables.append(measure(visits, (np.eye(4), head_position(visit)), arguments.threads))
        print(f"{row.participant_id}: {time.process_time() - began:.0f} s of CPU")
        show(tables)


if __name__ == "__main__":
    main()
