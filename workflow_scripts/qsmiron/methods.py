"""Registries of interchangeable methods: one line each, imported only when used.

A stage's package holds ``METHODS``, a dictionary from the name that users type to a
:class:`Method`. Listing the names costs nothing; :meth:`Method.load` imports the one module asked
for.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from .errors import InputError, Problem
from .parameters import Parameters


@dataclass(frozen=True)
class Method:
    """Where a method lives and whom to cite.

    ``module`` is a path below this package (``inversion.rts``), ``function`` and ``parameters``
    names in it; ``citation`` is one line with a DOI for the methods paragraph.
    """

    module: str
    function: str
    parameters: str
    citation: str

    def load(self) -> tuple[type[Parameters], Callable[..., Any]]:
        """Import the module; returns the class of the method's parameters and its function."""
        module = import_module(f"{__package__}.{self.module}")
        return getattr(module, self.parameters), getattr(module, self.function)


def get_method(methods: Mapping[str, Method], name: str, where: str = "method") -> Method:
    """The method called ``name``; :class:`InputError` that lists what exists otherwise."""
    if name not in methods:
        raise InputError(
            Problem(where, repr(name), " or ".join(methods), "Choose one of those names.")
        )
    return methods[name]
