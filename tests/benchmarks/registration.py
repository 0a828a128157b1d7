"""Labels against their truth, and what registration costs: one table.

python tests/benchmarks/registration.py --participants sub-02 sub-09 --methods whole brain_only

Two tasks on simulated heads whose labels are known. *whole*: T1w with skull and neck, noisy GRE on
an oblique grid of its own, as a scan arrives; judged on the GRE's grid. *brain_only*: the T1w's
true brain, judged on the T1w's grid, which is what *synquick* (antsRegistrationSyNQuick[s]) is
given too. Every row runs in a process of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "tests"), str(HOME / "workflow_scripts")]

import numpy as np  # noqa: E402
from benchmarks.costs import peak_megabytes  # noqa: E402

from qsmiron import template  # noqa: E402
from qsmiron.registration.itk_bridge import ants_session, to_itk  # noqa: E402
from qsmiron.registration.labels import carry_labels  # noqa: E402
from qsmiron.registration.scan import (  # noqa: E402
    RegistrationParameters,
    Template,
    register_scan,
)
from qsmiron.registration.template_to_t1w import register_template  # noqa: E402
from qsmiron.simulation.atlas_regions import BRAINSTEM, is_deep  # noqa: E402
from qsmiron.simulation.subject import read_plan, simulate_subject  # noqa: E402
from qsmiron.spaces import grid_points  # noqa: E402
from qsmiron.volumes import Volume, read_volume  # noqa: E402

METHODS = ("whole", "brain_only", "synquick")
COLUMNS = (
    ("participant", "s"),
    ("method", "s"),
    ("Dice subcortical", ".3f"),
    ("lowest", ".2f"),
    ("Dice cortical", ".3f"),
    ("lowest cortical", ".2f"),
    ("χ cost subcortical, median ppb", ".2f"),
    ("χ cost cortical, median ppb", ".2f"),
    ("s", ".0f"),
    ("peak MB", ".0f"),
)


def make_case(folder: Path, participant: str, voxel_size: float, threads: int) -> None:
    """What a scanner gives to ``scan.npz``, and the truth of the labels and χ (ppm)."""
    plan = read_plan(HOME / "config" / "demo" / "plan.tsv")
    subject = simulate_subject(plan[participant], voxel_size, threads)
    there = subject.t1w_tissues
    np.savez(
        folder / "scan.npz",
        magnitude=np.abs(subject.echoes),
        affine=subject.affine,
        t1w=subject.t1w.astype(np.float32),
        t1w_affine=there.affine,
        t1w_brain=there.brain,
    )
    np.savez(folder / "truth.npz", labels=subject.labels, chi=subject.chi, t1w_labels=there.labels)


def run_method(folder: Path, method: str, threads: int) -> dict[str, float]:
    """Labels of one method to ``<method>.npy``; seconds and peak memory."""
    scan = np.load(folder / "scan.npz")
    t1w = Volume(scan["t1w"], scan["t1w_affine"])
    atlas = read_volume(template.desikan_killiany(), dtype=np.int32)
    t1w_template = read_volume(template.template_t1w())
    if method == "whole":
        magnitude = [Volume(echo, scan["affine"]) for echo in scan["magnitude"]]
        tissues = (template.template_grey_matter(), template.template_white_matter())
        parts = Template(t1w_template, *map(read_volume, tissues))
        start = time.perf_counter()
        found = register_scan(t1w, magnitude, parts, RegistrationParameters(), threads)
        seconds = time.perf_counter() - start
        labels = carry_labels(found.coordinates, atlas)
    else:
        brain = Volume(np.where(scan["t1w_brain"], t1w.data, 0), t1w.affine)
        run = {"brain_only": _register, "synquick": _register_by_synquick}[method]
        start = time.perf_counter()
        labels = run(brain, t1w_template, atlas, threads)
        seconds = time.perf_counter() - start
    np.save(folder / f"{method}.npy", labels.astype(np.int16))
    return {"s": seconds, "peak MB": peak_megabytes()}


def _register(brain: Volume, other: Volume, atlas: Volume, threads: int) -> np.ndarray:
    with ants_session(threads, 1) as session:
        parameters = RegistrationParameters().template
        to_template = register_template(session, brain, other, parameters).to_template
    return carry_labels(to_template(grid_points(brain.data.shape, brain.affine)), atlas)


def _register_by_synquick(brain: Volume, other: Volume, atlas: Volume, threads: int) -> np.ndarray:
    with ants_session(threads, 1) as (ants, folder):
        fixed, moving = to_itk(ants, brain), to_itk(ants, other)
        found = ants.registration(
            fixed, moving, "antsRegistrationSyNQuick[s]", outprefix=str(folder / "quick-")
        )
        labels = ants.apply_transforms(
            fixed, to_itk(ants, atlas), found["fwdtransforms"], interpolator="nearestNeighbor"
        )
        return labels.numpy().astype(np.int32)


def judge(folder: Path, method: str) -> dict[str, float]:
    """Dice of every region, and how far its mean of the true χ moves with the labels."""
    truth, labels = np.load(folder / "truth.npz"), np.load(folder / f"{method}.npy")
    if method == "whole":
        return judge_labels(labels, truth["labels"], truth["chi"])
    return judge_labels(labels, truth["t1w_labels"])


def judge_labels(
    labels: np.ndarray, known: np.ndarray, chi: np.ndarray | None = None
) -> dict[str, float]:
    """The same of labels (X, Y, Z); without ``chi`` (ppm) Dice alone."""
    index = np.arange(is_deep().size)
    deep = is_deep() & (index != BRAINSTEM)
    cortex = ~is_deep() & (index > 0)
    sizes = [np.bincount(image.ravel(), minlength=index.size) for image in (labels, known)]
    shared = np.bincount(known[labels == known].ravel(), minlength=index.size)
    dice = 2 * shared / np.maximum(sizes[0] + sizes[1], 1)
    row = {
        "Dice subcortical": dice[deep].mean(),
        "lowest": dice[deep].min(),
        "Dice cortical": dice[cortex].mean(),
        "lowest cortical": dice[cortex].min(),
    }
    if chi is not None:
        means = [
            np.bincount(image.ravel(), chi.ravel(), index.size) / np.maximum(size, 1)
            for image, size in zip((labels, known), sizes, strict=True)
        ]
        cost = 1000 * np.abs(means[0] - means[1])
        row["χ cost subcortical, median ppb"] = np.median(cost[deep])
        row["χ cost cortical, median ppb"] = np.median(cost[cortex])
    return row


def _in_own_process(step: str, **job: Any) -> dict[str, Any]:
    limited = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    done = subprocess.run(
        [sys.executable, __file__, "--step", json.dumps({"step": step, **job})],
        env=os.environ | dict.fromkeys(limited, str(job["threads"])),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(done.stdout.strip().splitlines()[-1])


def _run_step(job: dict[str, Any]) -> dict[str, float]:
    folder = Path(job["folder"])
    if job["step"] == "make":
        make_case(folder, job["participant"], job["voxel_size"], job["threads"])
        return {}
    return run_method(folder, job["method"], job["threads"])


def benchmark(
    participants: list[str],
    methods: list[str],
    voxel_size: float,
    threads: int,
    say: Callable[[str], None] = print,
) -> list[dict[str, Any]]:
    """One row per participant and method; each is said as soon as it is known."""
    say("| " + " | ".join(name for name, _ in COLUMNS) + " |")
    say("|" + "---|" * len(COLUMNS))
    rows = []
    for participant in participants:
        with tempfile.TemporaryDirectory() as name:
            common = {"folder": name, "threads": threads}
            _in_own_process("make", participant=participant, voxel_size=voxel_size, **common)
            for method in methods:
                cost = _in_own_process("run", method=method, **common)
                row = {"participant": participant, "method": method, **cost}
                row |= judge(Path(name), method)
                rows.append(row)
                cells = [format(row[key], kind) if key in row else "n/a" for key, kind in COLUMNS]
                say("| " + " | ".join(cells) + " |")
    return rows


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("--participants", nargs="+", default=["sub-02"], help="of the demo's plan")
    add("--methods", nargs="+", default=list(METHODS), choices=METHODS, help="what is compared")
    add("--voxel-size", type=float, default=1.0, help="of GRE and T1w (mm)")
    add("--threads", type=int, default=2, help="of every method")
    add("--step", help=argparse.SUPPRESS)
    args = parser.parse_args(argv)
    if args.step:
        print(json.dumps(_run_step(json.loads(args.step))))
    else:
        benchmark(args.participants, args.methods, args.voxel_size, args.threads)


if __name__ == "__main__":
    main()
