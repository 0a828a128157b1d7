"""One scan: template ↔ T1w ↔ GRE, composed into one coordinate map, and how well it went."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from pydantic import Field

from ..parameters import Parameters
from ..spaces import apply_affine, grid_points, look_up, rigid_motion
from ..volumes import Volume
from .coordinates import compose
from .itk_bridge import ants_session
from .similarity import correlation, mutual_information
from .template_to_t1w import TemplateParameters, register_template
from .within_subject import RigidParameters, combine_echoes, register_gre


class RegistrationParameters(Parameters):
    """Parameters of the registration of one scan."""

    seed: int = Field(1, ge=1, description="seed of ANTs' random sampling")
    template: TemplateParameters = Field(TemplateParameters(), description="template to T1w")
    rigid: RigidParameters = Field(RigidParameters(), description="T1w to GRE")


def register_scan(
    t1w: Volume,
    magnitude: Sequence[Volume],
    template: Volume,
    parameters: RegistrationParameters,
    threads: int = 1,
) -> tuple[np.ndarray, dict[str, float]]:
    """Template RAS mm (X, Y, Z, 3) of every GRE voxel, and the quality of the registration.

    ``template`` is brain only. The quality has ``registration_similarity`` (correlation of T1w and
    warped template in the brain), ``gre_similarity`` (mutual information of T1w and GRE in the
    brain, nats), the extremes of the Jacobian determinant in the brain, the rigid motion between
    T1w and GRE (degrees, mm) and ``brain_in_gre``, the fraction of the brain that the GRE covers.
    """
    gre = Volume(combine_echoes([echo.data for echo in magnitude]), magnitude[0].affine)
    with ants_session(threads, parameters.seed) as session:
        registered = register_template(session, t1w, template, parameters.template)
        to_t1w = register_gre(session, gre, registered.image, registered.brain, parameters.rigid)
    coordinates = compose(gre.data.shape, gre.affine, to_t1w, registered.to_template)
    points = grid_points(registered.brain.shape, registered.image.affine)
    in_gre = apply_affine(np.linalg.inv(to_t1w), points)
    seen = look_up(gre.data, gre.affine, in_gre)
    covered = look_up(np.ones_like(gre.data), gre.affine, in_gre) > 0.5
    brain = registered.brain
    jacobian = registered.to_template.jacobian()[brain]
    rotation, translation = rigid_motion(to_t1w)
    return coordinates, {
        "registration_similarity": correlation(registered.image.data, registered.warped, brain),
        "gre_similarity": mutual_information(registered.image.data, seen, brain & covered),
        "jacobian_min": float(jacobian.min()),
        "jacobian_max": float(jacobian.max()),
        "rotation": rotation,
        "translation": translation,
        "brain_in_gre": float(covered[brain].mean()),
    }
