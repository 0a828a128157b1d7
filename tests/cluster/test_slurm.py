"""Two participants of the demo through the Slurm profile, on a Slurm of one node started for it.

Opt-in: runs where Debian's slurmctld, slurmd, slurm-client and munge are installed, with
``pip install --no-deps -r envs/requirements-slurm.txt``, as root.
Five to nine minutes on two cores.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from cluster.one_node_slurm import obstacle, one_node_slurm

HOME = Path(__file__).resolve().parents[2]
TARGETS = ["results/group/quality.tsv", "results/group/thresholds.tsv"]
MINUTES = 60  # s

missing = obstacle()
if find_spec("snakemake_executor_plugin_slurm") is None:
    missing = "needs pip install --no-deps -r envs/requirements-slurm.txt"
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.slow,
    pytest.mark.skipif(missing is not None, reason=str(missing)),
]


@pytest.fixture(scope="module")
def slurm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with one_node_slurm(tmp_path_factory.mktemp("slurm")):
        yield


class Study:
    """Two participants at 4 mm, in a folder of their own; what was started ends with the block."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._runs: list[subprocess.Popen[str]] = []
        settings = {"demo": {"participants": 2, "voxel_size": 4.0}, "results_dir": "results"}
        (folder / "settings.yaml").write_text(json.dumps(settings))

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", "snakemake", "--snakefile", str(HOME / "Snakefile")]
        command += ["--directory", str(self.folder), *arguments]
        command += ["--configfile", str(self.folder / "settings.yaml"), "--", *TARGETS]
        with (self.folder / "output.txt").open("w") as output:
            run = subprocess.Popen(
                command,
                stdout=output,
                stderr=output,
                text=True,
                start_new_session=True,
                # Jobs take this interpreter for python, on the node as well.
                env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            )
        self._runs.append(run)
        return run

    def __enter__(self) -> Study:
        return self

    def __exit__(self, *_: object) -> None:
        for run in self._runs:
            if run.poll() is None:
                os.killpg(run.pid, signal.SIGKILL)
                run.wait()

    def submit(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a run through the profile; only its waits are shortened."""
        profile = ["--profile", str(HOME / "config/profiles/slurm"), "--latency-wait", "5"]
        profile += ["--slurm-init-seconds-before-status-checks", "2"]
        return self.start(*profile, "--seconds-between-status-checks", "2", *arguments)

    @property
    def output(self) -> str:
        return (self.folder / "output.txt").read_text()

    def finish(self, run: subprocess.Popen[str], *, minutes: float = 15) -> set[str]:
        """Wait for the run to succeed; the comments of the jobs that were seen in squeue."""
        seen: set[str] = set()
        end = time.monotonic() + minutes * MINUTES
        while run.poll() is None and time.monotonic() < end:
            seen |= set(comments())
            time.sleep(1)
        assert run.poll() == 0, self.output[-6000:]
        return seen

    def results(self) -> dict[str, bytes]:
        """The maps, masks, labels and tables of the finished study."""
        kept = self.folder / "results"
        files = [*kept.glob("sub-*/anat/*"), *kept.glob("group/*.tsv")]
        return {str(path.relative_to(kept)): path.read_bytes() for path in sorted(files)}


def comments(state: str = "all") -> list[str]:
    """What each job in the queue is, as the executor labels it: rules or groups."""
    command = ["squeue", "--noheader", f"--states={state}", "--format=%k"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    with Study(tmp_path_factory.mktemp("local")) as study:
        run = study.start("--cores", str(os.cpu_count() or 1))
        assert run.wait() == 0, study.output[-6000:]
        return study.results()


@pytest.fixture
def study(tmp_path: Path) -> Iterator[Study]:
    with Study(tmp_path) as study:
        yield study


def wait_until(condition: Callable[[], bool], study: Study, *, minutes: float = 10) -> None:
    end = time.monotonic() + minutes * MINUTES
    while not condition():
        assert time.monotonic() < end, study.output[-6000:]
        time.sleep(0.5)


def test_a_run_that_is_cancelled_and_one_that_is_out_of_memory_come_to_the_same_results(
    slurm: None, undisturbed: dict[str, bytes], study: Study
) -> None:
    run = study.submit()
    wait_until(lambda: any("reconstruction" in job for job in comments("running")), study)
    os.killpg(run.pid, signal.SIGKILL)
    run.wait()
    assert comments("running"), "jobs outlive the run that submitted them"
    # What docs/cluster.md says: cancel, unlock, the same command again.
    subprocess.run(["scancel", "--user", "root"], check=True)
    wait_until(lambda: not comments("pending,running,completing"), study)
    assert study.start("--cores", "1", "--unlock").wait() == 0, study.output

    # 100 MB are not enough for Python to start the job.
    tight = "gather_quality:mem_mb=100 if attempt == 1 else 1500"
    seen = study.finish(study.submit("--set-resources", tight))
    assert any("reconstruction" in comment for comment in seen), seen
    assert any("gather_quality" in comment for comment in seen), seen
    (killed,) = study.folder.glob(".snakemake/slurm_logs/rule_gather_quality/**/*.log")
    assert "exceeded memory limit" in killed.read_text()
    assert "Trying to restart job" in study.output
    assert not any("rule_mask_brain" in comment for comment in seen), "a grouped job alone"
    found = study.results()
    assert found.keys() == undisturbed.keys()
    assert [name for name in found if found[name] != undisturbed[name]] == []
