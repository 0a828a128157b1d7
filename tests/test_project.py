"""What the repository promises about itself."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import yaml

from qsmiron.config_reference import config_reference

HOME = Path(__file__).resolve().parents[1]
SCRIPTS = HOME / "workflow_scripts"
LIBRARY = SCRIPTS / "qsmiron"

WITHOUT_A_RULE = {"plan_cohort", "document_config", "convert_dicom", "show_progress"}
"""Scripts behind no rule: they make committed files, or the data set that the rules start from, or
look at a run."""


def test_every_rule_has_its_script_and_every_script_its_rule() -> None:
    text = "".join(path.read_text() for path in (HOME / "rules").glob("*.smk"))
    rules = set(re.findall(r"^ *rule (\w+):", text, re.MULTILINE))
    scripts = {path.stem for path in SCRIPTS.glob("*.py")}
    assert rules == scripts - WITHOUT_A_RULE


def requirements(name: str) -> list[str]:
    lines = (HOME / "envs" / name).read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_every_environment_has_the_same_pins() -> None:
    pins = requirements("requirements.txt")
    assert all(re.fullmatch(r"[a-z0-9-]+==[0-9.]+", pin) for pin in pins)
    assert "envs/requirements.txt" in (HOME / "envs/Containerfile").read_text()
    assert "envs/requirements.txt" in (HOME / "pyproject.toml").read_text()
    (python, _, conda) = yaml.safe_load((HOME / "envs/qsmiron.yaml").read_text())["dependencies"]
    assert conda == {"pip": pins}
    assert f"python:{python.removeprefix('python=')}-" in (HOME / "envs/Containerfile").read_text()
    for name in ("requirements-test.txt", "requirements-deepbet.txt"):
        first, *others = requirements(name)
        assert first == "-r requirements.txt"
        assert all("==" in pin for pin in others)
    assert set(requirements("requirements-dicom.txt")) < set(requirements("requirements-test.txt"))


def test_every_rule_runs_in_the_one_environment() -> None:
    text = "".join(path.read_text() for path in (HOME / "rules").glob("*.smk"))
    environments = re.findall(r"^ +conda:\n +\"(.*)\"$", text, re.MULTILINE)
    assert set(environments) == {"../envs/qsmiron.yaml"}
    assert len(environments) == len(re.findall(r"^ *rule \w+:", text, re.MULTILINE))


def test_the_slurm_plugin_goes_with_the_pins() -> None:
    """They are installed without looking at each other, so a package in both must agree."""
    ours = dict(pin.split("==") for pin in requirements("requirements.txt"))
    plugins = dict(pin.split("==") for pin in requirements("requirements-slurm.txt"))
    assert all(ours.get(name, version) == version for name, version in plugins.items())
    assert "executor: slurm" in (HOME / "config/profiles/slurm/config.yaml").read_text()


def test_every_job_of_a_subject_goes_in_a_group() -> None:
    """Each submission costs as much as a job: a new rule of one scan must be given a group."""
    profile = yaml.safe_load((HOME / "config/profiles/slurm/config.yaml").read_text())
    grouped = {rule for rule, _ in (entry.split("=") for entry in profile["groups"])}
    text = "".join(path.read_text() for path in sorted((HOME / "rules").glob("*.smk")))
    of_a_scan = {
        rule
        for rule, body in re.findall(
            r"^ *(?:use )?rule (?:\w+ as )?(\w+).*?:\n(.*?)(?=^ *(?:use )?rule |\Z)",
            text,
            re.M | re.S,
        )
        if re.search(r"\{(entities|subject)\}", body)
    }
    assert of_a_scan == grouped


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
