"""Ways in which ready maps are broken, in a data set that has them in place of the phase."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from bids_trees import AFFINE, SHAPE, edit_sidecar, new_images
from checks.broken_images import Case, store

FOLDER = "derivatives/maps"
MAPS = {
    "chi": FOLDER + "/{folder}/anat/{entities}*_Chimap.nii.gz",
    "r2star": FOLDER + "/{folder}/anat/{entities}_R2starmap.nii.gz",
}


def ready(root: Path, name: str = "Chimap.nii.gz", subject: str = "02") -> Path:
    return root / f"{FOLDER}/sub-{subject}/anat/sub-{subject}_{name}"


def values(seed: int, scale: float = 1.0) -> np.ndarray:
    """χ (ppm) in a box, 0 outside of it."""
    data = np.zeros(SHAPE)
    data[1:-1, 1:-1, 1:-1] = np.random.default_rng(seed).normal(0, 0.05, (4, 5, 3))
    return (data * scale).astype(np.float32)


def add_maps(root: Path) -> None:
    """A map of χ and of R2* of every participant, and no phase."""
    for path in root.glob("sub-*/anat/*part-phase*"):
        path.unlink()
    for number, folder in enumerate(sorted(root.glob("sub-*"))):
        subject = folder.name.removeprefix("sub-")
        ready(root, subject=subject).parent.mkdir(parents=True)
        store(ready(root, subject=subject), values(number))
        store(ready(root, "R2starmap.nii.gz", subject), 20 + 100 * np.abs(values(50 + number)))
        for name, unit in (("Chimap", "ppm"), ("R2starmap", "1/s")):
            ready(root, f"{name}.json", subject).write_text(json.dumps({"Units": unit}))


def case(
    name: str, change: Callable[[Path], object], *words: str, severity: str = "error", **maps: Any
) -> Case:
    def breaks(root: Path) -> None:
        add_maps(root)
        change(root)

    return Case(name, breaks, *words, severity=severity, settings={"maps": MAPS | maps})


def stored(data: np.ndarray, affine: np.ndarray = AFFINE) -> Callable[[Path], None]:
    return lambda root: store(ready(root), data, affine)


def stated(name: str = "Chimap.json", **fields: Any) -> Callable[[Path], None]:
    return lambda root: edit_sidecar(ready(root, name), **fields)


def with_value(value: float, count: int) -> np.ndarray:
    data = values(9)
    data[1:-1, 1:-1, 1:-1].flat[:count] = value
    return data


def one_with_phase(root: Path) -> None:
    """Another participant with phase and no map."""
    for path in root.glob("sub-01/anat/*part-mag*"):
        twin = path.with_name(path.name.replace("part-mag", "part-phase"))
        twin.write_bytes(path.read_bytes())
    new_images(root / "sub-01/anat")
    for path in root.glob("sub-01/anat/*part-phase*.json"):
        edit_sidecar(path, Units="arbitrary")
    ready(root, subject="01").unlink()


FAR = AFFINE + np.array([[0, 0, 0, 400.0], *np.zeros((3, 4))])

CASES = [
    case("a ready map without a unit", stated(Units=None), "sub-02_Chimap.json, Units",
         "no such field", "one of ppm, ppb, rad, Hz", "never guessed"),
    case("a ready map without a sidecar", lambda r: ready(r, "Chimap.json").unlink(),
         "sub-02_Chimap.json, Units", "no such field", "one of ppm, ppb", "maps.units"),
    case("a ready map of another unit than the config's", stated(), "sub-01_Chimap.json, Units",
         "ppm, where maps.units in the config has ppb", "one unit", "Correct", units="ppb"),
    case("ppb declared as ppm", stored(values(8, 1000)), "sub-02_Chimap.nii.gz",
         "taken as ppm", "0.005 to 5 ppm", "It looks like ppb"),
    case("ppm declared as ppb", stated(Units="ppb"), "sub-02_Chimap.nii.gz",
         "taken as ppb", "0.005 to 5 ppm", "It looks like ppm"),
    case("a ready map in Hz without field strength", stated(Units="Hz"),
         "sub-02_Chimap.json, MagneticFieldStrength", "no such field", "converted with it",
         "maps.field_strength"),
    case("a ready map in rad without echo time", stated(Units="rad", MagneticFieldStrength=3),
         "sub-02_Chimap.json, EchoTime", "no such field", "converted with it", "maps.echo_time"),
    case("infinity in a ready map", stored(with_value(np.inf, 3)), "sub-02_Chimap.nii.gz",
         "3 voxels that are infinite", "NaN or 0 where", "NaN"),
    case("NaN inside a ready map", stored(with_value(np.nan, 20)), "sub-02_Chimap.nii.gz",
         "20 voxels that are NaN", "numbers in the brain", "not covered", severity="warning"),
    case("an empty ready map", stored(np.zeros(SHAPE, np.float32)), "sub-02_Chimap.nii.gz",
         "one value everywhere", "a map", "Export or copy it again"),
    case("a ready map far from its scan", stored(values(8), FAR), "sub-02_Chimap.nii.gz",
         "a box of which 0% lies", "nearly all of the smaller", "kept its position"),
    case("a truncated ready map", lambda r: ready(r).write_bytes(ready(r).read_bytes()[:90]),
         "sub-02_Chimap.nii.gz", "", "a complete NIfTI image", "Export or copy it again"),
    case("ready maps relative to different things", stated(ReferenceRegion="csf"),
         "sub-02_Chimap.json, ReferenceRegion", "csf, as in 1 scans", "relative to the same",
         "maps.reference"),
    case("two ready maps of one scan", lambda r: store(ready(r, "desc-b_Chimap.nii.gz"), values(7)),
         "config, maps.chi", "2 files of sub-02", "one file of each scan", "Write more"),
    case("ready maps that are nowhere", lambda r: None, "config, maps.chi",
         "leads to a file of no scan", "the susceptibility map of each scan", "begins at bids_dir",
         chi=FOLDER + "/{subject}.nii.gz", r2star=None),
    case("a scan with phase among ready maps", one_with_phase, "config, maps.chi",
         "a ready map of 5 scans and none of 1: sub-01", "maps of one origin", "maps.mixed"),
    case("no R2* map beside a ready map", lambda r: ready(r, "R2starmap.nii.gz").unlink(),
         "config, maps.r2star", "no R2* map of 1 of 6 scans: sub-02", "the R2* map of each scan",
         "missing in every table", severity="warning"),
    case("T2* for R2*", lambda r: store(ready(r, "R2starmap.nii.gz"), np.abs(values(8))),
         "sub-02_R2starmap.nii.gz", "taken as 1/s", "5 to 2000 1/s", "It may be T2*"),
    case("an R2* map on another grid",
         lambda r: store(ready(r, "R2starmap.nii.gz"), 20 + np.abs(values(8))[:-1]),
         "sub-02_R2starmap.nii.gz", "", "grid", ""),
    case("the same map under two names",
         lambda r: ready(r).write_bytes(ready(r, subject="01").read_bytes()), "Chimap.nii.gz",
         "the very image of sub-01_Chimap.nii.gz", "another image in every file", "wrong name"),
]  # fmt: skip
