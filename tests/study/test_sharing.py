"""Which files a branch of the multiverse shares with an earlier one, stage by stage."""

from __future__ import annotations

from typing import Any

from study.test_branches import changes, only

from qsmiron.config import load_config
from qsmiron.study.branches import STAGES, Sharing, branches


def test_each_stage_takes_the_files_of_the_first_with_the_same_chain(
    values: dict[str, Any],
) -> None:
    block = {
        "reference": [{"region": "csf"}],
        "regions": [{"deep_erosion": 2}],
        "reconstruction": {
            "background_field": [{"method": "pdf"}],
            "inversion": [{"method": "rts"}],
            "sources": [{"method": "r2star"}],
        },
    }
    config = load_config({**values, "multiverse": only(block)})
    made = branches(config)
    sharing = Sharing(config, made)
    by_change = {frozenset(stage for stage, _ in changes(each, values)): each for each in made}

    def labels(*stages: str) -> list[str]:
        desc = by_change[frozenset(stages)].desc
        return [sharing.label(stage, desc) for stage in STAGES]

    def own(*stages: str) -> str:
        return by_change[frozenset(stages)].desc

    # sources come after the reference and do not depend on it
    assert labels("reference") == (
        3 * ["main"] + [own("reference"), "main"] + 2 * [own("reference")]
    )
    assert labels("regions") == 5 * ["main"] + 2 * [own("regions")]
    assert labels("reference", "regions") == (
        3 * ["main"] + [own("reference"), "main"] + 2 * [own("reference", "regions")]
    )
    assert labels("inversion") == 2 * ["main"] + 5 * [own("inversion")]
    assert labels("background_field", "inversion") == (
        ["main", own("background_field")] + 5 * [own("background_field", "inversion")]
    )
    assert labels("inversion", "reference", "regions") == (
        2 * ["main"] + [own("inversion"), own("inversion", "reference"), own("inversion")]
        + 2 * [own("inversion", "reference", "regions")]
    )  # fmt: skip
    assert labels("sources") == 4 * ["main"] + 3 * [own("sources")]
    assert labels("sources", "regions") == (
        4 * ["main"] + [own("sources")] + 2 * [own("regions", "sources")]
    )
    assert labels("inversion", "sources") == (
        2 * ["main"] + 2 * [own("inversion")] + 3 * [own("inversion", "sources")]
    )
    assert {sharing.label("mask", branch.desc) for branch in made} == {"main"}
    assert sharing.label("inversion", "main") == "main"


def test_a_declared_variant_shares_nothing(values: dict[str, Any]) -> None:
    values["variants"] = {"main": {}, "csf": {"reference": {"region": "csf"}}}
    block = {"reference": [{"region": "csf"}]}
    config = load_config({**values, "multiverse": only(block)})
    (branch,) = branches(config)
    sharing = Sharing(config, [branch])
    for stage in ("mask", *STAGES):
        assert sharing.label(stage, "csf") == "csf"
    assert sharing.label("reference", branch.desc) == branch.desc
