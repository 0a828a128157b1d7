"""Each way in which images and sidecars are broken, and the message that the user gets."""

from __future__ import annotations

import nibabel as nib
import numpy as np
import pytest
from bids_trees import (
    AFFINE,
    SHAPE,
    edit_sidecar,
    image_bytes,
    make_tree,
    megre,
    store_in_one_file,
    store_real_and_imaginary,
)

from qsmiron.checks import check_inputs, inspect_inputs

SETTINGS = {
    "contrasts": {"progression": {"column": "progression", "levels": ["fast", "slow"]}},
    "scores": ["alsfrs_r"],
    "covariates": ["age", "sex"],
}


@pytest.fixture
def root(tmp_path):
    return make_tree(tmp_path / "bids", n_subjects=6)


def problems(root, severity="error", **settings):
    found = check_inputs(root, None, SETTINGS | settings)
    return [str(p) for p in found if p.severity == severity]


def only(root, severity="error", **settings):
    """The single problem of the data set, of this severity."""
    found = check_inputs(root, None, SETTINGS | settings)
    assert [p.severity for p in found] == [severity], "\n".join(map(str, found))
    return str(found[0])


def test_a_good_data_set(root):
    inspection = inspect_inputs(root, None, SETTINGS)
    assert inspection.problems == []
    assert (inspection.n_participants, inspection.n_scans, inspection.n_images) == (6, 6, 42)


@pytest.mark.parametrize("part", ["mag", "phase"])
def test_an_echo_is_missing_in_one_part(root, part):
    path = megre(root, "02", 2, part)
    path.unlink()
    text = only(root)
    assert str(path) in text
    assert "no such file" in text


def test_a_gap_in_the_echo_numbers(root):
    for part in ("mag", "phase"):
        megre(root, "02", 2, part).unlink()
    assert "echoes 1, 3, but not 2" in problems(root)[0]


@pytest.mark.parametrize("gone", ["mag", "phase"])
def test_a_whole_part_is_missing(root, gone):
    for echo in (1, 2, 3):
        megre(root, "02", echo, gone).unlink()
    there, severity = ("phase", "error") if gone == "mag" else ("magnitude", "warning")
    assert f"3 {there} files and no" in only(root, severity, contrasts={})


def test_a_single_echo_is_a_warning(root):
    for echo in (2, 3):
        for part in ("mag", "phase"):
            megre(root, "02", echo, part).unlink()
    assert problems(root) == []
    assert any("a single echo" in text for text in problems(root, "warning"))


def test_a_sidecar_is_missing(root):
    path = megre(root, "02", 2, "mag", "json")
    path.unlink()
    assert str(path) in only(root)


@pytest.mark.parametrize("content", ["{", "[1]", '"x"', "", "[" * 100_000, "\x00", '{"EchoTime": '])
def test_a_malformed_sidecar(root, content):
    path = megre(root, "02", 2, "mag", "json")
    path.write_text(content)
    assert str(path) in only(root)


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("EchoTime", None, "no such field"),
        ("EchoTime", "0.005", "'0.005'"),
        ("EchoTime", 0, "found 0;"),
        ("EchoTime", -0.005, "-0.005"),
        ("EchoTime", True, "True"),
        ("EchoTime", [0.005], "[0.005]"),
        ("EchoTime", float("nan"), "nan"),
        ("EchoTime", 5, "milliseconds"),
        ("EchoTime", 10**400, "above 0"),
        ("MagneticFieldStrength", "3T", "'3T'"),
        ("MagneticFieldStrength", float("inf"), "inf"),
        ("Units", None, "no such field"),
        ("Units", "degrees", "'degrees'"),
        ("Units", "rad", "whole numbers without scaling"),
        ("Manufacturer", "GE", "acquisition.phase_units"),
    ],
)
def test_a_sidecar_field_is_missing_or_invalid(root, key, value, words):
    path = megre(root, "02", 1, "phase", "json")
    edit_sidecar(path, **{key: value})
    text = problems(root)[0]
    where = "Units" if key == "Manufacturer" else key
    assert f"{path}, {where}" in text
    assert words in text


def test_a_declared_unit_is_replaced_by_the_config(root):
    for echo in (1, 2, 3):
        edit_sidecar(megre(root, "02", echo, "phase", "json"), Units=None, Manufacturer=None)
    assert problems(root, acquisition={"phase_units": "siemens"}) == []
    assert "'degrees'" in only(root, acquisition={"phase_units": "degrees"}), (
        "and nothing else, since the unit is unknown"
    )


def test_scaled_integers_may_be_radians(root):
    for number in range(1, 7):
        for echo in (1, 2, 3):
            path = megre(root, f"{number:02d}", echo, "phase")
            image = nib.load(path)
            image = nib.Nifti1Image(np.asarray(image.dataobj), image.affine)
            image.header.set_slope_inter(np.pi / 4096, 0)
            nib.save(image, path)
            edit_sidecar(megre(root, f"{number:02d}", echo, "phase", "json"), Units="rad")
    assert check_inputs(root, None, SETTINGS) == []


@pytest.mark.parametrize("times", [(0.005, 0.005, 0.015), (0.015, 0.01, 0.005)])
def test_echo_times_that_do_not_increase(root, times):
    for echo, te in enumerate(times, start=1):
        for part in ("mag", "phase"):
            edit_sidecar(megre(root, "02", echo, part, "json"), EchoTime=te)
    found = problems(root)
    assert len(found) == 2
    assert "increase" in found[0]


def test_echo_times_that_differ_between_parts(root):
    edit_sidecar(megre(root, "02", 2, "phase", "json"), EchoTime=0.0105)
    assert "0.0105 s where the magnitude has 0.01 s" in only(root)


def test_field_strengths_that_differ_within_a_scan(root):
    edit_sidecar(
        megre(root, "02", 2, "mag", "json"), MagneticFieldStrength=1.5, ImagingFrequency=63.9
    )
    text = only(root)
    assert "sub-02_echo-2_part-mag_MEGRE.json" in text
    assert "3 T as in 5 of 6 files" in text


@pytest.mark.parametrize(("b0", "words"), [(30000, "tesla"), (1.5, "123.25 MHz")])
def test_a_field_strength_that_cannot_be(root, b0, words):
    for echo in (1, 2, 3):
        for part in ("mag", "phase"):
            edit_sidecar(megre(root, "02", echo, part, "json"), MagneticFieldStrength=b0)
    found = problems(root)
    assert len(found) == 6
    assert words in found[0]


def test_shapes_that_differ(root):
    path = megre(root, "02", 3, "phase")
    path.write_bytes(image_bytes((6, 7, 6), part="phase"))
    text = only(root)
    assert str(path) in text
    assert "(6, 7, 6)" in text
    assert "(6, 7, 5)" in text


def test_affines_that_differ(root):
    moved = AFFINE.copy()
    moved[2, 3] += 0.5
    megre(root, "02", 3, "mag").write_bytes(image_bytes(affine=moved))
    assert "another position or orientation" in only(root)
    moved[2, 3] -= 0.495  # rounding of a header is no move
    megre(root, "02", 3, "mag").write_bytes(image_bytes(affine=moved))
    assert problems(root) == []


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "an empty file"),
        (b"\x1f\x8b", "cut off or of another format"),
        (b"x" * 1000, "not compressed"),
        (b"/annex/objects/SHA256E-s1--x", "datalad get"),
        (b"version https://git-lfs.github.com/spec/v1", "git lfs pull"),
        (image_bytes((6, 7, 5, 2)), "4 dimensions"),
        (image_bytes(dtype=np.complex64), "complex64"),
        (image_bytes((64, 64, 8), dtype=np.float32)[:9000], "fewer bytes"),
    ],
)
def test_files_that_are_no_complete_image(root, content, words):
    path = megre(root, "02", 1, "mag")
    path.write_bytes(content)
    text = only(root)
    assert str(path) in text
    assert words in text


def test_a_trailing_axis_of_one_is_accepted(root):
    megre(root, "02", 1, "mag").write_bytes(image_bytes((6, 7, 5, 1)))
    assert problems(root) == []


def test_an_absurd_header_is_refused_without_reading(root):
    raw = bytearray(image_bytes())
    import gzip

    header = bytearray(gzip.decompress(bytes(raw)))
    header[40:48] = np.array([3, 32000, 32000, 32000], "<i2").tobytes()
    megre(root, "02", 1, "mag").write_bytes(gzip.compress(bytes(header)))
    assert "GiB" in only(root)


@pytest.mark.parametrize("every_image", [False, True])
@pytest.mark.parametrize("store", [store_in_one_file, store_real_and_imaginary])
def test_other_forms_of_raw_files_are_accepted(root, store, every_image):
    """One participant of six: its protocol does not differ from that of the others."""
    store(root, "02")
    inspection = inspect_inputs(root, None, SETTINGS, every_image)
    assert inspection.problems == []
    assert inspection.n_images == (38 if store is store_in_one_file else 42)


def test_all_echoes_of_real_and_imaginary_parts_in_one_file(root):
    store_real_and_imaginary(root, "02")
    store_in_one_file(root, "02", ("real", "imag"))
    assert check_inputs(root, None, SETTINGS) == []


def test_a_later_echo_in_one_file_is_read_if_every_image_is(root):
    store_in_one_file(root, "02")
    path = root / "sub-02/anat/sub-02_part-mag_MEGRE.nii.gz"
    data = np.asarray(nib.load(path).dataobj).astype(np.float32)
    data[1, 2, 3, 2] = np.nan
    nib.save(nib.Nifti1Image(data, AFFINE), path)
    assert problems(root) == []
    (problem,) = inspect_inputs(root, None, SETTINGS, every_image=True).errors
    assert problem.where == str(path)
    assert "1 of 210 voxels that are NaN" in problem.found


def test_several_gzip_members_are_one_image(root):
    import gzip

    raw = gzip.decompress(image_bytes())
    packed = gzip.compress(raw[:300]) + gzip.compress(raw[300:])
    megre(root, "02", 1, "mag").write_bytes(packed)
    assert problems(root) == []


def test_a_broken_link(root):
    path = megre(root, "02", 1, "mag")
    path.unlink()
    path.symlink_to("../../.git/annex/objects/aa/bb")
    assert "link to a file that is not there" in only(root)


def test_an_image_without_orientation_is_a_warning(root):
    path = megre(root, "02", 1, "mag")
    image = nib.load(path)
    image.set_sform(None, 0)
    image.set_qform(AFFINE, 0)
    nib.save(image, path)
    assert any("codes are 0" in text for text in problems(root, "warning"))


def test_units_of_single_scans(root):
    """Two scanners in one cohort: each scan by its own unit, and one that is named is followed."""
    philips = np.random.default_rng(4).uniform(-3141, 3141, (3, *SHAPE)).astype(np.int16)
    philips[:, 0, 0, :2] = -3141, 3141
    for echo in (1, 2, 3):
        image = megre(root, "02", echo, "phase")
        nib.save(nib.Nifti1Image(philips[echo - 1], AFFINE), image)
        for part in ("mag", "phase"):
            sidecar = megre(root, "02", echo, part, "json")
            edit_sidecar(sidecar, Manufacturer="Philips")
    whole_study = problems(root, acquisition={"phase_units": "milliradian"})
    assert {text[len(str(root)) + 1 :][:6] for text in whole_study} == {
        f"sub-0{number}" for number in (1, 3, 4, 5, 6)
    }
    assert all("phase_units_of" in text for text in whole_study)
    for pattern in ("sub-02", "sub-*2"):
        assert problems(root, acquisition={"phase_units_of": {pattern: "milliradian"}}) == []
