"""A visit's GRE in the template within the participant, with a T1w of its own and without."""

from __future__ import annotations

import numpy as np
import pytest
from heads import Head, grid, points, rotation_matrix

from qsmiron.registration.coordinates import TemplateMap, is_registered
from qsmiron.registration.scan import RegisteredHead, RegistrationParameters
from qsmiron.registration.stored_head import HeadFiles, read_head, write_failed_head, write_head
from qsmiron.registration.visit import register_visit
from qsmiron.spaces import apply_affine
from qsmiron.volumes import Volume

SIZE = 4.0
QUALITY = {"registration_similarity": 0.9, "brain_overlap": 0.95}


def rigid(angles: tuple[float, float, float], shift: tuple[float, float, float]) -> np.ndarray:
    matrix = np.eye(4)
    matrix[:3, :3] = rotation_matrix(angles)
    matrix[:3, 3] = shift
    return matrix


@pytest.fixture(scope="module")
def person() -> Head:
    """Undeformed: template coordinates are the head's own."""
    return Head(5, displacement=0.0)


@pytest.fixture(scope="module")
def head(person: Head) -> RegisteredHead:
    shape, affine = grid(SIZE, (180, 220, 180))
    where = points(shape, affine)
    classes = person.tissue_classes(where)
    tissues = np.stack([classes == each for each in (1, 2, 3)], axis=-1).astype(np.float32)
    image = Volume(person.t1w(where, bias=0.0).astype(np.float32), affine)
    still = TemplateMap(np.zeros((*shape, 3), np.float32), affine, np.eye(4))
    return RegisteredHead(image, tissues, still, QUALITY)


def scan(person: Head, to_head: np.ndarray) -> tuple[Volume, np.ndarray]:
    """The GRE of a head whose points lie ``to_head`` in the template within, and where they do."""
    shape, affine = grid(SIZE, (200, 224, 168), (9, 2, -3), centre=(0, -18, 5))
    where = apply_affine(to_head, points(shape, affine))
    return Volume(person.magnitude(where).astype(np.float32), affine), where


def error(found: np.ndarray, where: np.ndarray, person: Head) -> float:
    """Mean distance (mm) in the brain."""
    brain = person.brain_mask(where)
    return float(np.linalg.norm(found - where, axis=-1)[brain].mean())


def test_with_a_t1w_the_visit_goes_the_way_of_that(person: Head, head: RegisteredHead) -> None:
    to_head, moved = rigid((8, -5, 6), (9, -12, 7)), rigid((0.8, 0.5, -1), (1.5, -1, 0.5))
    shape, affine = grid(SIZE, (200, 240, 230), (3, -4, 2), centre=(0, -18, -5))
    t1w = Volume(
        person.t1w(apply_affine(to_head, points(shape, affine))).astype(np.float32), affine
    )
    gre, where = scan(person, to_head @ moved)
    found = register_visit(head, t1w, to_head, [gre], RegistrationParameters())
    assert error(found.coordinates, where, person) < 0.8  # a fifth of a voxel
    assert np.linalg.norm((found.gre_to_t1w - moved)[:3, :3]) < 0.02
    assert found.quality["registration_similarity"] == 0.9
    assert found.quality["gre_sharpness"] > 1.5


@pytest.mark.parametrize("motion", [rigid((0, 0, 0), (0, 0, 0)), rigid((14, -9, 8), (12, -18, 15))])
def test_without_one_the_magnitude_finds_the_head(
    person: Head, head: RegisteredHead, motion: np.ndarray
) -> None:
    gre, where = scan(person, motion)
    found = register_visit(head, None, np.eye(4), [gre], RegistrationParameters())
    assert error(found.coordinates, where, person) < 1.0
    # there is no T1w but the template within the participant
    assert np.linalg.norm((found.gre_to_t1w - motion)[:3, :3]) < 0.02


def test_a_ready_map_without_magnitude_lies_where_its_header_says(
    person: Head, head: RegisteredHead
) -> None:
    to_head = rigid((8, -5, 6), (9, -12, 7))
    shape, affine = grid(SIZE, (200, 240, 230), (3, -4, 2), centre=(0, -18, -5))
    t1w = Volume(
        person.t1w(apply_affine(to_head, points(shape, affine))).astype(np.float32), affine
    )
    ready, where = scan(person, to_head)
    found = register_visit(head, t1w, to_head, [], RegistrationParameters(), grid=ready)
    np.testing.assert_allclose(found.coordinates, where, atol=1e-3)
    np.testing.assert_allclose(found.gre_to_t1w, np.eye(4), atol=1e-9)
    assert found.quality["by_headers"] and found.quality["gre_sharpness"] is None


def test_an_empty_magnitude_gives_a_scan_without_regions(head: RegisteredHead) -> None:
    gre = Volume(np.zeros((20, 20, 20), np.float32), np.diag([8.0, 8, 8, 1]))
    found = register_visit(head, None, np.eye(4), [gre], RegistrationParameters())
    assert not is_registered(found.coordinates)
    assert "one value everywhere" in found.quality["failed"]


def test_the_head_is_stored_and_read(tmp_path, head: RegisteredHead) -> None:
    names = ("image.nii.gz", "tissues.nii.gz", "displacement.nii.gz", "visits.json")
    files = HeadFiles(*(tmp_path / name for name in names))
    maps = {"1": rigid((1, 2, 3), (4, 5, 6)), "2": np.eye(4)}
    write_head(files, head, maps)
    found, read = read_head(files)
    np.testing.assert_array_equal(found.image.data, head.image.data)
    np.testing.assert_array_equal(found.brain, head.brain)
    np.testing.assert_allclose(found.to_template(np.full((1, 3), 7.0)), 7.0)
    for visit, matrix in maps.items():
        np.testing.assert_array_equal(read[visit], matrix)
    write_failed_head(files, "no\nbrain")
    failed, none = read_head(files)
    assert failed.quality == {"failed": "no brain"} and none == {}
