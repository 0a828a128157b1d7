"""Every separation of iron and myelin on a simulated head with known sources: one table.

python tests/benchmarks/source_separation.py --participant sub-20 --voxel-size 1 --from raw
"""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "tests"), str(HOME / "workflow_scripts")]

import numpy as np  # noqa: E402
from benchmarks import image_metrics as metrics  # noqa: E402

from qsmiron import background, inversion, phase, relaxation, sources  # noqa: E402
from qsmiron.acquisition import b0_direction  # noqa: E402
from qsmiron.config import Reconstruction, Step  # noqa: E402
from qsmiron.methods import Method  # noqa: E402
from qsmiron.relaxation import field_gradient, uncertainty  # noqa: E402
from qsmiron.simulation.atlas_regions import is_deep  # noqa: E402
from qsmiron.simulation.sources import SourceParameters  # noqa: E402
from qsmiron.simulation.subject import SimulatedSubject, read_plan, simulate_subject  # noqa: E402
from qsmiron.sources.absolute import find_origin  # noqa: E402
from qsmiron.sources.maps import Maps  # noqa: E402
from qsmiron.spaces import bounding_box  # noqa: E402
from qsmiron.volumes import voxel_size  # noqa: E402

MARGIN_MM = 12.0
WHITE_BLOCKS = 4
"""White matter, which has no labels, is judged in so many blocks along each axis."""
RELAXIVITIES = {
    "realistic": SourceParameters(),
    "static": SourceParameters(r2prime_paramagnetic=107.8, r2prime_diamagnetic=133.8),
    "fibres": SourceParameters(fibre_effect=0.5),
}
"""Of the simulation: the demo's; static dephasing (Yablonskiy & Haacke 1994); white matter whose
R2' across B0 is half as large again as along it."""


@dataclasses.dataclass(frozen=True)
class Row:
    """A method with parameters, and what is done to its input: R2 (times ``r2``) and origin."""

    label: str
    method: str
    parameters: dict[str, float] = dataclasses.field(default_factory=dict)
    r2: float | None = None
    shift: float = 0.0


def rows() -> list[Row]:
    """What the table holds, the losses of the default by wrong assumptions last."""
    default, _ = sources.METHODS[sources.DEFAULT].load()
    value = default()
    found = [Row(name, name) for name in sources.METHODS]
    found += [Row(f"{name}, R2 measured", name, r2=1.0) for name in ("source_tv", "r2prime")]
    for sign, factor in (("+", 1.25), ("-", 0.75)):
        for name in ("dr_paramagnetic", "dr_diamagnetic", "r2_without_sources"):
            changed = {name: factor * getattr(value, name)}
            found.append(Row(f"default, {name} {sign}25 %", sources.DEFAULT, changed))
        found.append(Row(f"default, measured R2 {sign}25 %", sources.DEFAULT, r2=factor))
        found.append(Row(f"default, origin {sign}10 ppb", sources.DEFAULT, {}, None,
                         0.04 * (factor - 1)))  # fmt: skip
    return found


@dataclasses.dataclass(frozen=True)
class Case:
    """What the methods get, and the truth, on the grid cut to the brain (X, Y, Z)."""

    maps: Maps
    r2: np.ndarray
    truth: dict[str, np.ndarray]
    labels: np.ndarray


def _load(methods: dict[str, Method], step: Step) -> tuple[Any, Any]:
    model, function = methods[step.method].load()
    return function, model(**step.parameters)


def make_case(subject: SimulatedSubject, start: str, threads: int) -> Case:
    """Maps as the workflow makes them, from raw echoes or from the true local field."""
    size, b0 = voxel_size(subject.affine), b0_direction(subject.affine)
    box = bounding_box(subject.brain, round(MARGIN_MM / size[0]))

    def cut(data: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(data[(..., *box)])

    chain = Reconstruction()
    brain, echoes = cut(subject.brain), cut(subject.echoes)
    magnitude, times = np.abs(echoes), np.array(subject.echo_times)
    if start == "raw":
        method, values = _load(phase.METHODS, chain.field_map)
        mapped = method(
            np.angle(echoes), magnitude, brain, times, subject.field_strength, size, values, threads
        )
        total, mask = mapped.field, mapped.reliable
        method, values = _load(background.METHODS, chain.background_field)
        local, mask = method(total, mask, size, b0, values, threads)
    else:
        total, local, mask = cut(subject.fields.total), cut(subject.fields.local), brain
    method, values = _load(inversion.METHODS, chain.inversion)
    chi = method(local, mask, size, b0, values, threads, magnitude=magnitude[0])

    method, values = _load(relaxation.METHODS, chain.r2star)
    share = field_gradient.remaining_signal(total, mask, subject.field_strength, times)
    corrected = field_gradient.without_dephasing(magnitude, share)
    plain, r2star = (method(data, times, mask, values) for data in (magnitude, corrected))
    error = uncertainty.r2star_error(corrected, times, mask, r2star)
    error = uncertainty.with_correction(error, r2star, plain)
    offset = find_origin(chi, r2star, magnitude[0], mask, size).offset
    absolute = np.where(mask, chi + np.float32(offset), 0).astype(np.float32)
    maps = Maps(absolute, r2star, mask, size, subject.field_strength, r2star_error=error)
    parts = {name: cut(getattr(subject.sources, name)) for name in ("paramagnetic", "diamagnetic")}
    return Case(maps, cut(subject.sources.r2), parts, _regions(subject, box))


def _regions(subject: SimulatedSubject, box: tuple[slice, ...]) -> np.ndarray:
    """The atlas' labels, and blocks of white matter from 100 on."""
    labels = subject.labels[box].astype(int)
    white = (subject.tissues.white[box] > 0.9) & (labels == 0)
    block = np.zeros(labels.shape, int)
    for axis, n in zip(np.indices(labels.shape), labels.shape, strict=True):
        block = block * WHITE_BLOCKS + axis * WHITE_BLOCKS // n
    labels[white] = 100 + block[white]
    return labels


def judge(row: Row, case: Case) -> dict[str, float]:
    """Agreement of both sources with the truth: all regions, and deep nuclei and cortex alone."""
    maps = dataclasses.replace(
        case.maps,
        chi=np.where(case.maps.mask, case.maps.chi + np.float32(row.shift), 0),
        r2=None if row.r2 is None else np.minimum(row.r2 * case.r2, case.maps.r2star),
    )
    model, separate = sources.METHODS[row.method].load()
    positive = separate(maps, model(**row.parameters))
    found = {"paramagnetic": positive, "diamagnetic": np.where(maps.mask, maps.chi - positive, 0)}
    deep = np.flatnonzero(is_deep())
    values = {}
    for name, sign in (("paramagnetic", "+"), ("diamagnetic", "-")):
        true = case.truth[name]
        means = [metrics.region_means(data, case.labels, maps.mask) for data in (found[name], true)]
        index = np.arange(means[0].size)
        groups = {
            "": index > 0,
            "deep ": np.isin(index, deep),
            "cortex ": (index < 84) & ~np.isin(index, deep),
        }
        for group, members in groups.items():
            agreement = metrics.compare_regions(
                *(np.where(members, values_, np.nan) for values_ in means)
            )
            values[f"{group}slope{sign}"] = agreement.slope
            values[f"{group}residual{sign}"] = agreement.residual_sd
            values[f"{group}error{sign}"] = agreement.error
        values[f"bias{sign}"] = 1000 * float(np.nanmean(means[0] - means[1]))
        values[f"nrmse{sign}"] = metrics.nrmse(found[name], true, maps.mask)
        values[f"xsim{sign}"] = metrics.xsim(found[name], true, maps.mask)
    return values


SHOWN = (
    "slope", "residual", "error", "deep slope", "deep error", "cortex slope", "cortex error",
    "bias", "nrmse", "xsim",
)  # fmt: skip


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--participant", default="sub-20", help="of the demo's plan (default: %(default)s)")
    add("--voxel-size", type=float, default=1.0, help="mm (default: %(default)s)")
    add("--from", dest="start", choices=("raw", "local"), default="raw", help="raw echoes, or the "
        "true local field")  # fmt: skip
    add("--relaxivities", choices=list(RELAXIVITIES), default="realistic", help="of the simulation")
    add("--threads", type=int, default=2)
    args = parser.parse_args(argv)
    plan = read_plan(HOME / "config/demo/plan.tsv")[args.participant]
    subject = simulate_subject(
        plan, args.voxel_size, args.threads, sources=RELAXIVITIES[args.relaxivities]
    )
    case = make_case(subject, args.start, args.threads)
    columns = [f"{name}{sign}" for sign in "+-" for name in SHOWN]
    print("| method | " + " | ".join(f"χ{name[-1]} {name[:-1]}" for name in columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for row in rows():
        values = judge(row, case)
        cells = (f"{values[name]:.2f}" for name in columns)
        print(f"| {row.label} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
