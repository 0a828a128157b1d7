"""Branches of the multiverse with another separation of iron and myelin."""

from __future__ import annotations

from typing import Any

from study.test_branches import changes, found

from qsmiron.config import load_config
from qsmiron.study.branches import main_branch

SEPARATIONS = [
    {"method": "r2star"},
    {"method": "source_tv", "r2": None, "parameters": {"r2_without_sources": 10}},
]


def test_another_separation_is_crossed_with_what_sources_depend_on(
    values: dict[str, Any],
) -> None:
    block = {
        "reference": [{"region": "csf"}],
        "regions": [{"deep_erosion": 2}],
        "iron": [{"deposit_percentile": 90}],
        "reconstruction": {"inversion": [{"method": "rts"}]},
    }
    with_sources = {**block["reconstruction"], "sources": SEPARATIONS}
    before = found(values, **block)
    after = found(values, **{**block, "reconstruction": with_sources})
    own = [branch for branch in after if branch.separation]
    # nothing of net χ is multiplied
    assert [branch.desc for branch in after if not branch.separation] == [b.desc for b in before]
    assert all(branch.full for branch in own)
    words = {"r2star", "source_tv, r2 without sources 10"}
    assert {frozenset(changes(branch, values)) for branch in own} == {
        frozenset({("sources", word), *more})
        for word in words
        for more in (
            (),
            (("inversion", "rts"),),
            (("regions", "deep erosion 2"),),
            (("inversion", "rts"), ("regions", "deep erosion 2")),
        )
    }


def test_an_assumed_r2_is_a_choice_where_it_is_measured(values: dict[str, Any]) -> None:
    chain = {**values["reconstruction"], "sources": {"method": "source_tv", "r2": "MESE"}}
    block = {"reconstruction": {"sources": SEPARATIONS}}
    made = found({**values, "reconstruction": chain}, **block)
    assert [branch.chain.sources.r2 for branch in made] == ["MESE", None]
    words = [branch.choices["sources"] for branch in made]
    assert words == ["r2star, measured R2", "source_tv, r2 without sources 10"]
    main = main_branch(load_config({**values, "reconstruction": chain}))
    assert main.choices["sources"] == "source_tv, measured R2"
    # without sources there is no choice of them
    chain["sources"] = {"method": "source_tv", "run": False}
    assert found({**values, "reconstruction": chain}, **block) == []
