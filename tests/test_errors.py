"""A user's mistake is a message and exit status 1; ours keeps its traceback."""

from __future__ import annotations

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
