"""The configuration: what it accepts, and how it refuses the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from qsmiron.config import load_config, variant
from qsmiron.errors import InputError

HOME = Path(__file__).resolve().parents[1]


@pytest.fixture
def values() -> dict[str, Any]:
    return yaml.safe_load((HOME / "config/config.yaml").read_text())


def test_the_committed_file_holds_the_defaults(values: dict[str, Any]) -> None:
    config = load_config(values)
    assert config.bids_dir is None
    assert list(config.variants) == ["main"]
    bare = load_config({"atlases": values["atlases"]})
    assert bare == config


@pytest.mark.parametrize(
    ("keys", "value", "named"),
    [
        (("bidsdir",), "x", "bidsdir"),
        (("reconstruction", "inversoin"), {}, "inversoin"),
        (("demo", "participants"), 400, "demo.participants"),
        (("demo", "voxel_size"), "2 mm", "demo.voxel_size"),
        (("iron", "line_slope"), -1, "iron.line_slope"),
        (("acquisition", "phase_units"), "degrees", "phase_units"),
        (("reconstruction", "inversion", "method"), "magic", "magic"),
        (("reconstruction", "inversion", "parameters"), {"iterations": 0}, "iterations"),
        (("reconstruction", "inversion", "parameters"), {"lambda": 5}, "lambda"),
        (("reconstruction", "reference", "region"), "liver", "liver"),
        (("registration", "method"), "syn", "registration.method"),
        (("registration", "parameters"), {"template": {"speed": 1}}, "template.speed"),
        (("reconstruction", "mask", "parameters"), {"signal": 2}, "signal"),
        (("variants", "a-b"), {}, "a-b"),
        (("variants", "tv"), {"inverse": {}}, "inverse"),
        (("statistics", "permutations"), 1.5, "statistics.permutations"),
        (("scores",), ["age", "age"], "age"),
    ],
)
def test_a_bad_key_or_value_is_named(
    values: dict[str, Any], keys: tuple[str, ...], value: Any, named: str
) -> None:
    block = values
    for key in keys[:-1]:
        block = block[key]
    block[keys[-1]] = value
    with pytest.raises(InputError, match=named):
        load_config(values)


@pytest.mark.parametrize(
    ("atlas", "named"),
    [
        ({"image": "tissues", "template": "t.nii"}, "no template and no segmentation beside"),
        ({"image": "tissues", "segmentation": "s.mgz"}, "no template and no segmentation beside"),
        ({"template": "t.nii"}, "an image beside the template"),
        ({"segmentation": "{folder}/s.txt"}, r"ends in \.nii, \.nii\.gz or \.mgz"),
        ({"segmentation": "{participant}/s.mgz"}, "no other placeholders than {subject}"),
        (
            {"segmentation": "s.mgz", "segmentation_space": "MNI"},
            "space: found 'MNI'; expected one of T1w, GRE",
        ),
        ({"segmentations": "s.mgz"}, "segmentations"),
        ({"segmentation_required": "perhaps"}, "segmentation_required"),
    ],
)
def test_an_atlas_whose_keys_disagree_is_refused(
    values: dict[str, Any], atlas: dict[str, Any], named: str
) -> None:
    values["atlases"]["DK"] = {"label_table": "DK.tsv", **atlas}
    with pytest.raises(InputError, match=named) as refused:
        load_config(values)
    assert "atlases.DK" in str(refused.value)


def test_an_atlas_is_removed_by_null(values: dict[str, Any]) -> None:
    values["atlases"]["tissues"] = None
    assert list(load_config(values).atlases) == ["DK"]


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("deep_erosion", -1),
        ("cortex_grey_matter", 1.5),
        ("outlier_robust_sd", 0),
        ("minimum_coverage", 2),
        ("erosion", 1),
    ],
)
def test_a_selection_out_of_range_is_named(values: dict[str, Any], key: str, value: float) -> None:
    values["regions"][key] = value
    with pytest.raises(InputError, match=rf"regions\.{key}"):
        load_config(values)


def test_a_variant_changes_only_what_it_names(values: dict[str, Any]) -> None:
    values["variants"]["rts"] = {"inversion": {"method": "rts"}}
    values["reconstruction"]["inversion"]["parameters"] = {"iterations": 50}
    config = load_config(values)
    main, rts = variant(config, "main"), variant(config, "rts")
    assert main.inversion.parameters == {"iterations": 50}
    assert rts.inversion.method == "rts"
    assert rts.inversion.parameters == {}
    assert rts.background_field == main.background_field


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("scores", ["age", "age"], "config, scores: found ['age', 'age']; expected each name once"),
        ("participant_label", "01,02", "config, participant_label: found '01,02'"),
        ("participant_label", [True], "config, participant_label: found [True]"),
        ("variants", {}, "one variant at least"),
        ("clinical_ranges", {"umn": [16, 0]}, "config, clinical_ranges.umn: found [16, 0]"),
        ("bids_dir", True, "config, bids_dir: found True; expected text. YAML"),
        (
            "results_dir",
            "a{b}",
            "config, results_dir: found 'a{b}'; expected a path without braces",
        ),
        (True, "x", "config, True: found True; expected text"),
    ],
)
def test_a_message_names_the_key_and_never_holds_the_configuration(
    values: dict[str, Any], key: str, value: Any, words: str
) -> None:
    with pytest.raises(InputError) as refused:
        load_config({**values, key: value})
    assert words in str(refused.value)
    assert len(str(refused.value)) < 250


def test_a_category_may_be_no_amount(values: dict[str, Any]) -> None:
    values["contrasts"] = {"p": {"derive": "delta_fs_cut", "column": "slope"}}
    values["categorical"] = ["site", "slope"]
    with pytest.raises(InputError, match=r"categorical: .* slope is one"):
        load_config(values)
    values["categorical"] = ["site"]
    assert load_config(values).categorical == ("site",)


def test_names_in_another_code_are_the_same(values: dict[str, Any]) -> None:
    decomposed = {"column": "re\u0301gion", "levels": ["Ko\u0308ln", "Bonn\u00a0 "]}
    values |= {"contrasts": {"r": decomposed}, "covariates": ["a\u0308ge "]}
    config = load_config(values)
    assert config.contrasts["r"].column == "r\u00e9gion"
    assert config.contrasts["r"].levels == ("K\u00f6ln", "Bonn")
    assert config.covariates == ("\u00e4ge",)


def test_null_removes_a_contrast(values: dict[str, Any]) -> None:
    values["contrasts"]["phenotype"] = None
    assert list(load_config(values).contrasts) == ["progression"]


def test_labels_from_the_command_line_may_be_single_or_numbers(values: dict[str, Any]) -> None:
    values["participant_label"] = 7
    values["exclude"] = ["sub-03", 4]
    config = load_config(values)
    assert config.participant_label == ["7"]
    assert config.exclude == ["sub-03", "4"]


def test_an_added_atlas_comes_after_the_shipped_one_and_before_the_tissues(
    values: dict[str, Any],
) -> None:
    mine = {"mine": {"image": "mine.nii.gz", "label_table": "mine.tsv"}}
    # as Snakemake merges them: what a user's file adds comes first
    merged = {**values, "atlases": {**mine, **values["atlases"]}}
    assert list(load_config(merged).atlases) == ["DK", "mine", "tissues"]
    without = {**mine, **values["atlases"], "DK": None}
    assert list(load_config({**values, "atlases": without}).atlases) == ["mine", "tissues"]


PATH_KEYS = [
    ("bids_dir",),
    ("results_dir",),
    ("clinical_table",),
    ("regions_table",),
    ("atlases", "mine", "image"),
    ("atlases", "mine", "label_table"),
    ("atlases", "mine", "template"),
    ("atlases", "mine", "segmentation"),
    ("atlases", "mine", "colour_table"),
    ("reconstruction", "mask", "user"),
    ("variants", "own", "mask", "user"),
]


def with_path(values: dict[str, Any], keys: tuple[str, ...], path: str) -> str:
    """The path of a key, after the configuration was read with it."""
    values["atlases"]["mine"] = {"image": "i.nii", "label_table": "t.tsv"}
    values["variants"]["own"] = {"mask": {"user": "m.nii"}}
    block = values
    for key in keys[:-1]:
        block = block[key]
    block[keys[-1]] = path
    config = load_config(values)
    if keys[0] == "variants":
        return str(variant(config, "own").mask.user)
    found: Any = config
    for key in keys:
        found = found[key] if isinstance(found, dict) else getattr(found, key)
    return str(found)


@pytest.mark.parametrize("keys", PATH_KEYS, ids=".".join)
def test_home_and_variables_are_filled_into_every_path(
    values: dict[str, Any],
    keys: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    monkeypatch.setenv("STUDY", "~/als")
    for written, meant in (
        ("~/x.nii", "/home/me/x.nii"),
        ("$HOME/x.nii", "/home/me/x.nii"),
        ("${HOME}/x.nii", "/home/me/x.nii"),
        ("$STUDY/x.nii", "/home/me/als/x.nii"),
        ("/data/a~b$/x.nii", "/data/a~b$/x.nii"),
        ("./~x.nii", "./~x.nii"),
        ("../y//x.nii/", "../y/x.nii"),
    ):
        if not (written.endswith("/") and keys[-1] in ("segmentation", "user")):
            assert with_path(values, keys, written) == meant
    for written, words in (
        ("$NOWHERE/x.nii", r"variable \$NOWHERE to be set"),
        ("${NOWHERE}/x.nii", r"variable \$\{NOWHERE\} to be set"),
        ("~nobody-here/x.nii", "user with a home folder in place of ~nobody-here"),
        ("", "expected a path"),
        ("{a}/x.nii", "braces|placeholders"),
    ):
        with pytest.raises(InputError, match=words) as refused:
            with_path(values, keys, written)
        assert keys[-1] in str(refused.value)


def test_an_empty_variable_is_no_path(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCRATCH", "")
    with pytest.raises(InputError, match="SCRATCH"):
        with_path(values, ("results_dir",), "$SCRATCH/results")


def test_placeholders_of_a_scan_stand_beside_variables(
    values: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MASKS", "/data/masks")
    path = with_path(values, ("reconstruction", "mask", "user"), "${MASKS}/{folder}.nii.gz")
    assert path == "/data/masks/<folder>.nii.gz"


def test_a_configuration_that_was_read_is_read_as_the_same_again(values: dict[str, Any]) -> None:
    values |= {"results_dir": "~/a", "bids_dir": "./~b"}
    values["atlases"]["mine"] = {"label_table": "~/t.tsv", "segmentation": "~/{subject}.mgz"}
    config = load_config(values)
    assert load_config(config.model_dump(mode="json")) == config
