"""Files from the future: what is made of them would seem older than they are."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import Problem
from ..sidecars import sidecars_of
from ..stored_files import check_time
from .inspected import Inspected


def check_times(inspected: Iterable[Inspected], others: Iterable[Path]) -> Iterator[Problem]:
    """Images, their sidecars and ``others`` whose time of modification is not over yet."""
    now = time.time()
    paths: dict[Path, None] = {}
    for seen in inspected:
        paths |= dict.fromkeys(seen.scan.files)
        for image in seen.scan.raw_echoes:
            paths |= dict.fromkeys(sidecars_of(image))
    for path in (*paths, *others):
        yield from check_time(path, now)
