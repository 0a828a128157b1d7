"""What the report says of power."""

import made_up_results as made_up

from qsmiron.report.power_text import ABSENCE, power_words


def test_power_is_that_of_this_cohort():
    said = power_words(made_up.group_tests(), made_up.correlations())
    assert "16 against 22 have 80 % power only for d of at least 0.95" in said
    assert "Cliff's δ .50" in said
    assert "38 participants for |ρ| of at least .44, corrected " in said
    assert "36 participants for |ρ| of at least .45, corrected " in said
    larger = power_words(made_up.group_tests(200), made_up.correlations(200))
    assert "84 against 116 have 80 % power only for d of at least 0.40" in larger
    assert "0.95" not in larger


def test_without_tests_nothing_is_said_of_their_power():
    assert power_words(None, made_up.correlations().iloc[:0]) == ABSENCE
