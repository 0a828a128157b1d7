"""A study that starts from a table of region values: it makes none of the tables it reads."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from study.planning import refusal

from qsmiron.errors import InputError
from qsmiron.study import Study, load_study
from qsmiron.study.given_tables import names_in
from qsmiron.tables import TABLES, read_table

HOME = Path(__file__).resolve().parents[2]
MADE_BY_STAGES = ["regions", "region_voxels", "quality", "quantiles", "calibration", "thresholds"]
PEOPLE = "".join(f"sub-{n}\t{50 + n}\t{'slow' if n % 2 else 'fast'}\n" for n in range(1, 9))


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A results folder with the tables of a run that measured."""
    group = tmp_path / "results/group"
    group.mkdir(parents=True)
    for name in MADE_BY_STAGES:
        (group / f"{name}.tsv").write_text("\t".join(TABLES[name]) + "\n")
    rows = "".join(
        f"sub-{n}\tn/a\tmain\tDK\tatlas\t1\tputamen\tL\tchi_mean\tsusceptibility\t0.0{n}\tppm\t9\t1\n"
        for n in range(1, 9)
    )
    with (group / "regions.tsv").open("a") as table:
        table.write(rows)
    (tmp_path / "people.tsv").write_text("participant_id\tage\tprogression\n" + PEOPLE)
    return tmp_path / "results"


def settings(finished: Path, **more: Any) -> dict[str, Any]:
    return {
        **yaml.safe_load((HOME / "config/config.yaml").read_text()),
        "analysis_only": True,
        "clinical_table": str(finished.parent / "people.tsv"),
        "results_dir": str(finished),
        "contrasts": {"progression": {"column": "progression", "levels": ["fast", "slow"]}},
        "scores": [],
        "covariates": ["age"],
        **more,
    }


def study_of(finished: Path, **more: Any) -> Study:
    return load_study(settings(finished, **more), HOME)


def snakemake(finished: Path, *asked: str, **more: Any) -> subprocess.CompletedProcess[str]:
    config = finished.parent / "study.yaml"
    given = settings(finished, **more)
    # null in a later file takes out what an earlier one has
    config.write_text(
        yaml.safe_dump({**given, "contrasts": {"phenotype": None, **given["contrasts"]}})
    )
    return subprocess.run(
        [sys.executable, "-m", "snakemake", "--snakefile", str(HOME / "Snakefile"), "--cores", "1",
         "--directory", str(finished.parent), "--configfile", str(config), *asked],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("named", [False, True])
def test_no_job_makes_what_the_group_results_start_from(finished: Path, named: bool) -> None:
    table = finished / "group/regions.tsv"
    before = table.read_bytes()
    more = {"regions_table": str(table)} if named else {}
    more["covariates"] = ["age", "brain_volume", "region_volume"]
    planned = snakemake(finished, "--dry-run", **more)
    assert planned.returncode == 0, planned.stdout + planned.stderr
    jobs = {line.split()[0] for line in planned.stdout.splitlines() if line.strip()}
    assert {"test_groups", "write_report"} <= jobs
    assert not {job for job in jobs if job in ("gather_regions", "gather_quality")}
    for name in MADE_BY_STAGES:
        snakemake(finished, "--force", str(finished / f"group/{name}.tsv"), **more)
    assert table.read_bytes() == before
    assert all((finished / f"group/{name}.tsv").exists() for name in MADE_BY_STAGES)


@pytest.mark.parametrize(
    ("covariate", "name"), [("brain_volume", "quality"), ("region_volume", "region_voxels")]
)
def test_a_covariate_of_the_scans_takes_the_table_that_is_there(
    finished: Path, covariate: str, name: str
) -> None:
    table = finished / f"group/{name}.tsv"
    study = study_of(finished, covariates=["age", covariate])
    assert [*study.covariate_quality(), *study.covariate_volumes()] == [str(table)]
    table.unlink()
    with pytest.raises(
        InputError, match=rf"{name}.tsv: found no such file.*{covariate}.*results f"
    ):
        study_of(finished, covariates=["age", covariate])
    with pytest.raises(InputError, match=covariate):
        study_of(finished, multiverse={"covariates": [[covariate]]})
    # a column of the clinical table goes before the scans'
    people = finished.parent / "people.tsv"
    people.write_text(people.read_text().replace("age", covariate))
    study = study_of(finished, covariates=[covariate])
    assert [*study.covariate_quality(), *study.covariate_volumes()] == []


def test_quantiles_belong_to_the_regions_beside_them(finished: Path) -> None:
    table = finished / "group/quantiles.tsv"
    assert study_of(finished).quantiles_tables == [str(table)]
    own = finished.parent / "." / finished.name / "group/regions.tsv"
    assert study_of(finished, regions_table=str(own)).quantiles_tables == [str(table)]
    elsewhere = finished.parent / "regions.tsv"
    shutil.copy(own, elsewhere)
    assert study_of(finished, regions_table=str(elsewhere)).quantiles_tables == []
    table.unlink()
    assert study_of(finished).quantiles_tables == []


def test_a_table_that_is_missing_is_named(finished: Path) -> None:
    with pytest.raises(InputError, match=r"regions_table nowhere.tsv: found no such file"):
        study_of(finished, regions_table="nowhere.tsv")
    shutil.rmtree(finished)
    with pytest.raises(InputError, match=r"group/regions.tsv: found no such file"):
        study_of(finished)


@pytest.mark.parametrize(
    ("key", "labels"),
    [("exclude", ["sub-3"]), ("exclude", ["3"]), ("participant_label", ["1", "2", "4"])],
)
def test_whoever_the_config_leaves_out_must_not_be_in_the_table(
    finished: Path, key: str, labels: list[str]
) -> None:
    assert study_of(finished).inspect().errors == []
    (problem,) = study_of(finished, **{key: labels}).inspect().errors
    assert key in problem.found and "sub-3" in problem.found
    table = finished / "group/regions.tsv"
    kept = ("participant_id", "sub-1", "sub-2", "sub-4")
    lines = table.read_text().splitlines(keepends=True)
    table.write_text("".join(line for line in lines if line.startswith(kept)))
    assert study_of(finished, **{key: labels}).inspect().errors == []


def test_the_check_lists_all_of_the_table_with_the_clinical_tables(finished: Path) -> None:
    table = finished / "group/regions.tsv"
    text = table.read_text().replace("0.02", "0,02").replace("sub-5\t", "sub-55\t")
    table.write_text(text)
    people = finished.parent / "people.tsv"
    people.write_text(people.read_text().replace("53", "old"))
    found = " ".join(str(problem) for problem in study_of(finished).inspect().errors)
    assert all(word in found for word in ("'0,02'", "sub-55", "old"))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("x\tatlas\tdesc\n1\tA\tB\n1\tC\tA", ["A", "C"]),
        ("x\tdesc\tatlas\n1\tA\tB\n1\tB\tC", ["B", "C"]),
        ("atlas\tx\r\nB\tA\r\n", ["B"]),
        ("x\tatlas\r\nB\tA\r\n", ["A"]),
        ("x\tatlas\nB\tAA\nA\tBA B\n", []),
        ("x\tatlas\n", []),
        ("x\tdesc\nA\tB\n", []),
        ("", []),
    ],
)
def test_names_are_found_in_their_column(tmp_path: Path, text: str, found: list[str]) -> None:
    table = tmp_path / "t.tsv"
    table.write_text(text, newline="")
    assert names_in(table, "atlas", ["A", "B", "C"]) == found
    assert names_in(tmp_path / "none.tsv", "atlas", ["A"]) == []


@pytest.mark.end_to_end
@pytest.mark.slow
def test_a_table_of_another_atlas_comes_to_its_report(tmp_path: Path) -> None:
    """Twelve bilateral regions, none of them in the shipped atlas, of a single metric."""
    (tmp_path / "results").mkdir()
    (tmp_path / "people.tsv").write_text("participant_id\tage\tprogression\n" + PEOPLE)
    regions = "".join(
        f"sub-{n}\tn/a\tpublished\tMine\tatlas\t{index}\tnucleus {index}\tB\tchi_mean\t"
        f"susceptibility\t{0.01 * (n * index % 7):.3f}\tppm\tn/a\tn/a\tyes\n"
        for n in range(1, 9)
        for index in range(1, 13)
    )
    header = "\t".join([*TABLES["regions"], "bilateral"])
    (tmp_path / "mine.tsv").write_text(f"{header}\n{regions}")
    run = snakemake(
        tmp_path / "results",
        regions_table="mine.tsv",
        statistics={"permutations": 19, "bootstrap": 0, "null_permutations": 20},
        multiverse={"covariates": [[]], "metrics": {}},
    )
    assert run.returncode == 0, run.stdout + run.stderr
    for name in ("influence", "multiverse"):
        table = read_table(tmp_path / f"results/group/{name}.tsv", name)
        assert set(table["atlas"]) == {"Mine"}
        assert set(table["hemisphere"]) == {"B"}
    assert "Atlas Mine." in (tmp_path / "results/report.html").read_text()


def test_a_given_table_needs_no_atlas_of_the_configuration(finished: Path) -> None:
    config = {**settings(finished), "atlases": {"DK": None, "tissues": None}}
    assert refusal(finished.parent, config) == ""
    config |= {"analysis_only": False, "bids_dir": None}
    assert "atlases: found none; expected at least one" in refusal(finished.parent, config)
