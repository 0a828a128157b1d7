"""Crashes, full disks, broken files: nothing half-written is taken for finished, and the command
that docs/workflow.md names brings the results of an undisturbed run, byte for byte.
"""

from __future__ import annotations

import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from end_to_end.small_cohort import HOME, Run
from end_to_end.tiny_study import tiny_study

pytestmark = pytest.mark.slow

PATIENCE = 600  # s, for a step of a run on a machine that has other things to do
NOT_COMPARED = ("logs/", "benchmarks/")  # what holds times, process ids and paths
COSTS = re.compile(rb'<section id="costs">.*?</section>', re.DOTALL)
N_MOMENTS = 20


def contents(run: Run) -> dict[str, bytes]:
    """Every result under its own name, the report without its costs; temporary files are none."""
    return {
        name: COSTS.sub(b"", path.read_bytes())
        for path in sorted(run.results.rglob("*"))
        if path.is_file() and not path.name.startswith(".partial-")
        if not (name := str(path.relative_to(run.results))).startswith(NOT_COMPARED)
    }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    run = tiny_study(tmp_path_factory.mktemp("undisturbed"))
    run.snakemake()
    return contents(run)


class Fault:
    """A run in a session of its own, and ways to end it."""

    def __init__(self, run: Run, random_: random.Random, *arguments: str) -> None:
        self.run, self._random = run, random_
        self._before = self._finished()
        self._output = (run.folder / "output.txt").open("w")
        self.process = psutil.Popen(
            run.command(*arguments),
            stdout=self._output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _finished(self) -> int:
        return sum(1 for _ in self.run.results.glob("benchmarks/**/*.tsv"))

    @property
    def output(self) -> str:
        return (self.run.folder / "output.txt").read_text()

    def wait_for_moment(self, jobs: int) -> None:
        """Until ``jobs`` more jobs have ended, and a random time of up to a second longer."""
        self._until(lambda: self._finished() >= self._before + jobs)
        time.sleep(self._random.random())

    def _until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition() and self.process.poll() is None:
            assert time.monotonic() < end, self.output[-3000:]
            time.sleep(0.02)

    def jobs(self) -> list[psutil.Process]:
        """The interpreters that run a script of the workflow now."""
        found = []
        for child in self._descendants():
            try:
                words = child.cmdline()
            except psutil.Error:
                continue
            if len(words) > 1 and "python" in words[0] and "workflow_scripts" in words[1]:
                found.append(child)
        return found

    def _descendants(self) -> list[psutil.Process]:
        try:
            return self.process.children(recursive=True)
        except psutil.Error:
            return []

    def kill_a_job(self) -> None:
        """One job's interpreter; the run then ends by itself, with an error."""
        self._until(lambda: bool(self.jobs()))
        for job in self.jobs()[:1]:
            job.kill()
        self.process.wait(PATIENCE)

    def kill_snakemake(self) -> None:
        """The main process alone; its jobs go on, and are waited for."""
        orphans = self._descendants()
        self.process.kill()
        self.process.wait(PATIENCE)
        psutil.wait_procs(orphans, PATIENCE)

    def kill_everything(self) -> None:
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)


KINDS = (Fault.kill_a_job, Fault.kill_snakemake, Fault.kill_everything)


def resume(run: Run) -> None:
    """As docs/workflow.md says."""
    run.snakemake("--unlock")
    run.snakemake("--rerun-incomplete")


def check_nothing_is_half_written(run: Run, whole: dict[str, bytes]) -> None:
    found = contents(run)
    failures = {name for name in found if name.startswith("work/failures/")}
    assert found.keys() - failures <= whole.keys()
    assert [name for name in found.keys() - failures if found[name] != whole[name]] == []


def check_it_is_whole(run: Run, whole: dict[str, bytes]) -> None:
    found = contents(run)
    assert found.keys() == whole.keys()
    assert [name for name in whole if found[name] != whole[name]] == []
    assert not list(run.results.rglob(".partial-*"))
    assert run.would_run() == {}


@pytest.mark.nightly
def test_three_crashes_come_to_the_results_of_an_undisturbed_run(
    undisturbed: dict[str, bytes], tmp_path: Path
) -> None:
    rng = random.Random(7)
    run = tiny_study(tmp_path)
    for kind in rng.sample(KINDS, len(KINDS)):
        fault = Fault(run, rng, "--rerun-incomplete")
        fault.wait_for_moment(rng.randint(1, 9))
        kind(fault)
        assert fault.process.returncode != 0
        check_nothing_is_half_written(run, undisturbed)
        run.snakemake("--unlock")
    resume(run)
    check_it_is_whole(run, undisturbed)


@pytest.mark.nightly
@pytest.mark.parametrize("seed", range(N_MOMENTS))
def test_a_crash_at_a_random_moment(
    undisturbed: dict[str, bytes], tmp_path: Path, seed: int
) -> None:
    rng = random.Random(seed)
    run = tiny_study(tmp_path)
    fault = Fault(run, rng)
    fault.wait_for_moment(rng.randint(0, 45))
    KINDS[seed % len(KINDS)](fault)
    check_nothing_is_half_written(run, undisturbed)
    resume(run)
    check_it_is_whole(run, undisturbed)


def refused(run: Run, *targets: str) -> str:
    """What a run says that ends with an error."""
    finished = subprocess.run(
        run.command(*targets), capture_output=True, text=True, check=False, timeout=PATIENCE
    )
    assert finished.returncode != 0
    assert "Traceback" not in finished.stdout + finished.stderr
    return finished.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 4 MB, if this machine lets us have one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("takes the right to mount a file system")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def one_line_each(text: str, *words: str) -> None:
    """Every failed scan, and every failed job of the cohort, has one line, with these words."""
    lines = re.findall(r"^  (?=\S+ failed:|\S+: \S+ failed:).+$", text, re.MULTILINE)
    assert lines
    for line in lines:
        assert all(word in line for word in words), line


@pytest.mark.parametrize(
    "free",  # kB: in a scan's last jobs, its first, the cohort's
    [1100, *(pytest.param(free, marks=pytest.mark.nightly) for free in (400, 1800))],
)
def test_a_full_disk_is_one_clear_message_and_no_half_file(
    undisturbed: dict[str, bytes], tmp_path: Path, small_disk: Path, free: int
) -> None:
    run = tiny_study(tmp_path)
    run.settings["results_dir"] = str(small_disk / "results")
    (small_disk / "other").write_bytes(bytes(2**22 - free * 1024))
    chi = [
        f"{run.results}/{who}/anat/{who}_desc-main_Chimap.nii.gz" for who in ("sub-01", "sub-02")
    ]
    text = refused(run)
    one_line_each(text, "No space left on device", "Free some space", "log: ")
    check_nothing_is_half_written(run, undisturbed)
    # space is made, and the same command goes on
    subprocess.run(["mount", "-o", "remount,size=200m", str(small_disk)], check=True)
    run.snakemake("--rerun-incomplete", *chi)
    assert all(Path(path).read_bytes() for path in chi)
    check_nothing_is_half_written(run, undisturbed)


def test_a_limit_of_file_sizes_is_one_clear_message(tmp_path: Path) -> None:
    run = tiny_study(tmp_path)
    anat = tmp_path / "raw/sub-01/anat"
    script = [sys.executable, str(HOME / "workflow_scripts/mask_brain.py"), "--magnitude"]
    script += [*map(str, sorted(anat.glob("*part-mag*.nii.gz"))), "--mask", "mask.nii.gz"]
    finished = subprocess.run(
        ["bash", "-c", 'ulimit -f 1; exec "$@"', "bash", *script],  # KiB
        cwd=run.folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert finished.returncode == 1
    (line,) = finished.stderr.splitlines()
    for words in ("error: mask.nii.gz", "File too large", "ulimit -f"):
        assert words in line
    assert not list(tmp_path.glob("*mask*"))


def test_a_results_folder_that_cannot_be_written_is_named_before_any_job(tmp_path: Path) -> None:
    run = tiny_study(tmp_path)
    (tmp_path / "a_file").touch()
    run.settings["results_dir"] = "a_file/results"
    text = refused(run)
    assert "results_dir a_file/results: found" in text
    assert "Execute" not in text


LATER_ECHO = "raw/sub-02/anat/sub-02_echo-3_part-phase_MEGRE.nii.gz"


def test_a_truncated_image_is_named_before_any_job(tmp_path: Path) -> None:
    run = tiny_study(tmp_path)
    image = tmp_path / LATER_ECHO
    image.write_bytes(image.read_bytes()[:-2000])
    text = refused(run)
    assert image.name in text
    assert "Execute" not in text


def test_a_damaged_later_echo_is_one_clear_message(tmp_path: Path) -> None:
    run = tiny_study(tmp_path)
    image = tmp_path / LATER_ECHO
    content = bytearray(image.read_bytes())
    content[len(content) // 2] ^= 255
    image.write_bytes(content)
    text = refused(run, "results/group/quality.tsv")
    one_line_each(text, image.name, "map_field", "log: ")
    assert (run.results / "sub-01/anat/sub-01_desc-main_Chimap.nii.gz").exists()
    assert not list(run.results.glob("sub-02/anat/*_Chimap.nii.gz"))
