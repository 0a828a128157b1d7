"""One visit of a participant who has several: its GRE in the template within the participant.

The template within the participant (:mod:`.within_subject_template`) was registered with the
study's once; a visit adds rigid maps alone, so that a label means the same tissue at each. With a
T1w of its own the GRE is registered to that, and goes on as the T1w does; without one it is
registered to the template within the participant itself, from many starts, since nothing says how
the head lay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np
from scipy import ndimage
from scipy.spatial.transform import Rotation

from ..masks.gre import GreMaskParameters, mask_from_magnitude
from ..spaces import apply_affine, grid_points, look_up, resample
from ..storage_order import as_stored, nearest_to_ras
from ..volumes import Volume
from .itk_bridge import ants_session
from .scan import (
    GAVE_UP,
    RegisteredHead,
    RegisteredScan,
    RegistrationParameters,
    check_contrast,
    combined,
    failed_scan,
    place_scan,
)
from .similarity import mutual_information, relative_bias_field
from .storage import own_frame, straightened
from .within_subject import evened, register_gre

ANGLES = (-15.0, 0.0, 15.0)
"""Start angles about each axis (degrees), where there is no T1w."""
SHIFTS_MM = (-15.0, 0.0, 15.0)
"""And starts beside the place where the brains' centres meet."""
POINTS = 4000
"""Voxels that a start is judged by."""


def register_visit(
    head: RegisteredHead,
    t1w: Volume | None,
    to_head: np.ndarray,
    magnitude: Sequence[Volume],
    parameters: RegistrationParameters,
    threads: int = 1,
    grid: Volume | None = None,
) -> RegisteredScan:
    """Register the GRE of a visit; the result and its quality are as of a scan by itself.

    ``head`` is the template within the participant, ``to_head`` (4, 4) takes points of the visit's
    ``t1w`` to it. Without a T1w that is not used, and ``gre_to_t1w`` of the result leads to the
    template within the participant. ``magnitude`` may be empty where there is a T1w, ``grid`` is
    as in :func:`.scan.register_scan`.
    """
    gre, turn = combined(magnitude) if magnitude else (None, None)
    upright = None if t1w is None else nearest_to_ras(t1w)[0]
    frame = own_frame((upright or gre).affine)
    gre = gre and straightened(gre, frame)
    target = gre
    if grid is not None:
        target, turn = nearest_to_ras(grid)
        target = straightened(target, frame)
    try:
        if gre is not None:
            check_contrast("GRE magnitude", gre)
        with ants_session(threads, parameters.seed) as session:
            if upright is None:
                image, onward, outer = head.image, np.eye(4), np.eye(4)
                start = find_start(gre, image, head.brain, parameters)
            else:
                onward, outer, start = to_head @ frame, frame, np.eye(4)
                image = _in_place(straightened(upright, frame), head, onward, parameters)
            to_image = start
            if gre is not None:
                to_image = register_gre(session, gre, image, head.brain, parameters.rigid, start)
    except GAVE_UP as error:
        found = failed_scan(target, str(error))
        outer = frame
    else:
        found = place_scan(gre, target, head, image, to_image, onward, parameters)
    return replace(
        found,
        gre_to_t1w=outer @ found.gre_to_t1w @ frame.T,
        coordinates=as_stored(found.coordinates, turn),
        tissues=as_stored(found.tissues, turn),
    )


def _in_place(
    t1w: Volume, head: RegisteredHead, to_head: np.ndarray, parameters: RegistrationParameters
) -> Volume:
    """A visit's T1w on the voxels of the head's grid, where they lie at the visit; bias-corrected.

    The head has no bias, and the same anatomy: what differs smoothly is the visit's.
    """
    grid = np.linalg.inv(to_head) @ head.image.affine
    data = np.maximum(resample(t1w, head.image.data.shape, grid, order=3), 0)
    smoothness = parameters.template.bias_smoothness / head.image.voxel_size[0]
    bias = relative_bias_field(data, head.image.data, head.brain, smoothness)
    return Volume(data / bias, grid)


def find_start(
    gre: Volume, image: Volume, brain: np.ndarray, parameters: RegistrationParameters
) -> np.ndarray:
    """A rigid map (4, 4) of GRE points to points of ``image``, good enough to start from.

    ``brain`` (X, Y, Z) bool is on the grid of ``image``. Of a lattice of poses about the one in
    which the centres of the brains meet, and the scanner's own, it is that of largest mutual
    information. Nothing is random.
    """
    even = evened(gre, parameters.rigid)
    near = ndimage.binary_dilation(brain, iterations=2)
    inside = np.flatnonzero(near)
    inside = inside[:: max(1, inside.size // POINTS)]
    index = np.stack(np.unravel_index(inside, brain.shape), axis=-1).astype(np.float32)
    points, values = apply_affine(image.affine, index), image.data.ravel()[inside]
    everywhere = np.ones(len(points), bool)

    def information(to_gre: np.ndarray) -> float:
        seen = look_up(even.data, even.affine, apply_affine(to_gre, points))
        return mutual_information(values, seen, everywhere)

    centre = _middle(brain, image.affine)
    target = _middle(mask_from_magnitude(gre, GreMaskParameters()), gre.affine)
    starts = [np.eye(4)]
    for angles in product(ANGLES, repeat=3):
        turn = Rotation.from_euler("xyz", angles, degrees=True).as_matrix()
        starts += [
            _about(turn, centre, target + np.array(shift)) for shift in product(SHIFTS_MM, repeat=3)
        ]
    best = max(starts, key=information)
    for reach in (8.0, 4.0, 2.0):  # degrees and mm: one coordinate after the other
        for axis in range(6):
            steps = []
            for size in (-reach, 0.0, reach):
                move = np.zeros(6)
                move[axis] = size
                turn = Rotation.from_euler("xyz", move[:3], degrees=True).as_matrix()
                there = apply_affine(best, centre)
                steps.append(_about(turn @ best[:3, :3], centre, there + move[3:]))
            best = max(steps, key=information)
    return np.linalg.inv(best)


def _middle(mask: np.ndarray, affine: np.ndarray) -> np.ndarray:
    return grid_points(mask.shape, affine)[mask].mean(axis=0, dtype=float)


def _about(turn: np.ndarray, centre: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The rigid map (4, 4) with this rotation that takes ``centre`` to ``target``."""
    matrix = np.eye(4)
    matrix[:3, :3] = turn
    matrix[:3, 3] = target - turn @ centre
    return matrix
