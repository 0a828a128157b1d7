"""Which scans have ready maps, what their jobs are given, and what is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nibabel as nib
import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.study import Study, load_study
from qsmiron.study.ready_inputs import ReadyInputs

HOME = Path(__file__).resolve().parents[2]
NO_GROUPS = {"contrasts": {"progression": None, "phenotype": None}, "scores": []}
MAPS = {"chi": "../maps/{entities}*_Chimap.nii.gz", "r2star": "../maps/{entities}_R2starmap.nii.gz"}
READY = SimpleNamespace(folder="sub-A", entities="sub-A", desc="main", atlas="DK")
OTHER = SimpleNamespace(folder="sub-C/ses-2", entities="sub-C_ses-2", desc="main", atlas="DK")


@pytest.fixture
def maps(raw: Path) -> Path:
    """Maps of sub-A, who keeps phase and magnitude, and of a sub-AB whom nothing else tells of."""
    folder = raw.parent / "maps"
    folder.mkdir()
    for name in ("sub-A_desc-x_Chimap", "sub-A_R2starmap", "sub-AB_Chimap"):
        (folder / f"{name}.nii.gz").touch()
    return folder


@pytest.fixture
def study(values: dict[str, Any], raw: Path, maps: Path) -> Study:
    config = {**values, "bids_dir": str(raw), "results_dir": "out", "maps": MAPS, **NO_GROUPS}
    return load_study(config, HOME)


def test_a_ready_map_takes_the_place_of_the_phase(study: Study, maps: Path) -> None:
    ready = ReadyInputs(study.cohort)
    scan = study.cohort.scan(READY)
    assert scan.is_ready and scan.has_r2star and not scan.has_phase
    assert ready.scans == "sub\\-A"
    assert ready.any
    # of sub-A, not of sub-AB
    assert [Path(path).name for path in ready.chi(READY)] == ["sub-A_desc-x_Chimap.nii.gz"]
    assert ready.magnitude(READY) == ["out/work/sub-A/sub-A_magnitude.nii.gz"]
    assert ready.local_field(READY) == []
    assert len(ready.extent(READY)) == 1
    assert (ready.chi(OTHER), ready.extent(OTHER)) == ([], [])
    assert ready.magnitude(OTHER) == study.cohort.magnitude(OTHER)
    assert len(study.cohort.every_scan_with_phase(study.paths.field_noise)) == 2
    assert len(study.cohort.every_scan_with_r2star(study.paths.r2star)) == 3


def test_a_stated_reference_stays_but_where_another_is_tried(study: Study) -> None:
    ready = ReadyInputs(study.cohort)
    assert "--keep-stated" in ready.reference_options(READY, study.settings)
    assert "--keep-stated" not in ready.reference_options(OTHER, study.settings)
    branch = SimpleNamespace(**{**vars(READY), "desc": study.cohort.branches[0].desc})
    assert "--keep-stated" not in ready.reference_options(branch, study.settings)


def test_choices_of_reconstruction_are_left_out(study: Study) -> None:
    assert not any(branch.full for branch in study.cohort.branches)
    assert any("multiverse.reconstruction" in problem.where for problem in study.left_out)


def test_the_grid_of_a_map_is_known_by_its_header(study: Study, maps: Path) -> None:
    ready, path = ReadyInputs(study.cohort), maps / "sub-A_desc-x_Chimap.nii.gz"

    def digest(value: float, affine: Any) -> str:
        nib.save(nib.Nifti1Image(np.full((3, 4, 5), value), affine), path)
        return ready.grid_digest(READY)

    first = digest(1.0, np.eye(4))
    assert first and digest(2.0, np.eye(4)) == first
    assert digest(1.0, np.diag([1, 1, 2, 1])) != first
    assert ready.grid_digest(OTHER) == ""


def test_what_is_refused(values: dict[str, Any], raw: Path, maps: Path) -> None:
    config = {**values, "bids_dir": str(raw), "results_dir": "out"}

    def message(**settings: Any) -> str:
        with pytest.raises(InputError) as caught:
            load_study({**config, **settings}, HOME)
        return str(caught.value)

    assert "a ready map of 1 scans and none of 2: sub-B ses-1" in message(maps=MAPS)
    assert "leads to a file of no scan" in message(maps={"chi": "none/{entities}.nii.gz"})
    assert "expected chi beside r2star" in message(maps={"r2star": MAPS["r2star"]})
    assert "no folder with it" in message(maps={"chi": "*/{entities}.nii.gz"})
    assert "no bids_dir" in message(maps=MAPS, bids_dir=None)
    variants = {"main": {}, "other": {"inversion": {"method": "tkd"}}}
    found = message(maps=MAPS, variants=variants, **NO_GROUPS)
    assert "variants.other.inversion" in found
    (maps / "sub-A_desc-y_Chimap.nii.gz").touch()
    assert "2 files of sub-A" in message(maps=MAPS, **NO_GROUPS)
