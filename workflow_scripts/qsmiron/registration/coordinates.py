"""The coordinate map: for every voxel of the GRE, where it lies in the template.

Stored as one image (X, Y, Z, 3) of template RAS mm, int16 in steps of .01 mm (so up to 327 mm);
far from the brain, where nothing is looked up, in steps of 5 mm, which halves the file.
Anything defined in the template's space (labels, probabilities, masks) is looked up in it by
:func:`..spaces.look_up`: one interpolation, and none of χ.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import ndimage

from ..spaces import apply_affine, grid_points, look_up
from ..template import TEMPLATE_NAME
from ..volumes import Volume, read_volume, write_scaled_volume

STEP_MM = 0.01
FAR_STEP_MM = 5.12
"""Far from the brain; a multiple of :data:`STEP_MM`."""
FAR_MM = 15.0
"""So far from the template's brain a point is far."""

NOWHERE_MM = -327.0
"""A coordinate outside every template: where a voxel lies that could not be registered."""


@dataclass(frozen=True)
class TemplateMap:
    """Subject → template: a smooth displacement in the subject, then an affine map.

    ``displacement`` (X, Y, Z, 3) in mm on the grid with ``grid_affine``; a point q of the subject
    lies at ``affine`` · (q + displacement(q)) in the template. Beyond the grid the displacement
    goes on as it is at the edge.
    """

    displacement: np.ndarray
    grid_affine: np.ndarray
    affine: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Template RAS mm of subject ``points`` (…, 3) mm."""
        return apply_affine(self.affine, points + self.displacement_at(points))

    def of_own_grid(self) -> np.ndarray:
        """Template RAS mm (X, Y, Z, 3) of the voxels of the displacement's grid."""
        points = grid_points(self.displacement.shape[:3], self.grid_affine)
        return apply_affine(self.affine, points + self.displacement)

    def displacement_at(self, points: np.ndarray) -> np.ndarray:
        """Displacement (…, 3) in mm at subject ``points`` (…, 3) mm."""
        parts = [
            look_up(self.displacement[..., axis], self.grid_affine, points, outside=None)
            for axis in range(3)
        ]
        return np.stack(parts, axis=-1)

    def jacobian(self) -> np.ndarray:
        """Jacobian determinant (X, Y, Z) of the displacement's map; 1 where it changes no volume.

        The affine part, which is head size and pose, is left out.
        """
        spacing = np.abs(np.diag(self.grid_affine)[:3])
        rows = []
        for axis in range(3):
            gradient = np.gradient(self.displacement[..., axis])
            rows.append(
                [gradient[other] / spacing[other] + np.float32(axis == other) for other in range(3)]
            )
        (a, b, c), (d, e, f), (g, h, i) = rows
        return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def compose(
    shape: tuple[int, ...],
    affine: np.ndarray,
    to_t1w: np.ndarray,
    to_template: TemplateMap,
) -> np.ndarray:
    """Template RAS mm (X, Y, Z, 3) of every voxel of the GRE's grid.

    ``to_t1w`` (4, 4) is the rigid map of GRE points to T1w points.
    """
    return to_template(apply_affine(to_t1w, grid_points(shape, affine)))


def coarse_far_from(brain: Volume, coordinates: np.ndarray) -> np.ndarray:
    """``coordinates`` (X, Y, Z, 3), those farther than :data:`FAR_MM` from the brain rounded.

    ``brain`` (X, Y, Z) bool is the template's. Distances are taken on a grid of about 4 mm.
    """
    coarse = [max(1, round(4 / size)) for size in brain.voxel_size]
    size = np.array(coarse) * brain.voxel_size
    border = [int(np.ceil(FAR_MM / edge)) + 1 for edge in size]
    inside = np.pad(
        brain.data[tuple(slice(None, None, n) for n in coarse)], [(n, n) for n in border]
    )
    affine = brain.affine.copy()
    affine[:3, :3] *= coarse
    affine[:3, 3] -= affine[:3, :3] @ border
    near = (ndimage.distance_transform_edt(~inside, sampling=size) <= FAR_MM).astype(np.uint8)
    far = look_up(near, affine, coordinates, order=0, outside=0) == 0
    rounded = coordinates.copy()
    rounded[far] = np.rint(coordinates[far] / FAR_STEP_MM) * FAR_STEP_MM
    return rounded


def write_coordinates(
    path: str | Path, coordinates: np.ndarray, affine: np.ndarray, space: str = TEMPLATE_NAME
) -> None:
    """Write a map of coordinates in ``space``; values are rounded to .01 mm."""
    write_scaled_volume(
        path,
        coordinates,
        affine,
        step=STEP_MM,
        sidecar={
            "Description": "Template coordinate (x, y, z) of every voxel",
            "Units": "mm",
            "SpatialReference": f"{space}, RAS",
        },
    )


def is_registered(coordinates: np.ndarray) -> bool:
    """Whether any voxel has a place in the template: not so where registration gave up."""
    return bool((coordinates > NOWHERE_MM / 2).any())


def read_coordinates(path: str | Path) -> Volume:
    """Read a coordinate map: ``data`` (X, Y, Z, 3) float32 template RAS mm."""
    return read_volume(path, dimensions=4)
