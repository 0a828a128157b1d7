"""The command line: maps, sidecars, refusals."""

from importlib import import_module

import numpy as np
import pytest
from sources.mixtures import SHAPE, inner, sources

from qsmiron.sources import METHODS
from qsmiron.volumes import read_json, read_volume, write_volume

GRID = np.diag([1.0, 1.0, 1.0, 1.0])


@pytest.fixture
def scan(tmp_path):
    """Options of a scan at 3 T, and its true sources."""
    positive, negative = sources()
    r2 = 8.5 + 80 * positive - 80 * negative
    files = {
        "chi": positive + negative - np.float32(0.2),
        "r2star": r2 + 114 * positive - 30 * negative,
        "r2": r2,
        "mask": inner(),
    }
    for name, data in files.items():
        write_volume(tmp_path / f"{name}.nii.gz", data, GRID, {"MagneticFieldStrength": 3})
    options = [
        option for name in ("chi", "r2star", "mask")
        for option in (f"--{name}", str(tmp_path / f"{name}.nii.gz"))
    ]  # fmt: skip
    outputs = [
        option for name in ("paramagnetic", "diamagnetic")
        for option in (f"--{name}", str(tmp_path / f"{name}.nii.gz"))
    ]  # fmt: skip
    return [*options, *outputs], positive, negative


def run(*options):
    import_module("separate_sources").main(list(options))


@pytest.mark.parametrize("method", METHODS)
def test_writes_both_maps_whose_sum_is_chi(scan, tmp_path, method):
    run(*scan[0], "--method", method, "--offset", "0.2")
    paramagnetic = read_volume(tmp_path / "paramagnetic.nii.gz").data
    diamagnetic = read_volume(tmp_path / "diamagnetic.nii.gz").data
    chi = read_volume(tmp_path / "chi.nii.gz").data
    assert paramagnetic.min() == 0
    assert diamagnetic.max() == 0
    np.testing.assert_allclose((paramagnetic + diamagnetic)[inner()], chi[inner()] + 0.2, atol=1e-6)
    sidecar = read_json(tmp_path / "diamagnetic.json")
    assert sidecar["Units"] == "ppm"
    assert sidecar["Method"] == method
    assert sidecar["R2"] == "assumed by the method"
    assert sidecar["OriginOffset"] == 0.2
    assert sidecar["MagneticFieldStrength"] == 3


def test_a_measured_r2_is_taken(scan, tmp_path):
    options, positive, _ = scan
    run(*options, "--offset", "0.2", "--r2", str(tmp_path / "r2.nii.gz"))
    found = read_volume(tmp_path / "paramagnetic.nii.gz").data
    assert np.abs(found - positive)[inner()].mean() < 0.002
    assert read_json(tmp_path / "paramagnetic.json")["R2"] == "measured"


def test_the_order_of_storage_is_no_matter(scan, tmp_path):
    run(*scan[0], "--offset", "0.2")
    first = read_volume(tmp_path / "paramagnetic.nii.gz").data
    turned = np.diag([1.0, -1.0, 1.0, 1.0])
    turned[1, 3] = SHAPE[1] - 1
    for name in ("chi", "r2star", "mask"):
        path = tmp_path / f"{name}.nii.gz"
        data = read_volume(path).data[:, ::-1]
        write_volume(path, np.ascontiguousarray(data), turned)
    run(*scan[0], "--offset", "0.2")
    again = read_volume(tmp_path / "paramagnetic.nii.gz").data[:, ::-1]
    np.testing.assert_array_equal(first, again)


def test_without_a_sidecar_three_tesla_are_said(scan, tmp_path, capsys):
    for name in ("chi", "r2star"):
        (tmp_path / f"{name}.json").unlink()
    run(*scan[0])
    assert "no sidecar has MagneticFieldStrength: 3 T is taken" in capsys.readouterr().out
    assert read_json(tmp_path / "paramagnetic.json")["MagneticFieldStrengthSource"] == "assumed"


def refused(capsys, *options):
    with pytest.raises(SystemExit) as stop:
        run(*options)
    assert stop.value.code
    error = capsys.readouterr().err
    assert "Traceback" not in error
    return error


def test_an_r2_map_on_another_grid_is_refused(scan, tmp_path, capsys):
    path = tmp_path / "r2.nii.gz"
    write_volume(path, np.full((18, 20, 16), 12, np.float32), 2 * GRID)
    error = refused(capsys, *scan[0], "--r2", str(path))
    assert str(path) in error
    assert "(36, 40, 32)" in error
    assert not (tmp_path / "paramagnetic.nii.gz").exists()


def test_an_r2_map_in_milliseconds_is_refused(scan, tmp_path, capsys):
    path = tmp_path / "r2.nii.gz"
    write_volume(path, np.full(SHAPE, 80, np.float32), GRID)
    assert "For T2 in ms give 1000/T2" in refused(capsys, *scan[0], "--r2", str(path))


def test_a_single_echo_is_refused(scan, tmp_path, capsys):
    write_volume(tmp_path / "r2star.nii.gz", np.zeros(SHAPE, np.float32), GRID)
    assert "A scan of a single echo has no R2*" in refused(capsys, *scan[0])


def test_what_is_clipped_is_counted(scan, tmp_path, capsys):
    path = tmp_path / "r2star.nii.gz"
    data = read_volume(path).data
    data[10, 10, 10:15] = -3
    write_volume(path, data, GRID, {"MagneticFieldStrength": 3})
    run(*scan[0])
    assert f"5 of {int(inner().sum())} voxels have R2* below 0" in capsys.readouterr().out
    counts = read_json(tmp_path / "paramagnetic.json")["MendedVoxels"]
    assert counts["r2star_negative"] == 5
