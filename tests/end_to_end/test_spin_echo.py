"""A session with a multi-echo spin echo: from files to χ⁺ and χ⁻ by a measured R2."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from end_to_end.small_cohort import HOME, Run
from scipy import ndimage

from qsmiron.simulation.raw_data import write_dataset_description, write_subject
from qsmiron.simulation.subject import SimulatedSubject, read_plan, simulate_subject
from qsmiron.spaces import grid_points, look_up
from qsmiron.volumes import read_json, read_volume, write_volume

pytestmark = pytest.mark.end_to_end

VOXEL_MM = 4.0
SPIN_ECHO_MM = (3.0, 3.0, 5.0)
TIMES = 0.012 * np.arange(1, 7)  # s
FIRST_ECHO = 0.85  # of the decay of the others: it holds no stimulated echoes
MOVED_MM = (2.0, -3.0, 1.0)


@pytest.fixture(scope="module")
def subject() -> SimulatedSubject:
    plan = read_plan(HOME / "config/demo/plan.tsv")["sub-01"]
    return simulate_subject(plan, VOXEL_MM)


def write_spin_echo(anat: Path, subject: SimulatedSubject) -> None:
    """The head's spin echoes, on a grid of its own, after it moved by :data:`MOVED_MM`."""
    proton = np.abs(subject.echoes[0]) * np.exp(subject.echo_times[0] * subject.r2star)
    places = grid_points(proton.shape, subject.affine)[subject.brain]
    low, high = places.min(axis=0) - 25, places.max(axis=0) + 25
    affine = np.diag([*SPIN_ECHO_MM, 1.0])
    affine[:3, 3] = low
    shape = tuple(((high - low) / SPIN_ECHO_MM).astype(int) + 1)
    points = grid_points(shape, affine) - np.array(MOVED_MM)
    first = look_up(proton, subject.affine, points, outside=0.0)
    # linear interpolation of a rate and not of the echoes: what is fitted is what is looked up
    r2 = look_up(subject.sources.r2, subject.affine, points, outside=0.0)
    level = 1000 / first[r2 > 0].mean()
    rng = np.random.default_rng(0)
    for echo, time in enumerate(TIMES, start=1):
        image = level * first * np.exp(-time * r2) * (FIRST_ECHO if echo == 1 else 1)
        noise = rng.normal(0, 3, (2, *shape))
        image = np.hypot(image + noise[0], noise[1])
        path = anat / f"sub-01_echo-{echo}_MESE.nii.gz"
        write_volume(path, np.rint(image).astype(np.int16), affine, {"EchoTime": float(time)})


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory, subject: SimulatedSubject) -> Run:
    folder = tmp_path_factory.mktemp("spin_echo")
    write_dataset_description(folder / "raw")
    write_subject(folder / "raw", "sub-01", subject)
    anat = folder / "raw/sub-01/anat"
    write_spin_echo(anat, subject)
    for path in anat.glob("*T1w*"):  # nothing is registered to the template
        path.unlink()
    (folder / "participants.tsv").write_text("participant_id\tage\nsub-01\t60\n")
    run = Run(
        folder,
        {
            "bids_dir": "raw",
            "contrasts": {"progression": None, "phenotype": None},
            "scores": [],
            "reconstruction": {"sources": {"r2": "MESE"}},
        },
    )
    run.snakemake(*outputs(run))
    return run


def outputs(run: Run) -> list[str]:
    anat = f"{run.settings.get('results_dir', 'results')}/sub-01/anat/sub-01"
    return [f"{anat}_label-{sign}_desc-main_Chimap.nii.gz"
            for sign in ("paramagnetic", "diamagnetic")]  # fmt: skip


def inner(subject: SimulatedSubject, run: Run) -> np.ndarray:
    reliable = run.results / "sub-01/anat/sub-01_label-reliable_desc-main_mask.nii.gz"
    mask = read_volume(reliable).data > 0
    return ndimage.binary_erosion(mask & subject.brain, iterations=2)


def test_r2_comes_from_the_spin_echoes(run: Run, subject: SimulatedSubject) -> None:
    path = run.results / "sub-01/anat/sub-01_desc-main_R2map.nii.gz"
    found, truth = read_volume(path, finite=False).data, subject.sources.r2
    here = inner(subject, run)
    smooth = here & (np.ptp(neighbours(truth), axis=0) < 1)
    assert smooth.sum() > 400
    assert np.median(np.abs(found - truth)[smooth]) < 0.3  # 1/s
    to_spin_echo = np.array(read_json(path.with_name(path.name[:-7] + ".json"))["GREToSpinEcho"])
    moved = to_spin_echo @ [0, -18, 5, 1] - [0, -18, 5, 1]
    np.testing.assert_allclose(moved[:3], MOVED_MM, atol=0.5)


def neighbours(data: np.ndarray) -> np.ndarray:
    return np.stack([np.roll(data, by, axis) for axis in range(3) for by in (-1, 0, 1)])


def test_the_sources_are_those_of_the_measured_r2(run: Run, subject: SimulatedSubject) -> None:
    here = inner(subject, run)
    positive, negative = (run.folder / path for path in outputs(run))
    sidecar = read_json(positive.with_name(positive.name[:-7] + ".json"))
    assert sidecar["R2"] == "measured"
    chi = read_volume(run.results / "sub-01/anat/sub-01_desc-main_Chimap.nii.gz").data
    parts = [read_volume(path).data for path in (positive, negative)]
    whole = chi + sidecar["OriginOffset"]
    np.testing.assert_allclose((parts[0] + parts[1])[here], whole[here], atol=1e-6)
    for part, truth in zip(
        parts, (subject.sources.paramagnetic, subject.sources.diamagnetic), strict=True
    ):
        slope = np.polyfit(truth[here], part[here], 1)[0]
        assert 0.6 < slope < 1.2
        assert np.corrcoef(truth[here], part[here])[0, 1] > 0.7


def test_another_echo_time_repeats_the_fit_and_what_follows(run: Run) -> None:
    path = run.folder / "raw/sub-01/anat/sub-01_echo-6_MESE.json"
    before = path.read_text()
    try:
        path.write_text(json.dumps({"EchoTime": 0.073}))
        jobs = run.would_run(*outputs(run))
    finally:
        path.write_text(before)
    assert jobs == {"map_r2": 1, "separate_sources": 1}
