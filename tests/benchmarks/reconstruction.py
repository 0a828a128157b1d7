"""Every way from raw phase to susceptibility on data with a known truth: one table.

python tests/benchmarks/reconstruction.py --phantom head --methods "vsharp+rts,given+tv"
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "tests"), str(HOME / "workflow_scripts")]

import numpy as np  # noqa: E402
from benchmarks import image_metrics as metrics  # noqa: E402
from benchmarks import phantoms, real_tissue  # noqa: E402
from benchmarks.chains import Chain, default_chains, load_method, named_chain  # noqa: E402
from benchmarks.costs import peak_megabytes  # noqa: E402

from qsmiron import background, inversion, phase  # noqa: E402
from qsmiron.acquisition import b0_direction  # noqa: E402
from qsmiron.config import Reconstruction  # noqa: E402
from qsmiron.errors import reported_to_user  # noqa: E402
from qsmiron.spaces import bounding_box  # noqa: E402
from qsmiron.volumes import voxel_size  # noqa: E402

NEIGHBOUR_REACH_MM = 2.0
WARM_UP_VOXELS = 16

COLUMNS = {  # key: heading, format
    "chain": ("chain", "s"),
    "local_nrmse": ("local field NRMSE %", ".1f"),
    "nrmse": ("NRMSE %", ".1f"),
    "dnrmse": ("dNRMSE %", ".1f"),
    "hfen": ("HFEN %", ".1f"),
    "xsim": ("XSIM", ".3f"),
    "slope": ("slope", ".2f"),
    "residual_sd": ("residual SD ppb", ".1f"),
    "regional_error": ("regional error ppb", ".1f"),
    "deep_slope": ("deep slope", ".2f"),
    "deep_residual_sd": ("deep residual SD ppb", ".1f"),
    "cortex_slope": ("cortex slope", ".2f"),
    "cortex_residual_sd": ("cortex residual SD ppb", ".1f"),
    "left_right_error": ("L-R error ppb", ".1f"),
    "neighbour_error": ("neighbour error ppb", ".1f"),
    "smooth_error": ("smooth error ppb", ".1f"),
    "rim_error": ("error at 0–3 mm ppb", ".1f"),
    "middle_error": ("at 3–10 mm ppb", ".1f"),
    "inner_error": ("beyond 10 mm ppb", ".1f"),
    "kept": ("own mask %", ".1f"),
    "field_map_s": ("field map s", ".1f"),
    "background_s": ("background s", ".1f"),
    "inversion_s": ("inversion s", ".1f"),
    "total_s": ("total s", ".1f"),
    "peak_mb": ("peak MB", ".0f"),
}


# --- Steps, each in a process of its own ---------------------------------------------------------
def make_phantoms(folder: Path, options: dict[str, Any]) -> None:
    """Write every phantom: what a scanner would give to ``inputs``, the rest to ``truth``."""
    edge, threads = options["voxel_size"], options["threads"]
    made = {
        "head": lambda: [phantoms.head(options["participant"], edge, threads)],
        "textured": lambda: [real_tissue.textured_head(options["participant"], edge, threads)],
        "qsm-forward": lambda: [phantoms.qsm_forward(edge)],
        "cosmos": lambda: phantoms.cosmos_slabs(options["data"]),
        "tissue": lambda: real_tissue.tissue_slabs(options["data"]),
    }[options["phantom"]]()
    for number, phantom in enumerate(made):
        inputs, truth = folder / str(number) / "inputs", folder / str(number) / "truth"
        inputs.mkdir(parents=True)
        truth.mkdir()
        acquisition = {
            "name": phantom.name,
            "echo_times": list(phantom.echo_times),
            "field_strength": phantom.field_strength,
            "affine": phantom.affine.tolist(),
        }
        (inputs / "acquisition.json").write_text(json.dumps(acquisition))
        np.save(inputs / "mask.npy", phantom.mask)
        if phantom.echoes is not None:
            np.save(inputs / "echoes.npy", phantom.echoes)
            np.save(truth / "total_field.npy", phantom.total_field)
        for name in ("chi", "local_field", "labels"):
            np.save(truth / f"{name}.npy", getattr(phantom, name))
        regions = {"homologous": phantom.homologous, "deep": phantom.deep}
        (truth / "regions.json").write_text(json.dumps(regions))


def map_total_field(folder: Path, threads: int) -> dict[str, float]:
    """Total field (ppm), where it is reliable, and the first magnitude; what it cost."""
    acquisition = json.loads((folder / "inputs/acquisition.json").read_text())
    echoes, mask = (np.load(folder / "inputs" / f"{name}.npy") for name in ("echoes", "mask"))
    magnitude, wrapped = np.abs(echoes), np.angle(echoes)
    del echoes
    method, parameters = load_method(phase.METHODS, Reconstruction().field_map.method, {})
    echo_times, strength = np.array(acquisition["echo_times"]), acquisition["field_strength"]
    edges = voxel_size(np.array(acquisition["affine"]))
    result, seconds = _timed(
        method, mask, wrapped, magnitude, mask, echo_times, strength, edges, parameters, threads
    )
    np.save(folder / "total_field.npy", result.field)
    np.save(folder / "reliable.npy", result.reliable)
    np.save(folder / "magnitude.npy", magnitude[0])
    return {"field_map_s": seconds, "field_map_mb": peak_megabytes()}


def run_chain(folder: Path, output: Path, chain: Chain, threads: int) -> dict[str, float]:
    """Local field, mask and χ (ppm) of one chain to ``output``; what it cost."""
    affine = np.array(json.loads((folder / "inputs/acquisition.json").read_text())["affine"])
    geometry = voxel_size(affine), b0_direction(affine)
    cost = {}
    if chain.background is None:
        local, mask = np.load(folder / "truth/local_field.npy"), np.load(folder / "inputs/mask.npy")
    else:
        field, mask = np.load(folder / "total_field.npy"), np.load(folder / "reliable.npy")
        method, values = load_method(
            background.METHODS, chain.background, chain.background_parameters
        )
        (local, mask), cost["background_s"] = _timed(
            method, mask, field, mask, *geometry, values, threads
        )
        del field
    first = folder / "magnitude.npy"
    magnitude = np.load(first) if first.exists() else None
    method, values = load_method(inversion.METHODS, chain.inversion, chain.inversion_parameters)
    chi, cost["inversion_s"] = _timed(
        method, mask, local, mask, *geometry, values, threads, magnitude=magnitude
    )
    cost["peak_mb"] = peak_megabytes()
    output.mkdir()
    for name, data in (("local_field", local), ("mask", mask), ("chi", chi)):
        np.save(output / f"{name}.npy", data)
    return cost


def _timed(
    method: Callable[..., Any], mask: np.ndarray, *arguments: Any, **named: Any
) -> tuple[Any, float]:
    """Result and seconds of ``method``, without what is compiled at its first call.

    Hence it is called on a small cube first; a method that cannot do with so little is forgiven.
    """
    centre = [(part.start + part.stop) // 2 for part in bounding_box(mask)]
    cube = tuple(slice(max(0, c - WARM_UP_VOXELS // 2), c + WARM_UP_VOXELS // 2) for c in centre)

    def small(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.ndim >= 3:
            return np.ascontiguousarray(value[(..., *cube)])
        return value

    with contextlib.suppress(Exception):
        method(*map(small, arguments), **{key: small(value) for key, value in named.items()})
    start = time.perf_counter()
    result = method(*arguments, **named)
    return result, time.perf_counter() - start


def _in_own_process(job: dict[str, Any]) -> dict[str, Any]:
    """Run a step in a fresh process; what it returns, or ``{"error": its last line}``."""
    limited = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS")
    done = subprocess.run(
        [sys.executable, __file__, "--step", json.dumps(job)],
        env=os.environ | dict.fromkeys(limited, str(job["threads"])),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        return {"error": (done.stderr.strip().splitlines() or ["no message"])[-1]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def _run_step(job: dict[str, Any]) -> dict[str, Any]:
    folder = Path(job["folder"])
    if job["step"] == "make":
        make_phantoms(folder, job)
        return {"count": len(list(folder.iterdir()))}
    if job["step"] == "map":
        return map_total_field(folder, job["threads"])
    return run_chain(folder, Path(job["output"]), Chain(**job["chain"]), job["threads"])


# --- Judging -------------------------------------------------------------------------------------
def judge(folder: Path, chains: Sequence[Chain], costs: Sequence[dict]) -> list[dict[str, Any]]:
    """The table's rows, all within one mask: the part of the brain that every chain kept."""
    truth = {
        name: np.load(folder / "truth" / f"{name}.npy") for name in ("chi", "local_field", "labels")
    }
    regions = json.loads((folder / "truth/regions.json").read_text())
    acquisition = json.loads((folder / "inputs/acquisition.json").read_text())
    brain = np.load(folder / "inputs/mask.npy")
    common = brain.copy()
    kept = {}
    for cost in costs:
        if "error" not in cost:
            own = np.load(Path(cost["output"]) / "mask.npy")
            kept[cost["output"]] = 100 * (own & brain).sum() / brain.sum()
            common &= own
    affine = np.array(acquisition["affine"])
    print(f"\n{acquisition['name']}, B0 along {np.round(b0_direction(affine), 2)}")
    share = 100 * common.sum() / brain.sum()
    print(f"Judged in the {common.sum()} voxels that every chain kept, {share:.1f} % of the brain")
    if (folder / "total_field.npy").exists():
        fields = np.load(folder / "total_field.npy"), np.load(folder / "truth/total_field.npy")
        peaks = [cost["field_map_mb"] for cost in costs if "field_map_mb" in cost]
        print(f"Total field: NRMSE {metrics.nrmse(*fields, common):.1f} %, peak {peaks[0]:.0f} MB")
    reach = max(1, round(NEIGHBOUR_REACH_MM / min(voxel_size(affine))))
    neighbours = metrics.neighbouring_regions(truth["labels"], reach)
    judged = metrics.Judged(
        truth["chi"], truth["labels"], common, voxel_size(affine),
        regions["homologous"], neighbours, regions["deep"],
    )  # fmt: skip

    rows = []
    for chain, cost in zip(chains, costs, strict=True):
        row: dict[str, Any] = {"phantom": acquisition["name"], "chain": chain.label}
        rows.append(row)
        if "error" in cost:
            print(f"{chain.label}: {cost['error']}", file=sys.stderr)
            continue
        if chain.background is not None:
            local = np.load(Path(cost["output"]) / "local_field.npy")
            row["local_nrmse"] = metrics.nrmse(local, truth["local_field"], common)
        found = metrics.compare_maps(np.load(Path(cost["output"]) / "chi.npy"), judged)
        row |= {key: value for key, value in found.items() if np.isfinite(value)}
        row["kept"] = kept[cost["output"]]
        row |= {key: value for key, value in cost.items() if key in COLUMNS}
        row["total_s"] = sum(value for key, value in cost.items() if key.endswith("_s"))
    return rows


def markdown_table(rows: Sequence[dict[str, Any]]) -> str:
    """The rows as a table in Markdown; n/a where a column does not apply."""
    lines = [[heading for heading, _ in COLUMNS.values()], ["---"] * len(COLUMNS)]
    for row in rows:
        cells = [(row.get(key), kind) for key, (_, kind) in COLUMNS.items()]
        lines.append(["n/a" if value is None else format(value, kind) for value, kind in cells])
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


# --- The command ---------------------------------------------------------------------------------
def build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add(
        "--phantom", choices=("head", "textured", "qsm-forward", "cosmos", "tissue"), default="head"
    )
    add("--voxel-size", type=float, default=1.0, help="mm (%(default)g); slabs have their own")
    add("--participant", default="sub-01", help="of the demo's plan, for heads (%(default)s)")
    add("--methods", help="chains background+inversion, instead of the default ones; 'given' for "
        "the background: the local field is the true one, or cosmos' measured one; 'peer': the "
        "peer's chain")  # fmt: skip
    add("--threads", type=int, default=2, help="of every step (%(default)s)")
    add("--output", metavar="TSV", help="the table, for further use")
    add("--data", default=str(phantoms.COSMOS_FOLDER), help="folder of the slabs")
    add("--step", help=argparse.SUPPRESS)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Print the tables; returns 1 if a step failed."""
    options = build_parser().parse_args(argv)
    if options.step:
        print(json.dumps(_run_step(json.loads(options.step))))
        return 0
    chosen = [named_chain(name) for name in options.methods.split(",")] if options.methods else None
    rows, failed = [], False
    with tempfile.TemporaryDirectory(prefix="reconstruction_benchmark_") as folder:
        made = _in_own_process(vars(options) | {"step": "make", "folder": folder})
        if "error" in made:
            print(made["error"], file=sys.stderr)
            return 1
        for number in range(made["count"]):
            place = Path(folder) / str(number)
            has_echoes = (place / "inputs/echoes.npy").exists()
            chains = chosen or default_chains(has_echoes)
            costs = _run_chains(place, chains, options.threads, has_echoes)
            table = judge(place, chains, costs)
            print("\n" + markdown_table(table))
            rows += table
            failed |= any("error" in cost for cost in costs)
    if options.output:
        with Path(options.output).open("w", newline="") as file:
            writer = csv.DictWriter(file, ["phantom", *COLUMNS], "n/a", delimiter="\t")
            writer.writeheader()
            writer.writerows(rows)
    return int(failed)


def _run_chains(
    place: Path, chains: Sequence[Chain], threads: int, has_echoes: bool
) -> list[dict[str, Any]]:
    """What each chain cost; the total field is mapped once."""
    job = {"folder": str(place), "threads": threads}
    mapped = {}
    if has_echoes and any(chain.background is not None for chain in chains):
        mapped = _in_own_process({"step": "map", **job})
    done: dict[str, dict[str, Any]] = {}
    costs = []
    for chain in chains:
        try:
            key = chain.resolved()
        except ValueError as error:
            key = chain.label
            done[key] = {"error": " ".join(str(error).split())}
        if key not in done:
            output = str(place / f"chain-{len(done)}")
            values = {"step": "chain", "chain": dataclasses.asdict(chain), "output": output}
            cost = _in_own_process(job | values) | {"output": output}
            done[key] = cost | (mapped if chain.background is not None else {})
        print(f"{chain.label}: {'failed' if 'error' in done[key] else 'done'}", file=sys.stderr)
        costs.append(done[key])
    return costs


if __name__ == "__main__":
    with reported_to_user():
        sys.exit(main())
