"""Exports of real scanners (kidneys, dcm2niix): declared scales hold, and a map is no echo."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from qsmiron.bids import find_scans
from qsmiron.checks import check_inputs
from qsmiron.config import AcquisitionSettings
from qsmiron.echoes import read_phase

DATA = Path(__file__).parents[3] / "shared/data"
FOLDERS = {"siemens": "ukat_siemens_12echo", "philips": "ukat_philips_13echo"}

pytestmark = pytest.mark.skipif(
    not all((DATA / name).exists() for name in FOLDERS.values()),
    reason="needs shared/data/ukat_siemens_12echo and ukat_philips_13echo beside the project",
)


def tree(root: Path, maker: str) -> Path:
    """The export under BIDS names, with whatever the scanner sent as an echo."""
    anat = root / f"sub-{maker}/anat"
    anat.mkdir(parents=True)
    for path in sorted((DATA / FOLDERS[maker]).iterdir()):
        if match := re.search(r"_e(\d+)(_ph)?\.(json|nii\.gz)$", path.name):
            part = "phase" if match[2] else "mag"
            name = f"sub-{maker}_echo-{match[1]}_part-{part}_MEGRE.{match[3]}"
            shutil.copy(path, anat / name)
    (root / "participants.tsv").write_text(f"participant_id\tage\nsub-{maker}\t50\n")
    return root


def without_map(root: Path) -> None:
    """Take the second echo out, which is a map, and renumber."""
    anat = root / "sub-philips/anat"
    for path in sorted(anat.glob("*_echo-2_*")):
        path.unlink()
    for echo in range(3, 14):
        for path in sorted(anat.glob(f"*_echo-{echo}_*")):
            path.rename(path.with_name(path.name.replace(f"echo-{echo}_", f"echo-{echo - 1}_")))


def errors(root: Path, units: str) -> list[str]:
    found = check_inputs(root, None, {"acquisition": {"phase_units": units}})
    return [str(problem) for problem in found if problem.severity == "error"]


def hints(root: Path) -> list[str]:
    return [str(p) for p in check_inputs(root, None, {}) if "undeclared unit" in p.found]


def test_siemens(tmp_path):
    root = tree(tmp_path / "bids", "siemens")
    assert len(errors(root, "declared")) == 12
    assert "acquisition.phase_units: siemens in" in hints(root)[0]
    assert errors(root, "siemens") == []
    assert any("siemens" in text for text in errors(root, "milliradian"))
    (scan,) = find_scans(root)
    phase = read_phase(scan.phase, "siemens")
    stored = np.asarray(nib.load(scan.phase[0]).dataobj)  # −4096 to 4092
    np.testing.assert_allclose(phase.data[0], stored * np.pi / 4096, atol=1e-5)
    np.testing.assert_allclose(phase.echo_times[[0, -1]], (0.00461, 0.05532))


def test_philips(tmp_path):
    root = tree(tmp_path / "bids", "philips")
    found = errors(root, "milliradian")
    assert len(found) == 3
    assert all("echo-2_" in text for text in found)
    assert "a map that the scanner computed" in found[-1]
    without_map(root)
    assert errors(root, "milliradian") == []
    assert "acquisition.phase_units: milliradian in" in hints(root)[0]
    assert any("phase_units: milliradian" in text for text in errors(root, "siemens"))
    (scan,) = find_scans(root)
    phase = read_phase(scan.phase, "milliradian")
    assert phase.echo_times.size == 12
    assert phase.data.min() == pytest.approx(-np.pi, abs=2e-3)
    assert phase.data.max() == pytest.approx(np.pi, abs=2e-3)


def test_both_scanners_in_one_cohort(tmp_path):
    """One unit for all is refused by name; each scan by its own unit is not."""
    root = tmp_path / "bids"
    for maker in FOLDERS:
        tree(root, maker)
    without_map(root)
    (root / "participants.tsv").write_text(
        "participant_id\tage\nsub-siemens\t50\nsub-philips\t60\n"
    )
    assert {"sub-philips" in text for text in errors(root, "siemens")} == {True}
    assert {"sub-siemens" in text for text in errors(root, "milliradian")} == {True}
    acquisition = {"phase_units": "siemens", "phase_units_of": {"sub-philips": "milliradian"}}
    found = check_inputs(root, None, {"acquisition": acquisition})
    assert [str(problem) for problem in found if problem.severity == "error"] == []
    units = AcquisitionSettings.model_validate(acquisition)
    for scan in find_scans(root):
        phase = read_phase(scan.phase, units.units_of(scan.folder))
        assert np.abs(phase.data).max() == pytest.approx(np.pi, abs=2e-3)
