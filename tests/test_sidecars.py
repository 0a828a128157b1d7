"""Sidecars that hold for several images: which apply, which goes before which, and when to stop."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from qsmiron.acquisition import echo_time, read_sidecar
from qsmiron.errors import InputError
from qsmiron.sidecars import Sidecar, place_of, sidecars_of

IMAGE = "sub-01/ses-1/anat/sub-01_ses-1_acq-qsm_echo-2_part-phase_MEGRE.nii.gz"
BESIDE = IMAGE.replace(".nii.gz", ".json")


def put(root: Path, name: str, **fields: Any) -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(fields))
    return path


def test_every_level_is_inherited_and_the_nearest_wins(tmp_path: Path) -> None:
    levels = [
        "MEGRE.json",
        "echo-2_MEGRE.json",
        "echo-2_part-phase_MEGRE.json",  # of one folder, the more specific
        "sub-01/sub-01_part-phase_MEGRE.json",
        "sub-01/ses-1/sub-01_ses-1_MEGRE.json",
        "sub-01/ses-1/anat/sub-01_ses-1_MEGRE.json",
        BESIDE,
    ]
    files = [put(tmp_path, name, last=n, **{f"of_{n}": n}) for n, name in enumerate(levels)]
    assert sidecars_of(tmp_path / IMAGE) == files
    sidecar = read_sidecar(tmp_path / IMAGE)
    assert sidecar == {"last": 6, **{f"of_{n}": n for n in range(7)}}
    assert sidecar.origins["of_3"] == files[3]
    assert sidecar.origins["last"] == files[6]


@pytest.mark.parametrize(
    "name",
    [
        "part-mag_MEGRE.json",  # the other part
        "echo-1_MEGRE.json",
        "run-1_MEGRE.json",  # an entity that the image lacks
        "T1w.json",  # another suffix
        "sub-02/sub-02_MEGRE.json",
        "sub-01/ses-2/anat/sub-01_ses-2_MEGRE.json",
        "sub-01/ses-1/func/sub-01_MEGRE.json",  # beside the way up
        "._MEGRE.json",  # what macOS leaves
        "MEGRE.json.bak",
        "../MEGRE.json",  # above the data set
    ],
)
def test_what_does_not_apply(tmp_path: Path, name: str) -> None:
    put(tmp_path / "bids", name, Units="rad")
    beside = put(tmp_path / "bids", BESIDE, EchoTime=0.01)
    assert sidecars_of(tmp_path / "bids" / IMAGE) == [beside]


def test_an_echo_is_a_number(tmp_path: Path) -> None:
    shared = put(tmp_path, "echo-1_MEGRE.json", EchoTime=0.004)
    image = tmp_path / "sub-01/anat/sub-01_echo-01_part-mag_MEGRE.nii"
    assert sidecars_of(image) == [shared]


def test_a_path_may_be_relative_and_begin_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(tmp_path, "MEGRE.json", EchoTime=0.004)
    (tmp_path / IMAGE).parent.mkdir(parents=True)
    for start in (".", "sub-01", "sub-01/ses-1/anat"):
        monkeypatch.chdir(tmp_path / start)
        image = os.path.relpath(tmp_path / IMAGE)
        assert read_sidecar(image)["EchoTime"] == 0.004, start


def test_outside_a_data_set_only_the_file_beside_counts(tmp_path: Path) -> None:
    put(tmp_path, "MEGRE.json", Units="rad")
    put(tmp_path, "part-phase_MEGRE.json", Units="rad")
    for name in ("phase.nii.gz", "sub-01_part-phase_MEGRE.nii.gz"):
        image = tmp_path / "scans" / name
        with pytest.raises(InputError, match=r"no such file.*a JSON sidecar"):
            read_sidecar(image)
        put(tmp_path, f"scans/{name[:-7]}.json", EchoTime=0.01)
        assert read_sidecar(image) == {"EchoTime": 0.01}


def test_a_field_is_named_with_the_file_that_has_it(tmp_path: Path) -> None:
    shared = put(tmp_path, "echo-2_MEGRE.json", EchoTime=12)
    put(tmp_path, BESIDE, Units="rad")
    with pytest.raises(InputError, match="milliseconds") as refused:
        echo_time(read_sidecar(tmp_path / IMAGE), "beside.json")
    assert str(refused.value).startswith(f"{shared}, EchoTime: found 12")
    assert place_of(Sidecar({}, {}), "EchoTime", "beside.json") == "beside.json, EchoTime"


def test_files_of_one_folder_must_agree_where_none_is_nearer(tmp_path: Path) -> None:
    put(tmp_path, "echo-2_MEGRE.json", EchoTime=0.01, FlipAngle=15)
    other = put(tmp_path, "part-phase_MEGRE.json", EchoTime=0.02, FlipAngle=15)
    with pytest.raises(InputError, match=r"where echo-2_MEGRE\.json has 0\.01") as refused:
        read_sidecar(tmp_path / IMAGE)
    assert f"{other}, EchoTime" in str(refused.value)
    put(tmp_path, "part-phase_MEGRE.json", Units="rad", FlipAngle=15)
    assert read_sidecar(tmp_path / IMAGE) == {"EchoTime": 0.01, "FlipAngle": 15, "Units": "rad"}


def test_a_folder_is_seen_as_it_is_now(tmp_path: Path) -> None:
    root = tmp_path / "bids"
    put(root, "MEGRE.json")
    os.utime(root, (1e9, 1e9))  # long unchanged, and so remembered
    assert len(sidecars_of(root / IMAGE)) == 1
    put(root, "echo-2_MEGRE.json")
    assert len(sidecars_of(root / IMAGE)) == 2
    (root / "MEGRE.json").unlink()
    assert len(sidecars_of(root / IMAGE)) == 1
