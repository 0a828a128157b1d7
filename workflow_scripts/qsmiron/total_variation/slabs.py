"""Running a compiled loop on slabs of the first axis, on several threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import Any


class Slabs:
    """Splits the planes of the first axis among ``threads``; use as a context manager."""

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self._pool = ThreadPoolExecutor(threads) if threads > 1 else None

    def __enter__(self) -> Slabs:
        return self

    def __exit__(self, *_: object) -> None:
        if self._pool:
            self._pool.shutdown()

    def run(self, loop: Callable[..., None], planes: int, *arguments: Any) -> None:
        """``loop(start, stop, *arguments)`` for slabs that together are 0 to ``planes``."""
        if self._pool is None:
            loop(0, planes, *arguments)
            return
        edges = [planes * part // self.threads for part in range(self.threads + 1)]
        done = [self._pool.submit(loop, start, stop, *arguments) for start, stop in pairwise(edges)]
        for part in done:
            part.result()
