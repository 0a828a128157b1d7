"""Multi-echo spin echoes, where the config has R2 fitted to them: what the fit would stop at.

A session without, or with several, is told of when the study is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..acquisition import check_echo_times, echo_time, read_sidecar
from ..bids import spin_echoes
from ..errors import InputError, Problem
from ..relaxation.spin_echo import LEAST_ECHOES, MESE, SpinEchoParameters
from ..sources import LEAST_ECHOES as LEAST_GRE_ECHOES
from ..volumes import GRID_TOLERANCE_MM, image_grid, sidecar_path
from .inspected import Inspected


def check_spin_echoes(
    root: Path, inspected: Sequence[Inspected], settings: Mapping[str, Any]
) -> Iterator[Problem]:
    """Spin echoes below ``root`` that are too few, of several grids, or without echo times."""
    skipped = _skipped(settings)
    if skipped is None:
        return
    for seen in inspected:
        scan = seen.scan
        if scan.has_phase and scan.n_echoes >= LEAST_GRE_ECHOES:
            for files in spin_echoes(scan, root).values():
                yield from _check(files, skipped)


def _skipped(settings: Mapping[str, Any]) -> int | None:
    """The largest number of first echoes left out, over the chains that fit R2; None: no chain."""
    chains = [settings.get("reconstruction"), *(settings.get("variants") or {}).values()]
    blocks = [chain.get("sources") for chain in chains if isinstance(chain, Mapping)]
    fits = [
        (block.get("spin_echo") or {}).get("skipped_echoes", SpinEchoParameters().skipped_echoes)
        for block in blocks
        if isinstance(block, Mapping) and block.get("r2") == MESE and block.get("run", True)
    ]
    return max(fits, default=None)


def _check(files: Sequence[Path], skipped: int) -> Iterator[Problem]:
    if len(files) - skipped < LEAST_ECHOES:
        yield Problem(
            str(files[0]),
            f"{len(files)} spin echoes, of which the first {skipped} are left out",
            f"at least {LEAST_ECHOES} to fit R2 to",
            "Add the other echoes, set sources.spin_echo.skipped_echoes to fewer, or set "
            "reconstruction.sources.r2 to null.",
        )
    try:
        times = [echo_time(read_sidecar(path), str(sidecar_path(path))) for path in files]
        check_echo_times(np.array(times), str(sidecar_path(files[0])))
        first = image_grid(files[0])
        for path in files[1:]:
            shape, affine = image_grid(path)
            if shape != first[0] or not np.allclose(affine, first[1], atol=GRID_TOLERANCE_MM):
                yield Problem(
                    str(path),
                    f"another grid, {shape}",
                    f"the grid of {files[0].name}, {first[0]}",
                    "Give the echoes of one acquisition.",
                )
    except InputError as error:
        yield from (problem for problem in error.problems if isinstance(problem, Problem))
