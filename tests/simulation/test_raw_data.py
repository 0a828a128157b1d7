import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

import simulate_cohort
import simulate_subject as script
from qsmiron.acquisition import check_echo_times, echo_time, phase_in_radians, read_sidecar
from qsmiron.bids import find_scans
from qsmiron.simulation.subject import read_plan, simulate_subject
from qsmiron.volumes import read_volume

PLAN = Path(__file__).parents[2] / "config" / "demo" / "plan.tsv"
IDENTIFYING = ("PatientName", "PatientID", "PatientBirthDate", "AcquisitionDate", "StudyDate",
               "InstitutionName", "DeviceSerialNumber", "AcquisitionDateTime")  # fmt: skip


@pytest.fixture(scope="module")
def raw(tmp_path_factory):
    root = tmp_path_factory.mktemp("raw")
    simulate_cohort.main(["--plan", str(PLAN), "--bids-dir", str(root)])
    script.main(["--plan", str(PLAN), "--participant", "sub-02", "--bids-dir", str(root),
                 "--voxel-size", "4"])  # fmt: skip
    return root


@pytest.fixture(scope="module")
def scan(raw):
    (scan,) = find_scans(raw)
    return scan


def test_the_tree_is_a_bids_data_set(raw, scan):
    description = json.loads((raw / "dataset_description.json").read_text())
    assert {"Name", "BIDSVersion", "DatasetType"} <= set(description)
    assert description["DatasetType"] == "raw"
    assert (raw / "README").read_text()
    assert len(scan.magnitude) == len(scan.phase) == 5
    assert scan.t1w is not None


def test_sidecars_say_what_is_needed_and_who_nobody_is(scan):
    sidecars = [read_sidecar(path) for path in scan.files]
    for sidecar in sidecars:
        assert sidecar["MagneticFieldStrength"] == 3.0
        assert sidecar["MRAcquisitionType"] == "3D"
        assert sidecar["RepetitionTime"] > sidecar["EchoTime"] > 0
        assert sidecar["FlipAngle"] > 0
        assert not set(IDENTIFYING) & set(sidecar)
    times = [echo_time(read_sidecar(path), path.name) for path in scan.phase]
    check_echo_times(np.array(times), "sub-02")
    assert times == [echo_time(read_sidecar(path), path.name) for path in scan.magnitude]
    assert all(read_sidecar(path)["Units"] == "arbitrary" for path in scan.phase)
    assert "Units" not in read_sidecar(scan.magnitude[0])


def test_images_are_integers_that_mean_the_signal(scan):
    patient = simulate_subject(read_plan(PLAN)["sub-02"], 4.0)
    for number, (magnitude, phase) in enumerate(zip(scan.magnitude, scan.phase, strict=True)):
        for path in (magnitude, phase):
            assert nib.load(path).get_data_dtype() == np.int16
        volume = read_volume(phase)
        assert volume.data.min() >= -4096
        assert volume.data.max() <= 4095
        np.testing.assert_allclose(volume.affine, patient.affine, atol=1e-4)
        radians = phase_in_radians(volume, read_sidecar(phase), "declared", phase.name)
        error = np.angle(np.exp(1j * radians) * patient.echoes[number].conj())
        assert np.abs(error).max() < 0.51 * np.pi / 4096 + 1e-5
        stored = read_volume(magnitude).data
        factor = stored.sum() / np.abs(patient.echoes[number]).sum()
        assert np.abs(stored - factor * np.abs(patient.echoes[number])).max() < 2
    assert read_volume(scan.t1w).data.shape == patient.t1w.shape


def test_the_same_files_twice(raw, scan, tmp_path):
    script.main(["--plan", str(PLAN), "--participant", "sub-02", "--bids-dir", str(tmp_path),
                 "--voxel-size", "4"])  # fmt: skip
    for path in scan.files:
        assert (tmp_path / path.relative_to(raw)).read_bytes() == path.read_bytes()


def test_an_unknown_participant_is_refused(tmp_path, capsys):
    with pytest.raises(SystemExit) as stop:
        script.main(["--plan", str(PLAN), "--participant", "sub-99", "--bids-dir", str(tmp_path)])
    assert stop.value.code == 1
    assert "sub-99" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_broken_plan_is_refused_with_its_cell(tmp_path, capsys):
    broken = tmp_path / "plan.tsv"
    broken.write_text(PLAN.read_text().replace("1003\t", "n/a\t"))
    with pytest.raises(SystemExit):
        simulate_cohort.main(["--plan", str(broken), "--bids-dir", str(tmp_path / "out")])
    assert "sub-03, seed" in capsys.readouterr().err


def test_images_of_a_scanner_are_not_replaced(tmp_path, capsys):
    image = tmp_path / "sub-02/anat/sub-02_T1w.nii.gz"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"brought")
    image.with_name("sub-02_T1w.json").write_text('{"ManufacturersModelName": "Prisma"}')
    with pytest.raises(SystemExit) as end:
        script.main(["--plan", str(PLAN), "--participant", "sub-02", "--bids-dir", str(tmp_path),
                     "--voxel-size", "4"])  # fmt: skip
    assert end.value.code == 1
    assert "an image that was not simulated" in capsys.readouterr().err
    assert {path.name for path in image.parent.iterdir()} == {
        "sub-02_T1w.nii.gz",
        "sub-02_T1w.json",
    }
    assert image.read_bytes() == b"brought"
