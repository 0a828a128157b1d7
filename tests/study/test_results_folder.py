"""A results folder that cannot be one."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from qsmiron.errors import InputError
from qsmiron.study import Study, load_study

HOME = Path(__file__).resolve().parents[2]


def study_in(values: dict[str, Any], raw: Path, folder: Path) -> Study:
    return load_study({**values, "bids_dir": str(raw), "results_dir": str(folder)}, HOME)


@pytest.mark.parametrize("below", ["", "results", "results/deep"])
def test_a_file_in_its_place_is_named(
    values: dict[str, Any], raw: Path, tmp_path: Path, below: str
) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(InputError, match=f"results_dir .*taken.*: found {tmp_path}/taken, which"):
        study_in(values, raw, tmp_path / "taken" / below)


def test_a_disk_that_refuses_it_is_a_problem_of_the_check(
    values: dict[str, Any], raw: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = study_in(values, raw, tmp_path / "new/results")

    def messages() -> list[str]:
        return [str(one) for one in study.inspect().errors if "results_dir" in one.where]

    assert messages() == []
    assert list((tmp_path / "new/results").iterdir()) == []

    def refuse(**_: Any) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr("tempfile.TemporaryFile", refuse)
    (message,) = messages()
    assert "Read-only file system" in message
