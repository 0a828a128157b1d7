"""What jobs cost by their benchmark records, and how far a run is."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

import show_progress
from qsmiron.costs import STAGES, read_costs, stage_costs
from qsmiron.errors import InputError
from qsmiron.progress import PLAN, as_text, read_progress, write_plan
from qsmiron.report.costs_table import costs_table

RULES = Path(__file__).resolve().parents[1] / "rules"
HEADER = "s\th:m:s\tmax_rss\tmax_vms\tmax_uss\tmax_pss\tio_in\tio_out\tmean_load\tcpu_time\n"
NOW = 2_000_000.0  # s, epoch


def ended(
    folder: Path, name: str, s: float, cpu: str = "NA", rss: str = "NA", at: float = 0
) -> str:
    """A record of a job that took ``s`` and ended ``at`` s after :data:`NOW`."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(HEADER + f"{s}\t0:00:01\t{rss}\t1\t1\t1\t1\t1\t1\t{cpu}\n")
    os.utime(path, (NOW + at, NOW + at))
    return str(path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two participants, one with two sessions, and jobs of the cohort."""
    ended(tmp_path, "map_field/sub-01/sub-01_desc-main.tsv", 10, "8", "300")
    ended(tmp_path, "map_field/sub-02/ses-1/sub-02_ses-1_desc-main.tsv", 20, "18", "400")
    ended(tmp_path, "map_field/sub-02/ses-2/sub-02_ses-2_desc-main.tsv", 30, "28", "350")
    ended(tmp_path, "simulate_subject/sub-01.tsv", 5, "4", "100")
    ended(tmp_path, "test_groups/progression.tsv", 2, "1.5", "150")
    ended(tmp_path, "gather_quality/gather_quality.tsv", 0.1)
    ended(tmp_path, "of_the_future/sub-01/sub-01.tsv", 60, "60", "50")
    (tmp_path / "map_field/sub-01/half.tsv").write_text("s\th:m:s\n")
    (tmp_path / PLAN).write_text("{}")
    return tmp_path


def test_every_rule_has_a_stage() -> None:
    text = "".join(path.read_text() for path in RULES.glob("*.smk"))
    rules = re.findall(r"^ *rule (\w+):", text, re.MULTILINE)
    assert sorted(rule for stage in STAGES.values() for rule in stage) == sorted(rules)
    # the rules of branches keep their records with the others
    assert set(re.findall(r'paths.benchmark\(\s*"(\w+)"', text)) == set(rules)


def test_costs_are_summed_by_stage_in_the_order_of_the_flow(folder: Path) -> None:
    found = {cost.stage: cost for cost in stage_costs(read_costs(folder))}
    assert list(found) == [
        "Data and checks", "Reconstruction", "Quality", "Group results", "Other",
    ]  # fmt: skip
    field = found["Reconstruction"]
    assert (field.jobs, field.elapsed, field.cpu, field.memory) == (3, 60, 54, 400)
    assert field.cpu_of_scans == 54
    assert found["Group results"].cpu_of_scans == 0
    assert found["Data and checks"].cpu_of_scans == 4
    assert found["Quality"].cpu == 0  # too short to be looked at


def test_the_report_leaves_out_who_is_no_longer_there(folder: Path) -> None:
    header, *rows, total = costs_table(folder)
    assert len(header) == len(total) == 6
    assert total == ["All", "7", "2.0", "2.1", "400", "59.0"]  # 118 s of two participants
    rows = {row[0]: row[1:] for row in costs_table(folder, {"sub-02"})[1:]}
    assert rows["Reconstruction"] == ["2", "0.8", "0.8", "400", "46.0"]
    assert "Data and checks" not in rows
    assert rows["Group results"] == ["1", "0.0", "0.0", "150", ""]


def test_without_records_there_is_no_table(tmp_path: Path) -> None:
    assert costs_table(tmp_path / "none") == []


def start(folder: Path, *names: str, since: float = 0) -> None:
    """Write the plan of a run that began ``since`` s after NOW."""
    write_plan(folder, [str(folder / name) for name in names])
    plan = (folder / PLAN).read_text()
    (folder / PLAN).write_text(re.sub(r'"started": [\d.]+', f'"started": {NOW + since}', plan))


NAMES = (*(f"map_field/sub-{n}/sub-{n}.tsv" for n in range(4)), "test_groups/a.tsv")


def test_jobs_of_this_run_are_counted_and_the_rest_is_estimated(tmp_path: Path) -> None:
    start(tmp_path, *NAMES)
    ended(tmp_path, NAMES[0], 30, at=31)
    ended(tmp_path, NAMES[1], 50, at=51)
    ended(tmp_path, NAMES[2], 500, at=-1)  # of an earlier run
    ended(tmp_path, NAMES[4], 9, at=-1)
    found = read_progress(tmp_path, NOW + 60)
    assert found.planned == {"Reconstruction": 4, "Group results": 1}
    assert found.done == {"Reconstruction": 2}
    assert found.elapsed == 60
    # 2 · 40 s and 9 s as it took before, by 80 s / 60 s at a time
    assert found.left == pytest.approx((2 * 40 + 9) / (80 / 60))
    text = as_text(found)
    assert re.search(r"Reconstruction +2 of 4 +\[##########", text)
    assert re.search(r"All +2 of 5 +after 1 min\nTime left: about 1 min$", text)


def test_a_job_of_an_unknown_time_takes_the_usual(tmp_path: Path) -> None:
    start(tmp_path, *NAMES)
    ended(tmp_path, NAMES[0], 40, at=40)
    found = read_progress(tmp_path, NOW + 40)
    assert found.left == pytest.approx(4 * 40)


def test_at_the_start_the_time_is_not_known(tmp_path: Path) -> None:
    start(tmp_path, *NAMES)
    found = read_progress(tmp_path, NOW + 5)
    assert found.left is None
    assert "not known yet" in as_text(found)


def test_a_finished_run_says_what_it_took(tmp_path: Path) -> None:
    start(tmp_path, *NAMES)
    for number, name in enumerate(NAMES):
        ended(tmp_path, name, 10, at=3600 + number)
    found = read_progress(tmp_path, NOW + 99_999)
    assert (found.elapsed, found.left) == (3604, 0)
    assert "5 of 5      after 1 h 00 min" in as_text(found)
    assert "left" not in as_text(found)


def test_the_script_prints_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    start(tmp_path / "benchmarks", *NAMES)
    show_progress.main([str(tmp_path)])
    assert "0 of 5" in capsys.readouterr().out


def test_without_a_run_the_script_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(InputError, match=PLAN):
        read_progress(tmp_path)
    with pytest.raises(SystemExit) as end:
        show_progress.main([str(tmp_path)])
    assert end.value.code == 1
    assert "a run that has started" in capsys.readouterr().err
