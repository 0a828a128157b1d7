"""A made-up scan for the tests of regions, and what becomes of its voxels, by plain loops."""

import itertools
import math

import numpy as np

from qsmiron.regions.deposits import IronParameters, Threshold
from qsmiron.regions.label_table import Label
from qsmiron.regions.measure import measure
from qsmiron.regions.selection import (
    SelectionParameters,
    select,
    voxel_weights,
)
from qsmiron.regions.values import (
    RegionValues,
    Who,
    sort_by_region,
)

TABLE = [
    Label(3, "thalamus", "L", "subcortex"),
    Label(5, "both", "B", "subcortex", (3, 40)),
    Label(7, "insula", "L", "cortex"),
    Label(12, "brainstem", "B", "brainstem"),
    Label(20, "single", "R", "cortex"),
    Label(21, "constant", "R", ""),
    Label(30, "absent", "R", "subcortex"),
    Label(31, "nothing", "B", "", (30,)),
    Label(40, "thalamus", "R", "subcortex"),
    Label(90, "all", "B", "", (3, 7, 12, 20, 21, 30, 40)),
]
INDEX = [label.index for label in TABLE]
COMPOSITES = {label.index: label.members for label in TABLE if label.members}
VOXEL_SIZE = (1.5, 0.8, 2.5)
VOXEL_VOLUME = 3.0
THRESHOLDS = {label.index: Threshold(0.02, 0.01) for label in TABLE}
EVERYTHING = SelectionParameters(
    deep_erosion=1.5,
    cortex_grey_matter=0.4,
    exclude_veins=True,
    vein_robust_sd=1.5,
    outlier_robust_sd=3.0,
)


class Case:
    """Random maps with two blocks of a deep nucleus, one at the image's edge, in a speckle."""

    def __init__(self, seed=0):
        rng = np.random.default_rng(seed)
        shape = (11, 12, 10)
        self.labels = rng.choice([0, 7, 12], shape)
        self.labels[:5, 2:9, 3:8] = 3
        self.labels[6:10, 1:11, 1:9] = 40
        self.labels[8, 5, 4] = 7
        self.labels[2, 4, 5] = 0
        self.labels[10, 0, 0] = 20
        self.labels[10, 1:, 0] = 21
        self.chi = (0.02 * rng.standard_t(3, shape)).astype(np.float32)
        self.chi[self.labels == 21] = 0.0371
        self.r2star = (20 + 100 * self.chi + rng.standard_t(3, shape)).astype(np.float32)
        self.chi[rng.random(shape) < 0.05] = np.nan
        self.chi[10, 0, 0] = 0.01
        self.r2star[rng.random(shape) < 0.05] = np.nan
        self.grey = rng.random(shape).astype(np.float32)
        self.grey[10, 0, 0] = 0.9
        self.grey[3, 3, 3] = 0
        self.fraction = rng.random(shape).astype(np.float32)
        mask = rng.random(shape) < 0.9
        mask[10] = True
        self.reliable = mask & np.isfinite(self.chi)

    def select(self, parameters, **changes):
        arrays = {"grey_matter": self.grey, "r2star": self.r2star, "table": TABLE, **changes}
        table = arrays.pop("table")
        return select(self.labels, self.chi, self.reliable, table, VOXEL_SIZE, parameters, **arrays)

    def sort(self, values, measured, weights=None, minimum_coverage=0.0):
        return sort_by_region(
            self.labels,
            values,
            measured,
            INDEX,
            reliable=self.reliable,
            weights=weights,
            composites=COMPOSITES,
            minimum_coverage=minimum_coverage,
        )

    def measure(self, parameters, **changes):
        weights = None
        if parameters.partial_volume_weights:
            weights = voxel_weights(self.labels, TABLE, self.fraction, self.grey)
        measured = self.select(parameters, **changes).measured
        options = (weights, parameters.minimum_coverage)
        scan = RegionValues(Who("sub-01"), self.sort(self.chi, measured, *options), VOXEL_VOLUME)
        relaxation = self.sort(self.r2star, measured & np.isfinite(self.r2star), *options)
        metrics, fit = measure(scan, TABLE, IronParameters(), None, THRESHOLDS, relaxation)
        return scan, relaxation, metrics, fit


def naive_border(labels, index, distance):
    """Brute force: every voxel of the region against every voxel outside, edges included."""
    inside = set(map(tuple, np.argwhere(labels == index)))
    span = [range(-1, n + 1) for n in labels.shape]
    outside = np.array([v for v in itertools.product(*span) if v not in inside], float)
    found = []
    for voxel in inside:
        steps = (outside - voxel) * VOXEL_SIZE
        if math.sqrt((steps**2).sum(axis=1).min()) <= distance * (1 + 1e-9):
            found.append(voxel)
    return set(found)


def naive_robust(values):
    median = float(np.median(values))
    return median, 1.4826 * float(np.median([abs(v - median) for v in values]))


def naive_select(case, p):
    """Voxel → what became of it, voxel by voxel, in plain regions."""
    fate = {tuple(v): "unreliable" for v in np.argwhere(case.labels)}
    for label in TABLE:
        if label.members:
            continue
        voxels = [tuple(v) for v in np.argwhere((case.labels == label.index) & case.reliable)]
        left = []
        border = set()
        if label.structure == "subcortex" and p.deep_erosion:
            border = naive_border(case.labels, label.index, p.deep_erosion)
        for voxel in voxels:
            if voxel in border:
                fate[voxel] = "eroded"
            elif label.structure == "cortex" and case.grey[voxel] < p.cortex_grey_matter:
                fate[voxel] = "below_grey_matter"
            else:
                fate[voxel] = "used"
                left.append(voxel)
        if not left:
            continue
        chi, chi_sd = naive_robust([float(case.chi[v]) for v in left])
        relaxing = [float(case.r2star[v]) for v in left if np.isfinite(case.r2star[v])]
        r2, r2_sd = naive_robust(relaxing) if relaxing else (math.nan, 0.0)
        for voxel in left:
            far, relaxed = float(case.chi[voxel]) - chi, float(case.r2star[voxel]) - r2
            vein = (
                p.exclude_veins
                and chi_sd > 0
                and r2_sd > 0
                and far > p.vein_robust_sd * chi_sd
                and relaxed > p.vein_robust_sd * r2_sd
            )
            if vein:
                fate[voxel] = "vein"
            elif p.outlier_robust_sd and chi_sd > 0 and abs(far) > p.outlier_robust_sd * chi_sd:
                fate[voxel] = "outlier"
    return fate


OPTIONS = {
    "none": {},
    "erosion_of_the_shortest_edge": {"deep_erosion": 0.8},
    "erosion_of_two_edges": {"deep_erosion": 1.6},
    "erosion": {"deep_erosion": 2.5},
    "erosion_of_everything": {"deep_erosion": 20},
    "grey_matter": {"cortex_grey_matter": 0.4},
    "veins": {"exclude_veins": True, "vein_robust_sd": 1.5},
    "outliers": {"outlier_robust_sd": 2.5},
    "everything": EVERYTHING.model_dump(),
}
