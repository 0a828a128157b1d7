"""What an edit of one visit repeats, by dry runs over the finished tables of a study of visits."""

from __future__ import annotations

from pathlib import Path

import pytest
from end_to_end.small_cohort import Run
from made_up_visits import MadeUp, write_study

from qsmiron.tables import read_table, write_table

pytestmark = [pytest.mark.end_to_end, pytest.mark.slow]

TARGETS = [
    f"results/group/{name}.tsv" for name in ("change", "rates", "correlations", "group_tests")
]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Twelve patients with up to two visits, two regions, their tables of tests made."""
    folder = tmp_path_factory.mktemp("visits")
    plan = MadeUp(n=12, n_first=6, n_visits=2, dropout=0.1)
    write_study(folder, 2, plan)
    regions = read_table(folder / "regions.tsv", "regions")
    write_table(regions[regions["region"] == "amygdala"], folder / "regions.tsv", "regions")
    run = Run(
        folder,
        {
            "analysis_only": True,
            "regions_table": "regions.tsv",
            "clinical_table": "raw/participants.tsv",
            "contrasts": {"progression": {"column": "progression", "levels": ["fast", "slow"]},
                          "phenotype": None},
            "scores": ["alsfrs_r", "ecas_total"],
            "statistics": {"permutations": 19, "bootstrap": 0},
        },
    )  # fmt: skip
    run.snakemake(*TARGETS)
    return run


def edited(run: Run, session: int, column: int, value: str) -> dict[str, int]:
    """The jobs of a run after one cell of the first patient with two visits is another."""
    table = next(
        path for path in sorted(run.folder.glob("raw/sub-*/*.tsv")) if "ses-2" in path.read_text()
    )
    before = table.read_text()
    rows = [line.split("\t") for line in before.splitlines()]
    rows[session][column] = value
    table.write_text("\n".join("\t".join(row) for row in rows) + "\n")
    try:
        return run.would_run(*TARGETS)
    finally:
        table.write_text(before)


def test_a_score_of_a_later_visit_is_no_matter_of_the_cross_section(finished: Run) -> None:
    assert finished.would_run(*TARGETS) == {}
    assert edited(finished, 2, 2, "1") == {"test_change": 1, "gather_tests": 1}


def test_a_score_of_the_first_visit_is_also_correlated(finished: Run) -> None:
    jobs = edited(finished, 1, 2, "47")
    assert jobs == {"test_change": 1, "correlate_scores": 1, "gather_tests": 2}


def test_another_time_of_a_visit_repeats_every_part(finished: Run) -> None:
    jobs = edited(finished, 2, 1, "8.5")
    # time, the contrast, two scores, ΔFS, who leaves
    assert jobs == {"test_change": 6, "measure_rates": 1, "gather_tests": 1}


def test_the_edited_score_reaches_its_rows_alone(finished: Run) -> None:
    before = read_table(finished.folder / TARGETS[0], "change")
    table = next(
        path
        for path in sorted(Path(finished.folder).glob("raw/sub-*/*.tsv"))
        if "ses-2" in path.read_text()
    )
    text = table.read_text()
    lines = [line.split("\t") for line in text.splitlines()]
    lines[2][2] = "1"
    table.write_text("\n".join("\t".join(line) for line in lines) + "\n")
    finished.snakemake(TARGETS[0])
    after = read_table(finished.folder / TARGETS[0], "change")
    table.write_text(text)
    finished.snakemake(TARGETS[0])
    changed = set(before["model"][(before.fillna(0) != after.fillna(0)).any(axis=1)])
    assert changed == {"alsfrs_r"}
