"""What holds of every header, sidecar, file name and phase, tried on many that are unlikely."""

from __future__ import annotations

import gzip
import json
import warnings
from dataclasses import dataclass
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from bids_trees import image_bytes, make_tree, megre
from hypothesis import example, given
from hypothesis import strategies as st
from properties import json_values, often, read_or_refused

from qsmiron.checks import inspect_inputs
from qsmiron.checks.report import as_json, as_text
from qsmiron.echoes import read_phase
from qsmiron.errors import Problem
from qsmiron.volumes import read_volume

pytestmark = pytest.mark.fuzz

HEADER = nib.Nifti1Header.template_dtype
SIEMENS = {"Units": "arbitrary", "Manufacturer": "Siemens"}
SIDECAR = {"EchoTime": 0.005, "MagneticFieldStrength": 3}


@pytest.fixture
def root(tmp_path) -> Path:
    """Made once a test: its examples follow each other in it."""
    return make_tree(tmp_path / "bids", n_subjects=1, n_echoes=2)


def errors_of(root: Path) -> list[Problem]:
    """The errors of the images and sidecars, all problems shown in every form."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # numpy on absurd affines
        inspection = inspect_inputs(root, None, {})
    as_text(inspection, str(root)).encode()
    json.dumps(as_json(inspection, str(root)))
    return inspection.errors


fields = st.sampled_from(
    [(name, kind.itemsize, start) for name, (kind, start) in HEADER.fields.items()]
)
telling = st.sampled_from([0.0, -1.0, 1e-30, 1e30, np.inf, -np.inf, np.nan, 3.0, 32767.0])


@st.composite
def mutations(draw: st.DrawFn) -> tuple[str, int, bytes]:
    """A header field, where it stands, and other bytes for it."""
    name, size, start = draw(fields)
    kind = HEADER[name].base
    values = [st.binary(min_size=size, max_size=size)]
    if kind.kind in "iuf":
        info = np.iinfo(kind) if kind.kind in "iu" else None
        number = telling if info is None else st.integers(max(info.min, -9), min(info.max, 2100))
        count = size // kind.itemsize
        listed = st.lists(number, min_size=count, max_size=count)
        values.append(listed.map(lambda given: np.array(given, kind).tobytes()))
    return name, start, draw(st.one_of(values))


@often
@given(st.lists(mutations(), min_size=1, max_size=3), st.booleans())
def test_any_header_is_read_or_refused(root, changes, compressed):
    """And an image in which the check finds no error has the voxels that were stored."""
    good = bytearray(gzip.decompress(image_bytes(part="phase")))
    for _, start, content in changes:
        good[start : start + len(content)] = content
    packed, plain = megre(root, "01", 1, "phase"), megre(root, "01", 1, "phase", "nii")
    for path in (packed, plain):
        path.unlink(missing_ok=True)
    path = packed if compressed else plain
    path.write_bytes(gzip.compress(good, 1) if compressed else good)
    errors = [problem for problem in errors_of(root) if problem.where.startswith(str(path))]
    volume = read_or_refused(lambda: read_volume(path))
    if not errors:
        assert volume is not None
        assert volume.data.ndim == 3
        assert np.isfinite(volume.affine).all()


sidecar_fields = st.sampled_from(
    ["EchoTime", "EchoTimes", "MagneticFieldStrength", "ImagingFrequency", "Units", "ImageType",
     "Manufacturer", "MRAcquisitionType", "SliceThickness", "SpacingBetweenSlices", "FlipAngle",
     "RepetitionTime", "PatientName"]
)  # fmt: skip


@often
@given(
    st.dictionaries(sidecar_fields, json_values, max_size=3), st.sets(sidecar_fields, max_size=1)
)
@example({"ImagingFrequency": 10**400}, set())
def test_any_sidecar_is_read_or_refused(root, changes, removed):
    """And a phase in whose sidecar the check finds no error is read, with its echo time."""
    path, image = megre(root, "01", 1, "phase", "json"), megre(root, "01", 1, "phase")
    kept = {key: value for key, value in (SIDECAR | SIEMENS).items() if key not in removed}
    path.write_text(json.dumps(kept | changes))
    errors = errors_of(root)
    phase = read_or_refused(lambda: read_phase([image]))
    if not errors:
        assert phase is not None
        assert phase.echo_times[0] == pytest.approx((kept | changes)["EchoTime"])
        assert np.abs(phase.data).max() <= np.pi * 1.01


@often
@given(st.binary(max_size=40) | st.text(max_size=40).map(str.encode) | json_values.map(
    lambda value: json.dumps(value).encode()))  # fmt: skip
def test_any_text_in_place_of_a_sidecar_is_refused(root, content):
    megre(root, "01", 1, "phase", "json").write_bytes(content)
    assert errors_of(root)
    assert read_or_refused(lambda: read_phase([megre(root, "01", 1, "phase")])) is None


letters = st.text(st.characters(exclude_characters="/\0", codec="utf-8"), min_size=1, max_size=8)
file_names = letters | st.builds(
    "sub-{}_{}_part-{}_MEGRE{}".format,
    st.sampled_from(["01", "02", "1", ";touch x", "$(x)"]),
    st.sampled_from(["echo-1", "echo-3", "echo-x", "run-1", "acq-a_echo-1"]) | letters,
    st.sampled_from(["mag", "phase", "real", "imag", "magn"]),
    st.sampled_from([".nii", ".nii.gz", ".NII", ".json", ""]),
)


@often
@given(st.lists(file_names, max_size=3))
def test_any_file_name_is_passed_over_or_reported(root, extra):
    anat = root / "sub-01/anat"
    made = [anat / name for name in extra if not (anat / name).exists()]
    for path in made:
        path.write_bytes(b"")
    errors_of(root)
    for path in dict.fromkeys(made):
        path.unlink()


@dataclass(frozen=True)
class Storage:
    """One way to store a phase: ``step`` in rad, ``offset`` in steps, what the sidecar says."""

    units: str
    step: float
    offset: int
    sidecar: dict[str, str]


STORAGES = [
    Storage("declared", np.pi / 4096, 0, SIEMENS),
    Storage("siemens", np.pi / 4096, 0, {}),
    Storage("siemens_unsigned", np.pi / 2048, 2048, {}),
    Storage("milliradian", 1e-3, 0, {"Manufacturer": "Philips"}),
]
phases = st.lists(st.floats(-3.141, 3.14), min_size=2, max_size=20)
ROUNDING = 1e-5
"""Single precision (rad)."""


def stored(folder: Path, data: np.ndarray, sidecar: dict[str, str], slope: float = 1) -> Path:
    image = nib.Nifti1Image(data.reshape(-1, 1, 1), np.eye(4))
    image.header.set_slope_inter(slope, 0)
    nib.save(image, folder / "phase.nii")
    (folder / "phase.json").write_text(json.dumps(SIDECAR | sidecar))
    return folder / "phase.nii"


def difference(one: np.ndarray, other: np.ndarray) -> float:
    """Largest difference between phases (rad), whole turns aside."""
    return float(np.abs(np.angle(np.exp(1j * (one.astype(float) - other)))).max())


@often
@given(st.sampled_from(STORAGES), phases, st.sampled_from([1.0, 0.5, 2.0, 0.25]))
def test_reading_undoes_storing_in_whole_numbers(tmp_path, storage, values, slope):
    """To half of the step that the file can hold: its slope times that of the scale."""
    phase = np.array([-3.141, 3.14, *values])
    steps = phase / storage.step + storage.offset
    path = stored(tmp_path, np.rint(steps / slope).astype(np.int16), storage.sidecar, slope)
    read = read_phase([path], storage.units).data.ravel()
    assert difference(read, phase) <= storage.step * slope / 2 + ROUNDING


@often
@given(phases, st.booleans(), st.sampled_from([np.float32, np.float64]), st.integers(4, 14))
@example([-3.1, 0.0], True, np.float32, 4)
def test_reading_undoes_storing_in_radians(tmp_path, values, from_zero, kind, bits):
    """As they are, from 0 to 2π, or as multiples of a slope."""
    phase = np.array([-3.141, 3.14, *values])
    turned = np.where(phase < 0, phase + 2 * np.pi, phase) if from_zero else phase
    path = stored(tmp_path, turned.astype(kind), {"Units": "rad"})
    read = read_phase([path]).data.ravel()
    assert difference(read, phase) <= ROUNDING
    assert np.abs(read).max() <= np.pi + ROUNDING
    slope = np.pi / 2**bits
    path = stored(tmp_path, np.rint(phase / slope).astype(np.int16), {"Units": "rad"}, slope)
    assert difference(read_phase([path]).data.ravel(), phase) <= slope / 2 + ROUNDING


@often
@given(st.sampled_from(STORAGES), phases, st.floats(1.2, 3))
def test_values_beyond_the_scale_are_refused(tmp_path, storage, values, excess):
    """A scale is never stretched to what is found: one voxel beyond it, and nothing is read."""
    steps = np.rint(np.array([-3.141, 3.14, *values]) / storage.step) + storage.offset
    top = (np.pi / storage.step + storage.offset) * excess
    path = stored(tmp_path, np.append(steps, top).astype(np.float32), storage.sidecar)
    assert read_or_refused(lambda: read_phase([path], storage.units)) is None
