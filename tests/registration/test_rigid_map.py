"""The rigid map GRE → T1w as a file."""

import json

import numpy as np
import pytest
from heads import rotation_matrix

from qsmiron.errors import InputError
from qsmiron.registration.rigid_map import read_rigid_map, write_rigid_map

MOTION = np.eye(4)
MOTION[:3, :3] = rotation_matrix((4, -3, 6))
MOTION[:3, 3] = 2, -3, 1.5


def test_rigid_map_to_the_last_digit(tmp_path):
    write_rigid_map(tmp_path / "x.json", MOTION)
    np.testing.assert_array_equal(read_rigid_map(tmp_path / "x.json"), MOTION)
    assert json.loads((tmp_path / "x.json").read_text())["gre_to_t1w"]["matrix"][3] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({}, "no matrix"),
        ({"gre_to_t1w": 3}, "no matrix"),
        ({"gre_to_t1w": {"matrix": [[1, 0], [0, 1]]}}, "no matrix"),
        ({"gre_to_t1w": {"matrix": [[1, 0, 0, 0], [0, 1, 0]]}}, "no matrix"),
        ({"gre_to_t1w": {"matrix": [["a"] * 4] * 4}}, "no matrix"),
        ({"gre_to_t1w": {"matrix": [[float("nan")] * 4] * 4}}, "no matrix"),
        ({"gre_to_t1w": {"matrix": np.eye(4).T[::-1].tolist()}}, "the last row"),
        ({"gre_to_t1w": {"matrix": np.diag([-1, 1, 1, 1]).tolist()}}, "mirrors"),
        ({"gre_to_t1w": {"matrix": np.diag([1.1, 1, 1, 1]).tolist()}}, "scales or shears"),
    ],
)
def test_maps_that_are_not_rigid(tmp_path, content, message):
    (tmp_path / "x.json").write_text(json.dumps(content))
    with pytest.raises(InputError, match=f"x.json, key gre_to_t1w: found .*{message}"):
        read_rigid_map(tmp_path / "x.json")


def test_a_missing_rigid_map(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_rigid_map(tmp_path / "none.json")
