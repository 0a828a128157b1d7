"""The container's recipe holds the whole workflow and starts it, as far as files can tell.

What its COPY lines take is put into an empty folder that cannot be written, and its entry point is
run on that copy from another folder.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOME = Path(__file__).resolve().parents[1]
RECIPE = (HOME / "envs/Containerfile").read_text()
INSIDE = "/opt/qsmiron"


@pytest.fixture
def image(tmp_path: Path) -> Path:
    """The files of the image, those of the Python packages apart."""
    for line in re.findall("^COPY (.+)$", RECIPE, re.MULTILINE):
        *sources, target = line.split()
        place = tmp_path / "image" / target.lstrip("/")
        for source in sources:
            if (HOME / source).is_dir():
                ignored = shutil.ignore_patterns("__pycache__")
                shutil.copytree(HOME / source, place, dirs_exist_ok=True, ignore=ignored)
            else:
                (place if target.endswith("/") else place.parent).mkdir(parents=True, exist_ok=True)
                shutil.copy(HOME / source, place)
    for path in (tmp_path / "image").rglob("*"):
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield tmp_path / "image"
    for path in (tmp_path / "image").rglob("*"):
        path.chmod(0o755)


def run(image: Path, folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    entry = json.loads(re.search("^ENTRYPOINT (.+)$", RECIPE, re.MULTILINE)[1])
    assert entry[0] == "snakemake"
    command = [word.replace(INSIDE, f"{image}{INSIDE}") for word in entry[1:]]
    variables = dict(re.findall(r"([A-Z_]+)=(\S+)", re.search("^ENV (.+)$", RECIPE, re.M)[1]))
    cache = {name: path.replace("/tmp", str(folder)) for name, path in variables.items()}
    return subprocess.run(
        [sys.executable, "-m", *("snakemake", *command), *arguments],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1", **cache},
        capture_output=True,
        text=True,
        check=False,
    )


def test_the_image_starts_the_workflow(image: Path, tmp_path: Path) -> None:
    folder = tmp_path / "study"
    folder.mkdir()
    (folder / "study.yaml").write_text("demo: {participants: 2}\n")
    planned = run(image, folder, "--cores", "1", "--dry-run", "--configfile", "study.yaml")
    assert planned.returncode == 0, planned.stderr[-2000:]
    assert re.search(r"^simulate_subject +2$", planned.stdout, re.MULTILINE)
    made = run(
        image, folder, "results/dataset_description.json", "results/sourcedata/demo/README",
        "--cores", "1",
    )  # fmt: skip
    assert made.returncode == 0, made.stderr[-2000:]
    assert (folder / "results/sourcedata/demo/dataset_description.json").exists()


def test_the_image_has_what_the_project_has_to_run() -> None:
    copied = " ".join(re.findall("^COPY (.+)$", RECIPE, re.MULTILINE)).split()
    assert {"Snakefile", "config", "envs", "rules", "workflow_scripts"} <= set(copied)
    assert not {"tests", "docs", "."} & set(copied)
