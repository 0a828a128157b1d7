"""Ready maps as they are read: units, references, and where a map has values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest

import grid_magnitude
import reference_chi
import take_chi
import take_r2star
from qsmiron.acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T
from qsmiron.errors import InputError
from qsmiron.ready_maps.reading import has_values, read_chi, read_r2star
from qsmiron.ready_maps.settings import MapSettings
from qsmiron.volumes import Volume, read_volume

AFFINE = np.diag([2.0, 2.0, 2.0, 1.0])
SHAPE = (12, 14, 10)
INSIDE = np.zeros(SHAPE, bool)
INSIDE[3:-3, 3:-3, 2:-2] = True
CHI = (np.random.default_rng(1).normal(0, 0.05, SHAPE) * INSIDE).astype(np.float32)  # ppm


def write(path: Path, data: np.ndarray, affine: np.ndarray = AFFINE, **fields: Any) -> Path:
    nib.save(nib.Nifti1Image(np.asarray(data, np.float32), affine), path)
    if fields:
        path.with_name(path.name.replace(".nii.gz", ".json")).write_text(json.dumps(fields))
    return path


def refusal(path: Path, **settings: Any) -> str:
    with pytest.raises(InputError) as caught:
        read_chi(path, MapSettings(**settings))
    return str(caught.value)


HERTZ = GYROMAGNETIC_RATIO_MHZ_PER_T * 3.0  # of 1 ppm at 3 T


@pytest.mark.parametrize(
    ("unit", "per_ppm", "fields"),
    [
        ("ppm", 1.0, {}),
        ("ppb", 1000.0, {}),
        ("Hz", HERTZ, {"MagneticFieldStrength": 3}),
        ("rad", 2 * np.pi * HERTZ * 0.02, {"MagneticFieldStrength": 3, "EchoTime": 0.02}),
    ],
)
def test_every_unit_becomes_ppm(tmp_path: Path, unit: str, per_ppm: float, fields: dict) -> None:
    path = write(tmp_path / "chi.nii.gz", CHI * per_ppm, Units=unit, **fields)
    ready = read_chi(path, MapSettings())
    np.testing.assert_allclose(ready.volume.data, CHI, rtol=1e-6, atol=1e-9)
    assert ready.unit == unit
    assert (ready.inside == INSIDE).all()


def test_a_map_in_ppm_keeps_its_bits(tmp_path: Path) -> None:
    path = write(tmp_path / "chi.nii.gz", CHI, Units="ppm")
    assert (read_chi(path, MapSettings()).volume.data == CHI).all()


def test_the_config_states_what_the_sidecar_does_not(tmp_path: Path) -> None:
    path = write(tmp_path / "chi.nii.gz", CHI * HERTZ)
    ready = read_chi(path, MapSettings(units="Hz", field_strength=3.0, reference="csf"))
    np.testing.assert_allclose(ready.volume.data, CHI, rtol=1e-6, atol=1e-9)
    assert ready.reference == "csf"


@pytest.mark.parametrize(
    ("scale", "fields", "settings", "words"),
    [
        (1, {}, {}, "no such field, and no unit in the config"),
        (1, {"Units": "T"}, {}, "'T'; expected one of ppm, ppb, rad, Hz"),
        (1, {"Units": "ppm"}, {"units": "ppb"}, "ppm, where maps.units in the config has ppb"),
        (1000, {"Units": "ppm"}, {}, "It looks like ppb"),
        (1, {"Units": "ppb"}, {}, "It looks like ppm"),
        (HERTZ, {"Units": "Hz"}, {}, "a map in Hz is converted with it"),
        (9, {"Units": "rad", "MagneticFieldStrength": 3}, {}, "EchoTime: found no such field"),
        (9, {"Units": "rad", "EchoTime": 20, "MagneticFieldStrength": 3}, {}, "milliseconds"),
    ],
)
def test_what_is_not_declared_or_cannot_be_is_refused(
    tmp_path: Path, scale: float, fields: dict, settings: dict, words: str
) -> None:
    path = write(tmp_path / "chi.nii.gz", CHI * scale, **fields)
    assert words in refusal(path, **settings)


def test_infinity_is_refused_and_nan_is_no_value(tmp_path: Path) -> None:
    data = np.where(INSIDE, CHI, np.nan)
    path = write(tmp_path / "chi.nii.gz", data, Units="ppm")
    ready = read_chi(path, MapSettings())
    assert (ready.inside == INSIDE).all()
    assert (ready.volume.data == CHI).all()
    data[5, 5, 5] = np.inf
    assert "1 voxels that are infinite" in refusal(write(path, data, Units="ppm"))


def test_a_background_that_lost_a_constant_has_no_values() -> None:
    assert (has_values(CHI - 0.03) == INSIDE).all()
    unmasked = np.random.default_rng(2).normal(0, 1, SHAPE)
    assert has_values(unmasked).all()
    assert not has_values(np.full(SHAPE, 3.0)).any()


@pytest.mark.parametrize(
    ("stated", "configured", "found"),
    [("csf", None, "csf"), ("none", None, None), (None, None, None), ("csf", "none", None),
     (None, "brain", "brain")],
)  # fmt: skip
def test_what_a_map_is_relative_to(
    tmp_path: Path, stated: str | None, configured: str | None, found: str | None
) -> None:
    fields = {"Units": "ppm"} | ({"ReferenceRegion": stated} if stated else {})
    path = write(tmp_path / "chi.nii.gz", CHI, **fields)
    assert read_chi(path, MapSettings(reference=configured)).reference == found


@pytest.mark.parametrize(("unit", "factor"), [("1/s", 1), ("Hz", 1), ("s^-1", 1), ("1/ms", 1e-3)])
def test_units_of_r2star(tmp_path: Path, unit: str, factor: float) -> None:
    rates = np.where(INSIDE, 20 + 100 * CHI, 0)
    path = write(tmp_path / "r2star.nii.gz", rates * factor, Units=unit)
    like = Volume(CHI, AFFINE)
    np.testing.assert_allclose(read_r2star(path, MapSettings(), like).data, rates, rtol=1e-5)


def test_an_r2star_that_is_none(tmp_path: Path) -> None:
    like = Volume(CHI, AFFINE)
    seconds = write(tmp_path / "t2star.nii.gz", 0.05 * INSIDE, Units="1/s")
    with pytest.raises(InputError, match="It may be T2"):
        read_r2star(seconds, MapSettings(), like)
    elsewhere = write(tmp_path / "r2star.nii.gz", 20 * INSIDE[:-1], Units="1/s")
    with pytest.raises(InputError, match="grid"):
        read_r2star(elsewhere, MapSettings(), like)


# --- the scripts ---------------------------------------------------------------------------------


def referenced(tmp_path: Path, chi: Path, *options: str) -> tuple[np.ndarray, dict]:
    taken, mask, out = (str(tmp_path / f"{name}.nii.gz") for name in ("taken", "mask", "out"))
    take_chi.main(["--map", str(chi), "--chi", taken, "--mask", mask])
    reference_chi.main(
        ["--chi", taken, "--mask", mask, "--reliable-mask", mask, "--output", out, *options]
    )
    return read_volume(out).data, json.loads((tmp_path / "out.json").read_text())


def test_an_unreferenced_map_gets_the_reference_of_the_config(tmp_path: Path) -> None:
    chi = write(tmp_path / "chi.nii.gz", CHI + 0.04 * INSIDE, Units="ppm")
    data, sidecar = referenced(tmp_path, chi, "--region", "brain", "--keep-stated")
    np.testing.assert_allclose(data, (CHI - CHI[INSIDE].mean()) * INSIDE, atol=1e-7)
    assert sidecar["ReferenceRegion"] == "brain"
    assert sidecar["ReferenceMean"] == pytest.approx(0.04 + CHI[INSIDE].mean(), abs=1e-6)


def test_a_referenced_map_is_left_unless_another_reference_is_tried(tmp_path: Path) -> None:
    chi = write(tmp_path / "chi.nii.gz", CHI + 0.04 * INSIDE, Units="ppm", ReferenceRegion="csf")
    data, sidecar = referenced(tmp_path, chi, "--region", "brain", "--keep-stated")
    assert (data == (CHI + 0.04 * INSIDE).astype(np.float32)).all()
    assert (sidecar["ReferenceRegion"], "ReferenceMean" in sidecar) == ("csf", False)
    data, sidecar = referenced(tmp_path, chi, "--region", "brain")
    assert abs(data[INSIDE].mean()) < 1e-7
    assert sidecar["ReferenceRegion"] == "brain"


def test_r2star_is_taken_on_the_grid_of_chi(tmp_path: Path) -> None:
    chi = write(tmp_path / "chi.nii.gz", np.where(INSIDE, CHI, np.nan), Units="ppm")
    rates = write(tmp_path / "r2star.nii.gz", 0.03 * INSIDE)
    out = str(tmp_path / "out.nii.gz")
    settings = ["--settings", '{"r2star_units": "1/ms"}']
    take_r2star.main(["--map", str(rates), "--chi", str(chi), "--r2star", out, *settings])
    np.testing.assert_allclose(read_volume(out).data, 30 * INSIDE, rtol=1e-6)


def test_a_magnitude_comes_to_the_grid_of_the_map_by_their_headers(tmp_path: Path) -> None:
    """A ramp along x, on which trilinear interpolation is exact."""
    ramp = np.indices(SHAPE)[0] * 10.0
    magnitude = write(tmp_path / "mag.nii.gz", ramp)
    finer = AFFINE @ np.array([[0.5, 0, 0, 1.25], [0, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]])
    chi = write(tmp_path / "chi.nii.gz", CHI, finer)
    out = str(tmp_path / "out.nii.gz")
    arguments = ["--magnitude", str(magnitude), "--map", str(chi), "--output", out]
    grid_magnitude.main(arguments)
    found = read_volume(out)
    np.testing.assert_allclose(found.affine, finer)
    expected = 10 * (1.25 + 0.5 * np.indices(SHAPE)[0])
    np.testing.assert_allclose(found.data, expected, rtol=1e-5)
    write(chi, CHI, AFFINE + np.array([[0, 0, 0, 500.0], *np.zeros((3, 4))]))
    with pytest.raises(SystemExit):
        grid_magnitude.main(arguments)
