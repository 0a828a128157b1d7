"""Data with a known truth that reconstructions are judged on, and closed-form fields.

``head`` is the demo's simulated head; ``qsm_forward`` another make of phantom, whose anatomy and
physics share no code with it; ``cosmos_slabs`` are in-vivo measurements with a multi-orientation
reference; ``ball`` and ``cylinder`` have fields known by formula.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
from scipy import ndimage

from qsmiron.acquisition import b0_direction
from qsmiron.simulation.atlas_regions import N_LABELS, is_deep
from qsmiron.simulation.signal import AIR_CHI_PPM, BONE_CHI_PPM, OUTER_FLUID_CHI_PPM
from qsmiron.simulation.subject import read_plan, simulate_subject
from qsmiron.spaces import bounding_box
from qsmiron.volumes import read_volume, voxel_size

HOME = Path(__file__).resolve().parents[2]
COSMOS_FOLDER = HOME.parent / "shared" / "data" / "snu_cosmos_slabs"
MARGIN_MM = 12.0
"""What is kept around the brain."""


class PhantomUnavailableError(RuntimeError):
    """What a phantom is made from is not on this machine; the message says what to install."""


@dataclass(frozen=True)
class Phantom:
    """Signals and their truth on one grid (X, Y, Z).

    ``echoes`` (E, X, Y, Z; complex64) and ``total_field`` are None where only a measured local
    field is given. ``echo_times`` in s, ``field_strength`` in T, ``chi`` and the fields in ppm,
    ``mask`` the brain (boolean), ``labels`` its regions (0 elsewhere), ``homologous`` the labels of
    the same structure left and right, ``deep`` those that are no cortex.
    """

    name: str
    echoes: np.ndarray | None
    echo_times: tuple[float, ...]
    field_strength: float
    affine: np.ndarray
    mask: np.ndarray
    chi: np.ndarray
    local_field: np.ndarray
    total_field: np.ndarray | None
    labels: np.ndarray
    homologous: tuple[tuple[int, int], ...] = ()
    deep: tuple[int, ...] = ()

    @property
    def voxel_size(self) -> tuple[float, float, float]:
        """Edges of a voxel (mm)."""
        return voxel_size(self.affine)

    @property
    def b0_direction(self) -> np.ndarray:
        """Unit vector of B0 along the array axes."""
        return b0_direction(self.affine)


def head(participant: str = "sub-01", voxel_size: float = 1.0, threads: int = 2) -> Phantom:
    """A patient of the demo's plan, cut to the brain and a margin; ``voxel_size`` in mm."""
    plan = read_plan(HOME / "config" / "demo" / "plan.tsv")
    subject = simulate_subject(plan[participant], voxel_size, threads)
    return _around_brain(
        Phantom(
            name=f"head {participant}, {voxel_size:g} mm",
            echoes=subject.echoes,
            echo_times=subject.echo_times,
            field_strength=subject.field_strength,
            affine=subject.affine,
            mask=subject.brain,
            chi=subject.chi,
            local_field=subject.fields.local,
            total_field=subject.fields.total,
            labels=subject.labels,
            homologous=tuple((n, n + N_LABELS // 2) for n in range(1, N_LABELS // 2 + 1)),
            deep=tuple(int(label) for label in np.flatnonzero(is_deep())),
        )
    )


def _around_brain(phantom: Phantom) -> Phantom:
    edge = phantom.voxel_size[0]
    box = bounding_box(phantom.mask, margin=round(MARGIN_MM / edge))
    affine = phantom.affine.copy()
    affine[:3, 3] += affine[:3, :3] @ [part.start for part in box]
    parts = dict(vars(phantom), affine=affine)
    for name in ("mask", "chi", "local_field", "total_field", "labels"):
        parts[name] = np.ascontiguousarray(parts[name][box])
    parts["echoes"] = np.ascontiguousarray(phantom.echoes[(slice(None), *box)])
    return Phantom(**parts)


def cosmos_slabs(folder: str | Path = COSMOS_FOLDER) -> list[Phantom]:
    """Two in-vivo slabs: measured local field (ppm) and χ from several orientations (COSMOS).

    The grid is taken to be 1 mm with B0 along axis 2, as the files' affine says. The head goes on
    beyond each slab, so that near its cuts no inversion can reach the reference.
    """
    folder = Path(folder)
    phantoms = []
    for slab in "AB":
        path = folder / f"slab{slab}_phs.nii.gz"
        if not path.exists():
            raise PhantomUnavailableError(f"no {path}: the in-vivo slabs are not on this machine")
        field = read_volume(path)
        mask = read_volume(folder / f"slab{slab}_msk.nii.gz").data > 0.5
        phantoms.append(
            Phantom(
                name=f"in-vivo slab {slab} (COSMOS)",
                echoes=None,
                echo_times=(),
                field_strength=3.0,
                affine=field.affine,
                mask=mask,
                chi=read_volume(folder / f"slab{slab}_susc.nii.gz").data,
                local_field=field.data,
                total_field=None,
                labels=np.zeros(mask.shape, np.uint8),
            )
        )
    return phantoms


# --- A phantom of nested ellipsoids, by the package qsm-forward ----------------------------------
INSTALL = "pip install qsm-forward==0.32"
FOV_MM = (184.0, 216.0, 188.0)
ECHO_TIMES_S = (0.005, 0.010, 0.015, 0.020, 0.025)
REPETITION_TIME_S, FLIP_ANGLE_DEG = 0.05, 15.0
PEAK_SNR = 80.0
BRAIN = ((0.0, 0.0, 6.0), (66.0, 82.0, 58.0))
"""Centre and semi-axes (mm)."""
CAVITIES = (  # air: centre, semi-axes (mm)
    ((0.0, 54.0, -56.0), (20.0, 16.0, 10.0)),
    ((69.0, -8.0, -34.0), (8.0, 7.0, 7.0)),
    ((-70.0, -8.0, -36.0), (8.0, 7.0, 6.0)),
)
VEIN_CHI_PPM = 0.19

# (name, χ left, χ right (ppb), centre on the right, semi-axes (mm)); later ones lie within earlier.
STRUCTURES = (
    ("thalamus", 20, 15, (12, -16, 8), (8, 13, 8)),
    ("caudate", 44, 50, (13, 16, 14), (5, 14, 6)),
    ("putamen", 38, 46, (26, 4, 2), (7, 16, 10)),
    ("pallidum", 131, 122, (24, 2, 1), (4.5, 9, 6)),
    ("ventricle", 14, 14, (6, 0, 26), (4, 22, 5)),
    ("hippocampus", 5, -2, (28, -20, -16), (6, 18, 5)),
    ("amygdala", -6, 3, (24, 8, -20), (7, 7, 7)),
    ("substantia_nigra", 111, 118, (10, -16, -18), (5, 7, 3.5)),
    ("red_nucleus", 100, 92, (5, -22, -10), (4, 4, 4)),
    ("dentate", 150, 138, (15, -46, -26), (8, 6, 5)),
)
CORTEX = (("frontal", 18, 24), ("occipital", 25, 20))
WHITE_MATTER = (-30, -28)
FOLDS_MM = (16.0, 18.0, 14.0)
MIDLINE_LABEL = 2 * (1 + len(CORTEX) + len(STRUCTURES)) + 1
"""The brainstem's; the labels below come in pairs, left before right, in the order painted."""
VEINS = (  # ends of the axis on the right (mm), radius (mm)
    ((3, -34, 15), (3, 8, 17), 1.5),
    ((30, -30, 22), (44, -36, 44), 1.3),
    ((22, 30, 20), (34, 38, 40), 1.3),
)


@dataclass
class _Canvas:
    maps: dict[str, np.ndarray]
    labels: np.ndarray

    def paint(self, share: np.ndarray, label: int, **values: float) -> None:
        """Cover the ``share`` (0–1) of each voxel with ``values``, and label it from half on."""
        for name, value in values.items():
            data = self.maps[name]
            data += share * (value - data)
        self.labels[share >= 0.5] = label


def qsm_forward(voxel_size: float = 1.0, seed: int = 1) -> Phantom:
    """A head of nested ellipsoids whose fields and signals the package qsm-forward makes.

    Field, shim, phase offset, relaxation and noise are the package's (Marques et al., Magn Reson
    Med 2021, doi 10.1002/mrm.28716); only places and values of the compartments are given here.

    Its dipole kernel is sampled in k-space and rings at the edges of strong sources: in the brain
    such a background would not be harmonic. Hence B0 lies along an array axis, where it rings
    least, and the sources around the brain are smoothed.

    Parameters
    ----------
    voxel_size : mm; the package's kernel is right for isotropic voxels only.
    seed : of texture and noise.
    """
    try:
        import qsm_forward as package
    except ImportError as error:
        raise PhantomUnavailableError(f"{error.name} is missing: {INSTALL}") from error

    rng = np.random.default_rng(seed)
    shape = tuple(2 * round(length / voxel_size / 2) for length in FOV_MM)
    affine = np.diag([voxel_size] * 3 + [1.0])
    affine[:3, 3] = -voxel_size * (np.asarray(shape) - 1) / 2
    canvas, mask = _ellipsoid_head(shape, voxel_size, rng)
    chi = canvas.maps["chi"]
    edges, direction = [voxel_size] * 3, b0_direction(affine)
    inner = np.where(mask, chi, 0)
    local = package.generate_field(inner, voxel_size=edges, B0_dir=direction)
    total = package.generate_field(chi, voxel_size=edges, B0_dir=direction)
    total = package.generate_shimmed_field(total, mask, order=2)[1]
    offset = package.generate_phase_offset(canvas.maps["m0"], mask, shape)
    echoes = np.stack(
        [
            package.generate_signal(
                total,
                B0=3,
                TR=REPETITION_TIME_S,
                TE=echo_time,
                flip_angle=FLIP_ANGLE_DEG,
                phase_offset=offset,
                R1=canvas.maps["r1"],
                R2star=canvas.maps["r2star"],
                M0=canvas.maps["m0"],
            ).astype(np.complex64)
            for echo_time in ECHO_TIMES_S
        ]
    )
    # All echoes at once: the package scales the noise by the largest signal it is given.
    echoes = package.add_noise(echoes, peak_snr=PEAK_SNR, rng=rng).astype(np.complex64)
    return _around_brain(
        Phantom(
            name=f"qsm-forward ellipsoids, {voxel_size:g} mm",
            echoes=echoes,
            echo_times=ECHO_TIMES_S,
            field_strength=3.0,
            affine=affine,
            mask=mask,
            chi=inner.astype(np.float32),
            local_field=local.astype(np.float32),
            total_field=total.astype(np.float32),
            labels=np.where(mask, canvas.labels, 0).astype(np.uint8),
            homologous=tuple((label, label + 1) for label in range(1, MIDLINE_LABEL, 2)),
        )
    )


def _ellipsoid_head(
    shape: tuple[int, ...], edge: float, rng: np.random.Generator
) -> tuple[_Canvas, np.ndarray]:
    """χ (ppm, relative to soft tissue), M0, R1 and R2* (1/s), labels, and the brain mask."""
    x, y, z = np.ix_(*((np.arange(n) - (n - 1) / 2) * edge for n in shape))

    def depth(centre: Sequence[float], semi_axes: Sequence[float]) -> np.ndarray:
        """Distance (mm, to first order) below an ellipsoid's surface."""
        u, v, w = ((a - c) / s for a, c, s in zip((x, y, z), centre, semi_axes, strict=True))
        radius = np.sqrt(u**2 + v**2 + w**2)
        slope = np.sqrt(sum((part / s) ** 2 for part, s in zip((u, v, w), semi_axes, strict=True)))
        return (1 - radius) * radius / np.maximum(slope, 1e-6)

    def share_of(below: np.ndarray) -> np.ndarray:
        """Share of each voxel inside a surface, from the depth of its centre (mm)."""
        return np.clip(0.5 + below / edge, 0, 1)

    def ellipsoid(centre: Sequence[float], semi_axes: Sequence[float]) -> np.ndarray:
        return share_of(depth(centre, semi_axes))

    def shell(thickness: float) -> np.ndarray:
        return ellipsoid(BRAIN[0], [s + thickness for s in BRAIN[1]])

    right, front = x > 0, y > 0
    air = {"chi": AIR_CHI_PPM, "m0": 0.0, "r1": 1.0, "r2star": 50.0}
    canvas = _Canvas(
        {name: np.full(shape, value) for name, value in air.items()}, np.zeros(shape, np.uint8)
    )
    soft = {"chi": 0.0, "m0": 0.8, "r1": 1.0, "r2star": 30.0}
    canvas.paint(ellipsoid((0, 0, -1), (84, 101, 86)), 0, **soft)
    canvas.paint(shell(12.5), 0, chi=BONE_CHI_PPM, m0=0.12, r1=1.0, r2star=200.0)
    for centre, semi_axes in CAVITIES:
        canvas.paint(ellipsoid(centre, semi_axes), 0, **air)
    fluid = {"m0": 1.0, "r1": 0.25, "r2star": 3.0}
    canvas.paint(shell(6.5), 0, chi=OUTER_FLUID_CHI_PPM, **fluid)
    canvas.maps["chi"] = ndimage.gaussian_filter(canvas.maps["chi"], 1.0, mode="nearest")

    # Deep folds: the field of a smooth shell of cortex would be nearly harmonic, as no brain's is.
    folds = sum(np.sin(2 * np.pi * a / p) for a, p in zip((x, y, z), FOLDS_MM, strict=True))
    brain, label = shell(0), 1
    white = brain * share_of(depth(*BRAIN) - 10 - 12 * folds)
    white_matter = {"m0": 0.7, "r1": 1.2, "r2star": 21.0}
    grey_matter = {"m0": 0.82, "r1": 0.75, "r2star": 17.0}
    for (_, *values), part in zip(CORTEX, (front, ~front), strict=True):
        for half, ppb in zip((~right, right), values, strict=True):
            canvas.paint(brain * (half & part), label, chi=1e-3 * ppb, **grey_matter)
            label += 1
    for half, ppb in zip((~right, right), WHITE_MATTER, strict=True):
        canvas.paint(white * half, label, chi=1e-3 * ppb, **white_matter)
        label += 1
    canvas.paint(ellipsoid((0, -22, -28), (9, 10, 18)), MIDLINE_LABEL, chi=-0.012, r2star=19.0)
    for name, *values, centre, semi_axes in STRUCTURES:
        for sign, ppb in zip((-1, 1), values, strict=True):
            nucleus = {"m0": 0.75, "r1": 0.9, "r2star": 18 + 0.3 * max(ppb - 25, 0)}
            share = ellipsoid((sign * centre[0], *centre[1:]), semi_axes)
            tissue = fluid if name == "ventricle" else nucleus
            canvas.paint(share, label, chi=1e-3 * ppb, **tissue)
            label += 1
    mask = brain >= 0.5
    # Without texture (SD 8 ppb) total variation would be the true prior.
    texture = ndimage.gaussian_filter(rng.standard_normal(shape), 2.5 / edge)
    canvas.maps["chi"] += brain * texture * (0.008 / texture.std())
    for start, end, radius in VEINS:
        for sign in (-1, 1):
            distance = _distance_to_segment((x, y, z), start, end, sign)
            canvas.paint(share_of(radius - distance), 0, chi=VEIN_CHI_PPM, r1=0.6, r2star=60.0)
    return canvas, mask


def _distance_to_segment(
    axes: Sequence[np.ndarray], start: Sequence[float], end: Sequence[float], sign: int
) -> np.ndarray:
    """Distance (mm) to a straight vein; ``sign`` −1 mirrors it to the left."""
    side = np.array([sign, 1, 1])
    first, along = start * side, (np.asarray(end) - start) * side
    offsets = [axis - place for axis, place in zip(axes, first, strict=True)]
    t = sum(o * a for o, a in zip(offsets, along, strict=True)) / (along @ along)
    nearest = np.clip(t, 0, 1)
    return np.sqrt(sum((o - nearest * a) ** 2 for o, a in zip(offsets, along, strict=True)))


# --- Closed-form fields --------------------------------------------------------------------------
@dataclass(frozen=True)
class AnalyticField:
    """An object's ``chi`` and closed-form ``field`` on one grid (ppm), and its ``distance``.

    ``distance`` (mm) from the object's centre or axis tells the voxels that its surface passes
    through, where the field of the voxelised object differs.
    """

    chi: np.ndarray
    field: np.ndarray
    distance: np.ndarray


Distance = Callable[[np.ndarray], np.ndarray]


def ball(
    shape: Sequence[int], affine: np.ndarray, radius: float, chi: float = 1.0
) -> AnalyticField:
    """A ball of ``radius`` (mm) about the isocentre, B0 along the scanner's z axis.

    Outside χ/3 · (R/r)³ (3cos²θ − 1), inside 0, the Lorentz sphere taken off (Salomir et al. 2003,
    doi 10.1002/cmr.b.10083).
    """
    points = nib.affines.apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1))
    r, share = _distance_and_share(points, affine, radius, lambda p: np.linalg.norm(p, axis=-1))
    safe = np.maximum(r, 1e-6)
    outside = chi / 3 * (radius / safe) ** 3 * (3 * (points[..., 2] / safe) ** 2 - 1)
    return AnalyticField(chi * share, np.where(r > radius, outside, 0.0), r)


def cylinder(
    shape: Sequence[int], affine: np.ndarray, radius: float, angle: float, chi: float = 1.0
) -> AnalyticField:
    """A long cylinder through the isocentre, ``angle`` (°) from B0 towards the scanner's x axis.

    Outside χ/2 · (R/ρ)² sin²θ cos 2φ, inside χ/6 · (3cos²θ − 1); φ is taken from the projection of
    B0 onto the plane across the cylinder (Salomir et al. 2003, doi 10.1002/cmr.b.10083).
    """
    theta = np.radians(angle)
    axis = np.array([np.sin(theta), 0.0, np.cos(theta)])
    across = np.array([-np.cos(theta), 0.0, np.sin(theta)])  # B0 without its part along the axis
    points = nib.affines.apply_affine(affine, np.moveaxis(np.indices(shape), 0, -1))
    rho, share = _distance_and_share(
        points, affine, radius, lambda p: np.linalg.norm(p - (p @ axis)[..., None] * axis, axis=-1)
    )
    safe = np.maximum(rho, 1e-6)
    cosine = 2 * (points @ across / safe) ** 2 - 1
    outside = chi / 2 * (radius / safe) ** 2 * np.sin(theta) ** 2 * cosine
    inside = chi / 6 * (3 * np.cos(theta) ** 2 - 1)
    return AnalyticField(chi * share, np.where(rho > radius, outside, inside), rho)


def _distance_and_share(
    points: np.ndarray, affine: np.ndarray, radius: float, distance_of: Distance
) -> tuple[np.ndarray, np.ndarray]:
    """Distance (mm) of each voxel, and its share (0–1) within ``radius``, from 6³ points in it."""
    distance = distance_of(points)
    share = (distance <= radius).astype(np.float32)
    cut = np.abs(distance - radius) < np.linalg.norm(affine[:3, :3].sum(1))
    steps = (np.arange(6) + 0.5) / 6 - 0.5
    offsets = np.stack(np.meshgrid(steps, steps, steps), -1).reshape(-1, 3) @ affine[:3, :3].T
    within = [distance_of(points[cut] + offset) <= radius for offset in offsets]
    share[cut] = np.mean(within, axis=0)
    return distance, share
