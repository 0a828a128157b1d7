"""What the input check reads of the configuration, and the check of a study that is refused."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..clinical import clinical_values
from ..config import Config, load_config, variant
from ..errors import InputError
from .design import fit_design

if TYPE_CHECKING:
    from ..checks.cohort import Inspection


def checked_settings(config: Config) -> dict[str, Any]:
    """The blocks of the configuration that the input check reads, as JSON has them."""
    keys = {"contrasts", "scores", "covariates", "categorical", "clinical_ranges", "atlases"}
    keys |= {"roles", "scores_of", "models"}
    keys |= {"participant_label", "session_label", "exclude", "acquisition"}
    keys |= {key for key in ("select", "select_t1w") if getattr(config, key)}
    # with what each block cannot be without: the check validates it all
    chain: dict[str, Any] = {
        "field_map": {"method": True, "parameters": {"readout"}},
        "mask": {"user"},
    }
    if config.maps.chi:
        keys.add("maps")
        chain["reference"] = True
    of_sources = {"run", "r2", "spin_echo"}
    chain["sources"] = {"method", *of_sources}
    sites = {"exchangeability_blocks", "variance_groups", "harmonisation", "harmonisation_sites"}
    others = {
        "statistics": {"session", *sites},
        "reconstruction": chain,
        "registration": {"without_t1w"},
    }
    settings = config.model_dump(mode="json", include={**dict.fromkeys(keys, True), **others})
    own = {}
    for name, changes in config.variants.items():
        changed = variant(config, name)
        if "mask" in changes:
            own.setdefault(name, {})["mask"] = {"user": changed.mask.user}
        if "sources" in changes:
            own.setdefault(name, {})["sources"] = changed.sources.model_dump(include=of_sources)
    return settings | ({"variants": own} if own else {})


def inspect_refused(values: Mapping[str, Any]) -> Inspection | None:
    """The input check of a raw configuration that :func:`.load_study` refuses.

    ``None`` if the configuration itself does not hold, or there is no folder of images to look at.
    """
    try:
        config = load_config(dict(values))
    except InputError:
        return None
    if config.analysis_only or config.bids_dir is None or not Path(config.bids_dir).is_dir():
        return None
    from ..checks.cohort import inspect_inputs

    table = config.clinical_table or f"{config.bids_dir}/participants.tsv"
    try:
        rows = clinical_values(table, config.statistics.session).values()
        config, _ = fit_design(config, {name for row in rows for name in row} or None, table)
    except InputError:
        pass  # the check tells of it
    return inspect_inputs(config.bids_dir, table, checked_settings(config))
