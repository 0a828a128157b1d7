"""Damaged files end in a message, or are found sound: never in another exception."""

from __future__ import annotations

import gzip
import warnings

import numpy as np
import pytest
from bids_trees import image_bytes, make_tree, megre
from fuzzing import TRIES, damaged

from qsmiron.checks import check_inputs
from qsmiron.checks.cohort import Inspection
from qsmiron.checks.report import as_json, as_text
from qsmiron.echoes import read_phase
from qsmiron.errors import InputError, Problem
from qsmiron.volumes import read_volume

pytestmark = pytest.mark.fuzz

SETTINGS = {
    "contrasts": {"progression": {"column": "progression", "levels": ["fast", "slow"]}},
    "scores": ["alsfrs_r"],
    "covariates": ["age", "sex"],
}


@pytest.fixture
def root(tmp_path):
    return make_tree(tmp_path / "bids", n_subjects=1, n_echoes=2)


def inspected(root) -> list[Problem]:
    """All problems, shown in every form."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy on absurd affines
        found = check_inputs(root, None, SETTINGS)
    assert all(isinstance(problem, Problem) for problem in found)
    as_text(Inspection(found), str(root)).encode()
    as_json(Inspection(found), str(root))
    return found


def refused(read, path) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(path)
    except InputError:
        return True
    return False


def test_random_damage_to_headers(root):
    """Whatever the check lets pass can be read, in later steps too."""
    rng = np.random.default_rng(10)
    good = gzip.decompress(image_bytes(part="phase"))
    compressed, plain = megre(root, "01", 1, "phase"), megre(root, "01", 1, "phase", "nii")
    errors = 0
    for number in range(TRIES):
        content = damaged(good, rng, length=352)
        compressed.unlink(missing_ok=True)
        plain.unlink(missing_ok=True)
        path = plain if number % 2 else compressed
        path.write_bytes(content if number % 2 else gzip.compress(content, 1))
        found = [p for p in inspected(root) if p.severity == "error" and p.where == str(path)]
        errors += bool(found)
        if refused(read_volume, path):
            assert found, content[:352]
    assert errors > TRIES / 10, "the damage is worth the name"
    assert errors < TRIES


def test_random_damage_to_compressed_files(root):
    rng = np.random.default_rng(11)
    path = megre(root, "01", 1, "phase")
    good = path.read_bytes()
    for _ in range(TRIES):
        path.write_bytes(damaged(good, rng))
        found = inspected(root)
        if refused(read_volume, path):
            assert any(p.severity == "error" and p.where == str(path) for p in found)


def test_random_damage_to_sidecars(root):
    rng = np.random.default_rng(12)
    path = megre(root, "01", 1, "phase", "json")
    good = path.read_bytes()
    image = megre(root, "01", 1, "phase")
    for _ in range(TRIES):
        path.write_bytes(damaged(good, rng))
        found = inspected(root)
        if refused(lambda image: read_phase([image]), image):
            assert any(p.severity == "error" for p in found), path.read_bytes()


def test_random_damage_to_the_table(root):
    rng = np.random.default_rng(13)
    path = root / "participants.tsv"
    good = path.read_bytes()
    for _ in range(TRIES):
        path.write_bytes(damaged(good, rng))
        inspected(root)
