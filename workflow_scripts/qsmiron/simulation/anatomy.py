"""A patient's anatomy: where each point of the scanner lies in the template, and what is there.

The map from scanner to template is a head pose, a smooth Gaussian random displacement, an
enlargement of the ventricles and a shrinkage of the brain within the skull (atrophy). It is kept
invertible: its Jacobian determinant is checked, and the random displacement is reduced where it
would fold. Labels are looked up through it (nearest), tissue probabilities interpolated linearly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from pydantic import Field
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ..parameters import Parameters
from .template_head import (
    AIR,
    FACE,
    NECK,
    SKULL_BASE,
    TemplateHead,
    ellipsoid,
    load_template_head,
)

NODE_MM = 5.0
NODE_RADIUS_MM = 165.0
UPSAMPLING_MM = 4.0
CENTRE_MM = np.array([0.0, -17.0, 4.0])
"""Template point that lies at the scanner's isocentre in an undisturbed pose."""
BRAIN_GAP_MM = 5.5


class AnatomyParameters(Parameters):
    """How patients' anatomies differ from the template and from each other."""

    displacement_sd: float = Field(2.5, ge=0, description="SD of each displacement component (mm)")
    smoothness: float = Field(
        15.0, gt=5, description="SD of the Gaussian kernel that smooths the displacement (mm)"
    )
    smallest_jacobian: float = Field(
        0.15, gt=0, lt=1, description="Jacobian determinant below which the map is damped (1)"
    )
    pose_sd: float = Field(3.0, ge=0, description="SD of the head's rotation about each axis (°)")
    motion_sd: float = Field(
        0.7, ge=0, description="SD of head motion between T1w and GRE, per axis (mm and °)"
    )
    skull_start: float = Field(4.5, gt=2, description="Distance of the skull from the hull (mm)")
    skull_thickness: float = Field(6.0, gt=1, description="Thickness of the skull (mm)")
    scalp_thickness: float = Field(6.0, gt=1, description="Thickness of the scalp (mm)")
    air_distance: float = Field(
        6.0, ge=5, description="Smallest distance of sinuses and ear canals from the hull (mm)"
    )


@dataclass(frozen=True)
class HeadMap:
    """The map of one patient on nodes every ``NODE_MM``: ``nodes`` (6, n, n, n), float32, mm.

    Components 0–2: template position for the head (skull, scalp, air); 3–5: for the brain, with
    ventricles and atrophy. ``jacobian`` (n, n, n) is the determinant of the latter.
    """

    nodes: np.ndarray
    affine: np.ndarray
    jacobian: np.ndarray
    parameters: AnatomyParameters


@dataclass(frozen=True)
class Tissues:
    """What is where on one image grid.

    All arrays are (X, Y, Z) but ``coordinates`` (3, X, Y, Z), the template RAS mm of each voxel.
    ``brain`` is boolean, ``labels`` uint8 (0 outside the atlas), ``grey``, ``white``, ``fluid``
    probabilities (0–1, float32, 0 outside the brain); ``outer_fluid``, ``bone``, ``air``, ``soft``
    the fractions (0–1) of what surrounds it.
    """

    affine: np.ndarray
    coordinates: np.ndarray
    brain: np.ndarray
    labels: np.ndarray
    grey: np.ndarray
    white: np.ndarray
    fluid: np.ndarray
    outer_fluid: np.ndarray
    bone: np.ndarray
    air: np.ndarray
    soft: np.ndarray


def make_head_map(
    rng: np.random.Generator,
    ventricles: float,
    atrophy: float,
    parameters: AnatomyParameters | None = None,
) -> HeadMap:
    """Draw a patient's map.

    Parameters
    ----------
    rng : the patient's random stream for anatomy.
    ventricles : outward shift of the ventricles' walls (mm; 0 as in the template).
    atrophy : linear shrinkage of the brain within the skull (fraction, 0–0.06).
    parameters : see :class:`AnatomyParameters`.
    """
    parameters = parameters or AnatomyParameters()
    template = load_template_head()
    count = 2 * int(np.ceil(NODE_RADIUS_MM / NODE_MM)) + 1
    start = -(count // 2) * NODE_MM
    affine = np.diag([NODE_MM, NODE_MM, NODE_MM, 1.0])
    affine[:3, 3] = start
    axis = (start + NODE_MM * np.arange(count)).astype(np.float32)
    points = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"))

    angles = rng.normal(0, parameters.pose_sd, 3)
    pose = Rotation.from_euler("xyz", angles, degrees=True).as_matrix().astype(np.float32)
    posed = (
        np.einsum("ij,jxyz->ixyz", pose, points) + CENTRE_MM.astype(np.float32)[:, None, None, None]
    )
    displacement = np.stack(
        [
            ndimage.gaussian_filter(
                rng.standard_normal((count,) * 3, dtype=np.float32),
                parameters.smoothness / NODE_MM,
                mode="wrap",
            )
            for _ in range(3)
        ]
    )
    displacement *= parameters.displacement_sd / displacement.std()
    while True:
        head = posed + displacement
        brain = _with_degeneration(head, template, ventricles, atrophy)
        jacobian = jacobian_determinant(brain, NODE_MM)
        if jacobian.min() >= parameters.smallest_jacobian:
            break
        displacement *= 0.9
    return HeadMap(np.concatenate([head, brain]), affine, jacobian, parameters)


def _with_degeneration(
    head: np.ndarray, template: TemplateHead, ventricles: float, atrophy: float
) -> np.ndarray:
    index = (head - template.coarse_affine[:3, 3, None, None, None]) / template.coarse_affine[0, 0]
    shift = np.stack(
        [
            ndimage.map_coordinates(part, index, order=1, mode="nearest", prefilter=False)
            for part in template.to_ventricle
        ]
    )
    centre = CENTRE_MM.astype(np.float32)[:, None, None, None]
    moved = head + np.float32(ventricles) * shift
    return ((moved - centre) * np.float32(1 + atrophy) + centre).astype(np.float32)


def jacobian_determinant(positions: np.ndarray, spacing: float) -> np.ndarray:
    """Determinant of the Jacobian of a map ``positions`` (3, X, Y, Z) on a grid of ``spacing``."""
    rows = [np.gradient(part, spacing) for part in positions]
    (a, b, c), (d, e, f), (g, h, i) = rows
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


def oblique_affine(
    shape: tuple[int, int, int], voxel_size: float, angles: np.ndarray, centre: np.ndarray
) -> np.ndarray:
    """Affine (4, 4) of an isotropic grid turned by Euler ``angles`` (°) about ``centre`` (mm)."""
    affine = np.eye(4)
    affine[:3, :3] = Rotation.from_euler("xyz", angles, degrees=True).as_matrix() * voxel_size
    affine[:3, 3] = np.asarray(centre) - affine[:3, :3] @ ((np.array(shape) - 1) / 2)
    return affine


def rigid_motion(rng: np.random.Generator, sd: float) -> np.ndarray:
    """A small random rigid motion (4, 4) of the scanner's coordinates (mm)."""
    motion = np.eye(4)
    motion[:3, :3] = Rotation.from_euler("xyz", rng.normal(0, sd, 3), degrees=True).as_matrix()
    motion[:3, 3] = rng.normal(0, sd, 3)
    return motion


def map_grid(
    head_map: HeadMap, shape: tuple[int, int, int], affine: np.ndarray, motion: np.ndarray
) -> np.ndarray:
    """Template positions (6, X, Y, Z) of a grid's voxels, the two kinds as in :class:`HeadMap`.

    The smooth map is read every ``UPSAMPLING_MM`` along the grid's own axes and filled in
    linearly between, axis by axis.
    """
    spacing = np.sqrt((affine[:3, :3] ** 2).sum(axis=0))
    step = [max(1, int(UPSAMPLING_MM // size)) for size in spacing]
    knots = [np.arange(0, n - 1 + s, s, dtype=float) for n, s in zip(shape, step, strict=True)]
    grid = np.stack(np.meshgrid(*knots, indexing="ij"))
    to_nodes = np.linalg.inv(head_map.affine) @ motion @ affine
    index = np.einsum("ij,jxyz->ixyz", to_nodes[:3, :3], grid) + to_nodes[:3, 3, None, None, None]
    values = np.stack(
        [
            ndimage.map_coordinates(part, index, order=1, mode="nearest", prefilter=False)
            for part in head_map.nodes
        ]
    )
    for axis, (length, s) in enumerate(zip(shape, step, strict=True)):
        if s > 1:
            values = _filled_in(values, axis + 1, length, s)
        else:
            values = np.take(values, range(length), axis + 1)
    return values


def _filled_in(values: np.ndarray, axis: int, length: int, step: int) -> np.ndarray:
    position = np.arange(length) / step
    low = np.minimum(position.astype(int), values.shape[axis] - 2)
    shape = [1] * values.ndim
    shape[axis] = length
    weight = (position - low).astype(np.float32).reshape(shape)
    first, second = np.take(values, low, axis), np.take(values, low + 1, axis)
    return first + weight * (second - first)


def tissues_on_grid(
    head_map: HeadMap, shape: tuple[int, int, int], affine: np.ndarray, motion: np.ndarray
) -> Tissues:
    """Everything of the anatomy on an image grid; ``motion`` takes its mm to the map's mm."""
    template = load_template_head()
    positions = map_grid(head_map, shape, affine, motion)
    voxel = float(np.sqrt((affine[:3, 0] ** 2).sum()))
    head, coordinates = positions[:3], positions[3:]

    index = coordinates - template.affine[:3, 3].astype(np.float32)[:, None, None, None]
    limits = np.array(template.brain.shape)[:, None, None, None] - 1
    where = np.flatnonzero(((index > -0.5) & (index < limits + 0.5)).all(axis=0))
    x, y, z = np.rint(index.reshape(3, -1)[:, where]).astype(np.int32)
    in_brain = template.brain[x, y, z]
    where, x, y, z = (part[in_brain] for part in (where, x, y, z))
    brain, labels = np.zeros(shape, bool), np.zeros(shape, np.uint8)
    brain.flat[where] = True
    labels.flat[where] = template.labels[x, y, z]

    index = index.reshape(3, -1)[:, where]
    probabilities = []
    for tissue in (template.grey, template.white):
        volume = np.zeros(shape, np.float32)
        volume.flat[where] = (
            ndimage.map_coordinates(tissue, index, np.float32, order=1, prefilter=False) / 255
        )
        probabilities.append(volume)
    grey, white = probabilities
    fluid = np.where(brain, np.clip(1 - grey - white, 0, 1), 0).astype(np.float32)
    surroundings = _surroundings(head, brain, voxel, head_map.parameters, template)
    return Tissues(affine, coordinates, brain, labels, grey, white, fluid, *surroundings)


def _surroundings(
    head: np.ndarray,
    brain: np.ndarray,
    voxel: float,
    parameters: AnatomyParameters,
    template: TemplateHead,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fractions of outer fluid, bone, air and soft tissue around the brain."""

    def fraction(distance: np.ndarray) -> np.ndarray:
        return np.clip(0.5 - distance / voxel, 0, 1)

    origin = template.coarse_affine[:3, 3].astype(np.float32)[:, None, None, None]
    index = (head - origin) / np.float32(template.coarse_affine[0, 0])
    hull = ndimage.map_coordinates(
        template.hull, index, np.float32, order=1, mode="nearest", prefilter=False
    )
    skull_end = parameters.skull_start + parameters.skull_thickness
    scalp_end = skull_end + parameters.scalp_thickness
    outer = np.minimum(hull - scalp_end, ellipsoid(head, FACE))
    in_head = fraction(np.minimum(outer, ellipsoid(head, NECK)))
    cavities = np.full(brain.shape, np.inf, np.float32)
    for cavity in AIR:
        cavities = np.minimum(cavities, ellipsoid(head, cavity))
    cavity = fraction(np.maximum(cavities, parameters.air_distance + voxel / 2 - hull))
    within = fraction(hull - parameters.skull_start)
    base = fraction(ellipsoid(head, SKULL_BASE))
    # The vault is all bone; the spinal canal leaves the base of the skull open behind the face.
    shell = fraction(hull - skull_end)
    canal = fraction(np.hypot(head[0], head[1] + 32) - 14) * (head[2] < -40)
    bone = np.maximum(shell, base * fraction(hull - 2 * skull_end)) - within
    # Bone and air keep off the brain itself too, wherever it bulges out of its smooth hull.
    blur = BRAIN_GAP_MM / 1.645  # a flat surface's blur is 0.05 at this distance from it
    near = ndimage.gaussian_filter(brain.astype(np.float32), blur / voxel) > 0.05
    bone = np.clip(bone - cavity - canal, 0, 1) * in_head * ~near
    fluid = np.clip(np.maximum(np.maximum(within, near), canal * in_head), 0, 1) * ~brain
    air = np.clip(1 - in_head + cavity, 0, 1) * ~near
    bone = np.minimum(bone, 1 - air)
    fluid = np.minimum(fluid, 1 - air - bone)
    soft = np.where(brain, 0, 1 - air - bone - fluid).astype(np.float32)
    return fluid, bone, air, soft
