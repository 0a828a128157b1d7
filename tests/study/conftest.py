"""A configuration and a data set, of empty files, for the tests of a study's layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from qsmiron.study import Study, load_study

HOME = Path(__file__).resolve().parents[2]


@pytest.fixture
def values() -> dict[str, Any]:
    """The configuration as it is, but that a scan without a T1w has no labels."""
    config = yaml.safe_load((HOME / "config/config.yaml").read_text())
    return config | {"registration": {"without_t1w": False}}


@pytest.fixture
def raw(tmp_path: Path) -> Path:
    """Three participants: A with a single echo, B and C with a session, B without T1w."""
    for folder, name, echoes, t1w in (
        ("sub-A/anat", "sub-A", (1,), True),
        ("sub-B/ses-1/anat", "sub-B_ses-1", (1, 2), False),
        ("sub-C/ses-2/anat", "sub-C_ses-2", (1, 2), True),
    ):
        anat = tmp_path / "raw" / folder
        anat.mkdir(parents=True)
        for echo in echoes:
            for part in ("mag", "phase"):
                (anat / f"{name}_echo-{echo}_part-{part}_MEGRE.nii.gz").touch()
        if t1w:
            (anat / f"{name}_T1w.nii.gz").touch()
    table = (
        "participant_id\tage\tprogression\nsub-A\t60\tfast\nsub-B\tn/a\tslow\nsub-C\tn/a\tslow\n"
    )
    (tmp_path / "raw/participants.tsv").write_text(table)
    return tmp_path / "raw"


@pytest.fixture
def study(values: dict[str, Any], raw: Path) -> Study:
    return load_study({**values, "bids_dir": str(raw), "results_dir": "out"}, HOME)


def add_visit(raw: Path) -> None:
    """Give B a second session, with a T1w."""
    name = "sub-B_ses-2"
    (raw / "sub-B/ses-2/anat").mkdir(parents=True)
    files = [f"{name}_echo-{e}_part-{part}_MEGRE" for e in (1, 2) for part in ("mag", "phase")]
    for file in (*files, f"{name}_T1w"):
        (raw / f"sub-B/ses-2/anat/{file}.nii.gz").touch()
