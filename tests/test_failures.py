"""Why a job failed, read from its log."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from qsmiron.failures import NO_MESSAGE, NO_PYTHON, Failure, read_failure, reason_in, write_failure

TRACEBACK = """\
warning: something harmless
Traceback (most recent call last):
  File "map_field.py", line 9, in <module>
    main()
{raised}
"""


def test_a_scripts_own_error_is_the_reason() -> None:
    log = "warning: thin slices\nerror: a.nii.gz: found one; expected two. Mend it.\n"
    assert reason_in(log) == ("a.nii.gz: found one; expected two. Mend it.", True)


def test_further_errors_are_counted() -> None:
    reason, _ = reason_in("error: first\nerror: second\nerror: third\n")
    assert reason == "first (and 2 more)"


def test_a_wrong_option_is_an_error_too() -> None:
    log = "usage: map_field.py [-h]\nmap_field.py: error: argument --threads: invalid int value\n"
    assert reason_in(log) == ("argument --threads: invalid int value", True)


def test_of_chained_tracebacks_the_last_counts() -> None:
    first = TRACEBACK.format(raised="KeyError: 'a'")
    again = "\nDuring handling of the above exception, another exception occurred:\n\n"
    log = first + again + TRACEBACK.format(raised="ValueError: shapes differ\nand more of it")
    assert reason_in(log) == ("ValueError: shapes differ", True)


@pytest.mark.parametrize("log", ["", "warning: thin slices\n", "Traceback (most recent call last)"])
def test_a_job_without_a_message_was_killed(log: str) -> None:
    assert reason_in(log) == (NO_MESSAGE, False)


@pytest.mark.parametrize(
    "raised",
    [
        "MemoryError",
        "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 9 GiB",
        "OSError: [Errno 28] No space left on device",
        "PermissionError: [Errno 13] Permission denied: 'results/x.nii.gz'",
        "ModuleNotFoundError: No module named 'ants'",
    ],
)
def test_what_the_machine_lacks_is_not_the_scans_fault(raised: str) -> None:
    assert reason_in(TRACEBACK.format(raised=raised)) == (raised, False)
    assert reason_in(f"error: results/x.nii.gz: {raised}") == (f"results/x.nii.gz: {raised}", False)


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    failure = Failure(
        "sub-B/ses-2", "sub-B_ses-2", "map_field", "a.log", "µ: none", True, "s", {"a": [1, 2]}
    )
    write_failure(tmp_path / "work/record.json", failure)
    assert read_failure(tmp_path / "work/record.json") == failure
    assert (failure.participant_id, failure.session) == ("sub-B", "2")
    assert Failure("sub-B", "sub-B", "rule", "a.log", "why", True).session is None


@pytest.mark.parametrize("options", [["-euo", "pipefail"], ["--posix"]])
def test_a_shell_without_python_is_named(tmp_path: Path, options: list[str]) -> None:
    """As where snakemake is called by its path and its environment is not activated."""
    job = subprocess.run(
        ["/bin/bash", *options, "-c", "python map_field.py --help"],
        env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert job.returncode == 127
    assert reason_in(job.stdout + job.stderr) == (NO_PYTHON, False)
    assert "activate" in NO_PYTHON
