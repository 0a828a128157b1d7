"""The workflow as Snakemake reads it, in this process: nothing of it runs."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from snakemake.api import SnakemakeApi
from snakemake.exceptions import WorkflowError
from snakemake.settings.types import ConfigSettings, OutputSettings, Quietness, ResourceSettings

HOME = Path(__file__).resolve().parents[2]


@contextlib.contextmanager
def planned(
    folder: Path, config: dict[str, Any], configfiles: Sequence[Path] = ()
) -> Iterator[list[Any]]:
    """The rules, with ``folder`` as the working directory; WorkflowError where it is refused."""
    with (
        contextlib.chdir(folder),
        SnakemakeApi(OutputSettings(quiet={Quietness.ALL})) as api,
    ):
        read = api.workflow(
            ResourceSettings(cores=1),
            config_settings=ConfigSettings(config=config, configfiles=list(configfiles)),
            snakefile=HOME / "Snakefile",
        )
        yield list(read._workflow.rules)


def refusal(folder: Path, config: dict[str, Any], configfiles: Sequence[Path] = ()) -> str:
    """Why the workflow is not read; empty where it is."""
    try:
        with planned(folder, config, configfiles):
            return ""
    except WorkflowError as error:
        return str(error)
