"""What the picture of effects over the brain is painted on: which atlas, its labels, its names."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from .cohort import Cohort

DEFAULT_LABEL_TABLE = "config/atlases/DesikanKilliany.tsv"
"""Names of the default label image."""


class EffectInputs:
    """The files of the first atlas that has a label image; the default one's where no atlas has.

    The default label image goes unnamed. The names that belong to it are those of the atlas'
    label table where labels were carried by it, and otherwise of its own table: segmentations, and
    a regions table from elsewhere, may have other numbers. Of such a table, ``given`` are the
    configured atlases that it has; they go before the others.
    """

    def __init__(self, cohort: Cohort, given: Collection[str] = ()) -> None:
        sources = cohort.label_sources
        self.atlas: str | None = None
        default = {"--label-table": str(sources.home / DEFAULT_LABEL_TABLE)}
        self.given = default
        for name in sorted(sources.atlases, key=lambda name: name not in given):
            atlas = sources.atlases[name]
            table = sources.label_table(name)
            if sources.is_tissues(name):
                continue
            files = default
            if atlas.image:
                files = {"--atlas": atlas.image, "--label-table": table}
                files |= {"--template": atlas.template} if atlas.template else {}
            elif cohort.scans and not atlas.segmentation:
                files = {"--label-table": table}
            # a regions table from elsewhere needs no atlas, and its image may be elsewhere, too
            if all(Path(path).exists() for path in files.values()):
                self.atlas, self.given = name, files
                break

    @property
    def files(self) -> list[str]:
        """What the picture depends on."""
        return list(self.given.values())

    @property
    def arguments(self) -> list[str]:
        """The options of draw_effects."""
        atlas = ["--atlas-name", self.atlas] if self.atlas else []
        return atlas + [text for option in self.given.items() for text in option]
