"""Parameters: defaults, overrides, and refusals that name the key."""

from __future__ import annotations

import pytest
from pydantic import Field, ValidationError

from qsmiron.errors import InputError
from qsmiron.parameters import Parameters, parse_parameters


class Example(Parameters):
    radius: float = Field(12.0, gt=0, description="Radius (mm)")
    steps: int = Field(3, ge=1)


def test_defaults_and_overrides():
    assert parse_parameters(Example, None, "x") == Example()
    assert parse_parameters(Example, {}, "x") == Example()
    assert parse_parameters(Example, '{"radius": 5}', "x").radius == 5.0
    assert parse_parameters(Example, {"steps": 4}, "x").steps == 4


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ('{"raduis": 5}', "raduis"),
        ('{"radius": 0}', "radius"),
        ('{"radius": NaN}', "radius"),
        ('{"radius": Infinity}', "radius"),
        ('{"steps": 1.5}', "steps"),
        ('{"radius": "wide"}', "radius"),
        ("{radius: 5}", "not a JSON object"),
        ("[1]", "whole block"),
        ("3", "whole block"),
    ],
)
def test_refusals_name_the_place_and_the_key(text, word):
    with pytest.raises(InputError) as caught:
        parse_parameters(Example, text, "config, background_field")
    assert "config, background_field" in str(caught.value)
    assert word in str(caught.value)


def test_every_wrong_key_is_named_at_once():
    with pytest.raises(InputError) as caught:
        parse_parameters(Example, {"radius": -1, "steps": 0, "other": 1}, "x")
    assert len(caught.value.problems) == 3


def test_parameters_are_frozen():
    with pytest.raises(ValidationError):
        Example().radius = 3
