"""Scripts write over none of their inputs, whatever path leads to them."""

from __future__ import annotations

import ast
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import convert_dicom
import describe_results
import extract_echo
import gather_tests
import label_tissues
import mask_brain
import reference_chi
import simulate_cohort
from qsmiron.errors import InputError, reported_to_user
from qsmiron.overwriting import lies_in, reads_noted, was_read
from qsmiron.tables import TABLES
from qsmiron.volumes import write_json, write_text, write_volume

SCRIPTS = Path(__file__).resolve().parents[1] / "workflow_scripts"


@pytest.fixture
def brought(tmp_path: Path) -> Path:
    """A user's files: an image with its sidecar, a table with its description, links to them."""
    folder = tmp_path / "brought"
    image = np.random.default_rng(0).random((9, 9, 9)).astype(np.float32)
    for name in ("a_MEGRE.nii.gz", "b_MEGRE.nii.gz"):
        write_volume(folder / name, image, np.eye(4), {"EchoTime": 0.01, "Units": "rad"})
    write_volume(folder / "mask.nii.gz", image > -1, np.eye(4))
    write_volume(folder / "labels.nii.gz", (image > 0.5).astype(np.int16), np.eye(4))
    write_volume(folder / "tissues.nii.gz", np.stack([image] * 3, -1), np.eye(4))
    for name in ("tests.tsv", "tests.json"):
        (folder / name).write_text("\t".join(TABLES["group_tests"]) + "\n")
    (folder / "tissues.tsv").write_text("index\tname\n1\tgrey\n")
    (folder / "link.nii.gz").symlink_to("a_MEGRE.nii.gz")
    os.link(folder / "tests.tsv", folder / "hard.tsv")
    (folder / "dataset_description.json").write_text('{"Name": "x", "BIDSVersion": "1.8.0"}')
    (folder / "2024/0113").mkdir(parents=True)
    (folder / "mapping.tsv").write_text("folder\tparticipant_id\tgre\n2024/0113\tsub-1\t5\n")
    return folder


def state(folder: Path) -> dict[Path, object]:
    """Content, mode and inode of every file."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path: (path.read_bytes(), path.lstat().st_mode, path.lstat().st_ino) for path in files}


GATHER = "--name group_tests"


@pytest.mark.parametrize(
    ("script", "arguments", "named"),
    [
        (gather_tests, f"{GATHER} --tables tests.tsv --output tests.tsv", "tests.tsv"),
        (
            gather_tests,
            f"{GATHER} --tables tests.tsv --output ../brought/./tests.tsv",
            "tests.tsv",
        ),
        (gather_tests, f"{GATHER} --tables tests.tsv --output hard.tsv", "hard.tsv"),
        (gather_tests, f"{GATHER} --tables hard.tsv --output tests.tsv", "tests.tsv"),
        # the description that would go beside the new table is that of the old one
        (gather_tests, f"{GATHER} --tables tests.tsv --output tests.txt", "tests.json"),
        (
            mask_brain,
            "--magnitude a_MEGRE.nii.gz --mask a_MEGRE.nii.gz --user-mask mask.nii.gz",
            "a_MEGRE.nii.gz",
        ),
        (
            mask_brain,
            "--magnitude a_MEGRE.nii.gz --mask link.nii.gz --user-mask mask.nii.gz",
            "link.nii.gz",
        ),
        # the sidecar of an image that keeps its own
        (
            mask_brain,
            "--magnitude a_MEGRE.nii.gz --mask a_MEGRE.nii --user-mask mask.nii.gz",
            "a_MEGRE.json",
        ),
        (
            reference_chi,
            "--chi a_MEGRE.nii.gz --mask mask.nii.gz --reliable-mask mask.nii.gz --region none "
            "--output mask.nii.gz",
            "mask.nii.gz",
        ),
        (
            extract_echo,
            "--raw-magnitude a_MEGRE.nii.gz --raw-phase b_MEGRE.nii.gz --magnitude new.nii.gz "
            "--phase b_MEGRE.nii.gz",
            "b_MEGRE.nii.gz",
        ),
        (
            label_tissues,
            "--tissues tissues.nii.gz --label-table tissues.tsv --labels tissues.nii",
            "tissues",
        ),
        (describe_results, "--results . --source .", "dataset_description.json"),
        (describe_results, "--results . --source /nowhere", "dataset_description.json"),
        (
            simulate_cohort,
            f"--plan {SCRIPTS.parent}/config/demo/plan.tsv --bids-dir .",
            "dataset_description.json",
        ),
        (convert_dicom, ". --mapping mapping.tsv --output .", "the folder of the DICOM files"),
        (
            convert_dicom,
            ". --mapping mapping.tsv --output 2024/0113/bids",
            "the folder of the DICOM files",
        ),
    ],
)
def test_an_input_is_no_output(
    brought: Path,
    script: Callable[..., None],
    arguments: str,
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(brought)
    before = state(brought)
    with pytest.raises(SystemExit) as end:
        script.main(arguments.split())
    message = capsys.readouterr().err
    assert end.value.code == 1
    assert message.startswith("error: ") and named in message.splitlines()[0]
    assert "Traceback" not in message
    assert state(brought).items() >= before.items()


def test_every_script_that_takes_files_reports_to_the_user() -> None:
    """There what was read is noted, so that no writer replaces it."""
    without = {"document_config"}  # reads nothing
    for script in SCRIPTS.glob("*.py"):
        names = {
            node.id
            for node in ast.walk(ast.parse(script.read_text()))
            if isinstance(node, ast.Name)
        }
        assert ("reported_to_user" in names) == (script.stem not in without), script.name


def test_what_was_made_before_is_replaced(tmp_path: Path) -> None:
    made = tmp_path / "made.json"
    for number in range(2):
        with reported_to_user():
            write_json(made, {"number": number})
    assert '"number": 1' in made.read_text()
    # read by one script, written by the next
    with reads_noted():
        made.read_bytes()
    with reads_noted():
        write_text(made, "new")
    assert made.read_text() == "new"


def test_reading_is_noted_once_it_began_and_in_every_way(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.txt", "b.npy", "c.nii.gz")]
    write_text(paths[0], "x")
    np.save(paths[1], np.zeros(2))
    write_volume(paths[2], np.zeros((2, 2, 2), np.float32), np.eye(4))
    with reads_noted():
        assert not any(map(was_read, paths))
        paths[0].read_text()
        np.load(paths[1])
        with pytest.raises(InputError, match=r"a.txt: found a file that is an input as well"):
            write_text(paths[0], "y")
        with reads_noted():
            assert was_read(paths[1])
        assert [was_read(path) for path in paths] == [True, True, False]
    assert not any(map(was_read, paths))
    assert paths[0].read_text() == "x"


def test_a_place_is_told_by_its_file_not_by_its_name(tmp_path: Path) -> None:
    folder = tmp_path / "data/raw"
    folder.mkdir(parents=True)
    (tmp_path / "link").symlink_to("data/raw")
    for inside in ("data/raw", "data/raw/new/one", "link", "link/new", "data/../link/../raw"):
        assert lies_in(f"{tmp_path}/{inside}", folder)
    for outside in ("data", "data/raw2", "link/..", "new"):
        assert not lies_in(f"{tmp_path}/{outside}", folder)
    assert not lies_in(tmp_path / "nowhere/x", tmp_path / "nowhere")
