"""T1w with its skull → template: pose, affine, brain, deformation.

1. :mod:`.pose` finds the template's brain in the head from many starts.
2. An affine map by mutual information, compared in the template's brain and a rim around it, so
   that skull, scalp and neck have no say.
3. The template's brain, its surface moved to where the bright tissue ends, gives a first
   extraction; a coarse deformation of the template onto that, and the same refinement of its brain
   from nearer by, the second.
4. The deformation, from the affine on, between brain-only images.
5. Where the T1w is fine enough for it, a few more steps on a finer grid.

All of it works on RAS-aligned isotropic grids around the brain, so the grid, the orientation and
the field of view of the T1w do not matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from pydantic import Field
from scipy import ndimage

from ..masks.brain import ExtractionParameters, extract_brain, refine_brain
from ..masks.holes import filled
from ..parameters import Parameters
from ..spaces import apply_affine, boxed_grid, corners, decimate, grid_points, look_up, resample
from ..volumes import Volume
from .coordinates import TemplateMap
from .deformable import GreedyParameters, register_greedy
from .itk_bridge import register_linear
from .pose import PoseParameters, find_pose
from .similarity import local_correlation, relative_bias_field
from .syn import SynParameters, register_syn

FINE_ENOUGH = 1.5
"""The finer grid is used for T1w voxels smaller than so many of its own."""

AGREEMENT_MM = 2.0
"""About the grid on which T1w and template are compared at the end: finer detail is noise."""


class AffineParameters(Parameters):
    """Schedule of the affine registration; tuples hold one value a level, coarse to fine."""

    spacing: float = Field(4.0, gt=0, description="grid of both images (mm)")
    iterations: tuple[int, ...] = Field((200, 100), description="iterations of each level (1)")
    shrink: tuple[int, ...] = Field((2, 1), description="coarsening of each level (1)")
    smoothing: tuple[float, ...] = Field((1, 0), description="smoothing of each level (voxels)")
    sampling: float = Field(0.5, gt=0, le=1, description="fraction of the voxels compared (1)")


class TemplateParameters(Parameters):
    """How T1w and template are brought together."""

    spacing: float = Field(2.0, gt=0.5, le=6, description="grid of the deformation (mm)")
    rim: float = Field(6.0, ge=0, description="around the brain that the affine map compares (mm)")
    margin: float = Field(10.0, gt=0, description="grid beyond the affine brain (mm)")
    first_reach: float = Field(
        8.0, gt=0, description="how far the brain's surface may lie from the affine template's (mm)"
    )
    reach: float = Field(
        5.0, gt=0, description="how far it may lie from the roughly deformed template's (mm)"
    )
    fine_reach: float = Field(
        3.0, gt=0, description="how far it may lie from where the coarser grid put it (mm)"
    )
    bias_smoothness: float = Field(20.0, gt=0, description="SD of the bias field's kernel (mm)")
    fine_spacing: float = Field(
        1.0,
        gt=0.5,
        le=6,
        description="grid of the last steps; skipped for voxels 1.5 times as large (mm)",
    )
    method: Literal["greedy", "syn"] = Field("greedy", description="deformable registration")
    extraction: ExtractionParameters = ExtractionParameters()
    pose: PoseParameters = PoseParameters()
    affine: AffineParameters = AffineParameters()
    greedy: GreedyParameters = GreedyParameters()
    fine: GreedyParameters = GreedyParameters(
        shrink=(1,),
        iterations=(8,),
        image_smoothing=(0.3,),
        step_smoothing=(4.0,),
        total_smoothing=(1.5,),
        step=(0.7,),
    )
    syn: SynParameters = SynParameters()


@dataclass(frozen=True)
class RegisteredT1w:
    """A T1w in register with the template.

    ``image`` is the T1w, bias-corrected in and around the brain, on the working grid (RAS-aligned,
    around the brain); ``brain`` (X, Y, Z) bool and ``warped`` (X, Y, Z), the template seen in the
    subject, are on the same grid (the fine one where it was used). ``to_template`` maps T1w points
    to template points.
    """

    image: Volume
    brain: np.ndarray
    warped: np.ndarray
    to_template: TemplateMap

    def agreement(self) -> float:
        """Local correlation of T1w and template in the brain, on a grid of :data:`AGREEMENT_MM`."""
        factor = max(1, round(AGREEMENT_MM / self.image.voxel_size[0]))
        blur = 0.35 if factor > 1 else 0.0
        every = (slice((factor - 1) // 2, None, factor),) * 3
        return local_correlation(
            decimate(self.image, factor, blur),
            decimate(Volume(self.warped, self.image.affine), factor, blur).data,
            self.brain[every],
        )


def register_template(
    session: tuple[Any, Path],
    t1w: Volume,
    template: Volume,
    parameters: TemplateParameters,
) -> RegisteredT1w:
    """Find the map from T1w points to template points.

    ``template`` is brain only: 0 outside. ``session`` is from :func:`.itk_bridge.ants_session`.
    """
    affine = find_affine(session, t1w, template, parameters)
    coarse_template = Volume(template.data.astype(np.float32), template.affine)
    factor = max(1, round(parameters.spacing / template.voxel_size[0]))
    if factor > 1:
        coarse_template = decimate(coarse_template, factor, 0.7 / factor)
    there = np.linalg.inv(affine)
    inside = grid_points(coarse_template.data.shape, coarse_template.affine)[
        coarse_template.data > 0
    ]
    brain_points = apply_affine(there, inside)
    shape, grid = boxed_grid(brain_points, parameters.spacing, parameters.margin)
    head = Volume(np.maximum(resample(t1w, shape, grid, order=3), 0), grid)

    guess = _template_brain(coarse_template, _undeformed(head, affine))
    brain = refine_brain(head, guess, parameters.first_reach, parameters.extraction)
    rough = register_greedy(_only(brain, head), coarse_template, affine, parameters.greedy.coarse())
    guess = _template_brain(coarse_template, rough)
    brain = refine_brain(head, guess, parameters.reach, parameters.extraction)
    warped = _warp(coarse_template, rough)
    bias = relative_bias_field(
        head.data, warped, brain, parameters.bias_smoothness / parameters.spacing
    )
    head = Volume(head.data / bias, grid)
    extracted = _only(brain, head)
    if parameters.method == "syn":
        final = register_syn(session, extracted, coarse_template, affine, parameters.syn)
    else:
        final = register_greedy(extracted, coarse_template, affine, parameters.greedy)
        if max(t1w.voxel_size) < FINE_ENOUGH * parameters.fine_spacing < parameters.spacing:
            head, brain = _on_fine_grid(t1w, brain, Volume(bias, grid), parameters)
            fine_template = Volume(template.data.astype(np.float32), template.affine)
            final = register_greedy(_only(brain, head), fine_template, final, parameters.fine)
    return RegisteredT1w(head, brain, _warp(coarse_template, final), final)


def find_affine(
    session: tuple[Any, Path], t1w: Volume, template: Volume, parameters: TemplateParameters
) -> np.ndarray:
    """Affine map (4, 4) of T1w points to template points; as for :func:`register_template`."""
    rough = extract_brain(t1w, parameters.extraction)
    pose = find_pose(t1w, rough, template, parameters.pose)
    return np.linalg.inv(_refine_affine(session, t1w, template, pose, parameters))


def _only(brain: np.ndarray, head: Volume) -> Volume:
    return Volume(np.where(brain, head.data, 0).astype(np.float32), head.affine)


def _on_fine_grid(
    t1w: Volume, brain: np.ndarray, bias: Volume, parameters: TemplateParameters
) -> tuple[Volume, np.ndarray]:
    """Bias-corrected T1w and brain mask on the fine grid of the same box."""
    shape, grid = boxed_grid(corners(brain.shape, bias.affine), parameters.fine_spacing, 0)
    points = grid_points(shape, grid)
    head = np.maximum(look_up(t1w.data, t1w.affine, points), 0)
    head /= look_up(bias.data, bias.affine, points, outside=None)
    image = Volume(head, grid)
    guess = look_up(brain.astype(np.float32), bias.affine, points) > 0.5
    return image, refine_brain(image, guess, parameters.fine_reach, parameters.extraction)


def _refine_affine(
    session: tuple[Any, Path],
    t1w: Volume,
    template: Volume,
    pose: np.ndarray,
    parameters: TemplateParameters,
) -> np.ndarray:
    """Template RAS → T1w RAS (4, 4), from the pose on."""
    spacing = parameters.affine.spacing
    factor = max(1, round(spacing / template.voxel_size[0]))
    fixed = decimate(template, factor, 0.4)
    steps = max(1, round(parameters.rim / spacing))
    near = ndimage.binary_dilation(fixed.data > 0.1 * fixed.data.max(), iterations=steps)
    shape, grid = boxed_grid(corners(t1w.data.shape, t1w.affine), spacing, 0)
    moving = Volume(resample(t1w, shape, grid), grid)
    # the brightest fat would take half of the histogram
    moving = Volume(np.minimum(moving.data, np.percentile(moving.data, 99.5)), grid)
    return register_linear(
        session,
        fixed,
        moving,
        near,
        pose,
        "Affine",
        parameters.affine.iterations,
        parameters.affine.shrink,
        parameters.affine.smoothing,
        parameters.affine.sampling,
    )


def _undeformed(head: Volume, affine: np.ndarray) -> TemplateMap:
    return TemplateMap(np.zeros((*head.data.shape, 3), np.float32), head.affine, affine)


def _warp(template: Volume, to_template: TemplateMap) -> np.ndarray:
    """The template on the grid of the map."""
    return look_up(template.data, template.affine, to_template.of_own_grid())


def _template_brain(template: Volume, to_template: TemplateMap) -> np.ndarray:
    """The template's brain on the grid of the map, without holes."""
    inside = Volume(
        (template.data > 0.02 * template.data.max()).astype(np.float32), template.affine
    )
    return filled(_warp(inside, to_template) > 0.5)
