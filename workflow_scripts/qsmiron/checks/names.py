"""Names in the data set that the workflow cannot use, or would pass over in silence."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ..bids import LABEL, Scan, t1w_of
from ..errors import Problem
from ..raw_parts import MEGRE_NAME, T1W_NAME
from ..stored_files import FETCH, dangling_link, visible

_IMAGE = re.compile(r".*\.nii(\.gz)?", re.IGNORECASE)
_MEGRE = re.compile(r"megre|_part-[a-z]+_t2starw", re.IGNORECASE)
"""T2starw alone may be any image; with its part it is one of those that are used."""
_T1W = re.compile(r"_t1w\.nii(\.gz)?", re.IGNORECASE)
_SIDECAR = re.compile(r".*_(MEGRE|T2starw|T1w)\.json")
_LOOKS_LIKE_SUBJECT = re.compile(r"sub([-_ .]|[0-9])", re.IGNORECASE)
_LOOKS_LIKE_SESSION = re.compile(r"ses([-_ .]|[0-9])", re.IGNORECASE)
_EXPECTED_LABEL = "letters and digits only after {prefix}"
_RESPELL = "Rename it: entities of small letters, letters and digits in the labels, and last "
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
    for entry in visible(root):
        if _LOOKS_LIKE_SUBJECT.match(entry.name) and chosen(entry.name[4:]):
            yield from _check_link(entry)
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


def _check_link(entry: Path) -> Iterator[Problem]:
    """A link to nothing in place of a folder that is looked into."""
    if dangling_link(entry) == entry:
        target = str(entry.readlink())
        lost = next((what for word, what in FETCH.items() if word in target), "Correct the link.")
        found = f"a link to a folder that is not there ({target})"
        yield Problem(str(entry), found, "a folder of images", lost)


def check_sessions(folder: Path) -> Iterator[Problem]:
    """Session folders with unusable names, links to nothing, and images beside them."""
    sessions = []
    for entry in visible(folder):
        if _LOOKS_LIKE_SESSION.match(entry.name) or entry.name == "anat":
            yield from _check_link(entry)
        yield from _check_link(entry / "anat")
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
        path for path in visible(folder) if _MEGRE.search(path.name) and _IMAGE.fullmatch(path.name)
    ]


def check_file_names(anat: Path, subject: str, session: str | None) -> Iterator[Problem]:
    """Files that are not of this participant (and session), and two files for one echo."""
    prefix = f"sub-{subject}_" + (f"ses-{session}_" if session else "")
    yield from _check_owner(anat, prefix)
    seen: dict[tuple[str, str, str, str], Path] = {}
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
        echo = (match["echo"] or "all").lstrip("0")
        key = (match["entities"], match["suffix"], match["part"], echo)
        if twin := seen.setdefault(key, path) if key in seen else None:
            yield Problem(
                str(path),
                f"a second file for the echo of {twin.name}",
                "one file per echo and part",
                "Delete the copy.",
            )
        seen[key] = path


def _check_owner(anat: Path, prefix: str) -> Iterator[Problem]:
    """Images, and sidecars of them, that bear the name of somebody else or of another session."""
    for path in visible(anat):
        image = bool(_IMAGE.fullmatch(path.name))
        if path.name.startswith(prefix) or not path.name.startswith("sub-"):
            continue
        if image or _SIDECAR.fullmatch(path.name):
            used = MEGRE_NAME.fullmatch(path.name) or _T1W.search(path.name) or not image
            yield Problem(
                str(path),
                f"the name of {_owner(path.name)}",
                f"a name that starts with {prefix}, as its folder does",
                f"See whose {'image' if image else 'sidecar'} it is, and move or rename it.",
                "error" if used else "warning",
            )


def _owner(name: str) -> str:
    """The participant (and session) that a file's name begins with."""
    entities = name.split("_")
    return "_".join(entities[: 2 if entities[1].startswith("ses-") else 1])


def _advice(name: str) -> str:
    lower = name.lower()
    if lower.endswith((".nii", ".nii.gz")) and not name.endswith((".nii", ".nii.gz")):
        return "Write the ending in small letters: .nii or .nii.gz."
    if re.search(r"(coil|channel|uncombined)-?[0-9]", lower):
        return "Combine the receive channels first; single-channel images are not used."
    if "_part-" not in lower:
        return "Say which part it is: _part-mag or _part-phase (or _part-real, _part-imag), last."
    return "Rename it: entities in this order, spelt alike, letters and digits in the labels."


_WITHOUT_T1W = {
    True: "Without it, and that of another visit, the labels come from R2* and χ, which is less "
    "exact: labels_source says so. registration.without_t1w: false leaves the scan without any.",
    False: "Without it the scan gets χ and R2* maps but no regions and no group results, unless "
    "another visit of the participant has one.",
}


def check_t1w(
    anat: Path,
    scan: Scan,
    select: Mapping[str, str] | None = None,
    without_t1w: bool = True,
) -> Iterator[Problem]:
    """Warn of a scan without T1w image, or with several to choose from that ``select`` leaves.

    ``without_t1w`` says whether a scan without one is registered by its own contrasts.
    """
    files = [path.name for path in visible(anat) if _IMAGE.fullmatch(path.name)]
    own = scan.folder.replace("/", "_") + "_"
    t1w = [path.name for path in t1w_of(anat, scan.subject, scan.session, select or {})]
    for name in files:
        if _T1W.search(name) and not T1W_NAME.fullmatch(name):
            yield Problem(
                str(anat / name),
                "a name that is not understood",
                f"{own}T1w.nii.gz",
                _advice(name) if name.split(".")[0].endswith("_T1w") else f"{_RESPELL}_T1w.",
            )
    if scan.t1w is None:
        alike = [name for name in files if re.search(r"t1|mprage", name, re.IGNORECASE)]
        yield Problem(
            str(anat),
            "no T1w image" + (f" (but {', '.join(alike)})" if alike else ""),
            "one …_T1w.nii.gz",
            _WITHOUT_T1W[without_t1w and scan.has_own_contrasts],
            "warning",
        )
    elif len(t1w) > 1:
        yield Problem(
            str(anat),
            f"{len(t1w)} T1w images ({', '.join(t1w)}), of which {scan.t1w.name} is used",
            "one …_T1w.nii.gz",
            "If another is better, choose it under select_t1w in the config, or move this one out "
            "of the data set.",
            "warning",
        )
