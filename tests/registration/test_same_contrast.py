"""Rigid maps of images of one contrast, and the template within the participant."""

from __future__ import annotations

import numpy as np
import pytest
from heads import COARSE, Head, grid, points, reference, rotation_matrix

from qsmiron.registration.itk_bridge import ants_session
from qsmiron.registration.same_contrast import SameContrastParameters, register_same_contrast
from qsmiron.registration.scan import RegistrationParameters
from qsmiron.registration.within_subject_template import average_visits
from qsmiron.spaces import apply_affine
from qsmiron.volumes import Volume

CORNERS = np.array([[0, -18, 5], [60, 0, 0], [-60, 0, 0], [0, 60, 0], [0, -90, 0], [0, 0, 60.0]])
VIEW = (200, 240, 220)


def rigid(angles: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_matrix(angles)
    matrix[:3, 3] = shift
    return matrix


def visit(head: Head, size: float, to_head: np.ndarray, tilt: float, bias: float = 0.3) -> Volume:
    """A T1w on a grid of its own; ``to_head`` takes its points to those of the head."""
    shape, affine = grid(size, VIEW, (tilt, -tilt / 2, 1), centre=(0, -18, 0))
    return Volume(head.t1w(apply_affine(to_head, points(shape, affine)), bias=bias), affine)


@pytest.fixture(scope="module")
def head() -> Head:
    return Head(3)


@pytest.mark.parametrize("spoilt", [False, True])
def test_a_rigid_map_is_found_to_a_tenth_of_a_millimetre(head, spoilt):
    motion = rigid((2, -1.5, 1), (1.5, -2, 1))
    fixed, moving = visit(head, 3.0, np.eye(4), 2, 0.0), visit(head, 3.0, motion, -4, 0.0)
    mask = head.brain_mask(points(fixed.data.shape, fixed.affine))
    data = 1.7 * moving.data + 0.1  # another scale and offset
    if spoilt:  # a bright lesion at one visit alone
        where = points(moving.data.shape, moving.affine) - np.array([25, -20, 25])
        data = np.where(np.linalg.norm(where, axis=-1) < 12, 3 * data.max(), data)
    found = register_same_contrast(
        fixed, Volume(data, moving.affine), mask, np.eye(4), SameContrastParameters()
    )
    true = np.linalg.inv(motion)  # a point of the first visit, at the second
    off = np.linalg.norm(apply_affine(found, CORNERS) - apply_affine(true, CORNERS), axis=1)
    assert off.max() < (0.25 if spoilt else 0.15)
    np.testing.assert_allclose(found[:3, :3] @ found[:3, :3].T, np.eye(3), atol=1e-9)


@pytest.fixture(scope="module")
def averaged(head):
    motions = [rigid((6, -4, 3), (3, -5, 4)), rigid((-5, 3, -6), (-4, 2, -6))]
    visits = [visit(head, 4.0, motion, tilt) for motion, tilt in zip(motions, (3, -5), strict=True)]
    pose = {"rotations": (0.0,), "rises": (0.0, 30.0), "advances": (0.0,)}
    template = {**COARSE["template"], "pose": {**pose, "searched": 1, "refined": 1}}
    parameters = RegistrationParameters.model_validate({"template": template})

    def average(order):
        with ants_session(1, parameters.seed) as session:
            return average_visits(
                session, [visits[number] for number in order], reference().t1w,
                parameters.template, parameters.rigid, parameters.visits,
            )  # fmt: skip

    return motions, average((0, 1)), average((1, 0))


def test_all_visits_meet_and_are_moved_rigidly(averaged):
    motions, found, _ = averaged
    # a point of the template within, by each visit, is one point of the head
    one, two = (
        apply_affine(motion @ to_visit, CORNERS)
        for motion, to_visit in zip(motions, found.to_visits, strict=True)
    )
    assert np.linalg.norm(one - two, axis=1).max() < 0.4  # a tenth of a voxel
    for to_visit in found.to_visits:
        turn = to_visit[:3, :3]
        np.testing.assert_allclose(turn @ turn.T, np.eye(3), atol=1e-9)
        assert np.linalg.det(turn) > 0


def test_the_template_lies_halfway(averaged):
    _, found, _ = averaged
    one, two = found.to_visits
    angle = [np.arccos((np.trace(m[:3, :3]) - 1) / 2) for m in (one, two)]
    apart = np.arccos((np.trace(np.linalg.inv(one[:3, :3]) @ two[:3, :3]) - 1) / 2)
    # the frames of the T1w's own axes are turned by the tilt of each grid
    assert max(angle) < 0.8 * apart


def test_exchanging_the_visits_changes_no_bit(averaged):
    _, found, exchanged = averaged
    np.testing.assert_array_equal(found.image.data, exchanged.image.data)
    np.testing.assert_array_equal(found.image.affine, exchanged.image.affine)
    for one, two in zip(found.to_visits, exchanged.to_visits[::-1], strict=True):
        np.testing.assert_array_equal(one, two)


def test_one_t1w_is_the_template_itself(head):
    only = visit(head, 4.0, np.eye(4), 3)
    parameters = RegistrationParameters()
    found = average_visits(
        None, [only], reference().t1w, parameters.template, parameters.rigid, parameters.visits
    )
    np.testing.assert_array_equal(found.image.data, only.data)
    place = np.linalg.inv(only.affine) @ found.to_visits[0] @ found.image.affine
    np.testing.assert_allclose(place, np.eye(4), atol=1e-3)
