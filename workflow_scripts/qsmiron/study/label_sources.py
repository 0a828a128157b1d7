"""Where each scan's labels come from: an atlas, or the subject's own segmentation.

Which scans have a segmentation is known from names alone, when the workflow is read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import filterfalse
from pathlib import Path

from ..bids import Scan, repeated_scans
from ..config import TISSUES, Atlas
from ..errors import InputError, Problem
from ..shared_columns import WITHOUT_T1W
from ..template import desikan_killiany


class LabelSources:
    """Label images and tables of a study's atlases.

    Segmentations are below ``bids_dir`` or absolute; files that the project ships are found from
    its folder ``home``. ``without_t1w`` says whether scans without a T1w are registered by their
    own contrasts. ``repeated`` has the scans of participants who have several, by label.

    Raises
    ------
    InputError
        Naming every segmentation that is required and missing, or scans without any atlas.
    """

    def __init__(
        self,
        atlases: Mapping[str, Atlas],
        scans: Iterable[Scan],
        bids_dir: str,
        home: Path,
        without_t1w: bool = False,
    ) -> None:
        scans = list(scans)
        self.repeated = repeated_scans(scans)
        # a study without images takes its regions from a table
        if scans and not atlases:
            raise InputError(
                Problem(
                    "config, atlases",
                    "none",
                    "at least one atlas",
                    "Keep one: DK, tissues or your own.",
                )
            )
        self.atlases = dict(atlases)
        self.home = home
        self._without_t1w = without_t1w
        self._segmentations: dict[tuple[str, str, str], str] = {}
        self._unmatched = {name for name, atlas in self.atlases.items() if atlas.segmentation}
        missing = []
        for name, atlas in self.atlases.items():
            for scan in scans if atlas.segmentation else ():
                path = scan.file(atlas.segmentation, bids_dir)
                if path.exists():
                    self._unmatched.discard(name)
                if path.exists() and (scan.t1w or atlas.segmentation_space == "GRE"):
                    self._segmentations[scan.folder, scan.entities, name] = str(path)
                elif atlas.segmentation_required:
                    missing.append(_missing(path, scan, name, path.exists()))
        if missing:
            raise InputError(*missing)

    @property
    def unmatched(self) -> set[str]:
        """The atlases whose path of segmentations leads to a file of no scan."""
        return self._unmatched

    @property
    def files(self) -> list[str]:
        """Every file of the atlases, and every scan's own labels."""
        atlases = self.atlases.items()
        given = [atlas.image for _, atlas in atlases if atlas.image not in (None, TISSUES)]
        given += [atlas.template for _, atlas in atlases if atlas.template]
        given += [self.label_table(name) for name, _ in atlases]
        given += [table for name, _ in atlases if (table := self.colour_table(name))]
        return [*given, *self._segmentations.values()]

    def image(self, atlas: str) -> str:
        """Label image of an atlas, in the space of its template."""
        return self.atlases[atlas].image or str(desikan_killiany())

    def label_table(self, atlas: str) -> str:
        """Label table of an atlas."""
        return self._shipped(self.atlases[atlas].label_table)

    def is_tissues(self, atlas: str) -> bool:
        """Whether its regions are the tissue classes of each subject."""
        return self.atlases[atlas].image == TISSUES

    @property
    def tissues_pattern(self) -> str:
        """Regular expression of the atlases of which that is so; of nothing if none is."""
        return "|".join(filter(self.is_tissues, self.atlases)) or "(?!)"

    @property
    def image_pattern(self) -> str:
        """Regular expression of the other atlases; of nothing if there are none."""
        return "|".join(filterfalse(self.is_tissues, self.atlases)) or "(?!)"

    def template(self, atlas: str) -> str | None:
        """The template of an atlas that is not in the default one's space."""
        return self.atlases[atlas].template

    def segmentation(self, scan: Scan, atlas: str) -> str | None:
        """A subject's own labels in place of the atlas, if there are any."""
        return self._segmentations.get((scan.folder, scan.entities, atlas))

    def segmentation_space(self, atlas: str) -> str:
        """The scan in whose scanner coordinates the segmentations lie: T1w or GRE."""
        return self.atlases[atlas].segmentation_space

    def colour_table(self, atlas: str) -> str | None:
        """Names of the segmentations' numbers, if they are not those of the label table."""
        table = self.atlases[atlas].colour_table
        return None if table is None else self._shipped(table)

    def origin(self, scan: Scan, atlas: str) -> str:
        """``labels_source`` of the tables."""
        if not self.is_tissues(atlas) and self.segmentation(scan, atlas):
            return "segmentation"
        origin = TISSUES if self.is_tissues(atlas) else "atlas"
        return origin + WITHOUT_T1W * self.is_hybrid(scan)

    def has_labels(self, scan: Scan, atlas: str) -> bool:
        """Whether a scan gets labels: by a T1w, or a segmentation in the GRE's own space."""
        return self.is_registered(scan) or self.segmentation(scan, atlas) is not None

    def is_registered(self, scan: Scan) -> bool:
        """Whether a scan gets template coordinates: by a T1w, its own or of a visit, or without."""
        return scan.t1w is not None or scan.subject in self.repeated or self.is_hybrid(scan)

    def is_hybrid(self, scan: Scan) -> bool:
        """Whether it gets them without a T1w, by a hybrid contrast of R2* and χ."""
        has_t1w = scan.t1w is not None or scan.subject in self.repeated
        return self._without_t1w and not has_t1w and scan.has_own_contrasts

    def _shipped(self, name: str) -> str:
        path = Path(name)
        return str(path if path.exists() else self.home / path)


def _missing(path: Path, scan: Scan, atlas: str, exists: bool) -> Problem:
    whose = f"{scan.folder}, {scan.entities}"
    if exists:
        found, expected = f"{whose} has no T1w", "a T1w, in whose space the segmentation is"
    else:
        found = f"no such file, the segmentation of {whose}"
        expected = f"a label image at the path that atlases.{atlas}.segmentation gives"
    return Problem(
        str(path),
        found,
        expected,
        f"Add it, or set atlases.{atlas}.segmentation_required to false.",
    )
