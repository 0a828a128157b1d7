"""What the repository promises about itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from qsmiron.config_reference import config_reference

HOME = Path(__file__).resolve().parents[1]
SCRIPTS = HOME / "workflow_scripts"
LIBRARY = SCRIPTS / "qsmiron"

DEVELOPERS_SCRIPTS = {"plan_cohort", "document_config"}
"""Scripts behind no rule: they make committed files."""


def test_every_rule_has_its_script_and_every_script_its_rule() -> None:
    text = "".join(path.read_text() for path in (HOME / "rules").glob("*.smk"))
    rules = set(re.findall(r"^ *rule (\w+):", text, re.MULTILINE))
    scripts = {path.stem for path in SCRIPTS.glob("*.py")}
    assert rules == scripts - DEVELOPERS_SCRIPTS


def test_versions_are_pinned_in_one_place() -> None:
    pins = (HOME / "envs/requirements.txt").read_text().splitlines()
    pins = [line for line in pins if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", pin) for pin in pins)
    assert "-r requirements.txt" in (HOME / "envs/qsmiron.yaml").read_text()
    assert "envs/requirements.txt" in (HOME / "envs/Containerfile").read_text()
    assert "envs/requirements.txt" in (HOME / "pyproject.toml").read_text()
    assert "==" not in (HOME / "envs/qsmiron.yaml").read_text()


def test_the_library_knows_neither_snakemake_nor_argparse() -> None:
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert not {"snakemake", "argparse"} & {name.split(".")[0] for name in names}, path


def test_no_module_has_become_two_rooms() -> None:
    long = {
        str(path.relative_to(HOME))
        for path in [*HOME.rglob("*.py"), *HOME.rglob("*.smk")]
        if ".venv" not in path.parts and path.read_text().count("\n") > 400
    }
    assert not long


def test_the_reference_of_the_configuration_is_up_to_date() -> None:
    assert (HOME / "docs/configuration.md").read_text() == config_reference()


def test_the_readme_has_its_two_commands() -> None:
    text = (HOME / "README.md").read_text()
    for heading in ("Run it", "Test it"):
        (block,) = re.findall(rf"^## {heading}\n.*?^```bash\n(.*?)^```", text, re.M | re.S)[:1]
        assert len(block.splitlines()) == 1
