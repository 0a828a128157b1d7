"""Files of the configuration: what is read, what is refused, and what is laid over what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from qsmiron.config import load_config
from qsmiron.config_files import as_given, check_config_files, laid_over, read_settings
from qsmiron.errors import InputError

HOME = Path(__file__).resolve().parents[1]
SHIPPED = HOME / "config/config.yaml"


def written(tmp_path: Path, content: str) -> Path:
    path = tmp_path / "study.yaml"
    path.write_bytes(content.encode())
    return path


def said(path: Path) -> str:
    with pytest.raises(InputError) as refused:
        read_settings(path)
    return str(refused.value)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("scores: [a\ncovariates: [b]\n", ("study.yaml, line 2", "not YAML", "brackets")),
        ("statistics:\n\tseed: 1\n", ("line 2", "YAML takes no tabs")),
        ("a: 1\nb: 2\na: 3\n", ("line 3", "the key a again, which line 1 has")),
        ("s:\n  x: 1\n  x: 2\n", ("line 3", "the key x again, which line 2 has")),
        ('{"a": 1, "a": 2}', ("the key a twice",)),
        ("- a\n- b\n", ("['a', 'b']", "a mapping")),
        ("", ("an empty file",)),
        ("# nothing yet\n", ("an empty file",)),
        ("exclude: [07]", ("line 1", "07, which YAML reads as 7", "Write '07' in quotes")),
        ("a: {levels: [010, 2]}", ("010, which YAML reads as 8",)),
        ("a: 12:30", ("12:30, which YAML reads as 750",)),
        ("a: 1_000", ("1_000, which YAML reads as 1000",)),
        ("a: 2020-13-45", ("cannot be read",)),
    ],
)
def test_a_file_that_is_not_what_it_looks_like(tmp_path, content, words):
    text = said(written(tmp_path, content))
    for word in words:
        assert word in text
    with pytest.raises(InputError):
        check_config_files([SHIPPED, tmp_path / "study.yaml"])


@pytest.mark.parametrize(
    "content",
    ["a: 0\nb: -5\nc: 1e-3\nd: 1.5\ne: '010'\nf: 08\n", "\ufeffa: 1\r\nb: {a: 2}\r\n",
     "x: &x {a: 1, b: 2}\ny: {<<: *x, a: 3}\n", '{"a": {"b": 1}, "b": 1}'],
)  # fmt: skip
def test_a_good_file_is_read(tmp_path, content):
    assert read_settings(written(tmp_path, content))
    check_config_files([SHIPPED, tmp_path / "study.yaml"])


def test_an_empty_block_empties_and_a_derivation_replaces():
    shipped = read_settings(SHIPPED)
    given = {
        "contrasts": {"progression": {"derive": "kmeans_change"}},
        "multiverse": {"metrics": {}},
    }
    merged = laid_over(shipped, given)
    assert merged["contrasts"]["progression"] == {"derive": "kmeans_change"}
    assert merged["contrasts"]["phenotype"] == shipped["contrasts"]["phenotype"]
    assert merged["multiverse"] == {**shipped["multiverse"], "metrics": {}}
    assert laid_over(shipped, {"contrasts": {}})["contrasts"] == {}
    assert shipped == read_settings(SHIPPED)
    config = load_config(merged)
    assert config.contrasts["progression"].baseline == "alsfrs_r"
    assert config.multiverse.metrics == {}


def on_the_command_line(*entries: str) -> dict[str, Any]:
    """The shipped configuration with ``--config`` entries, as the Snakefile has them."""
    cli = pytest.importorskip("snakemake.cli")
    from snakemake.common.configfile import load_configfile
    from snakemake.settings.types import ConfigSettings
    from snakemake.utils import update_config

    given = ConfigSettings(config=cli.parse_config(entries), config_args=list(entries))
    config = load_configfile(SHIPPED)
    update_config(config, given.overwrite_config)
    return as_given(config, [given.overwrite_config, given.config], given.config_args)


@pytest.mark.parametrize(
    ("entry", "labels"),
    [
        ("participant_label=01", ["01"]),
        ('participant_label="01"', ["01"]),
        ("participant_label='007'", ["007"]),
        ("participant_label=1", ["1"]),
        ("participant_label=1e3", ["1e3"]),
        ("participant_label=[01,02]", ["01", "02"]),
        ("participant_label=sub-01", ["sub-01"]),
        ("participant_label=", []),
    ],
)
def test_labels_of_the_command_line_keep_their_zeros(entry, labels):
    assert load_config(on_the_command_line(entry)).participant_label == labels
    other = on_the_command_line(entry.replace("participant_label", "exclude"))
    assert load_config(other).exclude == labels


@pytest.mark.parametrize(
    ("entry", "key", "value"),
    [
        ('contrasts={"progression": null}', "contrasts", ["phenotype"]),
        ("contrasts={}", "contrasts", []),
        ('multiverse={"metrics": {}}', "multiverse.metrics", []),
        (
            'multiverse={"metrics": {"distribution": null}}',
            "multiverse.metrics",
            ["susceptibility", "iron_deposits", "paramagnetic", "diamagnetic"],
        ),
        ('atlases={"tissues": null}', "atlases", ["DK"]),
        ("scores=", "scores", []),
        ("scores=[]", "scores", []),
        ("scores=null", "scores", []),
        ("categorical=[site]", "categorical", ["site"]),
    ],
)
def test_what_the_command_line_takes_away(entry, key, value):
    block: Any = load_config(on_the_command_line(entry))
    for name in key.split("."):
        block = getattr(block, name)
    assert list(block) == value


def test_nothing_and_numbers_of_the_command_line():
    entry = 'contrasts={"progression": {"derive": "delta_fs_cut", "cut": null}}'
    config = load_config(on_the_command_line(entry, "bids_dir=2024", "clinical_table=null"))
    assert config.contrasts["progression"].cut is None
    assert config.contrasts["progression"].column == "delta_fs"
    assert (config.bids_dir, config.clinical_table) == ("2024", None)
    levels = 'contrasts={"q": {"column": "x", "levels": [yes, 01]}}'
    assert load_config(on_the_command_line(levels)).contrasts["q"].levels == ("yes", "1")
