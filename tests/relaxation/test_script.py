from importlib import import_module

import numpy as np
import pytest
from relaxation.decays import TIMES, decay

from qsmiron.relaxation import METHODS
from qsmiron.volumes import read_json, read_volume, write_volume

SHAPE = (6, 7, 8)
GRID = np.diag([2.0, 2.0, 2.0, 1.0])


@pytest.fixture
def scan(tmp_path):
    """Options of a scan with R2* of 25 1/s, 0 in one voxel."""
    rates = np.full(SHAPE, 25.0)
    rates[2, 2, 2] = 0
    images = []
    for number, (time, data) in enumerate(zip(TIMES, decay(rates), strict=True), start=1):
        images.append(tmp_path / f"sub-01_echo-{number}_part-mag_MEGRE.nii.gz")
        write_volume(images[-1], data, GRID, {"EchoTime": time, "MagneticFieldStrength": 3})
    mask = np.ones(SHAPE, bool)
    mask[0] = False
    write_volume(tmp_path / "mask.nii.gz", mask, GRID)
    return ["--magnitude", *map(str, images), "--mask", str(tmp_path / "mask.nii.gz"),
            "--r2star", str(tmp_path / "r2star.nii.gz")]  # fmt: skip


@pytest.mark.parametrize("method", list(METHODS))
def test_writes_both_maps(scan, tmp_path, method):
    t2star = tmp_path / "t2star.nii.gz"
    import_module("map_r2star").main([*scan, "--method", method, "--t2star", str(t2star)])
    seconds = read_volume(t2star).data
    assert seconds[1] == pytest.approx(0.04, rel=1e-3)
    assert seconds[2, 2, 2] == pytest.approx(0) or seconds[2, 2, 2] > 10  # R2* of 0, or nearly
    assert not seconds[0].any()
    sidecar = read_json(tmp_path / "t2star.json")
    assert sidecar["Units"] == "s"
    assert sidecar["Method"] == method
    assert read_json(tmp_path / "r2star.json") == sidecar | {"Units": "1/s"}


def test_t2star_is_not_written_unasked(scan, tmp_path):
    before = set(tmp_path.iterdir())
    import_module("map_r2star").main(scan)
    made = {path.name for path in set(tmp_path.iterdir()) - before}
    assert made == {"r2star.nii.gz", "r2star.json"}


def test_echoes_that_arlo_cannot_take_are_refused(scan, tmp_path, capsys):
    two = scan[: scan.index("--mask")][:3] + scan[scan.index("--mask") :]
    with pytest.raises(SystemExit):
        import_module("map_r2star").main([*two, "--method", "arlo"])
    assert "at least three equally spaced echoes" in capsys.readouterr().err
    assert not (tmp_path / "r2star.nii.gz").exists()
