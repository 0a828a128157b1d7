"""Which session of each participant serves the group results, where there are several."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from ..bids import ChosenSession
from ..clinical.baseline import baseline_problems, baseline_sessions
from ..clinical.phenotype import analysed_session
from ..clinical.visits import Visits
from ..config import Config
from ..errors import Problem


def with_session(
    config: Config, sessions: Mapping[str, Collection[str]], visits: Visits
) -> tuple[Config, list[Problem]]:
    """The configuration with the session that its statistics are made of, and what to say of it.

    It is the one that the configuration names, or the only one that it selects; else the baseline
    of each participant who has several (:mod:`..clinical.baseline`). ``sessions`` are those with
    images, or with rows of the regions table.
    """
    session = analysed_session(config.session_label, config.statistics.session)
    problems: list[Problem] = []
    if session is None:
        baseline, untimed = baseline_sessions(visits, sessions)
        where = config.regions_table or config.bids_dir or "demo"
        problems = list(baseline_problems(str(where), baseline, untimed))
        session = baseline or None
    return _with(config, session), problems


def _with(config: Config, session: ChosenSession) -> Config:
    statistics = config.statistics.model_copy(update={"session": session})
    return config.model_copy(update={"statistics": statistics})
