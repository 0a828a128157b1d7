"""Which of several acquisitions of a session is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from bids_trees import make_tree, store_in_one_file

from qsmiron.acquisition_choice import chosen, differing, entities_of, same_label
from qsmiron.bids import find_scans
from qsmiron.checks.cohort import check_inputs

NAMES = ["sub-1", "sub-1_acq-low_run-01", "sub-1_acq-high_run-1", "sub-1_acq-high_run-2"]


@pytest.mark.parametrize(
    ("select", "expected"),
    [
        ({}, NAMES),
        ({"acq": "high"}, NAMES[2:]),
        ({"acq": "high", "run": "1"}, NAMES[2:3]),
        ({"run": "1"}, NAMES[1:3]),
        ({"run": "02"}, NAMES[3:]),
        ({"acq": "none"}, NAMES[:1]),
        ({"rec": "any"}, NAMES),
        ({"acq": "low", "run": "2"}, []),
    ],
)
def test_acquisitions_are_chosen_by_their_entities(select: dict, expected: list) -> None:
    assert chosen(NAMES, entities_of, select) == expected


def test_labels_and_names() -> None:
    assert same_label("01", "1") and same_label("0", "00") and not same_label("10", "1")
    assert differing(NAMES[2:]) == {"run": ["1", "2"]}
    assert entities_of("sub-1_T2starw") == {"sub": "1", "suffix": "T2starw"}


def renamed(root: Path, old: str, new: str, keep: bool = False) -> None:
    for path in sorted(root.glob(f"sub-*/anat/*{old}*")):
        target = path.with_name(path.name.replace(old, new))
        target.write_bytes(path.read_bytes())
        if not keep:
            path.unlink()


def errors(root: Path, **settings: object) -> list[str]:
    found = check_inputs(root, None, {"scores": ["alsfrs_r"], **settings})
    return [str(problem) for problem in found if problem.severity == "error"]


def test_one_run_is_selected_of_two(tmp_path: Path) -> None:
    root = make_tree(tmp_path, n_subjects=2, n_echoes=2)
    renamed(root, "_echo", "_run-2_echo", keep=True)
    for path in root.glob("sub-*/anat/*_run-2_*.nii.gz"):  # not the same images
        path.write_bytes(path.with_name(path.name.replace("_run-2", "")).read_bytes())
    assert len(find_scans(root)) == 4
    (message,) = (one for one in errors(root) if "sub-01/anat:" in one)
    assert "2 multi-echo acquisitions: sub-01, sub-01_run-2" in message
    assert "Choose one under select in the config ({run: 2})" in message
    assert [scan.entities for scan in find_scans(root, select={"run": "2"})] == [
        "sub-01_run-2", "sub-02_run-2",
    ]  # fmt: skip
    assert errors(root, select={"run": 2}) == []
    (message,) = errors(root, select={"run": 3})[-1:]
    assert "config, select.run: found '3', which no image has; expected one of 2" in message


def test_a_t1w_is_selected_of_two(tmp_path: Path) -> None:
    root = make_tree(tmp_path, n_subjects=1)
    renamed(root, "_T1w", "_acq-b_T1w", keep=True)
    (first,), (second,) = find_scans(root), find_scans(root, select_t1w={"acq": "b"})
    assert (first.t1w.name, second.t1w.name) == (
        "sub-01_T1w.nii.gz",
        "sub-01_acq-b_T1w.nii.gz",
    ) or (first.t1w.name == "sub-01_acq-b_T1w.nii.gz")
    assert second.t1w.name == "sub-01_acq-b_T1w.nii.gz"


@pytest.mark.parametrize("whole", [False, True])
def test_t2starw_is_megre_by_another_name(tmp_path: Path, whole: bool) -> None:
    """Per echo, or all echoes in one file; sidecars at the root count as well."""
    root = make_tree(tmp_path, n_subjects=1, n_echoes=3)
    (expected,) = find_scans(root)
    if whole:
        store_in_one_file(root, "01")
    renamed(root, "_MEGRE", "_T2starw")
    for path in root.glob("sub-01/anat/*_T2starw.json"):
        fields = json.loads(path.read_text())
        fields.pop("MagneticFieldStrength")
        path.write_text(json.dumps(fields))
    (root / "T2starw.json").write_text('{"MagneticFieldStrength": 3}')
    (scan,) = find_scans(root)
    assert (scan.n_echoes, scan.has_phase) == (expected.n_echoes, True)
    assert errors(root) == []


def test_a_single_t2starw_in_one_file(tmp_path: Path) -> None:
    root = make_tree(tmp_path, n_subjects=1, n_echoes=1)
    renamed(root, "_echo-1_part", "_part")
    renamed(root, "_MEGRE", "_T2starw")
    (scan,) = find_scans(root)
    assert scan.n_echoes == 1
    assert errors(root) == []


def test_both_suffixes_are_two_acquisitions(tmp_path: Path) -> None:
    root = make_tree(tmp_path, n_subjects=1)
    renamed(root, "_MEGRE", "_T2starw", keep=True)
    assert any("2 multi-echo acquisitions" in one for one in errors(root))
    (scan,) = find_scans(root, select={"suffix": "T2starw"})
    assert scan.magnitude[0].name.endswith("_T2starw.nii.gz")


def test_a_t2starw_without_part_is_no_concern_of_ours(tmp_path: Path) -> None:
    root = make_tree(tmp_path, n_subjects=1)
    (root / "sub-01/anat/sub-01_T2starw.nii.gz").write_bytes(b"any")
    assert errors(root) == []
