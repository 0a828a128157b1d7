"""The reconstruction's scripts, run as a user runs them, on a ball with one source."""

import json
import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from qsmiron.acquisition import GYROMAGNETIC_RATIO_MHZ_PER_T, b0_direction
from qsmiron.spectral import convolve_dipole
from qsmiron.volumes import read_json, read_volume, write_volume

SCRIPTS = Path(__file__).parents[1] / "workflow_scripts"
TIMES = (0.005, 0.012, 0.019)
SHAPE = (36, 40, 32)
RATE = 30.0


def run(script, *arguments):
    """Run a script as its own process, as the workflow does."""
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(SCRIPTS / f"{script}.py"), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr


def complaint(capsys, script, *arguments):
    """What a script says, in this process, before it gives up."""
    with pytest.raises(SystemExit) as stopped:
        import_module(script).main([str(argument) for argument in arguments])
    assert stopped.value.code == 1
    return capsys.readouterr().err


@pytest.fixture(scope="module")
def scan(tmp_path_factory):
    """Files of a scan with oblique slices; χ, masks and field known."""
    folder = tmp_path_factory.mktemp("scan")
    tilt = np.deg2rad(20)
    turn = np.array([[1, 0, 0], [0, np.cos(tilt), -np.sin(tilt)], [0, np.sin(tilt), np.cos(tilt)]])
    affine = np.eye(4)
    affine[:3, :3] = turn * 2.0
    x, y, z = np.meshgrid(*((np.arange(n) - n // 2) * 2.0 for n in SHAPE), indexing="ij")
    mask = np.sqrt(x**2 + y**2 + z**2) < 30
    chi = np.zeros(SHAPE, np.float32)
    chi[np.linalg.norm([x - 6, y, z], axis=0) < 8] = 0.15
    direction = b0_direction(affine)
    field = convolve_dipole(chi, (2, 2, 2), direction) + 0.002 * x - 0.0015 * z
    rng = np.random.default_rng(0)
    files = {"folder": folder, "phase": [], "magnitude": [], "chi": chi, "field": field}
    for echo, time in enumerate(TIMES, start=1):
        signal = (
            np.exp(-RATE * time)
            * np.where(mask, 1000, 20)
            * np.exp(
                1j * (2 * np.pi * GYROMAGNETIC_RATIO_MHZ_PER_T * 3 * time * field + 0.5 + 0.01 * y)
            )
        )
        signal = signal + 10 * (rng.normal(size=SHAPE) + 1j * rng.normal(size=SHAPE))
        sidecar = {"EchoTime": time, "MagneticFieldStrength": 3}
        for part, data, units in (
            ("magnitude", np.abs(signal), "arbitrary"),
            ("phase", np.angle(signal), "rad"),
        ):
            path = folder / f"sub-01_echo-{echo}_part-{part}_MEGRE.nii.gz"
            write_volume(path, data, affine, sidecar | {"Units": units})
            files[part].append(path)
    files["mask"] = folder / "mask.nii.gz"
    write_volume(files["mask"], mask, affine)
    files["inside"] = mask
    files["affine"] = affine
    return files


def test_chain_from_phase_to_referenced_map(scan):
    folder, inside, chi = scan["folder"], scan["inside"], scan["chi"]
    names = ["field", "noise", "quality", "reliable", "local", "local_mask", "chi", "Chimap"]
    out = {name: folder / f"{name}.nii.gz" for name in names}
    run("map_field", "--phase", *scan["phase"], "--magnitude", *scan["magnitude"],
        "--mask", scan["mask"], "--field", out["field"], "--noise", out["noise"],
        "--reliable-mask", out["reliable"], "--quality", out["quality"])  # fmt: skip
    run("remove_background_field", "--field", out["field"], "--mask", out["reliable"],
        "--local-field", out["local"], "--local-mask", out["local_mask"])  # fmt: skip
    run("invert_dipole", "--local-field", out["local"], "--mask", out["local_mask"],
        "--magnitude", scan["magnitude"][0], "--chi", out["chi"])  # fmt: skip
    run("reference_chi", "--chi", out["chi"], "--mask", scan["mask"], "--reliable-mask",
        out["local_mask"], "--output", out["Chimap"],
        "--algorithm", '{"inversion": "rts"}')  # fmt: skip

    field = read_volume(out["field"])
    error = (field.data - scan["field"])[inside]
    assert error.std() < 0.004
    assert field.affine == pytest.approx(scan["affine"], abs=1e-4)
    # Phase noise 10/1000, weighted over three echoes, seen as a field.
    weights = np.sum([(np.exp(-RATE * t) * t) ** 2 for t in TIMES])
    expected = 0.01 / np.sqrt(weights) / (2 * np.pi * GYROMAGNETIC_RATIO_MHZ_PER_T * 3)
    assert np.median(read_volume(out["noise"]).data[inside]) == pytest.approx(expected, rel=0.1)

    quality = read_volume(out["quality"]).data
    assert np.median(quality[inside]) > 0.8
    assert not quality[~inside].any()

    local_mask = read_volume(out["local_mask"]).data > 0
    final = read_volume(out["Chimap"]).data
    source = chi > 0
    contrast = final[source].mean() - final[local_mask & ~source].mean()
    assert contrast == pytest.approx(0.15, abs=0.03)
    assert final[local_mask].mean() == pytest.approx(0, abs=1e-6)
    assert not final[~local_mask].any()
    sidecar = read_json(folder / "Chimap.json")
    assert sidecar["Units"] == "ppm"
    assert sidecar["SkullStripped"] is True
    assert sidecar["EstimationAlgorithm"] == {"inversion": "rts"}
    assert sidecar["ReferenceVolume"] == pytest.approx(local_mask.sum() * 0.008, rel=1e-6)
    assert 0.5 < sidecar["ReferenceFraction"] <= 1


def test_single_echo_gives_a_field(scan, tmp_path):
    run("map_field", "--phase", scan["phase"][1], "--magnitude", scan["magnitude"][1],
        "--mask", scan["mask"], "--field", tmp_path / "field.nii.gz")  # fmt: skip
    error = (read_volume(tmp_path / "field.nii.gz").data - scan["field"])[scan["inside"]]
    assert error.std() < 0.03  # the smooth phase offset stays in


def test_bipolar_readout_is_mended_where_declared(scan, tmp_path):
    """A ramp of alternating sign, written into the phase images, leaves the field as it was."""
    position = np.arange(SHAPE[0]).reshape(-1, 1, 1)
    images = []
    for echo, source in enumerate(scan["phase"]):
        ramp = (-1) ** echo * (0.3 + 0.05 * position)
        phase = np.angle(np.exp(1j * (read_volume(source).data - ramp)))
        images.append(tmp_path / source.name)
        sidecar = read_json(str(source).replace(".nii.gz", ".json"))
        write_volume(images[-1], phase, scan["affine"], sidecar)
    field = tmp_path / "field.nii.gz"
    run("map_field", "--phase", *images, "--magnitude", *scan["magnitude"], "--mask", scan["mask"],
        "--field", field, "--parameters", '{"readout": "bipolar"}')  # fmt: skip
    error = (read_volume(field).data - scan["field"])[scan["inside"]]
    assert error.std() < 0.004
    assert read_json(tmp_path / "field.json")["Parameters"]["readout"] == "bipolar"


def test_a_realigned_header_gives_the_same_map_with_the_direction_of_b0(scan, tmp_path):
    """The slices' tilt is taken out of the affine; the scanner's is in the qform, or is said."""
    upright = np.diag([2.0, 2, 2, 1])
    mask, field, raw, realigned = (tmp_path / f"{name}.nii.gz" for name in ("m", "f", "r", "a"))
    write_volume(mask, scan["inside"], scan["affine"])
    write_volume(field, scan["field"].astype(np.float32), scan["affine"])
    image = nib.Nifti1Image(scan["field"].astype(np.float32), upright)
    image.set_qform(scan["affine"], 1)
    nib.save(image, raw)
    write_volume(realigned, scan["field"].astype(np.float32), upright)
    write_volume(tmp_path / "u.nii.gz", scan["inside"], upright)
    direction = [f"{part:.6f}" for part in b0_direction(scan["affine"])]
    chi = {}
    for name, source, where, b0 in (
        ("scanner's", field, mask, []),
        ("wrong", realigned, tmp_path / "u.nii.gz", []),
        ("qform", realigned, tmp_path / "u.nii.gz", ["--b0-qform", raw]),
        ("said", realigned, tmp_path / "u.nii.gz", ["--b0-direction", *direction]),
    ):
        local, inner = tmp_path / f"{name}_l.nii.gz", tmp_path / f"{name}_m.nii.gz"
        run("remove_background_field", "--field", source, "--mask", where, "--local-field", local,
            "--local-mask", inner, "--method", "pdf", *b0)  # fmt: skip
        run("invert_dipole", "--local-field", local, "--mask", inner,
            "--chi", tmp_path / f"{name}.nii.gz", "--method", "tkd", *b0)  # fmt: skip
        chi[name] = read_volume(tmp_path / f"{name}.nii.gz").data
        said = read_json(tmp_path / f"{name}.json")["B0Direction"]
        expected = [0, 0, 1] if name == "wrong" else [float(part) for part in direction]
        assert said == pytest.approx(expected, abs=1e-5)
    for name in ("qform", "said"):
        assert np.abs(chi[name] - chi["scanner's"]).max() < 2e-4
    assert np.abs(chi["wrong"] - chi["scanner's"]).max() > 0.02


def test_undeclared_bipolar_readout_is_measured(scan, tmp_path):
    ramp = np.linspace(-0.6, 0.6, SHAPE[0]).reshape(-1, 1, 1)
    images = []
    for echo, source in enumerate(scan["phase"]):
        phase = np.angle(np.exp(1j * (read_volume(source).data - (-1) ** echo * ramp)))
        images.append(tmp_path / source.name)
        sidecar = read_json(str(source).replace(".nii.gz", ".json"))
        write_volume(images[-1], phase, scan["affine"], sidecar)
    field = tmp_path / "field.nii.gz"
    run("map_field", "--phase", *images, "--magnitude", *scan["magnitude"], "--mask", scan["mask"],
        "--field", field)  # fmt: skip
    described = read_json(tmp_path / "field.json")
    across = np.ptp(np.broadcast_to(ramp, SHAPE)[scan["inside"]])
    assert described["AlternatingPhaseSlope"] == pytest.approx(across, rel=0.03)
    assert described["AlternatingPhaseConstant"] < 0.05


def test_laplacian_unwrapping_keeps_the_local_field(scan, tmp_path):
    """Compared with exact unwrapping on one mask."""
    mask, local = tmp_path / "laplacian_mask.nii.gz", {}
    for method in ("laplacian", "romeo"):
        out = {name: tmp_path / f"{method}_{name}.nii.gz" for name in ("field", "mask", "local")}
        run("map_field", "--phase", *scan["phase"], "--magnitude", *scan["magnitude"],
            "--mask", scan["mask"], "--field", out["field"], "--reliable-mask", out["mask"],
            "--method", method)  # fmt: skip
        run("remove_background_field", "--field", out["field"], "--mask", mask,
            "--local-field", out["local"], "--local-mask", tmp_path / "inner.nii.gz",
            "--method", "vsharp")  # fmt: skip
        inner = read_volume(tmp_path / "inner.nii.gz").data > 0
        local[method] = read_volume(out["local"]).data[inner]
    assert np.std(local["laplacian"] - local["romeo"]) < 0.01 * np.std(local["romeo"])


def test_r2star(scan, tmp_path):
    run("map_r2star", "--magnitude", *scan["magnitude"], "--mask", scan["mask"],
        "--r2star", tmp_path / "r2star.nii.gz")  # fmt: skip
    rates = read_volume(tmp_path / "r2star.nii.gz").data[scan["inside"]]
    assert rates.mean() == pytest.approx(RATE, abs=0.1)
    assert read_json(tmp_path / "r2star.json")["Units"] == "1/s"


def test_same_input_same_bytes(scan, tmp_path):
    for name in ("one.nii.gz", "two.nii.gz"):
        run("map_r2star", "--magnitude", *scan["magnitude"], "--mask", scan["mask"],
            "--r2star", tmp_path / name)  # fmt: skip
    assert (tmp_path / "one.nii.gz").read_bytes() == (tmp_path / "two.nii.gz").read_bytes()


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"--phase": slice(0, 2)}, "2 phase and 3 magnitude images"),
        ({"--phase": slice(None, None, -1)}, "echo times that increase"),
        (
            {"--phase": slice(None, None, -1), "--magnitude": slice(None, None, -1)},
            "found 0.019, 0.012, 0.005 s; expected echo times that increase",
        ),
        ({"--magnitude": slice(None, None, -1)}, "echo times that increase"),
        (
            {
                "--phase": slice(0, 2),
                "--magnitude": slice(0, 2),
                "--parameters": '{"readout": "bipolar"}',
            },
            "bipolar with 2 echoes",
        ),
        ({"--method": "magic"}, "'magic'; expected romeo or laplacian"),
        ({"--parameters": '{"readout": "zigzag"}'}, "readout: found 'zigzag'"),
        ({"--parameters": '{"unwrapping": {"template": 1}}'}, "unwrapping.template"),
        ({"--parameters": '{"quality": {"threshold": 3}}'}, "quality.threshold"),
        ({"--parameters": "{"}, "not a JSON object"),
        ({"--mask": "nowhere.nii.gz"}, "nowhere.nii.gz: found no such file"),
        ({"--phase-units": "siemens_unsigned"}, "phase values"),
    ],
)
def test_mistakes_are_explained_and_leave_nothing(scan, tmp_path, capsys, change, named):
    field = tmp_path / "field.nii.gz"
    arguments = {
        "--phase": scan["phase"],
        "--magnitude": scan["magnitude"],
        "--mask": scan["mask"],
        "--field": field,
    }
    for key, value in change.items():
        arguments[key] = arguments[key][value] if isinstance(value, slice) else value
    flat = []
    for key, value in arguments.items():
        flat += [key, *(value if isinstance(value, list) else [value])]
    assert named in complaint(capsys, "map_field", *flat)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("part", ["phase", "magnitude"])
def test_voxels_that_are_no_numbers_are_refused_with_the_file(scan, tmp_path, capsys, part):
    files = {"phase": list(scan["phase"]), "magnitude": list(scan["magnitude"])}
    source = files[part][1]
    data = read_volume(source).data
    data[3:5, 4, 5] = np.nan
    files[part][1] = tmp_path / source.name
    sidecar = read_json(str(source).replace(".nii.gz", ".json"))
    write_volume(files[part][1], data, scan["affine"], sidecar)
    field = tmp_path / "field.nii.gz"
    message = complaint(capsys, "map_field", "--phase", *files["phase"], "--magnitude",
                        *files["magnitude"], "--mask", scan["mask"], "--field", field)  # fmt: skip
    assert f"{source.name}: found 2 voxels that are NaN or infinite" in message
    assert not field.exists()


def test_other_grid_is_refused(scan, tmp_path, capsys):
    small = tmp_path / "small.nii.gz"
    nib.save(nib.Nifti1Image(np.ones((5, 5, 5), np.uint8), scan["affine"]), small)
    message = complaint(capsys, "map_r2star", "--magnitude", *scan["magnitude"], "--mask", small,
                  "--r2star", tmp_path / "r2star.nii.gz")  # fmt: skip
    assert "small.nii.gz: found the grid (5, 5, 5); expected the grid (36, 40, 32)" in message


def test_single_echo_has_no_r2star(scan, tmp_path, capsys):
    message = complaint(capsys, "map_r2star", "--magnitude", scan["magnitude"][0],
                        "--mask", scan["mask"], "--r2star", tmp_path / "r2star.nii.gz")  # fmt: skip
    assert "at least two echoes" in message


def test_missing_echo_time_is_named(scan, tmp_path, capsys):
    for source in scan["magnitude"]:
        target = tmp_path / source.name
        target.write_bytes(source.read_bytes())
        sidecar = json.loads(source.with_name(source.name.replace(".nii.gz", ".json")).read_text())
        if "echo-2" in source.name:
            del sidecar["EchoTime"]
        target.with_name(source.name.replace(".nii.gz", ".json")).write_text(json.dumps(sidecar))
    images = sorted(tmp_path.glob("*.nii.gz"))
    message = complaint(capsys, "map_r2star", "--magnitude", *images, "--mask", scan["mask"],
                        "--r2star", tmp_path / "r2star.nii.gz")  # fmt: skip
    assert "echo-2_part-magnitude_MEGRE.json, EchoTime" in message


@pytest.mark.parametrize(
    "script",
    ["map_field", "remove_background_field", "invert_dipole", "reference_chi", "map_r2star"],
)
def test_help_names_units(script):
    text = import_module(script).build_parser().format_help()
    assert "Example" in text
    assert "ppm" in text or "1/s" in text
