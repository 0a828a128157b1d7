"""Which session of each participant serves the group results, where there are several."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..bids import ChosenSession, Scan
from ..clinical.baseline import baseline_problems, baseline_sessions
from ..clinical.phenotype import analysed_session
from ..config import Config
from ..errors import Problem


def with_session(config: Config, scans: Iterable[Scan], table: str) -> tuple[Config, list[Problem]]:
    """The configuration with the session that its statistics are made of, and what to say of it.

    It is the one that the configuration names, or the only one that it selects; else the baseline
    of each participant who has several (:mod:`..clinical.baseline`), by the tables beside the
    clinical ``table``. Without images the sessions are those of the regions table.
    """
    session = analysed_session(config.session_label, config.statistics.session)
    problems: list[Problem] = []
    if session is None:
        sessions = _in_table(config) if config.analysis_only else _of_scans(scans)
        baseline, untimed = baseline_sessions(table, sessions)
        where = config.regions_table or config.bids_dir or "demo"
        problems = list(baseline_problems(str(where), baseline, untimed))
        session = baseline or None
    return _with(config, session), problems


def _with(config: Config, session: ChosenSession) -> Config:
    statistics = config.statistics.model_copy(update={"session": session})
    return config.model_copy(update={"statistics": statistics})


def _of_scans(scans: Iterable[Scan]) -> dict[str, list[str]]:
    sessions: dict[str, list[str]] = {}
    for scan in scans:
        if scan.session:
            sessions.setdefault(scan.participant_id, []).append(scan.session)
    return sessions


def _in_table(config: Config) -> dict[str, list[str]]:
    """The sessions of a regions table by its cells as they lie on the disk.

    None if it cannot be read so; the input check tells of that.
    """
    path = Path(config.regions_table or f"{config.results_dir}/group/regions.tsv")
    sessions: dict[str, dict[str, None]] = {}
    try:
        with path.open(encoding="utf-8-sig") as file:
            header = file.readline().rstrip("\r\n").split("\t")
            who, session = header.index("participant_id"), header.index("session")
            last = max(who, session) + 1
            for line in file:
                cells = line.rstrip("\r\n").split("\t", last)
                if len(cells) >= last and cells[session] not in ("", "n/a"):
                    label = cells[session].removeprefix("ses-")
                    sessions.setdefault(cells[who], {})[label] = None
    except (OSError, ValueError):
        return {}
    return {who: list(labels) for who, labels in sessions.items()}
