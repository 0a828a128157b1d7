"""One scan: template ↔ T1w ↔ GRE, composed into one coordinate map, and how well it went.

A scan whose registration gives up is a result too: without regions, with the reason, so that the
others of the cohort go on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from ..errors import InputError, Problem
from ..parameters import Parameters
from ..spaces import apply_affine, grid_points, look_up, rigid_motion
from ..storage_order import as_stored, nearest_to_ras
from ..volumes import Volume
from .coordinates import NOWHERE_MM, TemplateMap, compose
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
from .within_subject_template import AverageParameters


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
    visits: AverageParameters = Field(
        AverageParameters(), description="mean head of a participant's visits"
    )


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
        gre, turn = combined(magnitude)
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


def combined(magnitude: Sequence[Volume]) -> tuple[Volume, np.ndarray]:
    """All echoes as one image, in the storage order nearest to RAS, and how it was turned."""
    gre = Volume(combine_echoes([echo.data for echo in magnitude]), magnitude[0].affine)
    return nearest_to_ras(_contiguous(gre))


def _contiguous(volume: Volume) -> Volume:
    return Volume(np.ascontiguousarray(volume.data), volume.affine)


@dataclass(frozen=True)
class RegisteredHead:
    """A T1w in register with the template.

    ``image`` (X, Y, Z): the T1w, bias-corrected, on the working grid; ``tissues`` (X, Y, Z, 3):
    probabilities of grey matter, white matter and fluid, 1 in sum in the brain and 0 outside;
    ``to_template``: map of its points; ``quality``: what of it is not the GRE's.
    """

    image: Volume
    tissues: np.ndarray
    to_template: TemplateMap
    quality: dict[str, Any]

    @property
    def brain(self) -> np.ndarray:
        """Brain (X, Y, Z) bool."""
        return self.tissues.sum(axis=-1) > 0.5


def register_head(
    session: tuple[Any, Path],
    t1w: Volume,
    template: Template,
    parameters: RegistrationParameters,
) -> RegisteredHead:
    """Register the template with a T1w in its own frame, and find the tissues.

    ``session`` is from :func:`.itk_bridge.ants_session`. Raises what ANTs raises, and
    :class:`InputError` where the two do not match.
    """
    check_contrast("T1w", t1w)
    registered = register_template(session, t1w, template.t1w, parameters.template)
    image, brain = registered.image, registered.brain
    in_template = registered.to_template.of_own_grid()
    priors = template_priors(template.grey, template.white, in_template)
    tissues = segment_tissues(image, brain, priors, parameters.tissues)
    quality = _head_quality(registered, template.t1w, in_template)
    similarity = quality["registration_similarity"]
    if not similarity >= parameters.least_similarity:
        raise InputError(f"T1w and template do not match (local r = {similarity:.2f})")
    return RegisteredHead(image, tissues, registered.to_template, quality)


def _register(
    t1w: Volume,
    gre: Volume | None,
    target: Volume,
    template: Template,
    parameters: RegistrationParameters,
    threads: int,
) -> RegisteredScan:
    try:
        if gre is not None:
            check_contrast("GRE magnitude", gre)
        with ants_session(threads, parameters.seed) as session:
            head = register_head(session, t1w, template, parameters)
            to_t1w = np.eye(4)
            if gre is not None:
                to_t1w = register_gre(session, gre, head.image, head.brain, parameters.rigid)
    except GAVE_UP as error:
        return failed_scan(target, str(error))
    return place_scan(gre, target, head, head.image, to_t1w, np.eye(4), parameters)


GAVE_UP = (InputError, RuntimeError, np.linalg.LinAlgError)
"""ANTs gives up with a RuntimeError, linear algebra on an empty image with its own."""


def place_scan(
    gre: Volume | None,
    target: Volume,
    head: RegisteredHead,
    image: Volume,
    to_image: np.ndarray,
    to_head: np.ndarray,
    parameters: RegistrationParameters,
) -> RegisteredScan:
    """A GRE in the ``head`` that it belongs to, on the grid of ``target``.

    ``image`` is a T1w of the same brain on the voxels of the head's grid, which may lie elsewhere:
    ``to_head`` (4, 4) takes its points to the head's, ``to_image`` those of the GRE to its own.
    Without a ``gre`` the target's are taken for the T1w's by their headers.
    """
    brain, tissues = head.brain, head.tissues
    in_gre = apply_affine(np.linalg.inv(to_image), grid_points(brain.shape, image.affine))
    covered = look_up(np.ones_like(target.data), target.affine, in_gre) > 0.5
    rotation, translation = rigid_motion(to_image)
    of_gre: dict[str, Any] = {"gre_sharpness": None, "gre_similarity": None, "by_headers": True}
    if gre is not None:
        inside = look_up(np.ones_like(gre.data), gre.affine, in_gre) > 0.5
        seen = look_up(gre.data, gre.affine, in_gre)
        of_gre = {
            "gre_sharpness": sharpness(gre, image, brain, to_image, parameters.rigid),
            "gre_similarity": mutual_information(image.data, seen, brain & inside),
        }
    beyond = tissues_beyond(tissue_labels(tissues), covered, image.affine, target.affine)
    quality = {
        **head.quality,
        **of_gre,
        "rotation": rotation,
        "translation": translation,
        "brain_in_gre": float(covered[brain].mean()),
        TISSUES_BEYOND: beyond,
    }
    points = apply_affine(to_image, grid_points(target.data.shape, target.affine))
    return RegisteredScan(
        compose(target.data.shape, target.affine, to_head @ to_image, head.to_template),
        to_image,
        np.stack(
            [look_up(tissues[..., each], image.affine, points) for each in range(len(CLASSES))],
            axis=-1,
        ),
        quality,
    )


def check_contrast(name: str, image: Volume) -> None:
    """Raise :class:`InputError` for an image that is the same everywhere."""
    if not np.ptp(image.data) > 0:
        raise InputError(
            Problem(name, "one value everywhere", "an image of a head", "Export it again.")
        )


def failed_scan(target: Volume, reason: str) -> RegisteredScan:
    """The scan on the grid of ``target``, which is nowhere in the template for this ``reason``."""
    shape = (*target.data.shape, 3)
    return RegisteredScan(
        np.full(shape, NOWHERE_MM, np.float32),
        np.eye(4),
        np.zeros(shape, np.float32),
        {"failed": " ".join(reason.split())},
    )


def _head_quality(
    registered: RegisteredT1w, template: Volume, in_template: np.ndarray
) -> dict[str, Any]:
    brain = registered.brain
    inside = (template.data > 0).astype(np.float32)
    template_brain = look_up(inside, template.affine, in_template) > 0.5
    jacobian = registered.to_template.jacobian()[brain]
    both = 2 * (brain & template_brain).sum() / max(brain.sum() + template_brain.sum(), 1)
    return {
        "registration_similarity": registered.agreement(),
        "brain_overlap": float(both),
        "jacobian_min": float(jacobian.min()),
        "jacobian_max": float(jacobian.max()),
    }
