"""Images that are one and the same under several names."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from ..errors import Problem
from .inspected import Inspected


def check_copies(inspected: Sequence[Inspected]) -> Iterator[Problem]:
    """Images with the content of another: an echo copied, or another participant's image.

    Only files whose length and checksum (which gzip notes at their end) are alike are read. One
    T1w may stand in several sessions of its participant.
    """
    images = ((seen, path) for seen in inspected for path in seen.headers)
    for (first, twin), (seen, path) in alike(images):
        if _shared_t1w(first, twin, seen, path):
            continue
        yield Problem(
            str(path),
            f"the very image of {twin.name}",
            "another image in every file",
            "One was copied over the other, or exported under a wrong name: export it again.",
        )


def alike(
    images: Iterable[tuple[Inspected, Path]],
) -> Iterator[tuple[tuple[Inspected, Path], tuple[Inspected, Path]]]:
    """Images with the content of an earlier one, each after the first that has it."""
    candidates: dict[tuple[int, bytes], list[tuple[Inspected, Path]]] = defaultdict(list)
    for seen, path in images:
        candidates[_marks(path)].append((seen, path))
    for marked in candidates.values():
        contents: dict[bytes, tuple[Inspected, Path]] = {}
        for image in marked if len(marked) > 1 else ():
            first = contents.setdefault(_digest(image[1]), image)
            if first[1] != image[1]:
                yield first, image


def _shared_t1w(first: Inspected, twin: Path, seen: Inspected, path: Path) -> bool:
    same_person = first.scan.subject == seen.scan.subject
    return same_person and twin == first.scan.t1w and path == seen.scan.t1w


def _marks(path: Path) -> tuple[int, bytes]:
    """What differs between most files that differ: checksum and length, or length and middle."""
    length = path.stat().st_size
    with path.open("rb") as file:
        if path.name.endswith(".gz"):
            file.seek(-8, 2)
            return 0, file.read(8)
        file.seek(length // 2)
        return length, file.read(4096)


def _digest(path: Path) -> bytes:
    opener = gzip.open if path.name.endswith(".gz") else open
    digest = hashlib.sha256()
    try:
        with opener(path, "rb") as file:
            while chunk := file.read(2**20):
                digest.update(chunk)
    except (OSError, EOFError, zlib.error):  # reported where its voxels are read
        return bytes(path)
    return digest.digest()
