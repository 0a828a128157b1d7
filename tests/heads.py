"""Heads with known truth, made from the template: for the tests of registration and masks.

Every point of the subject has a known template coordinate (``true_coordinates``), so that labels,
masks and the map itself can be checked. The contrast is not the template's: tissue means of a T1w
from the probability maps, a bias field, a skull, a scalp and a neck around the brain, noise.
"""

from __future__ import annotations

from dataclasses import dataclass

import nibabel as nib
import numpy as np
from scipy import ndimage

from qsmiron import template
from qsmiron.registration.scan import Template
from qsmiron.volumes import Volume, read_volume


def grid(
    voxel_size: float | tuple[float, float, float],
    field_of_view: tuple[float, float, float],
    rotation: tuple[float, float, float] = (0, 0, 0),
    centre: tuple[float, float, float] = (0, -18, 5),
) -> tuple[tuple[int, int, int], np.ndarray]:
    """Shape and affine of a grid rotated (degrees about x, y, z) and centred at ``centre`` (mm)."""
    size = np.broadcast_to(np.asarray(voxel_size, float), 3)
    shape = np.round(np.asarray(field_of_view) / size).astype(int)
    affine = np.eye(4)
    affine[:3, :3] = rotation_matrix(rotation) * size
    affine[:3, 3] = np.asarray(centre) - affine[:3, :3] @ ((shape - 1) / 2)
    return tuple(int(n) for n in shape), affine


def rotation_matrix(degrees: tuple[float, float, float]) -> np.ndarray:
    """Rz · Ry · Rx."""
    result = np.eye(3)
    for axis, angle in enumerate(np.radians(degrees)):
        one, two = [(1, 2), (2, 0), (0, 1)][axis]
        step = np.eye(3)
        step[one, one] = step[two, two] = np.cos(angle)
        step[one, two], step[two, one] = -np.sin(angle), np.sin(angle)
        result = step @ result
    return result


def points(shape: tuple[int, int, int], affine: np.ndarray) -> np.ndarray:
    """RAS mm of every voxel, (X, Y, Z, 3)."""
    index = np.stack(np.meshgrid(*map(np.arange, shape), indexing="ij"), -1)
    return index @ affine[:3, :3].T + affine[:3, 3]


def lookup(data: np.ndarray, affine: np.ndarray, where: np.ndarray, order: int) -> np.ndarray:
    inverse = np.linalg.inv(affine)
    index = where @ inverse[:3, :3].T + inverse[:3, 3]
    return ndimage.map_coordinates(data, np.moveaxis(index, -1, 0), order=order, cval=0)


@dataclass
class Head:
    """A subject: random smooth warp, size, pose; images of it on any grid."""

    seed: int
    displacement: float = 2.5
    smoothness: float = 15.0
    rotation: tuple[float, float, float] = (0, 0, 0)
    shift: tuple[float, float, float] = (0, 0, 0)
    scale: tuple[float, float, float] = (1, 1, 1)
    neck: bool = True

    def __post_init__(self) -> None:
        self.random = np.random.default_rng(self.seed)
        step = 4.0
        self.box = (63, 72, 63)
        self.box_affine = np.diag([step, step, step, 1.0])
        self.box_affine[:3, 3] = (-124, -160, -110)
        noise = self.random.standard_normal((3, *self.box))
        smooth = np.stack([ndimage.gaussian_filter(n, self.smoothness / step) for n in noise])
        self.warp = smooth / smooth.std() * self.displacement
        t1 = nib.load(template.template_t1w())
        self.affine = t1.affine
        grey = np.asarray(nib.load(template.template_grey_matter()).dataobj, np.float32) / 255
        white = np.asarray(nib.load(template.template_white_matter()).dataobj, np.float32) / 255
        brain = ndimage.binary_fill_holes(np.asarray(t1.dataobj) > 0)
        pad = 24
        self.brain = np.pad(brain, pad).astype(np.float32)
        self.grey, self.white = np.pad(grey, pad), np.pad(white, pad)
        self.t1 = np.pad(np.asarray(t1.dataobj, np.float32) / 255, pad)
        self.padded_affine = self.affine.copy()
        self.padded_affine[:3, 3] -= pad
        coarse = self.brain[::2, ::2, ::2] > 0.5
        self.distance = 2 * ndimage.distance_transform_edt(~coarse).astype(np.float32)
        self.coarse_affine = self.padded_affine @ np.diag([2, 2, 2, 1])
        atlas = nib.load(template.desikan_killiany())
        self.atlas, self.atlas_affine = np.asarray(atlas.dataobj).astype(np.int16), atlas.affine

    def true_coordinates(self, where: np.ndarray) -> np.ndarray:
        """Template RAS mm of subject points (…, 3)."""
        matrix = rotation_matrix(self.rotation) / np.asarray(self.scale)
        centre = np.array([0.0, -18, 5])
        posed = (where - centre - np.asarray(self.shift)) @ matrix.T + centre
        inverse = np.linalg.inv(self.box_affine)
        index = np.moveaxis(posed @ inverse[:3, :3].T + inverse[:3, 3], -1, 0)
        offset = [ndimage.map_coordinates(w, index, order=1, mode="nearest") for w in self.warp]
        return posed + np.stack(offset, -1)

    def labels(self, where: np.ndarray) -> np.ndarray:
        return lookup(self.atlas, self.atlas_affine, self.true_coordinates(where), 0)

    def brain_mask(self, where: np.ndarray) -> np.ndarray:
        return lookup(self.brain, self.padded_affine, self.true_coordinates(where), 1) > 0.5

    def tissue_classes(self, where: np.ndarray) -> np.ndarray:
        """1 grey, 2 white, 3 neither, 0 no brain."""
        there = self.true_coordinates(where)
        grey = lookup(self.grey, self.padded_affine, there, 1)
        white = lookup(self.white, self.padded_affine, there, 1)
        likeliest = 1 + np.argmax([grey, white, 1 - grey - white], axis=0)
        return np.where(self.brain_mask(where), likeliest, 0)

    def _image(
        self, where: np.ndarray, tissue: tuple[float, ...], noise: float, bias: float
    ) -> np.ndarray:
        """``tissue``: white, grey, CSF, bone, scalp, muscle."""
        white_value, grey_value, csf, bone, scalp, muscle = tissue
        there = self.true_coordinates(where)
        white = lookup(self.white, self.padded_affine, there, 1)
        grey = lookup(self.grey, self.padded_affine, there, 1)
        brain = lookup(self.brain, self.padded_affine, there, 1)
        distance = ndimage.map_coordinates(
            self.distance,
            np.moveaxis((there - self.coarse_affine[:3, 3]) / 2, -1, 0),
            order=1,
            mode="nearest",
        )
        image = white * white_value + grey * grey_value + np.clip(1 - white - grey, 0, 1) * csf
        shell = np.where(distance < 2.5, csf, np.where(distance < 8, bone, 0))
        marrow = (distance > 4) & (distance < 6)
        shell = np.where(marrow, bone + 0.3 * (scalp - bone), shell)
        shell = np.where((distance >= 8) & (distance < 14), scalp, shell)
        if self.neck:
            radius = np.hypot(there[..., 0] / 60, (there[..., 1] + 35) / 70)
            neck = (radius < 1) & (there[..., 2] < -45) & (distance >= 8)
            shell = np.where(neck, muscle, shell)
            for side in (-1, 1):
                eye = np.linalg.norm(there - [side * 32, 72, -38], axis=-1)
                shell = np.where((eye < 13) & (distance > 5), csf * 1.2, shell)
        image = brain * image + (1 - brain) * shell
        extent = where - where.reshape(-1, 3).mean(0)
        direction = self.random.standard_normal(3)
        field = np.exp(bias * (extent @ (direction / np.linalg.norm(direction))) / 80)
        image = image * field
        grain = noise * self.random.standard_normal((2, *image.shape))
        return (1000 * np.hypot(image + grain[0], grain[1])).astype(np.float32)

    def t1w(self, where: np.ndarray, noise: float = 0.02, bias: float = 0.3) -> np.ndarray:
        return self._image(where, (0.8, 0.55, 0.2, 0.05, 0.95, 0.5), noise, bias)

    def magnitude(self, where: np.ndarray, noise: float = 0.015, bias: float = 0.25) -> np.ndarray:
        """Of a GRE: little contrast, CSF brightest at short echo times."""
        return self._image(where, (0.62, 0.72, 0.85, 0.06, 0.55, 0.5), noise, bias)


def dice(one: np.ndarray, two: np.ndarray, labels: list[int]) -> np.ndarray:
    """Dice coefficient per label."""
    highest = max(labels) + 1
    a, b = one.ravel().astype(int), two.ravel().astype(int)
    both = np.bincount(a[a == b], minlength=highest)[labels]
    total = np.bincount(a, minlength=highest)[labels] + np.bincount(b, minlength=highest)[labels]
    return 2 * both / np.maximum(total, 1)


CORTEX = [*range(1, 35), *range(42, 76)]
SUBCORTEX = [*range(35, 42), *range(76, 83)]

COARSE = {
    "template": {
        "spacing": 4.0,
        "greedy": {
            "shrink": (2, 1),
            "iterations": (30, 12),
            "image_smoothing": (0.3, 0.0),
            "step_smoothing": (2.5, 2.0),
            "total_smoothing": (0.7, 0.7),
            "step": (0.7, 0.7),
        },
    }
}
"""Registration parameters for images of 4 mm."""


def reference() -> Template:
    """The default template with its tissues."""
    files = (template.template_t1w, template.template_grey_matter, template.template_white_matter)
    return Template(*(read_volume(file()) for file in files))


def scans(
    head: Head, size: float, motion: tuple[float, float, float] = (3, -2, 1.5)
) -> tuple[Volume, Volume, np.ndarray]:
    """T1w, oblique GRE after the head moved by ``motion`` (mm), and where that was in the T1w."""
    shape, affine = grid(size, (200, 240, 250), (3, -2, 4), centre=(0, -18, -15))
    t1w = Volume(head.t1w(points(shape, affine)), affine)
    shape, affine = grid(size, (200, 224, 160), (10, 3, 0), centre=(0, -18, 10))
    where = points(shape, affine)
    moved = affine.copy()
    moved[:3, 3] += motion
    return t1w, Volume(head.magnitude(where), moved), where


def stored(volume: Volume, axes: str) -> Volume:
    """The same image with other array axes, its affine as exact as NIfTI keeps it."""
    image = nib.Nifti1Image(volume.data, volume.affine)
    turn = nib.orientations.ornt_transform(
        nib.orientations.io_orientation(volume.affine), nib.orientations.axcodes2ornt(axes)
    )
    turned = image.as_reoriented(turn)
    kept = turned.affine.astype(np.float32).astype(float)
    return Volume(np.asarray(turned.dataobj), kept)
