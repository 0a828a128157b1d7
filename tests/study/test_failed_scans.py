"""Scans of which a job failed: which job it was, how long its record stands, who is left."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qsmiron.errors import InputError
from qsmiron.failures import NO_MESSAGE, read_failure
from qsmiron.study import Study, load_study
from qsmiron.study.failed_scans import in_words

HOME = Path(__file__).resolve().parents[2]
START = 1_000_000.0  # s, epoch


@pytest.fixture
def values(values: dict[str, Any], raw: Path, tmp_path: Path) -> dict[str, Any]:
    """Three scans: sub-A, and two sessions of sub-B."""
    out = str(tmp_path / "out")
    return {**values, "bids_dir": str(raw), "results_dir": out, "on_subject_failure": "exclude"}


def write(path: Path, text: str, after: float) -> str:
    """Write a file as it would be ``after`` s of the run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    os.utime(path, (START + after, START + after))
    return str(path)


class Jobs:
    """Makes jobs as the workflow engine has them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(
        self, rule: str, log: str | None = None, *, after: float = 1, finished: bool = False,
        inputs: tuple[str, ...] = (), **wildcards: str,
    ) -> SimpleNamespace:  # fmt: skip
        name = f"{rule}/{'_'.join(wildcards.values()).replace('/', '_')}"
        path, benchmark = self.folder / f"logs/{name}.log", self.folder / f"benchmarks/{name}.tsv"
        if log is not None:
            write(path, log, after)
        if finished:
            write(benchmark, "s\n1\n", after + 1)
        return SimpleNamespace(
            rule=rule,
            wildcards=SimpleNamespace(**wildcards),
            input=list(inputs),
            log=[str(path)],
            benchmark=str(benchmark),
            is_group=lambda: False,
        )

    def of_b(self, rule: str, log: str | None = None, **more: Any) -> SimpleNamespace:
        return self(rule, log, folder="sub-B/ses-1", entities="sub-B_ses-1", **more)

    @staticmethod
    def group(*jobs: SimpleNamespace) -> SimpleNamespace:
        return SimpleNamespace(is_group=lambda: True, jobs=frozenset(map(Hashable, jobs)))


class Hashable(SimpleNamespace):
    def __init__(self, job: SimpleNamespace) -> None:
        super().__init__(**vars(job))

    __hash__ = object.__hash__  # type: ignore[assignment]


@pytest.fixture
def jobs(tmp_path: Path) -> Jobs:
    return Jobs(tmp_path / "out")


def study_of(values: dict[str, Any], **more: Any) -> Study:
    return load_study({**values, **more}, HOME)


def record(study: Study, *jobs: Any) -> list[tuple[str, str, str]]:
    found = study.failure_records.found(jobs, study.cohort.scans, START)
    study.failure_records.write(found)
    return [(one.entities, one.rule, one.reason) for one in found]


def names(study: Study) -> list[str]:
    return [scan.entities for scan in study.cohort.scans]


def test_a_failed_job_leaves_a_record_of_its_scan(values: dict[str, Any], jobs: Jobs) -> None:
    study = study_of(values)
    job = jobs.of_b("map_field", "error: sub-B: found one; expected two. Mend it.\n")
    assert record(study, job) == [
        ("sub-B_ses-1", "map_field", "sub-B: found one; expected two. Mend it.")
    ]
    failure = read_failure(f"{values['results_dir']}/work/failures/sub-B_ses-1.json")
    assert failure.log == job.log[0]
    (line,) = in_words([failure]).splitlines()
    for word in ("sub-B_ses-1", "map_field", "expected two", job.log[0]):
        assert word in line


def test_jobs_of_the_cohort_are_no_scans(values: dict[str, Any], jobs: Jobs) -> None:
    study = study_of(values)
    gathered = jobs("gather_regions", "error: none\n", table="regions")
    assert record(study, gathered, jobs("check_inputs", "error: none\n")) == []
    assert not Path(study.paths.failures).exists()


def test_a_failed_job_of_the_cohort_says_why_in_a_line(values: dict[str, Any], jobs: Jobs) -> None:
    study = study_of(values)
    failed = [
        jobs("draw_effects", "error: effects.png: found a folder\n", contrast="phenotype"),
        jobs("map_field", "error: phase\n", folder="sub-A", entities="sub-A"),
        jobs("pool_thresholds", "error: of the run before\n", after=-5),
    ]
    found = study.failure_records.of_cohort(failed, study.cohort.scans, START)
    assert in_words(found).splitlines() == [
        f"  pool_thresholds failed: {NO_MESSAGE} (log: {failed[2].log[0]})",
        f"  draw_effects failed: effects.png: found a folder (log: {failed[0].log[0]})",
    ]


def test_the_first_job_that_says_why_is_told(values: dict[str, Any], jobs: Jobs) -> None:
    killed = jobs.of_b("map_r2star", "", after=1)
    first = jobs.of_b("map_field", "error: first\n", after=2)
    second = jobs.of_b("draw_subject", "error: second\n", after=3)
    found = record(study_of(values), second, killed, first)
    assert found == [("sub-B_ses-1", "map_field", "first")]


def test_the_log_of_an_earlier_run_is_not_quoted(values: dict[str, Any], jobs: Jobs) -> None:
    job = jobs.of_b("map_field", "error: long mended\n", after=-60)
    assert record(study_of(values), job) == [("sub-B_ses-1", "map_field", NO_MESSAGE)]


def test_a_log_that_found_no_space_says_nothing(
    values: dict[str, Any], jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=4096)
    monkeypatch.setattr("shutil.disk_usage", lambda path: usage)
    study = study_of(values)
    ((_, _, reason),) = record(study, jobs.of_b("map_field", ""))
    assert "No space left" in reason and values["results_dir"] in reason
    assert record(study, jobs.of_b("map_field", "error: none\n"))[0][2] == "none"
    usage.free = 2**30
    assert record(study, jobs.of_b("map_field", ""))[0][2] == NO_MESSAGE


def test_a_demos_participant_is_known_by_its_label(values: dict[str, Any], jobs: Jobs) -> None:
    study = study_of(values, bids_dir=None)
    job = jobs("simulate_subject", "error: none\n", subject="02")
    assert record(study, job) == [("sub-02", "simulate_subject", "none")]


def test_of_a_group_the_job_that_did_not_finish_failed(values: dict[str, Any], jobs: Jobs) -> None:
    group = jobs.group(
        jobs.of_b("map_field", "fine\n", after=1, finished=True),
        jobs.of_b("invert_dipole", "error: diverged\n", after=5),
        jobs.of_b("reference_chi", "error: of the last run\n", after=-5),
        jobs.of_b("draw_subject"),
    )
    assert record(study_of(values), group) == [("sub-B_ses-1", "invert_dipole", "diverged")]


def test_a_group_of_one_scan_that_left_no_trace(values: dict[str, Any], jobs: Jobs) -> None:
    group = jobs.group(jobs.of_b("map_field"), jobs.of_b("invert_dipole"))
    assert record(study_of(values), group) == [("sub-B_ses-1", "invert_dipole", NO_MESSAGE)]


def test_a_group_of_several_scans_blames_none_without_a_trace(
    values: dict[str, Any], jobs: Jobs
) -> None:
    of_a = {"folder": "sub-A", "entities": "sub-A"}
    silent = jobs.group(jobs("count_deposits", **of_a), jobs.of_b("count_deposits"))
    assert record(study_of(values), silent) == []
    telling = jobs.group(
        jobs("count_deposits", "", finished=True, **of_a),
        jobs.of_b("count_deposits", "error: no threshold\n"),
    )
    assert record(study_of(values), telling) == [("sub-B_ses-1", "count_deposits", "no threshold")]


def test_the_scan_is_left_out_if_the_config_says_so(values: dict[str, Any], jobs: Jobs) -> None:
    assert names(study_of(values)) == ["sub-A", "sub-B_ses-1", "sub-C_ses-2"]
    record(study_of(values), jobs.of_b("map_field", "error: none\n"))
    study = study_of(values)
    assert names(study) == ["sub-A", "sub-C_ses-2"]
    assert [failure.entities for failure in study.failures] == ["sub-B_ses-1"]
    assert study.failure_files == [f"{values['results_dir']}/work/failures/sub-B_ses-1.json"]
    assert not any("ses-1" in path for path in study.cohort.every_scan(study.paths.chi))
    strict = study_of(values, on_subject_failure="stop")
    assert names(strict) == ["sub-A", "sub-B_ses-1", "sub-C_ses-2"]
    assert strict.failures == strict.failure_files == []


def test_without_any_scan_left_the_records_are_named(values: dict[str, Any], jobs: Jobs) -> None:
    every = [
        jobs("map_field", "error: none\n", folder=scan.folder, entities=scan.entities)
        for scan in study_of(values).cohort.scans
    ]
    record(study_of(values), *every)
    with pytest.raises(InputError, match="work/failures"):
        study_of(values)


def test_a_scan_that_is_tried_again_is_forgotten(values: dict[str, Any], jobs: Jobs) -> None:
    study = study_of(values)
    record(study, jobs.of_b("map_field", "error: none\n"))
    study.failure_records.forget(study.cohort.scans)
    assert names(study_of(values)) == ["sub-A", "sub-B_ses-1", "sub-C_ses-2"]


def test_a_mended_image_is_tried_again(values: dict[str, Any], jobs: Jobs, raw: Path) -> None:
    record(study_of(values), jobs.of_b("map_field", "error: none\n"))
    other = raw / "sub-C/ses-2/anat/sub-C_ses-2_echo-1_part-mag_MEGRE.nii.gz"
    other.write_bytes(b"another scan's")
    assert len(names(study_of(values))) == 2
    image = raw / "sub-B/ses-1/anat/sub-B_ses-1_echo-1_part-mag_MEGRE.nii.gz"
    image.write_bytes(b"mended")
    assert len(names(study_of(values))) == 3


def test_a_sidecar_that_was_missing_is_a_change(
    values: dict[str, Any], jobs: Jobs, raw: Path
) -> None:
    record(study_of(values), jobs.of_b("map_field", "error: none\n"))
    (raw / "sub-B/ses-1/anat/sub-B_ses-1_echo-1_part-mag_MEGRE.json").write_text("{}")
    assert len(names(study_of(values))) == 3


def test_another_input_of_the_job_counts_and_results_do_not(
    values: dict[str, Any], jobs: Jobs, tmp_path: Path
) -> None:
    table = write(tmp_path / "labels.tsv", "index\tname\n", 0)
    made = write(tmp_path / "out/work/sub-B/coordinates.nii.gz", "", 0)
    record(study_of(values), jobs.of_b("carry_labels", "error: none\n", inputs=(table, made)))
    Path(made).unlink()
    assert len(names(study_of(values))) == 2
    write(Path(table), "index\tname\n1\tone\n", 5)
    assert len(names(study_of(values))) == 3


@pytest.mark.parametrize(
    ("change", "tried"),
    [
        ({"reconstruction": {"inversion": {"method": "rts"}}}, True),
        ({"registration": {"parameters": {"seed": 2}}}, True),
        ({"iron": {"deposit_percentile": 90}}, True),
        ({"scores": []}, False),
        ({"statistics": {"seed": 2}}, False),
        ({"threads": {"registration": 2}}, False),
    ],
)
def test_a_setting_of_its_jobs_is_a_change(
    values: dict[str, Any], jobs: Jobs, change: dict[str, Any], tried: bool
) -> None:
    record(study_of(values), jobs.of_b("map_field", "error: none\n"))
    assert len(names(study_of(values, **change))) == (3 if tried else 2)


def test_its_participants_age_is_a_change(values: dict[str, Any], jobs: Jobs, raw: Path) -> None:
    record(study_of(values), jobs.of_b("measure_regions", "error: none\n"))
    table = raw / "participants.tsv"
    table.write_text(table.read_text().replace("sub-A\t60", "sub-A\t61"))
    assert len(names(study_of(values))) == 2
    table.write_text(table.read_text().replace("sub-B\tn/a", "sub-B\t70"))
    assert len(names(study_of(values))) == 3


def test_edited_code_is_a_change(
    values: dict[str, Any], jobs: Jobs, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(study_of(values), jobs.of_b("map_field", "error: none\n"))
    read = Path.read_bytes

    def edited(path: Path) -> bytes:
        return read(path) + b"#" * (path.name == "romeo.py")

    monkeypatch.setattr(Path, "read_bytes", edited)
    assert len(names(study_of(values))) == 3


def test_a_killed_job_is_tried_in_the_next_run_but_not_in_this(
    values: dict[str, Any], jobs: Jobs
) -> None:
    record(study_of(values), jobs.of_b("map_field", ""))
    assert len(names(study_of(values))) == 3
    assert len(load_study(values, HOME, underway=True).cohort.scans) == 2


def test_what_is_no_record_is_passed_over(values: dict[str, Any], jobs: Jobs) -> None:
    folder = Path(values["results_dir"]) / "work/failures"
    folder.mkdir(parents=True)
    (folder / "sub-A.json").write_text("{")
    (folder / "sub-B_ses-1.json").write_text('{"folder": "sub-B/ses-1"}')
    assert len(names(study_of(values))) == 3
