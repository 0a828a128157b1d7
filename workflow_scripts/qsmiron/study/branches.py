"""The branches of the multiverse: every combination of the choices before the statistics.

Steegen et al. 2016, doi 10.1177/1745691616658637. A branch is named like a variant, by a desc-
label; what it has in common with an earlier variant or branch is not computed again. The choices
of the analysis itself (metric, covariates) need no files and are made within a job.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import product
from typing import Any

from ..config import (
    CONFIG_NAME,
    Config,
    Reconstruction,
    Reference,
    changed_chain,
    check_methods,
    variant,
)
from ..config_steps import SourceStep
from ..errors import InputError, Problem
from ..parameters import parse_parameters
from ..regions.deposits import IronParameters
from ..regions.selection import SelectionParameters

STAGES = (
    "field_map", "background_field", "inversion", "reference", "sources", "regions", "iron",
)  # fmt: skip
"""The stages that branches may differ in, in the order of the data flow."""

CHAIN = STAGES[:5]
"""Those of a variant's chain."""

RECONSTRUCTION = ("field_map", "background_field", "inversion", "sources")
"""Those that take new maps of each scan: only the full multiverse has them."""

NOT_OF_SOURCES = ("reference", "iron")
"""What χ⁺ and χ⁻ do not depend on: a branch with another separation has none of them."""

_OF_SEPARATION = {"method", "parameters", "r2"}

EXTENTS = ("multiverse", "full_multiverse")
"""The branches that the usual run has; those of other reconstructions as well."""

AS_CONFIGURED = "as configured"


@dataclass(frozen=True)
class Branch:
    """One combination of choices.

    ``choices`` says for each of :data:`STAGES` in words what was chosen; ``full`` whether the
    branch takes maps of its own and so belongs to the full multiverse only; ``separation`` whether
    it has another separation of sources, and is there for χ⁺ and χ⁻ alone.
    """

    desc: str
    chain: Reconstruction
    regions: SelectionParameters
    iron: IronParameters
    choices: dict[str, str] = field(compare=False)
    full: bool = False
    separation: bool = False

    @property
    def extent(self) -> str:
        """The smaller of :data:`EXTENTS` that it belongs to."""
        return EXTENTS[1] if self.full else EXTENTS[0]


def main_branch(config: Config) -> Branch:
    """The analysis as configured: the first variant."""
    desc = next(iter(config.variants))
    chain = variant(config, desc)
    words = {stage: getattr(chain, stage).method for stage in RECONSTRUCTION}
    words["sources"] = _sources_words(chain.sources)
    words["reference"] = _reference_words(chain.reference)
    words |= {"regions": AS_CONFIGURED, "iron": AS_CONFIGURED}
    return Branch(desc, chain, config.regions, config.iron, words)


def branches(config: Config) -> list[Branch]:
    """All branches but the main one, those of the small multiverse first.

    Raises
    ------
    InputError
        Naming an alternative that is no valid value of its stage.
    """
    main = main_branch(config)
    alternatives = [[None, *_alternatives(config, stage)] for stage in STAGES]
    made = [_branch(main, chosen) for chosen in product(*alternatives) if _sensible(chosen)]
    unique: dict[tuple[str, ...], Branch] = {}
    for branch in (main, *made):
        unique.setdefault(_content(branch), branch)
    return sorted(list(unique.values())[1:], key=lambda branch: branch.full)


def _content(branch: Branch) -> tuple[str, ...]:
    """What each of :data:`STAGES` does, as text."""
    parts = [getattr(branch.chain, stage) for stage in CHAIN] + [branch.regions, branch.iron]
    return tuple(part.model_dump_json() for part in parts)


def _sensible(chosen: tuple[dict[str, Any] | None, ...]) -> bool:
    """Whether a combination is another than the main one, in all that it chooses."""
    taken = {stage for stage, choice in zip(STAGES, chosen, strict=True) if choice}
    return bool(taken) and not ("sources" in taken and taken & set(NOT_OF_SOURCES))


def _alternatives(config: Config, stage: str) -> Iterator[dict[str, Any]]:
    block = config.multiverse
    if stage == "sources":
        yield from _separations(config)
    elif stage in RECONSTRUCTION:
        yield from getattr(block.reconstruction, stage)
    elif stage == "reference":
        yield from (reference.model_dump() for reference in block.reference)
    else:
        yield from getattr(block, stage)


def _separations(config: Config) -> Iterator[dict[str, Any]]:
    """The other separations; none where the main variant has no sources."""
    if not variant(config, next(iter(config.variants))).sources.run:
        return
    for change in config.multiverse.reconstruction.sources:
        if unknown := sorted(set(change) - _OF_SEPARATION):
            raise InputError(
                Problem(
                    f"{CONFIG_NAME}, multiverse.reconstruction.sources",
                    f"a choice of {', '.join(unknown)}",
                    "other " + ", ".join(sorted(_OF_SEPARATION)),
                    "Take it out, or make it a variant.",
                )
            )
        yield change


def _branch(main: Branch, chosen: tuple[dict[str, Any] | None, ...]) -> Branch:
    changes = {stage: change for stage, change in zip(STAGES, chosen, strict=True) if change}
    where = "multiverse"
    chain = changed_chain(
        main.chain, {key: value for key, value in changes.items() if key in CHAIN}, where
    )
    check_methods(chain, f"{CONFIG_NAME}, {where}")
    regions, iron = (
        parse_parameters(
            type(base), base.model_dump() | changes.get(name, {}), f"{CONFIG_NAME}, {where}.{name}"
        )
        for name, base in (("regions", main.regions), ("iron", main.iron))
    )
    words = dict(main.choices)
    for stage, change in changes.items():
        if stage == "reference":
            words[stage] = _reference_words(chain.reference)
        elif stage == "sources":
            words[stage] = _sources_words(chain.sources, parameters=True)
        elif stage in RECONSTRUCTION:
            step = getattr(chain, stage)
            words[stage] = ", ".join([step.method, *_pairs(step.parameters)])
        else:
            words[stage] = ", ".join(_pairs(change))
    content = json.dumps([main.desc, changes], sort_keys=True)
    label = "mv" + hashlib.sha256(content.encode()).hexdigest()[:8]
    full = any(stage in changes for stage in RECONSTRUCTION)
    return Branch(label, chain, regions, iron, words, full, "sources" in changes)


def _reference_words(reference: Reference) -> str:
    return " ".join(filter(None, (reference.atlas, reference.region)))


def _sources_words(step: SourceStep, parameters: bool = False) -> str:
    """The method, and whether R2 is measured; ``parameters``: and what differs in it."""
    if not step.run:
        return "none"
    measured = [] if step.r2 is None else ["measured R2"]
    return ", ".join([step.method, *measured, *(_pairs(step.parameters) if parameters else ())])


def _pairs(changes: dict[str, Any]) -> list[str]:
    return [
        key.replace("_", " ") if value is True else f"{key.replace('_', ' ')} {value}"
        for key, value in changes.items()
    ]


class Sharing:
    """Which variant's or branch's files a branch takes, stage by stage.

    ``label("inversion", desc)`` is the first variant or branch with the same chain up to that
    stage. Declared variants share nothing: their files are results of their own.
    """

    def __init__(self, config: Config, found: list[Branch]) -> None:
        main = main_branch(config)
        self._main = main.desc
        self._labels: dict[tuple[str, str], str] = {}
        first: dict[tuple[str, ...], str] = {}
        for branch in (main, *found):
            parts = _content(branch)
            for length, stage in enumerate(STAGES, start=1):
                # sources are the same whatever χ is relative to
                passed = "reference" if stage == "sources" else None
                made_by = zip(STAGES[:length], parts, strict=False)
                key = (stage, *(part for name, part in made_by if name != passed))
                self._labels[branch.desc, stage] = first.setdefault(key, branch.desc)

    def label(self, stage: str, desc: str) -> str:
        """``desc`` itself, or whose files it shares; of other stages, the main variant's."""
        if stage in STAGES:
            return self._labels.get((desc, stage), desc)
        return self._main if (desc, STAGES[0]) in self._labels else desc
