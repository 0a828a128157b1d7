"""What the workflow writes is valid BIDS, by the validator of the BIDS community."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from end_to_end.small_cohort import Run

pytestmark = pytest.mark.end_to_end


def errors(folder: Path) -> list[str]:
    """Code and place of everything the validator calls an error."""
    program = Path(sys.executable).with_name("bids-validator-deno")
    # the schema is in the package: no network is asked for
    finished = subprocess.run(
        [str(program), str(folder), "--json"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "NO_COLOR": "1"},
    )
    issues = json.loads(finished.stdout)["issues"]["issues"]
    assert issues, finished.stderr  # it always has recommendations
    return [
        f"{issue['code']} {issue.get('location')}"
        for issue in issues
        if issue["severity"] == "error"
    ]


def test_the_results_are_a_valid_derivative(demo: Run) -> None:
    assert errors(demo.results) == []


def test_the_demos_raw_data_set_is_valid(demo: Run) -> None:
    assert errors(demo.results / "sourcedata/demo") == []


def test_the_validator_would_find_an_error(demo: Run, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(demo.results / "sourcedata/demo", raw)
    (raw / "dataset_description.json").unlink()
    assert errors(raw)
