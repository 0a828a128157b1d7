"""Scripts that take a path of every scan, given more of them than a command line can hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import gather_regions
from qsmiron.tables import TABLES, write_table

HOME = Path(__file__).resolve().parents[2]
PER_SCAN = {
    "pool_thresholds": "values",
    "gather_regions": "tables",
    "gather_quality": "scans",
    "average_chi": "maps",
}


def test_a_list_in_a_file_is_the_list_on_the_command_line(tmp_path: Path) -> None:
    paths = []
    for participant in ("sub-02", "sub-01"):
        row = dict.fromkeys(TABLES["region_voxels"], 1) | {"participant_id": participant}
        paths.append(str(tmp_path / f"voxels of {participant}.tsv"))
        write_table(pd.DataFrame([row]), paths[-1], "region_voxels")
    options = ["--name", "region_voxels", "--output"]
    gather_regions.main([*options, str(tmp_path / "a.tsv"), "--tables", *paths])
    (tmp_path / "list.txt").write_text("\n".join(["--tables", *paths]) + "\n")
    gather_regions.main([*options, str(tmp_path / "b.tsv"), f"@{tmp_path / 'list.txt'}"])
    assert (tmp_path / "a.tsv").read_text().count("sub-0") == 2
    assert (tmp_path / "b.tsv").read_bytes() == (tmp_path / "a.tsv").read_bytes()


def test_an_empty_list_is_no_table(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("--tables\n")
    gather_regions.main(["--output", str(tmp_path / "a.tsv"), f"@{tmp_path / 'list.txt'}"])
    assert len((tmp_path / "a.tsv").read_text().splitlines()) == 1


@pytest.mark.parametrize("rule", PER_SCAN)
def test_the_rule_passes_its_list_through_a_file(rule: str) -> None:
    text = "".join(path.read_text() for path in sorted((HOME / "rules").glob("*.smk")))
    (body,) = re.findall(rf"^rule {rule}:\n(.*?)(?=^\w|\Z)", text, re.M | re.S)
    name = PER_SCAN[rule]
    assert re.search(rf"@<\(printf '%s\\\\n' --{name} \{{\w+\.{name}:q\}}[^)]*\)", body)


@pytest.mark.skipif(not hasattr(os, "sysconf"), reason="no limit to ask for")
def test_more_paths_than_the_system_passes_to_a_program(tmp_path: Path) -> None:
    """Through a file they are read: the complaint is about the first of them."""
    count = os.sysconf("SC_ARG_MAX") // 100 + 1000
    paths = " ".join(f"{tmp_path}/{'x' * 90}/{i}_values.npz" for i in range(count))
    script = HOME / "workflow_scripts/pool_thresholds.py"
    table = HOME / "config/atlases/Tissues.tsv"
    command = f"{sys.executable} {script} --label-table {table} --thresholds {tmp_path}/t.tsv "

    def run(given: str) -> str:
        # As Snakemake runs a long command: from a file.
        (tmp_path / "command.sh").write_text(command + given)
        done = subprocess.run(
            ["bash", str(tmp_path / "command.sh")], capture_output=True, text=True, check=False
        )
        assert done.returncode
        return done.stderr

    assert "too long" in run(f"--values {paths}")
    assert "/0_values.npz: found no such file" in run(f"@<(printf '%s\\n' --values {paths})")
