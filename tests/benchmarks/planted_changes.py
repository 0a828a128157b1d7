"""What comes back of a change of χ in one place, and where else it shows: one row a change.

python tests/benchmarks/planted_changes.py --participant sub-07 --voxel-size 1

A change is added to the true χ of a simulated head, its field to the total field, and background
removal and inversion run with and without it. So the noise is the same on both sides, and the
difference of the two maps is what the change became. The ball that holds noise goes through the
field map too, since that has to find out that there is no signal.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

HOME = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(HOME / "tests"), str(HOME / "workflow_scripts")]

import numpy as np  # noqa: E402
from benchmarks import image_metrics as metrics  # noqa: E402
from benchmarks.chains import Chain, load_method, named_chain  # noqa: E402
from benchmarks.phantoms import Phantom, head  # noqa: E402
from scipy import ndimage  # noqa: E402

from qsmiron import background, inversion, phase  # noqa: E402
from qsmiron.config import Reconstruction  # noqa: E402
from qsmiron.errors import reported_to_user  # noqa: E402
from qsmiron.regions.label_table import Label, read_label_table  # noqa: E402
from qsmiron.simulation.signal import OUTER_FLUID_CHI_PPM  # noqa: E402
from qsmiron.spectral import convolve_dipole  # noqa: E402

PPB = 1e-3
FRONTAL = ("superiorfrontal", "rostralmiddlefrontal", "caudalmiddlefrontal", "medialorbitofrontal",
           "lateralorbitofrontal", "parsopercularis", "parsorbitalis", "parstriangularis",
           "frontalpole")  # fmt: skip
TEMPORAL = ("superiortemporal", "middletemporal", "inferiortemporal", "temporalpole", "fusiform",
            "transversetemporal", "entorhinal", "parahippocampal", "bankssts")  # fmt: skip
CHANGES: tuple[tuple[str, tuple[str, ...], str, float], ...] = (
    ("amygdala", ("amygdala",), "L", 20),
    ("hippocampus", ("hippocampus",), "R", 20),
    ("thalamus", ("thalamus",), "L", 20),
    ("pallidum", ("pallidum",), "L", 20),
    ("precentral", ("precentral",), "L", -20),
    ("frontal cortex", FRONTAL, "LR", 10),
    ("temporal cortex", TEMPORAL, "LR", 10),
)
"""Name, regions, hemispheres, ppb."""
ATROPHY_MM = 2.0
"""Tissue so close to the surface becomes fluid."""
BALL_RADIUS_MM = 5.0
BALL_SIGNAL = 0.008
"""Magnitude of the ball that holds noise, over that of the brain."""
FAR_MM = 10.0


@dataclass(frozen=True)
class Scan:
    """A field map (ppm) and where it is reliable, of a phantom."""

    field: np.ndarray
    reliable: np.ndarray


def mapped(phantom: Phantom, echoes: np.ndarray, threads: int) -> Scan:
    """The default field map of complex images (E, X, Y, Z)."""
    method, parameters = load_method(phase.METHODS, Reconstruction().field_map.method, {})
    found = method(
        np.angle(echoes), np.abs(echoes), phantom.mask, np.array(phantom.echo_times),
        phantom.field_strength, phantom.voxel_size, parameters, threads,
    )  # fmt: skip
    return Scan(found.field, found.reliable)


def reconstructed(phantom: Phantom, scan: Scan, chain: Chain, threads: int) -> np.ndarray:
    """χ (ppm), relative to its mean in the reliable part of the brain."""
    geometry = phantom.voxel_size, phantom.b0_direction
    remove, values = load_method(background.METHODS, chain.background, chain.background_parameters)
    local, mask = remove(scan.field, scan.reliable, *geometry, values, threads)
    invert, values = load_method(inversion.METHODS, chain.inversion, chain.inversion_parameters)
    chi = invert(local, mask, *geometry, values, threads)
    return np.where(mask, chi - chi[mask].mean(), np.nan)


def atlas() -> dict[int, Label]:
    """The demo's regions by their number."""
    table = read_label_table(HOME / "config/atlases/DesikanKilliany.tsv")
    return {region.index: region for region in table}


def changed_regions(names: Sequence[str], hemispheres: str) -> list[int]:
    """Atlas labels of regions, by name and hemisphere."""
    wanted = {(name, side) for name in names for side in hemispheres}
    known = atlas().values()
    labels = [r.index for r in known if (r.standard_name, r.hemisphere) in wanted]
    if len(labels) != len(wanted):
        raise ValueError(f"{names} {hemispheres}: the atlas has {len(labels)} of {len(wanted)}")
    return labels


def planted(phantom: Phantom) -> Iterator[tuple[str, list[int], np.ndarray]]:
    """Name, labels and change of χ (X, Y, Z; ppm) of everything in ``CHANGES``, and atrophy."""
    for name, regions, hemispheres, ppb in CHANGES:
        labels = changed_regions(regions, hemispheres)
        yield (
            f"{name} {hemispheres} {ppb:+g} ppb",
            labels,
            np.where(np.isin(phantom.labels, labels), np.float32(ppb * PPB), np.float32(0)),
        )
    depth = ndimage.distance_transform_edt(phantom.mask, sampling=phantom.voxel_size)
    rim = phantom.mask & (depth <= ATROPHY_MM)
    yield "atrophy", [], np.where(rim, np.float32(OUTER_FLUID_CHI_PPM) - phantom.chi, np.float32(0))


def describe(
    name: str, labels: list[int], phantom: Phantom, change: np.ndarray, found: np.ndarray
) -> dict[str, str]:
    """One row: recovered share, the largest leak and that into deep regions (ppb)."""
    judged = np.isfinite(found)
    true = np.where(judged, change - change[judged].mean(), np.nan)
    means, truth = (metrics.region_means(m, phantom.labels, judged) for m in (found, true))
    sizes = np.bincount(phantom.labels[judged].astype(int), minlength=len(means))
    row = {"change": name}
    if labels:
        share = np.average(means[labels], weights=sizes[labels])
        row["recovered share"] = f"{share / np.average(truth[labels], weights=sizes[labels]):.2f}"
    errors = (means - truth) / PPB
    errors[labels] = np.nan
    worst = int(np.nanargmax(np.abs(errors)))
    region = atlas()[worst]
    row["largest leak (ppb)"] = f"{errors[worst]:+.1f} {region.standard_name} {region.hemisphere}"
    deep = errors[list(phantom.deep)]
    row["deep means: mean, largest (ppb)"] = f"{np.nanmean(deep):+.1f}, {np.nanmax(abs(deep)):.1f}"
    return row


def ball_of_noise(
    phantom: Phantom, filled: Callable[[tuple[int, ...]], np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """Echoes with a ball of no tissue in the white matter; each voxel's distance from it (mm)."""
    depth = ndimage.distance_transform_edt(phantom.mask & (phantom.labels == 0))
    centre = np.unravel_index(np.argmax(depth), depth.shape)
    away = np.ones(phantom.mask.shape, bool)
    away[centre] = False
    distance = ndimage.distance_transform_edt(away, sampling=phantom.voxel_size)
    inside = distance <= BALL_RADIUS_MM
    echoes = phantom.echoes.copy()
    echoes[:, inside] = filled(echoes[:, inside].shape)
    return echoes, distance


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--participant", default="sub-07", help="of the demo's plan (%(default)s)")
    parser.add_argument("--voxel-size", type=float, default=1.0, help="mm (%(default)g)")
    parser.add_argument("--methods", help="one chain background+inversion; the default one if none")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(argv)
    usual = Reconstruction()
    usual_chain = f"{usual.background_field.method}+{usual.inversion.method}"
    chain, threads = named_chain(options.methods or usual_chain), options.threads
    phantom = head(options.participant, options.voxel_size, threads)
    scan = mapped(phantom, phantom.echoes, threads)
    before = reconstructed(phantom, scan, chain, threads)

    print(f"{phantom.name}, {chain.label}\n")
    headings = ["change", "recovered share", "largest leak (ppb)"]
    headings.append("deep means: mean, largest (ppb)")
    print("| " + " | ".join(headings) + " |\n" + "|---" * len(headings) + "|")
    for name, labels, change in planted(phantom):
        added = convolve_dipole(change, phantom.voxel_size, phantom.b0_direction, threads)
        with_it = Scan(np.where(scan.reliable, scan.field + added, 0), scan.reliable)
        found = reconstructed(phantom, with_it, chain, threads) - before
        row = describe(name, labels, phantom, change, found)
        print("| " + " | ".join(row.get(key, "n/a") for key in headings) + " |", flush=True)

    rng = np.random.default_rng(1)
    level = BALL_SIGNAL * float(np.median(np.abs(phantom.echoes[0][phantom.mask])))
    fillings: dict[str, Callable[[tuple[int, ...]], np.ndarray]] = {
        "noise": lambda shape: level * (rng.normal(size=shape) + 1j * rng.normal(size=shape)),
        "zeros": lambda shape: np.zeros(shape, np.complex64),
    }
    for name, filled in fillings.items():
        echoes, distance = ball_of_noise(phantom, filled)
        chi = reconstructed(phantom, mapped(phantom, echoes, threads), chain, threads)
        far = (distance > FAR_MM) & np.isfinite(chi) & np.isfinite(before)
        difference = (chi - before)[far]
        error = np.sqrt(np.mean((difference - difference.mean()) ** 2)) / PPB
        width = 2 * BALL_RADIUS_MM
        print(f"\nA ball of {name}, {width:g} mm: {error:.1f} ppb rms beyond {FAR_MM:g} mm")
    return 0


if __name__ == "__main__":
    with reported_to_user():
        sys.exit(main())
