"""Names: where a BIDS data set keeps a scan's files.

A *scan* is one multi-echo GRE acquisition of a participant (in a session, where there are
sessions) with the T1w image that goes with it.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .acquisition_choice import chosen, entities_of
from .raw_parts import MEGRE_NAME, MESE_NAME, T1W_NAME, count_echoes, need_extraction, parts_of
from .results import Results
from .stored_files import visible

BIDS_VERSION = "1.10.0"
LABEL = re.compile(r"[A-Za-z0-9]+")
ChosenSession = str | Mapping[str, str] | None
"""The session that serves what takes one scan of each participant: a label for all of them, or by
participant_id that of each who has several; None where nobody has."""
SCAN_PLACEHOLDERS = ("subject", "session", "folder", "entities")


@dataclass(frozen=True)
class Scan:
    """The files of one scan; echoes are in the order of their ``echo-`` entity.

    ``folder`` is ``sub-X`` or ``sub-X/ses-Y``; ``entities`` the name up to ``_echo-``. ``stored``
    holds the raw MEGRE files where magnitude and phase are still to be extracted from them. A scan
    with a ready map of χ needs no phase, and has none; ``ready_maps`` are pairs of name and file.
    """

    subject: str
    session: str | None
    entities: str
    magnitude: tuple[Path, ...]
    phase: tuple[Path, ...]
    t1w: Path | None = None
    stored: tuple[Path, ...] = ()
    ready_maps: tuple[tuple[str, Path], ...] = ()

    @property
    def participant_id(self) -> str:
        """``sub-`` and the label, as the clinical table has it."""
        return f"sub-{self.subject}"

    @property
    def folder(self) -> str:
        """The participant's (and session's) folder, relative to a data set's root."""
        return scan_folder(self.subject, self.session)

    @property
    def n_echoes(self) -> int:
        """Number of magnitude echoes."""
        return len(self.magnitude)

    @property
    def files(self) -> list[Path]:
        """All raw image files of the scan."""
        ready = [path for _, path in self.ready_maps]
        return [*self.raw_echoes, *([self.t1w] if self.t1w else []), *ready]

    @property
    def raw_echoes(self) -> tuple[Path, ...]:
        """Its raw MEGRE files."""
        return self.stored or (*self.magnitude, *self.phase)

    @property
    def parts(self) -> dict[str, dict[int | None, Path]]:
        """Its raw MEGRE files by part and echo; see :mod:`.raw_parts`."""
        return parts_of(self.raw_echoes)

    @property
    def has_phase(self) -> bool:
        """Whether it has any file of the phase, or of a real or imaginary part."""
        return bool(set(self.parts) - {"mag"})

    @property
    def is_ready(self) -> bool:
        """Whether its χ is a ready map."""
        return self.ready_map("chi") is not None

    @property
    def has_chi(self) -> bool:
        """Whether it has a χ map, or phase to make one from."""
        return self.is_ready or self.has_phase

    @property
    def has_r2star(self) -> bool:
        """Whether it has an R2* map, or echoes to make one from."""
        return self.ready_map("r2star") is not None if self.is_ready else self.n_echoes > 1

    @property
    def has_own_contrasts(self) -> bool:
        """Whether it has both maps, by which it can be registered without a T1w."""
        return self.has_chi and self.has_r2star

    @property
    def first_image(self) -> Path:
        """The image whose grid the scan's results have: a ready map, or the first magnitude."""
        return self.ready_map("chi") or self.magnitude[0]

    def ready_map(self, name: str) -> Path | None:
        """The file of a ready map, if the scan has it."""
        return dict(self.ready_maps).get(name)

    def file(self, template: str, root: str | Path) -> Path:
        """A file of this scan elsewhere; a relative ``template`` is below ``root``.

        ``template`` is as :func:`image_template` returns it; without a session that
        placeholder is empty.
        """
        for name in SCAN_PLACEHOLDERS:
            template = template.replace(f"<{name}>", getattr(self, name) or "")
        return Path(root) / template

    def files_like(self, template: str, root: str | Path) -> list[Path]:
        """The files of this scan that are there, of a ``template`` whose name may have ``*`` in it.

        A ``*`` behind a placeholder does not go on with its label: of sub-1, none of sub-10.
        """
        folder, _, name = template.rpartition("/")
        whole = self.file(template, root)
        if "*" not in name:
            return [whole] if os.path.lexists(whole) else []
        pattern, before = "", ""
        for part in filter(None, re.split(r"(<[a-z]+>|\*)", name)):
            if part == "*":
                pattern += "(?![A-Za-z0-9]).*" if before.startswith("<") else ".*"
            elif part.startswith("<"):
                pattern += re.escape(getattr(self, part[1:-1]) or "")
            else:
                pattern += re.escape(part)
            before = part
        there = self.file(folder, root)
        entries = visible(there) if there.is_dir() else []
        return [path for path in entries if re.fullmatch(pattern, path.name)]


def repeated_scans(scans: Iterable[Scan]) -> dict[str, list[Scan]]:
    """The scans of each participant of whom there are several, one at least with a T1w.

    By the participant's label. Their labels come from one template within the participant
    (:mod:`.registration.within_subject_template`), which serves the scans without a T1w too.
    """
    by_subject: dict[str, list[Scan]] = {}
    for scan in scans:
        by_subject.setdefault(scan.subject, []).append(scan)
    return {
        subject: found
        for subject, found in by_subject.items()
        if len(found) > 1 and any(scan.t1w for scan in found)
    }


def scanned_sessions(scans: Iterable[Scan]) -> dict[str, list[str]]:
    """The labels of each participant's sessions, by participant_id; none of one without."""
    found: dict[str, list[str]] = {}
    for scan in scans:
        labels = found.setdefault(scan.participant_id, [])
        if scan.session and scan.session not in labels:
            labels.append(scan.session)
    return found


def image_template(template: str) -> str:
    """An image's path with the placeholders of a scan, ``{subject}`` as ``<subject>``.

    Snakemake takes a name in braces for a wildcard wherever the configuration is a job's
    parameter, so they are kept in another form. Raises ValueError for an unknown placeholder or
    a path that is no NIfTI or MGZ file's.
    """
    kept = template
    for name in SCAN_PLACEHOLDERS:
        kept = kept.replace(f"{{{name}}}", f"<{name}>")
    if re.search("[{}]", kept):
        known = ", ".join(f"{{{name}}}" for name in SCAN_PLACEHOLDERS)
        raise ValueError(f"expected no other placeholders than {known}")
    if not kept.endswith((".nii", ".nii.gz", ".mgz")):
        raise ValueError("expected a path that ends in .nii, .nii.gz or .mgz")
    return kept


def scan_folder(subject: str, session: str | None) -> str:
    """``sub-X`` or ``sub-X/ses-Y``."""
    return f"sub-{subject}" + (f"/ses-{session}" if session else "")


def _subfolders(folder: Path, prefix: str) -> Iterator[str]:
    if folder.is_dir():
        for entry in visible(folder):
            label = entry.name.removeprefix(prefix)
            if entry.name.startswith(prefix) and LABEL.fullmatch(label) and entry.is_dir():
                yield label


def find_scans(
    bids_dir: str | Path,
    participants: Iterable[str] | None = None,
    sessions: Iterable[str] | None = None,
    results_dir: str | Path = "results",
    ready_maps: Mapping[str, str] | None = None,
    select: Mapping[str, str] | None = None,
    select_t1w: Mapping[str, str] | None = None,
) -> list[Scan]:
    """All scans of a BIDS data set with at least one MEGRE file or a ready map, by file names.

    ``participants`` and ``sessions`` restrict the search to these labels (with or without
    ``sub-``/``ses-``). Magnitude and phase that are still to be extracted lie in ``results_dir``.
    ``ready_maps`` are templates of paths (:meth:`Scan.files_like`) by the name of the map; of
    several files the first is taken, and the check tells of it. ``select`` and ``select_t1w`` take
    one of several acquisitions of a session (:func:`.acquisition_choice.chosen`).
    No image is opened, and a sidecar only beside a file of all echoes, to count them.
    """
    root = Path(bids_dir)
    wanted = {str(label).removeprefix("sub-") for label in participants or ()}
    wanted_sessions = {str(label).removeprefix("ses-") for label in sessions or ()}
    scans: list[Scan] = []
    for subject in _subfolders(root, "sub-"):
        if wanted and subject not in wanted:
            continue
        labels: list[str | None] = list(_subfolders(root / f"sub-{subject}", "ses-")) or [None]
        for session in labels:
            if wanted_sessions and session not in wanted_sessions:
                continue
            anat = root / scan_folder(subject, session) / "anat"
            chosen_t1w = t1w_of(anat, subject, session, select_t1w or {})[:1]
            files = megre_of(anat, select or {})
            found = list(_scans_of(files, subject, session, chosen_t1w, str(results_dir)))
            scans.extend(_with_ready_maps(found, root, ready_maps or {}))
    return [scan for scan in scans if scan.magnitude or scan.phase or scan.is_ready]


def _with_ready_maps(scans: list[Scan], root: Path, templates: Mapping[str, str]) -> Iterator[Scan]:
    for scan in scans:
        there = [(name, scan.files_like(path, root)) for name, path in templates.items()]
        ready = tuple((name, files[0]) for name, files in there if files)
        if "chi" not in dict(ready):
            yield scan
            continue
        # what is still to be extracted would take the phase
        magnitude = () if scan.stored else scan.magnitude
        yield replace(scan, magnitude=magnitude, phase=(), stored=(), ready_maps=ready)


def t1w_of(anat: Path, subject: str, session: str | None, select: Mapping[str, str]) -> list[Path]:
    """The T1w images of a session that are selected; the first is used."""
    own = scan_folder(subject, session).replace("/", "_") + "_"
    there = visible(anat) if anat.is_dir() else []
    images = [path for path in there if T1W_NAME.fullmatch(path.name) and path.name.startswith(own)]
    return chosen(images, lambda path: entities_of(path.name.split(".")[0]), select)


def megre_of(anat: Path, select: Mapping[str, str]) -> dict[tuple[str, str], list[Path]]:
    """The raw files of each acquisition that is selected, by its entities and suffix."""
    acquisitions: dict[tuple[str, str], list[Path]] = {}
    for path in visible(anat) if anat.is_dir() else ():
        if match := MEGRE_NAME.fullmatch(path.name):
            acquisitions.setdefault((match["entities"], match["suffix"]), []).append(path)
    names = chosen(list(acquisitions), lambda name: entities_of("_".join(name)), select)
    return {name: acquisitions[name] for name in names}


def _scans_of(
    acquisitions: Mapping[tuple[str, str], list[Path]],
    subject: str,
    session: str | None,
    t1w: list[Path],
    results: str,
) -> Iterator[Scan]:
    image = t1w[0] if t1w else None
    if not acquisitions:
        yield Scan(subject, session, scan_folder(subject, session).replace("/", "_"), (), (), image)
    for (entities, _), files in acquisitions.items():
        parts = parts_of(files)
        magnitude, phase = (tuple(parts.get(part, {}).values()) for part in ("mag", "phase"))
        stored: tuple[Path, ...] = ()
        if need_extraction(parts):
            stored = tuple(files)
            paths = Results(results, scan_folder(subject, session), entities)
            magnitude, phase = (
                tuple(Path(paths.echo(part, n)) for n in range(1, count_echoes(parts) + 1))
                for part in ("mag", "phase")
            )
        yield Scan(subject, session, entities, magnitude, phase, image, stored)


def spin_echoes(scan: Scan, bids_dir: str | Path) -> dict[str, list[Path]]:
    """Magnitudes of the multi-echo spin echoes beside a scan, in the order of their echoes.

    By the name of the acquisition up to ``_echo-``; none where there is no ``MESE`` file.
    """
    anat = Path(bids_dir) / scan.folder / "anat"
    own = scan.folder.replace("/", "_") + "_"
    found: dict[str, dict[int, Path]] = {}
    for path in visible(anat) if anat.is_dir() else ():
        match = MESE_NAME.fullmatch(path.name)
        if match and path.name.startswith(own):
            found.setdefault(match["entities"], {})[int(match["echo"])] = path
    return {name: [files[echo] for echo in sorted(files)] for name, files in found.items()}


def raw_scan(root: str | Path, subject: str, n_echoes: int, session: str | None = None) -> Scan:
    """The names that a scan with ``n_echoes`` echoes and a T1w has in the data set at ``root``."""
    folder = scan_folder(subject, session)
    anat, name = Path(root) / folder / "anat", folder.replace("/", "_")

    def echoes(part: str) -> tuple[Path, ...]:
        return tuple(
            anat / f"{name}_echo-{echo}_part-{part}_MEGRE.nii.gz" for echo in range(1, n_echoes + 1)
        )

    t1w = anat / f"{name}_T1w.nii.gz"
    return Scan(subject, session, name, echoes("mag"), echoes("phase"), t1w)
