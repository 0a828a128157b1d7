"""A first rigid-with-scale pose of the template's brain in a head, from many starts.

Heads come with a neck, off centre and turned. The correlation between the template's brain, with
a rim of nothing around it, and the head is looked at on a coarse grid from a lattice of poses; the
best few are refined, on a grid fine enough to show the skull, and the best of these wins. Half of
the starts come from the head as it is, half from what :func:`qsmiron.masks.brain.extract_brain`
leaves of it: without the scalp, whose outline has the brain's shape and is just larger, the search
is easy, and where that extraction failed, the other half does not need it. Nothing is random.

Correlation, and not mutual information: both images are T1-weighted, so white matter is brightest
and bone dark in both, and that is what tells the brain's outline from the scalp's.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from pydantic import Field
from scipy import ndimage, optimize

from ..parameters import Parameters
from ..spaces import apply_affine, boxed_grid, corners, decimate, grid_points, resample
from ..volumes import Volume

UNITS = np.array([0.15, 0.15, 0.15, 8.0, 8.0, 8.0, 0.05])
"""What the optimiser takes as a step of 1: rad about x, y, z; mm; logarithm of the scale."""


class PoseParameters(Parameters):
    """Lattice and refinement of the pose search."""

    search_spacing: float = Field(8.0, gt=0, description="grid of the search (mm)")
    spacing: float = Field(
        4.0, gt=0, description="grid of the refinement: must show the skull (mm)"
    )
    rotations: tuple[float, ...] = Field(
        (-24.0, 0.0, 24.0), description="start angles about each axis (degrees)"
    )
    rises: tuple[float, ...] = Field(
        (-20.0, 0.0, 20.0, 40.0, 60.0),
        description="starts above the head's centre of mass: necks pull it down (mm)",
    )
    advances: tuple[float, ...] = Field(
        (-15.0, 0.0, 15.0), description="starts in front of the centre of mass (mm)"
    )
    searched: int = Field(4, ge=1, description="starts of each half that are refined (1)")
    refined: int = Field(2, ge=1, description="of these, refined on the fine grid (1)")
    every: int = Field(3, ge=1, description="points of the template used: one in so many (1)")
    scale_sd: float = Field(
        0.1, gt=0, description="brains' sizes vary so much, as the SD of the scale's logarithm (1)"
    )
    scale_price: float = Field(
        0.02, ge=0, description="correlation that a scale one SD away has to gain (1)"
    )


def find_pose(
    head: Volume, rough_brain: np.ndarray, brain: Volume, parameters: PoseParameters
) -> np.ndarray:
    """Map (4, 4) of template RAS mm to head RAS mm: rotation, one scale, translation.

    ``head`` is a T1w image with anything around the brain, ``rough_brain`` (X, Y, Z) bool a guess
    of its brain, which may be wrong; ``brain`` the template, 0 outside.
    """
    extracted = Volume(np.where(rough_brain, head.data, 0), head.affine)
    fine = _Match(head, brain, parameters.spacing, parameters)
    candidates = []
    for image in (extracted, head):
        coarse = _Match(image, brain, parameters.search_spacing, parameters)
        found = [coarse.refine(pose, 2) for pose in _starts(coarse, parameters)]
        found.sort(key=lambda pair: pair[0])
        candidates += [fine.refine(pose, 3) for _, pose in found[: parameters.refined]]
    _, pose = min(candidates, key=lambda pair: pair[0])
    matrix = np.eye(4)
    matrix[:3, :3] = _matrix(pose)
    matrix[:3, 3] = pose[3:6] - matrix[:3, :3] @ fine.centre
    return matrix


def _starts(match: _Match, parameters: PoseParameters) -> list[np.ndarray]:
    """The best poses of the lattice; of neighbours only the best."""
    mass = match.centre_of_mass()
    tried = []
    for angles in product(parameters.rotations, repeat=3):
        for rise, advance in product(parameters.rises, parameters.advances):
            pose = np.zeros(7)
            pose[:3] = np.radians(angles)
            pose[3:6] = mass + np.array([0, advance, rise])
            tried.append((match(pose), tuple(pose)))
    chosen: list[np.ndarray] = []
    for _, start in sorted(tried):
        pose = np.array(start)
        if all(np.abs((pose - other) / UNITS).max() > 2.4 for other in chosen):
            chosen.append(pose)
        if len(chosen) == parameters.searched:
            break
    return chosen


class _Match:
    """Cost of a pose on one grid: price of its scale − correlation in the brain and its rim."""

    def __init__(
        self, head: Volume, brain: Volume, spacing: float, parameters: PoseParameters
    ) -> None:
        from .linear_loops import sample_points

        self.sample = sample_points
        shape, self.affine = boxed_grid(corners(head.data.shape, head.affine), spacing, 0)
        self.to_voxels = np.linalg.inv(self.affine)
        image = ndimage.gaussian_filter(resample(head, shape, self.affine), 0.5)
        self.top = np.percentile(image, 99.5)
        # the brightest fat would count more than all of the brain
        self.image = np.minimum(image, self.top).astype(np.float32)
        factor = max(1, round(spacing / brain.voxel_size[0]))
        small = decimate(brain, factor, 0.4)
        inside = small.data > 0.1 * small.data.max()
        rim = ndimage.binary_dilation(inside)
        points = grid_points(small.data.shape, small.affine)
        self.centre = points[inside].mean(axis=0, dtype=float)
        around = points[rim] - self.centre.astype(np.float32)
        self.points = np.ascontiguousarray(around[:: parameters.every])
        values = small.data[rim][:: parameters.every]
        reference = values - values.mean()
        self.reference = reference / np.linalg.norm(reference)
        self.parameters = parameters

    def __call__(self, pose: np.ndarray) -> float:
        to_head = np.eye(4)
        to_head[:3, :3], to_head[:3, 3] = _matrix(pose), pose[3:6]
        sampled = np.empty(len(self.points), np.float32)
        to_voxels = (self.to_voxels @ to_head)[:3].astype(np.float32)
        self.sample(self.image, to_voxels, self.points, sampled)
        sampled -= sampled.mean()
        norm = np.linalg.norm(sampled)
        if not norm > 0:
            return 1.0
        price = self.parameters.scale_price * (pose[6] / self.parameters.scale_sd) ** 2
        return float(price - self.reference @ sampled / norm)

    def refine(self, pose: np.ndarray, rounds: int) -> tuple[float, np.ndarray]:
        """Cost and pose after ``rounds`` of Powell's method."""
        found = optimize.minimize(
            lambda units: self(units * UNITS),
            pose / UNITS,
            method="Powell",
            options={"xtol": 0.02, "ftol": 1e-4, "maxiter": rounds},
        )
        return float(found.fun), found.x * UNITS

    def centre_of_mass(self) -> np.ndarray:
        """Of everything in the head that is brighter than bone, RAS mm."""
        foreground = self.image > 0.25 * self.top
        return apply_affine(self.affine, np.argwhere(foreground).mean(axis=0))


def _matrix(pose: np.ndarray) -> np.ndarray:
    """Rotations about x, y, z (rad) and the logarithm of the scale → (3, 3)."""
    (sx, sy, sz), (cx, cy, cz) = np.sin(pose[:3]), np.cos(pose[:3])
    about_x = np.array([[1, 0, 0], [0, cx, -sx], [0, sx, cx]])
    about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
    about_z = np.array([[cz, -sz, 0], [sz, cz, 0], [0, 0, 1]])
    return np.exp(pose[6]) * about_z @ about_y @ about_x
