"""Names, participants, sessions, protocol and config: what is wrong between the files."""

from __future__ import annotations

import json
import shutil

import pytest
from bids_trees import (
    add_subject,
    edit_sidecar,
    image_bytes,
    make_tree,
    megre,
    new_images,
    row,
    write_rows,
)

from qsmiron.checks import check_inputs

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


def test_no_t1w_is_a_warning_and_names_what_is_there(root):
    t1w = root / "sub-02/anat/sub-02_T1w.nii.gz"
    t1w.rename(t1w.with_name("sub-02_MPRAGE.nii.gz"))
    assert "but sub-02_MPRAGE.nii.gz" in only(root, "warning", contrasts={})


def test_several_t1w_are_a_warning(root):
    anat = root / "sub-02/anat"
    shutil.copy(anat / "sub-02_T1w.nii.gz", anat / "sub-02_run-2_T1w.nii.gz")
    assert "2 T1w images" in only(root, "warning")


def test_several_acquisitions_in_one_session(root):
    anat = root / "sub-02/anat"
    for path in sorted(anat.glob("*MEGRE*")):
        shutil.copy(path, anat / path.name.replace("sub-02_", "sub-02_acq-hires_run-2_"))
    new_images(anat)
    text = only(root)
    assert "sub-02_acq-hires_run-2, sub-02" in text
    assert "sourcedata" in text


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("sub-02_echo-1_MEGRE.nii.gz", "_part-mag"),
        ("sub-02_echo-1_part-mag_megre.nii.gz", "Rename"),
        ("sub-02_part-mag_echo-1_MEGRE.nii.gz", "Rename"),
        ("sub-02_acq-a b_echo-1_part-mag_MEGRE.nii.gz", "Rename"),
        ("sub-02_coil-01_echo-1_MEGRE.nii.gz", "receive channels"),
    ],
)
def test_names_that_are_not_understood(root, name, words):
    (root / "sub-02/anat" / name).write_bytes(image_bytes())
    text = only(root)
    assert name in text
    assert words in text


def test_an_image_of_another_participant(root):
    for part in ("mag", "phase"):
        path = megre(root, "02", 1, part)
        shutil.copy(path, path.with_name(path.name.replace("sub-02", "sub-03")))
    assert any("the name of sub-03" in text for text in problems(root))


@pytest.mark.parametrize(
    "name", ["sub-02_echo-01_part-mag_MEGRE.nii.gz", "sub-02_echo-1_part-mag_MEGRE.nii"]
)
def test_two_files_for_one_echo(root, name):
    path = megre(root, "02", 1, "mag")
    content = path.read_bytes()
    if name.endswith(".nii"):
        import gzip

        content = gzip.decompress(content)
    path.with_name(name).write_bytes(content)
    assert any("a second file for the echo" in text for text in problems(root))


@pytest.mark.parametrize(
    "name", ["sub-01;touch x", "sub-a_b", "Sub-07", "sub_07", "sub-", "sub-é", "sub-a\nb"]
)
def test_folders_with_unusable_names(root, name):
    add_subject(root, "07")
    (root / "sub-07").rename(root / name)
    text = only(root)
    assert repr(name) in text
    assert problems(root, participant_label=["01", "02", "03", "04", "05", "06"]) == []
    assert problems(root, exclude=[name[4:]]) == []


def test_participants_that_differ_only_in_case(root):
    for label in ("a1", "A1"):
        add_subject(root, label)
    assert any("differs from sub-A1 only in case" in text for text in problems(root))


def test_sessions(tmp_path):
    root = make_tree(tmp_path / "bids", n_subjects=6)
    for number in range(1, 7):
        subject = root / f"sub-{number:02d}"
        for path in sorted((subject / "anat").iterdir()):
            path.rename(path.with_name(path.name.replace("sub-0", "sub-0", 1)))
        session = subject / "ses-pre" / "anat"
        session.parent.mkdir()
        (subject / "anat").rename(session)
        for path in sorted(session.iterdir()):
            path.rename(path.with_name(path.name.replace("_", "_ses-pre_", 1)))
    assert check_inputs(root, None, SETTINGS) == []
    (root / "sub-01/ses-a_b").mkdir()
    assert "'ses-a_b'" in only(root)
    (root / "sub-01/ses-a_b").rmdir()
    (root / "sub-01/anat").mkdir()
    megre(root, "01", 1, "mag").write_bytes(image_bytes())
    assert "1 MEGRE files beside ses-pre" in only(root)
    shutil.rmtree(root / "sub-01/anat")
    shutil.copytree(root / "sub-01/ses-pre", root / "sub-01/ses-post")
    for path in sorted((root / "sub-01/ses-post/anat").iterdir()):
        path.rename(path.with_name(path.name.replace("ses-pre", "ses-post")))
    new_images(root / "sub-01/ses-post/anat")
    baseline, untimed = problems(root, "warning")
    assert "They take the baseline: sub-01 (ses-post)" in baseline
    assert "no time of each session of 1 participants" in untimed
    assert check_inputs(root, None, SETTINGS | {"contrasts": {}, "scores": []}) == []
    (root / "sub-01/sub-01_sessions.tsv").write_text(
        "session_id\tmonths_since_baseline\nses-post\t6\nses-pre\t0\n"
    )
    assert "They take the baseline: sub-01 (ses-pre)" in only(root, "warning")
    assert check_inputs(root, None, SETTINGS | {"session_label": ["pre"]}) == []
    assert check_inputs(root, None, SETTINGS | {"statistics": {"session": "pre"}}) == []
    assert "'later'" in problems(root, session_label=["later"])[-2]


def test_participants_without_images_and_images_without_a_row(root):
    rows = [row(n) for n in range(1, 6)] + [row(8)]
    write_rows(root / "participants.tsv", rows)
    found = problems(root)
    assert len(found) == 2
    assert "row 7 (sub-08)" in found[0]
    assert "exclude" in found[0]
    assert str(root / "sub-06") in found[1]
    assert problems(root, exclude=["sub-06", "08"]) == []
    assert problems(root, participant_label=["01", "02", "03", "04", "05"]) == []


def test_lost_zeros_are_recognised(root):
    rows = [row(n) | {"participant_id": str(n)} for n in range(1, 7)]
    write_rows(root / "participants.tsv", rows)
    found = problems(root)
    assert len(found) == 12
    assert "no folder sub-1 (there is sub-01" in found[0]


def test_a_participant_with_only_a_t1w(root):
    for path in (root / "sub-02/anat").glob("*MEGRE*"):
        path.unlink()
    assert "only sub-02_T1w.nii.gz" in only(root)


def test_a_folder_without_images_and_row_is_a_warning(root):
    (root / "sub-99").mkdir()
    assert "sub-99" in only(root, "warning")


@pytest.mark.parametrize("key", ["participant_label", "exclude", "session_label"])
def test_labels_that_name_nobody(root, key):
    assert any(f"config, {key}" in t and "'77'" in t for t in problems(root, **{key: ["77"]}))


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("contrasts", ["progression"]),
        ("scores", "alsfrs_r"),
        ("covariates", {"age": 1}),
        ("exclude", 1.5),
        ("clinical_ranges", {"age": [1]}),
    ],
)
def test_settings_of_the_wrong_form(root, key, value):
    assert f"config, {key}" in only(root, **{key: value})


def test_protocols_that_differ_are_listed(root):
    for number in range(1, 7):
        for echo in (1, 2, 3):
            for part in ("mag", "phase"):
                sidecar = megre(root, f"{number:02d}", echo, part, "json")
                te, repetition = (0.005, 0.035) if number < 5 else (0.006, 0.05)
                edit_sidecar(sidecar, EchoTime=te * echo, RepetitionTime=repetition)
    found = problems(root, "warning")
    assert len(found) == 2
    assert "0.05 in sub-05, sub-06" in found[0]
    assert "0.035, as in 4 of 6 scans" in found[0]
    assert "echo times (ms): found 6.00 12.00 18.00 in sub-05, sub-06" in found[1]


def test_a_folder_that_is_no_data_set(tmp_path):
    (tmp_path / "file").write_text("")
    assert "no such folder" in str(check_inputs(tmp_path / "none", None, {})[0])
    assert "a file" in str(check_inputs(tmp_path / "file", None, {})[0])
    make_tree(tmp_path / "raw", 1)
    assert f"Did you mean {tmp_path / 'raw'}" in str(check_inputs(tmp_path, None, {})[0])


def test_no_clinical_table(root):
    (root / "participants.tsv").unlink()
    assert "no such file" in only(root)


def test_everything_is_reported_at_once(root):
    megre(root, "01", 3, "phase").unlink()
    edit_sidecar(megre(root, "02", 2, "mag", "json"), EchoTime=None)
    megre(root, "03", 1, "phase").write_bytes(image_bytes((6, 7, 9), part="phase"))
    rows = [row(n, **({"alsfrs_r": "51"} if n == 4 else {})) for n in range(1, 7)]
    rows.append(row(7) | {"participant_id": "sub-99"})
    write_rows(root / "participants.tsv", rows)
    found = problems(root)
    assert len(found) == 5
    for words in ("sub-01_echo-3", "EchoTime", "shape", "51, outside 0 to 48", "sub-99"):
        assert sum(words in text for text in found) == 1


def test_a_name_inside_a_sidecar_never_becomes_a_path_or_a_crash(root):
    for fields in ({"Manufacturer": ["Siemens"]}, {"RepetitionTime": {"a": 1}}, {"Units": 3}):
        path = megre(root, "02", 1, "phase", "json")
        before = path.read_text()
        path.write_text(json.dumps(json.loads(before) | fields))
        check_inputs(root, None, SETTINGS)
        path.write_text(before)


def test_groups_count_those_whose_images_serve(root):
    """Six participants in two groups of three, of whom one has no phase and one no T1w."""
    for path in (root / "sub-01/anat").glob("*part-phase*"):
        path.unlink()
    (root / "sub-02/anat/sub-02_T1w.nii.gz").unlink()
    own = {"contrasts": SETTINGS["contrasts"], "scores": [], "covariates": []}
    own["registration"] = {"without_t1w": False}
    cut = {"derive": "delta_fs_cut", "column": "age", "cut": 53.5, "levels": ["fast", "slow"]}

    def groups(**settings):
        found = problems(root, "warning", **own | settings)
        return [text for text in found if "at least 3 in a group" in text]

    fast, slow = groups()
    assert "2 participants with 'fast' (and 1 whose images do not serve)" in fast
    assert "2 participants with 'slow' (and 1 whose images do not serve)" in slow
    (text,) = groups(contrasts={"cut": cut})
    assert "1 participant with age at or below 53.5 (and 2 whose images do not serve)" in text
    segmented = {"mine": {"label_table": "t.tsv", "segmentation": "{subject}.nii.gz"}}
    for serving in ({"atlases": segmented}, {"registration": {"without_t1w": True}}):
        (text,) = groups(**serving)  # labels may be there without a T1w
        assert "'slow'" in text
