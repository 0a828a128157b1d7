"""Ways from the total field to χ that the benchmarks compare: the peer's, and the registries'."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from typing import Any

from qsmiron import background, inversion
from qsmiron.config import Reconstruction
from qsmiron.errors import InputError
from qsmiron.methods import Method, get_method
from qsmiron.parameters import Parameters

GIVEN = "given local field"


@dataclasses.dataclass(frozen=True)
class Chain:
    """One row: a background removal (None: the local field is given) and an inversion."""

    label: str
    background: str | None
    inversion: str
    background_parameters: dict[str, Any] = dataclasses.field(default_factory=dict)
    inversion_parameters: dict[str, Any] = dataclasses.field(default_factory=dict)

    def resolved(self) -> str:
        """What is computed: chains that differ in their label alone are run once."""
        _, inverts = load_method(inversion.METHODS, self.inversion, self.inversion_parameters)
        steps = [self.background, None, self.inversion, inverts.model_dump()]
        if self.background is not None:
            _, removes = load_method(
                background.METHODS, self.background, self.background_parameters
            )
            steps[1] = removes.model_dump()
        return json.dumps(steps, sort_keys=True)


def load_method(
    registry: Mapping[str, Method], name: str, values: dict[str, Any]
) -> tuple[Callable[..., Any], Parameters]:
    """A method's function, and its parameters with ``values`` in place of defaults."""
    parameters_class, function = get_method(registry, name).load()
    return function, parameters_class(**values)


# Defaults of QSM.rs / QSMxT, whatever ours have become (TV: λ 2e-4 and ρ 2e-2 throughout).
PEER_VSHARP = {"largest_radius": 12.0, "smallest_radius": 1.0, "step": 1.0, "threshold": 0.2}
PEER_RTS = {"delta": 0.15, "mu": 1e5, "rho": 10.0, "iterations": 20}
PEER_TV = dict(regularisation=2e-4, rho_per_regularisation=100, reweighted_at=(), iterations=100)
PEER_FIRST = "V-SHARP 12→1 mm"
PEERS = (("RTS", "rts", PEER_RTS), ("TV", "tv", PEER_TV))


ON_REQUEST = {"none", "resharp"}
"""No removal, and one that would make the common mask a quarter smaller: see --methods."""


def default_chains(with_background: bool = True) -> list[Chain]:
    """The peer's chains, then whatever the registries hold.

    Every background removal before the default inversion, the default background removal before
    every inversion, and every inversion of the given local field (only these where
    ``with_background`` is False).
    """
    chains = []
    if with_background:
        usual = Reconstruction()
        first, second = usual.background_field.method, usual.inversion.method
        chains += [peer_chain(*peer) for peer in PEERS]
        pairs = [(name, second) for name in background.METHODS if name not in ON_REQUEST]
        pairs += [(first, name) for name in inversion.METHODS if name != second]
        chains += [named_chain("+".join(pair)) for pair in pairs]
    chains += [peer_chain(*peer, GIVEN) for peer in PEERS]
    return chains + [named_chain(f"given+{name}") for name in inversion.METHODS]


def peer_chain(title: str, name: str, values: dict[str, Any], first: str = PEER_FIRST) -> Chain:
    """The peer's inversion ``name``, after its V-SHARP or of the given local field."""
    label = f"{first} + {title} (peer's parameters)"
    if first == GIVEN:
        return Chain(label, None, name, {}, values)
    return Chain(label, "vsharp", name, PEER_VSHARP, values)


def named_chain(text: str) -> Chain:
    """``background+inversion`` with default parameters (``given``: no background), or ``peer``."""
    if text.strip() == "peer":
        return peer_chain(*PEERS[0])
    first, plus, second = text.strip().partition("+")
    if not plus:
        raise InputError(f"--methods: {text!r} is not of the form background+inversion")
    get_method(inversion.METHODS, second)
    if first == "given":
        return Chain(f"{GIVEN} + {second}", None, second)
    get_method(background.METHODS, first)
    return Chain(f"{first} + {second}", first, second)
