"""Names in the data set that the workflow cannot use, or would pass over in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from ..bids import LABEL, Scan
from ..errors import Problem
from ..raw_parts import MEGRE_NAME

_IMAGE = re.compile(r".*\.nii(\.gz)?", re.IGNORECASE)
_MEGRE = re.compile(r"megre", re.IGNORECASE)
_LOOKS_LIKE_SUBJECT = re.compile(r"sub([-_ .]|[0-9])", re.IGNORECASE)
_LOOKS_LIKE_SESSION = re.compile(r"ses([-_ .]|[0-9])", re.IGNORECASE)
_EXPECTED_LABEL = "letters and digits only after {prefix}"
_RENAME = "Rename the folder and the files in it (and the row of the clinical table)."


def subject_label(entry: Path) -> str | None:
    """What follows ``sub-`` in a folder's name, also where the name is not quite right."""
    if not _LOOKS_LIKE_SUBJECT.match(entry.name) or not entry.is_dir():
        return None
    return entry.name[4:] if entry.name[3] in "-_ ." else entry.name[3:]


def check_subject_folders(root: Path, chosen: Callable[[str], bool]) -> Iterator[Problem]:
    """Folders at the root that look like a participant's but bear an unusable name.

    ``chosen`` tells of a label whether the config selects it.
    """
    twins: dict[str, str] = {}
    for entry in sorted(root.iterdir()):
        label = subject_label(entry)
        if label is None or not chosen(label):
            continue
        if not entry.name.startswith("sub-") or not LABEL.fullmatch(label):
            expected = "sub- and " + _EXPECTED_LABEL.format(prefix="it")
            yield Problem(str(entry), f"the folder name {entry.name!r}", expected, _RENAME)
        elif twin := twins.get(label.lower()):
            yield Problem(
                str(entry),
                f"a name that differs from {twin} only in case",
                "participants that any file system tells apart",
                _RENAME,
            )
        twins.setdefault(label.lower(), entry.name)


def check_sessions(folder: Path) -> Iterator[Problem]:
    """Session folders with unusable names, and images beside them."""
    sessions = []
    for entry in sorted(folder.iterdir()):
        if _LOOKS_LIKE_SESSION.match(entry.name) and entry.is_dir():
            if entry.name.startswith("ses-") and LABEL.fullmatch(entry.name[4:]):
                sessions.append(entry.name)
            else:
                expected = "ses- and " + _EXPECTED_LABEL.format(prefix="it")
                yield Problem(str(entry), f"the folder name {entry.name!r}", expected, _RENAME)
    stray = megre_files(folder / "anat") if sessions else []
    if stray:
        yield Problem(
            str(folder / "anat"),
            f"{len(stray)} MEGRE files beside {', '.join(sessions)}",
            "all images of a participant in session folders, or none",
            "Move them into their session's anat folder: they would be passed over.",
        )


def megre_files(folder: Path) -> list[Path]:
    """Image files in a folder whose name contains MEGRE in any case."""
    if not folder.is_dir():
        return []
    return [
        path
        for path in sorted(folder.iterdir())
        if _MEGRE.search(path.name) and _IMAGE.fullmatch(path.name)
    ]


def check_file_names(anat: Path, subject: str, session: str | None) -> Iterator[Problem]:
    """MEGRE files that are no echo of this participant, and two files for one echo."""
    prefix = f"sub-{subject}_" + (f"ses-{session}_" if session else "")
    seen: dict[tuple[str, str, str], Path] = {}
    for path in megre_files(anat):
        match = MEGRE_NAME.fullmatch(path.name)
        if not match:
            yield Problem(
                str(path),
                "a name that is not understood",
                f"{prefix}echo-1_part-mag_MEGRE.nii.gz or …_part-phase_…, one file per echo "
                "(or one for all, without echo-)",
                _advice(path.name),
            )
            continue
        if not path.name.startswith(prefix):
            yield Problem(
                str(path),
                f"the name of {match['entities']}",
                f"a name that starts with {prefix}, as its folder does",
                "See whose image it is, and move or rename it.",
            )
        echo = (match["echo"] or "all").lstrip("0")
        key = (match["entities"], match["part"], echo)
        if twin := seen.setdefault(key, path) if key in seen else None:
            yield Problem(
                str(path),
                f"a second file for the echo of {twin.name}",
                "one file per echo and part",
                "Delete the copy.",
            )
        seen[key] = path


def _advice(name: str) -> str:
    lower = name.lower()
    if re.search(r"(coil|channel|uncombined)-?[0-9]", lower):
        return "Combine the receive channels first; single-channel images are not used."
    if "_part-" not in lower:
        return "Say which part it is: _part-mag or _part-phase (or _part-real, _part-imag), last."
    return "Rename it: entities in this order, spelt alike, letters and digits in the labels."


def check_t1w(anat: Path, scan: Scan) -> Iterator[Problem]:
    """Warn of a scan without T1w image, or with several to choose from."""
    files = [path.name for path in sorted(anat.iterdir()) if _IMAGE.fullmatch(path.name)]
    t1w = [name for name in files if re.search(r"_T1w\.nii(\.gz)?$", name)]
    if scan.t1w is None:
        alike = [name for name in files if re.search(r"t1|mprage", name, re.IGNORECASE)]
        yield Problem(
            str(anat),
            "no T1w image" + (f" (but {', '.join(alike)})" if alike else ""),
            "one …_T1w.nii.gz",
            "Without it the participant gets χ and R2* maps but no regions and no group results.",
            "warning",
        )
    elif len(t1w) > 1:
        yield Problem(
            str(anat),
            f"{len(t1w)} T1w images ({', '.join(t1w)}), of which {scan.t1w.name} is used",
            "one …_T1w.nii.gz",
            "If another is better, move this one out of the data set.",
            "warning",
        )
