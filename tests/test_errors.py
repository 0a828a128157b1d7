"""A user's mistake is a message and exit status 1; ours keeps its traceback."""

from __future__ import annotations

import errno
import os

import pytest

from qsmiron.errors import InputError, Problem, reported_to_user


def test_a_problem_reads_as_a_sentence():
    problem = Problem("t.tsv, row 4, age", "430", "18 to 100 years", "Correct it.")
    assert str(problem) == "t.tsv, row 4, age: found 430; expected 18 to 100 years. Correct it."
    assert problem.severity == "error"


def test_all_problems_are_shown_without_traceback(capsys):
    with pytest.raises(SystemExit) as end, reported_to_user():
        raise InputError(Problem("a", "b", "c", "D."), "plain")
    assert end.value.code == 1
    shown = capsys.readouterr()
    assert shown.err == "error: a: found b; expected c. D.\nerror: plain\n"
    assert shown.out == ""


def test_other_exceptions_pass():
    with pytest.raises(ZeroDivisionError), reported_to_user():
        _ = 1 / 0


def test_the_message_holds_every_problem():
    error = InputError("one", Problem("a", "b", "c", "D."))
    assert str(error).splitlines() == ["one", "a: found b; expected c. D."]
    assert isinstance(error, ValueError)


def message_of(capsys, error):
    with pytest.raises(SystemExit) as end, reported_to_user():
        raise error
    assert end.value.code == 1
    (line,) = capsys.readouterr().err.splitlines()
    return line


@pytest.mark.parametrize(
    ("number", "word"),
    [
        (errno.ENOSPC, "Free some space"),
        (errno.EROFS, "another results_dir"),
        (errno.EACCES, "permissions"),
        (errno.EFBIG, "ulimit -f"),
    ],
)
def test_a_disk_that_refuses_a_file_is_a_message(capsys, number, word):
    error = OSError(number, os.strerror(number), "results/a.nii.gz")
    line = message_of(capsys, error)
    assert line.startswith(f"error: results/a.nii.gz: found {os.strerror(number)}; expected")
    assert word in line


def test_too_little_memory_is_a_message(capsys):
    assert "MemoryError" in message_of(capsys, MemoryError())
    assert "8 GiB" in message_of(capsys, MemoryError("Unable to allocate 8 GiB"))


def test_our_own_mistake_with_a_file_keeps_its_traceback():
    with pytest.raises(FileNotFoundError), reported_to_user():
        raise FileNotFoundError(errno.ENOENT, "No such file or directory", "a.nii.gz")
