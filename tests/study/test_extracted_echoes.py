"""Raw files in other forms: the jobs that extract their echoes, and who takes what they write."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from bids_trees import make_tree, store_in_one_file, store_real_and_imaginary

from qsmiron.config import AcquisitionSettings
from qsmiron.study import Study, load_study
from qsmiron.study.b0_inputs import B0Inputs

HOME = Path(__file__).resolve().parents[2]


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    """sub-01 as usual, sub-02 in one file per part, sub-03 in real and imaginary parts."""
    root = make_tree(tmp_path / "bids", n_subjects=3)
    store_in_one_file(root, "02")
    store_real_and_imaginary(root, "03")
    return root


@pytest.fixture
def study_of_all(values: dict[str, Any], mixed: Path) -> Study:
    return load_study({**values, "bids_dir": str(mixed), "results_dir": "./out"}, HOME)


def job(subject: str, echo: int = 1) -> Any:
    return SimpleNamespace(folder=f"sub-{subject}", entities=f"sub-{subject}", echo=str(echo))


def test_the_check_looks_at_the_raw_files(study_of_all: Study, mixed: Path) -> None:
    raw = set(study_of_all.cohort.raw_files)
    assert raw == {str(path) for path in mixed.rglob("*.nii.gz")}
    assert study_of_all.inspect().errors == []


def test_an_echo_is_extracted_from_its_own_files(study_of_all: Study, mixed: Path) -> None:
    cohort = study_of_all.cohort
    anat = mixed / "sub-03/anat/sub-03_echo-2_part"
    options = cohort.raw_echo_options(job("03", 2))
    assert dict(zip(options[::2], options[1::2], strict=True)) == {
        "--real": f"{anat}-real_MEGRE.nii.gz",
        "--imaginary": f"{anat}-imag_MEGRE.nii.gz",
    }
    assert f"{anat}-real_MEGRE.json" in cohort.raw_echo_files(job("03", 2))
    anat = mixed / "sub-02/anat/sub-02_part"
    assert f"{anat}-mag_MEGRE.nii.gz" in cohort.raw_echo_files(job("02", 3))


def test_the_unit_of_the_config_is_not_for_real_and_imaginary_parts(study_of_all: Study) -> None:
    acquisition = AcquisitionSettings(phase_units="siemens", phase_units_of={"sub-02": "rad"})
    units = [study_of_all.cohort.phase_units(job(s), acquisition) for s in ("01", "02", "03")]
    assert units == ["siemens", "rad", "declared"]


def test_the_direction_of_b0_is_told_by_the_raw_files(study_of_all: Study, mixed: Path) -> None:
    """The qform of extracted echoes is that of their affine."""
    cohort = study_of_all.cohort
    assert B0Inputs(cohort, AcquisitionSettings()).image == []
    acquisition = AcquisitionSettings(
        b0_direction="qform", b0_direction_of={"sub-01": [0, 0.6, -0.8]}
    )
    b0 = B0Inputs(cohort, acquisition)
    files = {who: b0.image(job(who)) for who in ("01", "02", "03")}
    assert files == {
        "01": [],
        "02": [f"{mixed}/sub-02/anat/sub-02_part-phase_MEGRE.nii.gz"],
        "03": [f"{mixed}/sub-03/anat/sub-03_echo-1_part-real_MEGRE.nii.gz"],
    }
    options = {who: b0.options(job(who), files[who]) for who in files}
    assert options == {
        "01": ["--b0-direction", "0.0", "0.6", "-0.8"],
        "02": ["--b0-qform", *files["02"]],
        "03": ["--b0-qform", *files["03"]],
    }


def test_sidecars_that_the_quality_table_reads_are_made_first(
    study_of_all: Study, mixed: Path
) -> None:
    cohort = study_of_all.cohort
    first = [f"out/work/sub-{s}/sub-{s}_echo-1_part-mag_MEGRE.json" for s in ("02", "03")]
    raw = str(mixed / "sub-01/anat/sub-01_echo-1_part-mag_MEGRE.json")
    assert cohort.first_sidecars == [raw, *first]
    assert [name.split("|")[3] for name in cohort.scan_names][1:] == first


def dry_run(mixed: Path, *arguments: str) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(HOME / "Snakefile"), "--directory",
         str(mixed.parent), "--cores", "1", "--dry-run", *arguments, "--config",
         f"bids_dir={mixed}", "results_dir=out"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 0, finished.stdout[-2000:] + finished.stderr[-2000:]
    return finished.stdout


def test_a_run_extracts_echoes_where_it_has_to(mixed: Path) -> None:
    shown = dry_run(mixed, "--printshellcmds", "--until", "map_field")
    assert re.search(r"^extract_echo +6$", shown, re.MULTILINE)
    commands = [line for line in shown.splitlines() if "workflow_scripts/map_field.py" in line]
    assert len(commands) == 3
    raw = f"{mixed}/sub-01/anat/sub-01"
    for start in (raw, "out/work/sub-02/sub-02", "out/work/sub-03/sub-03"):
        echoes = [f"{start}_echo-{echo}_part-phase_MEGRE.nii.gz" for echo in (1, 2, 3)]
        (own,) = [line for line in commands if echoes[0] in line]
        assert f"--phase {' '.join(echoes)} --magnitude" in own
