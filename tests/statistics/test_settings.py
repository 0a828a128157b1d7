import json

import pytest

from qsmiron.errors import InputError
from qsmiron.statistics.settings import (
    DeltaFsContrast,
    KmeansContrast,
    StudyDesign,
    read_study_design,
)


def read(tmp_path, text):
    path = tmp_path / "config.yaml"
    path.write_text(text)
    return read_study_design(path)


def test_defaults_stand_where_a_block_is_absent(tmp_path):
    design = read(tmp_path, "bids_dir: null\nwhatever: {a: 1}\n")
    assert design == StudyDesign()
    assert list(design.contrasts) == ["progression", "phenotype"]
    assert design.covariates == ("age", "sex")
    assert design.statistics.permutations == 10_000


def test_an_empty_block_means_none(tmp_path):
    design = read(tmp_path, "contrasts:\nscores:\ncovariates: []\n")
    assert (design.contrasts, design.scores, design.covariates) == ({}, (), ())


def test_a_contrast_set_to_null_is_taken_away(tmp_path):
    design = read(tmp_path, "contrasts:\n  a: null\n  b: {column: x, levels: [p, q]}\n")
    assert list(design.contrasts) == ["b"]


def test_derived_contrasts_and_json(tmp_path):
    contrasts = {
        "speed": {"derive": "delta_fs_cut", "cut": 0.8},
        "change": {"derive": "kmeans_change", "levels": ["quick", "rest"]},
    }
    design = read(tmp_path, json.dumps({"contrasts": contrasts}))
    assert isinstance(design.contrasts["speed"], DeltaFsContrast)
    assert isinstance(design.contrasts["change"], KmeansContrast)
    assert design.contrasts["speed"].levels == ("fast", "slow")


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("statistics: {permutation: 5}", "permutation"),
        ("statistics: {permutations: -1}", "permutations"),
        ("statistics: {alpha: 1.5}", "alpha"),
        ("contrasts: {a: {column: x, levels: [p, q], colour: red}}", "colour"),
        ("contrasts: {a: {column: x, levels: [p, p]}}", "the same"),
        ("contrasts: {a: {column: x, levels: [yes, no]}}", "quotes"),
        ("contrasts: {a: {column: x}}", "levels"),
        ("contrasts: {a: {derive: guess, levels: [p, q]}}", "guess"),
        ("contrasts: {'a b': {column: x, levels: [p, q]}}", "a b"),
        ("contrasts: {-a: {column: x, levels: [p, q]}}", "-a"),
        ("contrasts: {a: 3}", "contrasts.a"),
        ("scores: [a, a]", "more than once"),
        ("scores: alsfrs_r", "scores"),
        ("scores: [a", "YAML"),
        ("- a\n- b", "mapping"),
    ],
)
def test_mistakes_are_named(tmp_path, text, key):
    with pytest.raises(InputError) as error:
        read(tmp_path, text)
    assert key in str(error.value)
    assert "config.yaml" in str(error.value)


def test_a_missing_config_is_named(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml"):
        read_study_design(tmp_path / "absent.yaml")
