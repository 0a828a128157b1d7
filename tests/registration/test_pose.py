import numpy as np
import pytest
from heads import Head, grid, points

from qsmiron import template
from qsmiron.registration.pose import PoseParameters, find_pose
from qsmiron.spaces import apply_affine
from qsmiron.volumes import Volume, read_volume


@pytest.mark.parametrize("extraction", ["good", "failed"])
def test_turned_heads_with_necks_are_found(extraction):
    head = Head(6, rotation=(-22, 12, 18), shift=(9, -12, 14), scale=(0.95, 0.94, 0.97))
    shape, affine = grid(4, (212, 244, 252), centre=(0, -18, -15))
    where = points(shape, affine)
    t1w = Volume(head.t1w(where), affine)
    brain = head.brain_mask(where)
    rough = brain if extraction == "good" else t1w.data > 0.4 * np.median(t1w.data[brain])
    pose = find_pose(t1w, rough, read_volume(template.template_t1w()), PoseParameters())
    truth = head.true_coordinates(where)[brain]
    found = apply_affine(np.linalg.inv(pose), where[brain])
    limit = 7 if extraction == "good" else 15
    assert np.linalg.norm(found - truth, axis=-1).mean() < limit
