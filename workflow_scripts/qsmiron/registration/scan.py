"""One scan: template ↔ T1w ↔ GRE, composed into one coordinate map, and how well it went.

A scan whose registration gives up is a result too: without regions, with the reason, so that the
others of the cohort go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pydantic import Field

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spaces import apply_affine, grid_points, look_up, rigid_motion
from ..storage_order import as_stored, nearest_to_ras
from ..volumes import Volume
from .coordinates import NOWHERE_MM, compose
from .field_of_view import TISSUES_BEYOND, tissues_beyond
from .itk_bridge import ants_session
from .similarity import mutual_information
from .storage import own_frame, straightened
from .template_to_t1w import RegisteredT1w, TemplateParameters, register_template
from .tissues import (
    CLASSES,
    TissueParameters,
    segment_tissues,
    template_priors,
    tissue_labels,
)
from .within_subject import RigidParameters, combine_echoes, register_gre, sharpness


class RegistrationParameters(Parameters):
    """Parameters of the registration of one scan."""

    seed: int = Field(1, ge=1, description="seed of ANTs' random sampling")
    least_similarity: float = Field(
        0.25,
        ge=-1,
        le=1,
        description="local correlation of T1w and template below which the scan has no regions; "
        "right registrations of people have .6 and more, one that is 10 mm off .2 (1)",
    )
    template: TemplateParameters = Field(TemplateParameters(), description="template to T1w")
    rigid: RigidParameters = Field(RigidParameters(), description="T1w to GRE")
    tissues: TissueParameters = Field(TissueParameters(), description="tissues of the T1w")


@dataclass(frozen=True)
class Template:
    """The template: T1w (brain only, 0 outside) and the probabilities of its tissues, 0–255."""

    t1w: Volume
    grey: Volume
    white: Volume


@dataclass(frozen=True)
class RegisteredScan:
    """A scan in register, on the grid of its GRE.

    ``coordinates`` (X, Y, Z, 3): template RAS mm of every voxel; ``gre_to_t1w`` (4, 4): rigid map
    of its RAS mm to the T1w's; ``tissues`` (X, Y, Z, 3): probabilities of grey matter, white
    matter and fluid; ``quality``: see :func:`register_scan`, or the reason under ``failed``.
    """

    coordinates: np.ndarray
    gre_to_t1w: np.ndarray
    tissues: np.ndarray
    quality: dict[str, Any]


def register_scan(
    t1w: Volume,
    magnitude: Sequence[Volume],
    template: Template,
    parameters: RegistrationParameters,
    threads: int = 1,
    grid: Volume | None = None,
) -> RegisteredScan:
    """Register template, T1w and GRE of one scan.

    The results lie on the grid of the image ``grid``, in the scanner's coordinates of the
    ``magnitude``, on whose grid they lie without one. Where ``magnitude`` is empty, ``grid`` is in
    the coordinates of the T1w, which its header is taken at its word for: nothing measures that.

    The quality has ``registration_similarity`` (local correlation of T1w and warped template,
    :meth:`.RegisteredT1w.agreement`), ``brain_overlap`` (Dice of the T1w's brain and the
    template's), ``gre_similarity`` (mutual information of T1w and GRE in the brain, nats),
    ``gre_sharpness`` (see :func:`.within_subject.sharpness`), the extremes of the Jacobian
    determinant in the brain, the rigid motion between T1w and GRE (degrees, mm),
    ``brain_in_gre``, the fraction of the brain that the grid covers, and ``tissue_voxels_beyond``,
    the voxels of each tissue that it does not. Without a magnitude those of the GRE are None and
    ``by_headers`` is true. Nothing of it depends on the
    order that the images are stored in, nor on how the patient lies.
    """
    gre = None
    if magnitude:
        whole = Volume(combine_echoes([echo.data for echo in magnitude]), magnitude[0].affine)
        gre, turn = nearest_to_ras(_contiguous(whole))
    t1w, _ = nearest_to_ras(_contiguous(t1w))
    frame = own_frame(t1w.affine)
    t1w, gre = straightened(t1w, frame), gre and straightened(gre, frame)
    target = gre
    if grid is not None:
        target, turn = nearest_to_ras(_contiguous(grid))
        target = straightened(target, frame)
    found = _register(t1w, gre, target, template, parameters, threads)
    return replace(
        found,
        gre_to_t1w=frame @ found.gre_to_t1w @ frame.T,
        coordinates=as_stored(found.coordinates, turn),
        tissues=as_stored(found.tissues, turn),
    )


def _contiguous(volume: Volume) -> Volume:
    return Volume(np.ascontiguousarray(volume.data), volume.affine)


def _register(
    t1w: Volume,
    gre: Volume | None,
    target: Volume,
    template: Template,
    parameters: RegistrationParameters,
    threads: int,
) -> RegisteredScan:
    try:
        _check_contrast("T1w", t1w)
        if gre is not None:
            _check_contrast("GRE magnitude", gre)
        with ants_session(threads, parameters.seed) as session:
            registered = register_template(session, t1w, template.t1w, parameters.template)
            image, brain = registered.image, registered.brain
            to_t1w = np.eye(4)
            if gre is not None:
                to_t1w = register_gre(session, gre, image, brain, parameters.rigid)
            in_template = registered.to_template(grid_points(brain.shape, image.affine))
            priors = template_priors(template.grey, template.white, in_template)
            tissues = segment_tissues(session, image, brain, priors, parameters.tissues)
    # ANTs gives up with a RuntimeError, linear algebra on an empty image with its own
    except (InputError, RuntimeError, np.linalg.LinAlgError) as error:
        return _failed(target, str(error))
    in_gre = apply_affine(np.linalg.inv(to_t1w), grid_points(brain.shape, image.affine))
    covered = look_up(np.ones_like(target.data), target.affine, in_gre) > 0.5
    quality = _quality(
        registered, gre, to_t1w, template.t1w, in_template, in_gre, covered, parameters.rigid
    )
    quality[TISSUES_BEYOND] = tissues_beyond(
        tissue_labels(tissues), covered, image.affine, target.affine
    )
    similarity = quality["registration_similarity"]
    if not similarity >= parameters.least_similarity:
        return _failed(target, f"T1w and template do not match (local r = {similarity:.2f})")
    points = apply_affine(to_t1w, grid_points(target.data.shape, target.affine))
    return RegisteredScan(
        compose(target.data.shape, target.affine, to_t1w, registered.to_template),
        to_t1w,
        np.stack(
            [look_up(tissues[..., each], image.affine, points) for each in range(len(CLASSES))],
            axis=-1,
        ),
        quality,
    )


def _check_contrast(name: str, image: Volume) -> None:
    if not np.ptp(image.data) > 0:
        raise InputError(
            Problem(name, "one value everywhere", "an image of a head", "Export it again.")
        )


def _failed(target: Volume, reason: str) -> RegisteredScan:
    shape = (*target.data.shape, 3)
    return RegisteredScan(
        np.full(shape, NOWHERE_MM, np.float32),
        np.eye(4),
        np.zeros(shape, np.float32),
        {"failed": " ".join(reason.split())},
    )


def _quality(
    registered: RegisteredT1w,
    gre: Volume | None,
    to_t1w: np.ndarray,
    template: Volume,
    in_template: np.ndarray,
    in_gre: np.ndarray,
    covered: np.ndarray,
    parameters: RigidParameters,
) -> dict[str, Any]:
    image, brain = registered.image, registered.brain
    inside = (template.data > 0).astype(np.float32)
    template_brain = look_up(inside, template.affine, in_template) > 0.5
    jacobian = registered.to_template.jacobian()[brain]
    rotation, translation = rigid_motion(to_t1w)
    of_gre: dict[str, Any] = {"gre_sharpness": None, "gre_similarity": None, "by_headers": True}
    if gre is not None:
        seen = look_up(gre.data, gre.affine, in_gre)
        of_gre = {
            "gre_sharpness": sharpness(gre, image, brain, to_t1w, parameters),
            "gre_similarity": mutual_information(image.data, seen, brain & covered),
        }
    both = 2 * (brain & template_brain).sum() / max(brain.sum() + template_brain.sum(), 1)
    return {
        "registration_similarity": registered.agreement(),
        "brain_overlap": float(both),
        **of_gre,
        "jacobian_min": float(jacobian.min()),
        "jacobian_max": float(jacobian.max()),
        "rotation": rotation,
        "translation": translation,
        "brain_in_gre": float(covered[brain].mean()),
    }
