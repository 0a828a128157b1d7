"""Random damage to bytes, the same in every run.

``QSMIRON_FUZZ_TRIES=10000 pytest -m fuzz`` tries longer than the usual test.
"""

from __future__ import annotations

import os

import numpy as np


def tries(usual: int) -> int:
    """How often a test tries: as often as usual, or as the environment asks."""
    return int(os.environ.get("QSMIRON_FUZZ_TRIES", usual))


TRIES = tries(300)

_TELLING = b"\x00\x01\x09\x0a\x0d\x22,-.09[]{}\x7f\x80\xff"
"""Bytes that mean something to a parser, more often than chance would bring them."""


def damaged(content: bytes, rng: np.random.Generator, length: int | None = None) -> bytes:
    """``content`` with a few bytes of its first ``length`` changed, cut out, doubled or cut off."""
    held = bytearray(content)
    for _ in range(rng.integers(1, 6)):
        end = min(length or len(held), len(held))
        if end == 0:
            break
        at = int(rng.integers(end))
        stop = min(at + int(rng.integers(1, 9)), len(held))
        kind = rng.random()
        if kind < 0.4:
            held[at] = int(rng.integers(256))
        elif kind < 0.8:
            held[at] = int(rng.choice(list(_TELLING)))
        elif kind < 0.88:
            del held[at:stop]
        elif kind < 0.96:
            held[at:at] = held[at:stop]
        else:
            del held[at:]
    return bytes(held)
