"""The whole input at once: data set, clinical table and config, each alone and against another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..acquisition import setting_of_scan
from ..acquisition_choice import differing, entities_of, same_label
from ..bids import LABEL, Scan, find_scans, scan_folder
from ..clinical import check_clinical
from ..clinical.phenotype import tables_beside
from ..clinical.sheet import Sheet, read_sheet
from ..errors import InputError, Problem
from ..raw_parts import MEGRE_NAME, T1W_NAME
from ..ready_maps.finding import map_problems
from ..ready_maps.settings import MapSettings
from ..spelling import twin_label
from ..stored_files import visible
from .copies import check_copies
from .images import inspect_scan
from .inspected import Inspected
from .named_files import check_atlases, check_own_files, named_paths, own_paths
from .names import (
    check_file_names,
    check_sessions,
    check_subject_folders,
    check_t1w,
    megre_files,
    subject_label,
)
from .protocol import check_protocol
from .readout import check_readout
from .ready_maps import check_references, inspect_ready, read_map_settings
from .sessions import check_sessions_of_cohort, without_regions
from .settings import (
    B0Directions,
    PhaseUnits,
    Selection,
    read_b0_directions,
    read_design,
    read_phase_units,
    read_selection,
    serves_without_t1w,
)
from .spin_echo import check_spin_echoes
from .times import check_times
from .voxels import check_voxels


@dataclass
class Inspection:
    """Every problem of the input, how much was inspected, and the protocol of each scan."""

    problems: list[Problem] = field(default_factory=list)
    n_participants: int = 0
    n_scans: int = 0
    n_images: int = 0
    scans: list[Inspected] = field(default_factory=list)

    @property
    def errors(self) -> list[Problem]:
        """Problems that stop the run."""
        return [problem for problem in self.problems if problem.severity == "error"]

    @property
    def warnings(self) -> list[Problem]:
        """Problems that do not."""
        return [problem for problem in self.problems if problem.severity != "error"]

    def tells(self, error: InputError) -> bool:
        """Whether all that another part refuses is among these problems."""
        told = {problem.where for problem in self.errors}
        return all(isinstance(one, Problem) and one.where in told for one in error.problems)


def check_inputs(
    bids_dir: str | Path, clinical_table: str | Path | None, settings: Mapping[str, Any] | None
) -> list[Problem]:
    """Every problem of a data set, its clinical table and the config; see `inspect_inputs`."""
    return inspect_inputs(bids_dir, clinical_table, settings).problems


def inspect_inputs(
    bids_dir: str | Path,
    clinical_table: str | Path | None = None,
    settings: Mapping[str, Any] | None = None,
    every_image: bool = False,
) -> Inspection:
    """Check the whole input: names, headers, sidecars, tables, and voxels of a few images.

    Parameters
    ----------
    bids_dir
        The raw data set.
    clinical_table
        The clinical table; ``None`` for ``participants.tsv`` of the data set.
    settings
        The config, of which ``participant_label``, ``session_label``, ``exclude``, ``contrasts``,
        ``scores``, ``covariates``, ``categorical``, ``roles``, ``scores_of``,
        ``clinical_ranges``, ``statistics.session``, ``acquisition``, ``atlases``, the masks'
        ``user``, the field map's ``readout`` and ``registration.without_t1w`` are read.
    every_image
        Read the voxels of every image, and not only of the first echo and the T1w.
    """
    root, settings = Path(bids_dir), settings or {}
    table = Path(clinical_table) if clinical_table else root / "participants.tsv"
    inspection = Inspection()
    try:
        _inspect(root, table, settings, every_image, inspection)
    except OSError as error:  # folders; files that cannot be read are told of by their readers
        where, found = str(error.filename or root), str(error.strerror or error)
        remedy = "Check its permissions, and that nobody is changing the data set."
        inspection.problems.append(Problem(where, found, "a folder that can be read", remedy))
    # a sidecar at the root says the same of every image
    inspection.problems = list(dict.fromkeys(inspection.problems))
    return inspection


def _inspect(
    root: Path, table: Path, settings: Mapping[str, Any], every_image: bool, inspection: Inspection
) -> None:
    problems = inspection.problems
    selection = read_selection(settings, problems)
    phase_units = read_phase_units(settings, problems)
    b0 = read_b0_directions(settings, problems)
    scans: list[Scan] = []
    if _is_data_set(root, problems):
        maps = read_map_settings(settings)
        scans = _check_images(root, selection, phase_units, b0, maps, every_image, inspection)
        problems += check_readout(root, inspection.scans, settings)
        used = [seen for seen in inspection.scans if seen.scan.has_chi]
        grouped = bool(settings.get("contrasts") or settings.get("scores"))
        problems += map_problems(maps, scans, str(root), grouped or bool(settings.get("models")))
        if maps.chi:
            chain = settings.get("reconstruction") or {}
            problems += check_references(used, maps, chain.get("reference"))
        problems += check_own_files(root, used, settings)
        problems += check_spin_echoes(root, used, settings)
        own = own_paths(root, used, settings)
        problems += check_times(inspection.scans, [*_tables(table), *own])
    elif table.parent == root:
        return  # a table in a folder that is not there is no news
    problems += check_atlases(settings)
    problems += check_times([], named_paths(settings))
    design = read_design(settings, problems)
    sheet = read_sheet(table)
    if sheet.readable and inspection.n_scans:
        problems += _check_cohort(root, sheet, scans, selection)
    grouped = bool(design.get("contrasts") or design.get("scores"))
    change = settings.get("change")
    months = change.get("months") if isinstance(change, Mapping) else None
    session, told = check_sessions_of_cohort(root, table, scans, selection.session, grouped, months)
    problems += told
    chosen = [who for _, who, _ in sheet.rows if selection.has(who.removeprefix("sub-"))]
    idle = without_regions(scans, session, serves_without_t1w(settings), selection.without_t1w)
    problems += check_clinical(
        table,
        chosen,
        analysed=[who for who in chosen if who not in idle] or None,
        session=session,
        **design,
    )
    if root.is_dir():
        problems += _check_selection(root, sheet, scans, selection)
        problems += _check_selected(root, selection)
        problems += _check_named_scans(scans, "phase_units_of", phase_units.named)
        problems += _check_named_scans(scans, "b0_direction_of", b0.named)


def _tables(table: Path) -> list[Path]:
    return [table, *tables_beside(table)]


def _is_data_set(root: Path, problems: list[Problem]) -> bool:
    expected = "a BIDS data set: a folder with sub-… folders in it"
    if not root.is_dir():
        found = "a file" if root.exists() else "no such folder"
        problems.append(Problem(str(root), found, expected, "Correct bids_dir in the config."))
        return False
    if any(entry.name.lower().startswith("sub") and entry.is_dir() for entry in root.iterdir()):
        return True
    below = sorted({path.parent.name for path in root.glob("*/sub-*")})
    remedy = f"Did you mean {root / below[0]}?" if below else "Correct bids_dir in the config."
    problems.append(Problem(str(root), "no participant's folder", expected, remedy))
    return False


def _check_images(
    root: Path,
    selection: Selection,
    phase_units: PhaseUnits,
    b0: B0Directions,
    maps: MapSettings,
    every_image: bool,
    inspection: Inspection,
) -> list[Scan]:
    problems = inspection.problems
    problems += check_subject_folders(root, selection.has)
    for folder in sorted(root.glob("sub-*")):
        label = folder.name.removeprefix("sub-")
        if folder.is_dir() and LABEL.fullmatch(label) and selection.has(label):
            problems += check_sessions(folder)
    # restricted here and not by find_scans, so that exclude and participant_label work alike
    found = find_scans(
        root,
        sessions=selection.sessions,
        ready_maps=maps.templates,
        select=selection.select,
        select_t1w=selection.select_t1w,
    )
    scans = [scan for scan in found if selection.has(scan.subject)]
    by_session: dict[tuple[str, str | None], list[Scan]] = defaultdict(list)
    for scan in scans:
        by_session[scan.subject, scan.session].append(scan)
    inspected = inspection.scans
    for (subject, session), group in by_session.items():
        anat = root / scan_folder(subject, session) / "anat"
        if anat.is_dir():
            problems += check_file_names(anat, subject, session)
            problems += check_t1w(anat, group[0], selection.select_t1w, selection.without_t1w)
        problems += _check_single(anat, group)
        inspected += [
            inspect_ready(scan, maps)
            if scan.is_ready
            else inspect_scan(scan, *phase_units.of(scan.folder), b0.of(scan.folder))
            for scan in group
        ]
    check_voxels(inspected, every_image)
    problems += [problem for seen in inspected for problem in seen.problems]
    problems += check_copies(inspected)
    problems += check_protocol(root, inspected)
    if scans and not any(scan.has_chi for scan in scans):
        expected = "phase (or real and imaginary) images of one scan at least"
        problems.append(Problem(str(root), "no phase image", expected, "Export them."))
    inspection.n_participants = len({scan.subject for scan in scans})
    inspection.n_scans = len(scans)
    inspection.n_images = sum(len(scan.files) for scan in scans)
    return scans


def _check_single(anat: Path, group: list[Scan]) -> Iterator[Problem]:
    if len(group) > 1:
        names = [path.name.split(".")[0] for scan in group for path in scan.raw_echoes[:1]]
        labels = {key: [one for one in values if one] for key, values in differing(names).items()}
        ways = ", ".join(
            f"{{{key}: {one}}}" for key, values in labels.items() for one in values if key != "part"
        )
        yield Problem(
            str(anat),
            f"{len(group)} multi-echo acquisitions: {', '.join(s.entities for s in group)}",
            "one acquisition (one run) per participant and session; several are not averaged",
            f"Choose one under select in the config ({ways}), or move the files of the others out "
            "of the data set, for example to sourcedata/.",
        )


def _check_selected(root: Path, selection: Selection) -> Iterator[Problem]:
    """Labels under ``select`` and ``select_t1w`` that no image of the data set has."""
    folders = [*root.glob("sub-*/anat"), *root.glob("sub-*/ses-*/anat")]
    for key, select, pattern in (
        ("select", selection.select, MEGRE_NAME),
        ("select_t1w", selection.select_t1w, T1W_NAME),
    ):
        names = {
            path.name.split(".")[0]
            for folder in (folders if select else ())
            for path in visible(folder)
            if pattern.fullmatch(path.name)
        }
        for entity, label in select.items():
            there = sorted({one for name in names if (one := entities_of(name).get(entity))})
            if not any(same_label(one, label) for one in there):
                yield Problem(
                    f"config, {key}.{entity}",
                    f"{label!r}, which no image has",
                    f"one of {', '.join(there)}" if there else f"images with {entity}- in the name",
                    "Correct it.",
                )


def _check_cohort(
    root: Path, sheet: Sheet, scans: list[Scan], selection: Selection
) -> Iterator[Problem]:
    """Participants without images and images without a row."""
    rows = {who: row for row, who, _ in reversed(sheet.rows)}
    imaged = list(dict.fromkeys(scan.participant_id for scan in scans))
    folders = [path.name for path in sorted(root.glob("sub-*")) if path.is_dir()]
    for who, row in sorted(rows.items(), key=lambda item: item[1]):
        if who in imaged or not selection.has(who.removeprefix("sub-")):
            continue
        if not LABEL.fullmatch(who.removeprefix("sub-")):
            continue  # reported with the table's form
        yield Problem(
            f"{sheet.path}, row {row} ({who})",
            _why_no_images(root, who, folders, selection),
            "MEGRE images of every participant in the table",
            "Add the images, delete the row, or list the participant under exclude in the config.",
        )
    for who in imaged:
        if who not in rows:
            twin = twin_label(who, list(rows))
            hint = f" (it has {twin}: written differently?)" if twin else ""
            yield Problem(
                str(root / who),
                f"images, but no row in {sheet.path}{hint}",
                "a row in the clinical table for every participant with images",
                "Add the row, or list the participant under exclude in the config (or name the "
                "others under participant_label).",
            )
    for name in folders:
        label = name.removeprefix("sub-")
        if LABEL.fullmatch(label) and selection.has(label) and name not in {*imaged, *rows}:
            yield Problem(
                str(root / name),
                _why_no_images(root, name, folders, selection),
                "MEGRE images",
                "The participant is passed over; it has no row in the clinical table either.",
                "warning",
            )


def _why_no_images(root: Path, who: str, folders: list[str], selection: Selection) -> str:
    folder = root / who
    if not folder.is_dir():
        twin = twin_label(who, folders)
        return f"no folder {who}" + (f" (there is {twin}: written differently?)" if twin else "")
    if misnamed := _of_anat(folder):
        lookalike = [p for p in misnamed if p in megre_files(p.parent)]
        if lookalike:
            inside = f"{len(lookalike)} MEGRE files whose names or sessions are not taken up"
            return f"{inside}, such as {lookalike[0].relative_to(root)}"
        images = [path.name for path in misnamed if ".nii" in path.name]
        listed = f" (only {', '.join(images[:4])}{' …' if images[4:] else ''})" if images else ""
        return f"no …_MEGRE.nii.gz in {misnamed[0].parent.relative_to(root)}{listed}"
    return f"no anat folder with images in {who}"


def _of_anat(folder: Path) -> list[Path]:
    return [
        path for anat in sorted(folder.rglob("anat")) if anat.is_dir() for path in visible(anat)
    ]


def _check_named_scans(scans: list[Scan], key: str, named: Mapping[str, Any]) -> Iterator[Problem]:
    """Scans named under a key of ``acquisition`` that are not there."""
    for pattern in named:
        if scans and not any(setting_of_scan(s.folder, "", {pattern: "there"}) for s in scans):
            yield Problem(
                f"config, acquisition.{key}",
                repr(pattern),
                "a participant (sub-01), a session (sub-01/ses-1) or a pattern of them",
                "Correct it; * stands for any characters.",
            )


def _check_selection(
    root: Path, sheet: Sheet, scans: list[Scan], selection: Selection
) -> Iterator[Problem]:
    """Labels in the config that name nobody."""
    rows = {who.removeprefix("sub-") for _, who, _ in sheet.rows}
    folders = {label for path in root.iterdir() if (label := subject_label(path)) is not None}
    sessions = {path.name.removeprefix("ses-") for path in root.glob("sub-*/ses-*")}
    for key, labels, there in (
        ("participant_label", selection.participants, rows | folders),
        ("exclude", selection.excluded, rows | folders),
        ("session_label", selection.sessions, sessions),
    ):
        for label in sorted(labels - there):
            twin = twin_label(label, sorted(there))
            yield Problem(
                f"config, {key}",
                repr(label) + (f" (there is {twin!r})" if twin else ""),
                "a label that the data set or the clinical table has",
                "Correct it; put quotes round labels with leading zeros.",
            )
    if selection.participants and not scans and selection.participants & folders == set():
        return
    if not scans and folders:
        yield Problem(
            str(root),
            "no scan that is selected",
            "at least one participant with …_echo-1_part-mag_MEGRE.nii.gz in anat/",
            "See the names of the files, and participant_label, session_label and exclude.",
        )
