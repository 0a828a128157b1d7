"""What the conversion does not understand it refuses, in one message, and writes nothing."""

from __future__ import annotations

import stat
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pydicom
import pytest
from dicom_series import SHAPE, Series, write_series

import convert_dicom
from qsmiron.dicom import converter
from qsmiron.dicom.mapping import read_mapping

pytest.importorskip("dcm2niix", reason="needs pip install -r envs/requirements-dicom.txt")

Exam = dict[int, Series]


def part(name: str, *echoes: int, seed: int = 0) -> dict[tuple[str, int], np.ndarray]:
    rng = np.random.default_rng([seed, len(name)])
    return {(name, echo): rng.integers(0, 4096, SHAPE).astype(np.uint16) for echo in echoes}


def sound(seed: int = 0) -> Exam:
    return {
        3: Series(3, "t1_mprage", part("mag", 1, seed=seed + 1), echo_times=(2.98,)),
        5: Series(5, "gre_qsm", part("mag", 1, 2, seed=seed)),
        6: Series(6, "gre_qsm", part("phase", 1, 2, seed=seed)),
    }


@dataclass(frozen=True)
class Case:
    """How a sound examination is changed, the cells of its row, and words of the message."""

    name: str
    change: Callable[[Exam], object]
    words: tuple[str, ...]
    gre: str = "*gre*"
    t1w: str = "*mprage*"
    files: Callable[[Path], object] = lambda folder: None


def with_types(number: int, name: str, *words: str) -> Callable[[Exam], object]:
    return lambda exam: exam[number].image_types.update({name: list(words)})


def without(*numbers: int) -> Callable[[Exam], object]:
    return lambda exam: [exam.pop(number) for number in numbers]


def again(number: int, new: int, **changes: object) -> Callable[[Exam], object]:
    """A second series with the description of another."""

    def change(exam: Exam) -> None:
        one = exam[number]
        exam[new] = Series(new, one.description, dict(one.images), **changes)

    return change


def repeated(folder: Path) -> None:
    """Every slice of the magnitude a second time, as a later acquisition."""
    for path in sorted((folder / "series005").glob("*.dcm")):
        data = pydicom.dcmread(path)
        data.AcquisitionNumber, data.InstanceNumber = 2, data.InstanceNumber + 100
        data.SOPInstanceUID += ".9"
        data.file_meta.MediaStorageSOPInstanceUID = data.SOPInstanceUID
        data.save_as(path.with_name(f"again{path.name}"))


def slice_lost(folder: Path) -> None:
    (folder / "series006/00004.dcm").unlink()


def emptied(folder: Path) -> None:
    for path in folder.rglob("*.dcm"):
        path.write_bytes(b"no DICOM file")


def nothing(exam: Exam) -> None:
    """Leave it sound."""


CASES = [
    Case("no series matches", nothing,
         ("row 2 (sub-01), gre", "'*swi*', which no series matches",
          "3 t1_mprage, 5 gre_qsm, 6 gre_qsm", "Correct the cell"), gre="*swi*"),
    Case("a number that is not there", nothing,
         ("row 2 (sub-01), t1w", "'9', which no series matches"), t1w="9"),
    Case("no phase", without(6),
         ("gre: found magnitude (series 5 gre_qsm) alone", "magnitude and phase", "Widen")),
    Case("phase beyond the pattern", nothing, ("magnitude (series 5 gre_qsm) alone",), gre="5"),
    Case("two magnitudes", again(5, 8),
         ("several magnitude images of 4 ms: series 5 gre_qsm, 8 gre_qsm", "such as 5, 6")),
    Case("filtered and unfiltered", again(5, 8, image_types={"mag": ["M", "NORM"]}),
         ("series 5 gre_qsm, 8 gre_qsm", "\\NORM\\")),
    Case("two T1w", again(3, 4, echo_times=(2.98,)),
         ("t1w: found 2 images: series 3 t1_mprage, 4 t1_mprage", "one T1w image")),
    Case("an echo of the phase is missing", lambda exam: exam[6].images.pop(("phase", 2)),
         ("2 magnitude echoes (4, 9 ms) and 1 phase echoes (4 ms)", "both parts of every echo")),
    Case("other echo times of the phase",
         lambda exam: setattr(exam[6], "echo_times", (4.0, 11.0)), ("(4, 9 ms)", "(4, 11 ms)")),
    Case("derived images", with_types(5, "mag", "DERIVED", "PRIMARY", "M"),
         ("series 5 gre_qsm, derived images", "original images", "Leave out")),
    Case("single coils", lambda exam: setattr(exam[5], "coils", ("H1", "H2")),
         ("series 5 gre_qsm, images of single coils", "combine")),
    Case("repeated volumes", nothing, ("4 dimensions (14, 12, 10, 2)", "one volume per echo"),
         files=repeated),
    Case("an image without an echo time", lambda exam: setattr(exam[5], "echo_times", (4.0, 0.0)),
         ("an image without EchoTime", "a map that the scanner computed")),
    Case("a slice is missing", nothing,
         ("series 6, of which dcm2niix leaves images out", "Export the series again"),
         files=slice_lost),
    Case("no DICOM file", nothing,
         ("row 2 (sub-01), folder", "dcm2niix does not convert (status 2", "Unable to find any"),
         files=emptied),
]  # fmt: skip


def run(folder: Path, rows: str, capsys, header: str = "folder\tparticipant_id\tgre\tt1w") -> str:
    """What is said on stderr; the status is 1, and nothing is left of a refused conversion."""
    output = folder / "bids" if (folder / "bids").exists() else folder / "new/bids"
    (folder / "export").mkdir(exist_ok=True)
    mapping = folder / "mapping.tsv"
    mapping.write_text(f"{header}\n{rows}\n")
    before = sorted(folder.rglob("*"))
    with pytest.raises(SystemExit) as end:
        convert_dicom.main(
            [str(folder / "export"), "--mapping", str(mapping), "--output", str(output)]
        )
    assert end.value.code == 1
    assert sorted(folder.rglob("*")) == before
    return capsys.readouterr().err


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_refused(tmp_path, capsys, case):
    exam = sound()
    case.change(exam)
    for series in exam.values():
        write_series(tmp_path / "export/one", series)
    case.files(tmp_path / "export/one")
    said = run(tmp_path, f"one\t01\t{case.gre}\t{case.t1w}", capsys)
    assert said.count("error: ") == 1
    for words in case.words:
        assert words in said


@pytest.fixture
def export(tmp_path) -> Path:
    for series in sound().values():
        write_series(tmp_path / "export/one", series)
    return tmp_path


def converted(folder: Path, rows: str) -> Path:
    header = "folder\tparticipant_id\tsession\tgre\tt1w\n"
    (folder / "mapping.tsv").write_text(header + rows)
    convert_dicom.main(
        [str(folder / "export"), "--mapping", str(folder / "mapping.tsv"),
         "--output", str(folder / "bids")]
    )  # fmt: skip
    return folder / "bids"


def test_the_sound_examination_is_converted_and_checked(export, capsys):
    converted(export, "one\t01\tn/a\t*gre*\t*mprage*\n")
    said = capsys.readouterr().out
    assert "sub-01: magnitude and phase at 4, 9 ms of series 5 gre_qsm, 6 gre_qsm; T1w of" in said
    assert "OK: 1 participant, 1 scan, 5 images checked" in said


def test_the_phase_of_the_t1w_is_passed_over(export):
    write_series(export / "export/one", Series(4, "t1_mprage", part("phase", 1)))
    bids = converted(export, "one\t01\tn/a\t*gre*\t*mprage*\n")
    assert (bids / "sub-01/anat/sub-01_T1w.nii.gz").exists()


def test_numbers_settle_what_a_pattern_does_not(export):
    write_series(export / "export/one", Series(8, "gre_qsm", part("mag", 1, 2)))
    bids = converted(export, "one\t01\tn/a\t5, 6\t3\n")
    assert len(list((bids / "sub-01/anat").glob("*.nii.gz"))) == 5


def test_broken_series_that_nobody_wants_do_not_matter(export):
    write_series(export / "export/one", Series(9, "other", part("mag", 1)))
    (export / "export/one/series009/00004.dcm").unlink()
    bids = converted(export, "one\t01\tn/a\t*gre*\t*mprage*\n")
    assert (bids / "sub-01/anat/sub-01_T1w.nii.gz").exists()


def test_examinations_are_added_and_nothing_is_overwritten(export, capsys):
    bids = converted(export, "one\t01\t1\t*gre*\t*mprage*\n")
    (bids / "participants.tsv").write_text("participant_id\tage\nsub-01\t60\n")
    before = {path: path.read_bytes() for path in bids.rglob("*") if path.is_file()}
    for row in ("one\tsub-01\tses-1\t*gre*\tn/a\n", "one\t01\t2\t*gre*\t\none\t01\t1\t*gre*\t\n"):
        with pytest.raises(SystemExit):
            converted(export, row)
        said = capsys.readouterr().err
        assert "sub-01/ses-1: found a folder that is there already" in said
        assert {path: path.read_bytes() for path in bids.rglob("*") if path.is_file()} == before
    for series in sound(seed=2).values():
        write_series(export / "export/two", series)
    converted(export, "two\t01\t2\t*gre*\t*mprage*\n")
    after = {path: path.read_bytes() for path in bids.rglob("*") if path.is_file()}
    assert {path: after[path] for path in before} == before
    assert {path.relative_to(bids).parts[:2] for path in after} - {
        path.relative_to(bids).parts[:2] for path in before
    } == {("sub-01", "ses-2")}
    assert not list(bids.glob(".partial*"))


def test_all_problems_at_once_and_nothing_of_the_sound_examination(export, capsys):
    write_series(export / "export/two", sound()[5])
    said = run(export, "one\t01\t*gre*\t3\ntwo\t02\t*gre*\t\none\t03\t*swi*\t4", capsys)
    assert said.count("error: ") == 3
    for words in ("row 3 (sub-02), gre", "row 4 (sub-03), gre", "row 4 (sub-03), t1w"):
        assert words in said


def test_an_error_of_the_check_leaves_the_tree(export, capsys):
    for path in (export / "export").rglob("*.dcm"):
        data = pydicom.dcmread(path)
        data.Manufacturer = "UIH"
        data.save_as(path)
    with pytest.raises(SystemExit) as end:
        converted(export, "one\t01\tn/a\t*gre*\t*mprage*\n")
    assert end.value.code == 1
    assert "Set acquisition.phase_units" in capsys.readouterr().out
    assert (export / "bids/sub-01/anat/sub-01_T1w.nii.gz").exists()


def test_dcm2niix_is_not_installed(export, capsys, monkeypatch):
    monkeypatch.setattr(converter.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(converter.shutil, "which", lambda name: None)
    said = run(export, "one\t01\t*gre*\t3", capsys)
    assert "dcm2niix: found no such program" in said
    assert "pip install -r envs/requirements-dicom.txt" in said


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("#!/bin/sh\necho Error: out of memory\nexit 4\n", "status 4, Error: out of memory"),
        ("#!/bin/sh\nexit 139\n", "status 139, without a message"),
        ("#!/bin/sh\nexit 8\n", "status 8"),
        ("no program", "Exec format error"),
    ],
)
def test_dcm2niix_fails(export, tmp_path, capsys, monkeypatch, script, words):
    fake = tmp_path / "dcm2niix"
    fake.write_text(script)
    fake.chmod(fake.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(converter, "program", lambda: str(fake))
    said = run(export, "one\t01\t*gre*\t3", capsys)
    assert words in said
    assert said.count("error: ") == 1


HEADER = "folder\tparticipant_id\tgre\tt1w"


@pytest.mark.parametrize(
    ("header", "rows", "words"),
    [
        (HEADER, "two\t01\t5\t3", "row 2 (sub-01), folder: found no folder 'two'"),
        (HEADER, "\t01\t5\t3", "row 2 (sub-01), folder: found no folder; expected"),
        (HEADER, "../outside\t01\t5\t3", "'../outside', which is outside"),
        (HEADER, "one\tsub-01;touch x\t5\t3", "'sub-01;touch x'"),
        (HEADER, "one\t01\tn/a\t3", "row 2 (sub-01), gre: found an empty cell"),
        (HEADER, "one\t01\t5,6\t3\none\tSUB-01\t5,6\t3", "letters and digits only"),
        (HEADER, "one\t01\t5,6\t3\none\t01\t5,6\t3", "row 3 (sub-01): found sub-01, as in row 2"),
        (HEADER.replace("gre", "GRE"), "one\t01\t5\t3", "no column gre, a column GRE"),
        (HEADER.replace("participant_id", "id"), "one\t01\t5\t3", "a column participant_id"),
        (HEADER.replace("t1w", "session"), "one\t01\t5\ta b", "session: found 'a b'"),
        (HEADER, "", "a header and no row"),
    ],
)
def test_the_mapping_is_wrong(export, capsys, header, rows, words):
    (export / "outside").mkdir()
    assert words in run(export, rows, capsys, header)


def test_there_is_no_mapping_and_no_export(tmp_path, capsys):
    with pytest.raises(SystemExit) as end:
        convert_dicom.main([str(tmp_path / "a"), "--mapping", "b.tsv", "--output", "c"])
    assert end.value.code == 1
    said = capsys.readouterr().err
    assert f"{tmp_path}/a: found no such file or folder; expected a folder of DICOM" in said
    assert "b.tsv: found no such file or folder; expected a mapping" in said
    assert not Path("c").exists()


def test_the_output_is_a_file(export, capsys):
    (export / "bids").write_text("")
    assert "bids: found a file; expected a folder" in run(export, "one\t01\t*gre*\t3", capsys)


@pytest.mark.parametrize("form", ["NFC", "NFD"])
def test_a_folder_may_be_named_in_either_code(tmp_path, form):
    """Of letters with accents, whichever the table has."""
    (tmp_path / "dicom" / unicodedata.normalize(form, "Müller")).mkdir(parents=True)
    mapping = tmp_path / "mapping.tsv"
    mapping.write_text("folder\tparticipant_id\tgre\nMu\u0308ller\t01\t*gre*\n")
    (examination,) = read_mapping(mapping, tmp_path / "dicom")
    assert examination.folder.is_dir()
