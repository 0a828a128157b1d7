"""The same word or number, spelt in several ways."""

from __future__ import annotations

import datetime

import pytest

from qsmiron.spelling import as_number, level_text, plain_names, plain_text, sorted_levels


@pytest.mark.parametrize(
    "text",
    ["Köln", "Ko\u0308ln", "K\u00f6\u200bln", "\ufeffKöln", "K\u00adöln"],
)
def test_one_word_in_several_codes(text):
    assert plain_text(text) == "K\u00f6ln"


def test_blanks_that_do_not_break_are_blanks():
    assert plain_text("UMN\u00a0+") == "UMN +"
    assert plain_names({"a\u0308 ": ["\u202fo\u0308"], 1: None}) == {"\u00e4": ["\u00f6"], 1: None}


@pytest.mark.parametrize(
    ("text", "number"),
    [("\u221299", -99), ("５０", 50), ("－１．５", -1.5), ("1e3", 1000), ("1e999", None),
     ("²", None), ("٣", None), ("1 000", None), ("", None)],
)  # fmt: skip
def test_numbers_of_another_type_face(text, number):
    assert as_number(text) == number


@pytest.mark.parametrize("level", [1, 1.0, "1", "01", "1.0", " 1 ", "+1", "１"])
def test_equal_numbers_are_one_level(level):
    assert level_text(level) == "1"


@pytest.mark.parametrize(
    ("level", "text"),
    [(0.5, "0.5"), ("1234567", "1234567"), ("1234568", "1234568"), ("A1", "A1"), (-1, "-1")],
)
def test_different_levels_stay_apart(level, text):
    assert level_text(level) == text


@pytest.mark.parametrize("level", [True, False, None, datetime.date(2020, 1, 1)])
def test_what_yaml_made_of_a_level_is_refused(level):
    with pytest.raises(ValueError, match="in quotes"):
        level_text(level)


def test_levels_are_in_the_order_of_their_numbers():
    assert sorted_levels(["10", "2", "1", "2"]) == ["1", "2", "10"]
    assert sorted_levels(["b", "a", "10"]) == ["10", "a", "b"]
