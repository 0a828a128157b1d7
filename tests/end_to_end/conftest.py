"""A small cohort, run once through the whole workflow."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from end_to_end.opened_files import watched
from end_to_end.small_cohort import N_PARTICIPANTS, Run, small_demo


@pytest.fixture(scope="session")
def finished_demo(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = small_demo(tmp_path_factory.mktemp("demo"))
    run.snakemake(environment=watched(run))
    return run


@pytest.fixture
def demo(finished_demo: Run) -> Iterator[Run]:
    """The finished demo, its clinical table as it was when the test is over."""
    before = finished_demo.clinical_table.read_bytes()
    yield finished_demo
    finished_demo.clinical_table.write_bytes(before)


@pytest.fixture
def demo_copy(finished_demo: Run, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of the finished demo, as up to date as that, to be changed at will."""
    folder = tmp_path_factory.mktemp("copy")  # as deep as the demo: scripts have relative paths
    shutil.copytree(finished_demo.folder, folder, dirs_exist_ok=True)
    return Run(folder, dict(finished_demo.settings))


@pytest.fixture
def raw_copy(finished_demo: Run, tmp_path: Path) -> Run:
    """A copy of the demo's raw images as a data set, with a results folder of its own."""
    raw = tmp_path / "raw"
    shutil.copytree(finished_demo.results / "sourcedata/demo", raw)
    run = Run(tmp_path, {**finished_demo.settings, "bids_dir": str(raw)})
    rows = finished_demo.clinical_table.read_text().splitlines(keepends=True)
    run.clinical_table.write_text("".join(rows[: N_PARTICIPANTS + 1]))
    return run
