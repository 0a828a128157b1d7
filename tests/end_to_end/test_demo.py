"""The workflow on a small demo: what comes out, and what runs again when something changes."""

from __future__ import annotations

import json
import os
from html.parser import HTMLParser
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from end_to_end.small_cohort import N_PARTICIPANTS, Run

from qsmiron.tables import TABLES, read_table

pytestmark = pytest.mark.end_to_end


def edit(table: Path, participant: str, column: str, value: str) -> None:
    rows = [line.split("\t") for line in table.read_text().splitlines()]
    at = rows[0].index(column)
    for row in rows:
        if row[0] == participant:
            assert row[at] != value
            row[at] = value
    table.write_text("\n".join("\t".join(row) for row in rows) + "\n")


def test_writes_every_table_of_the_contract(demo: Run) -> None:
    for name in (
        "regions", "group_tests", "correlations", "quality", "recovery", "null_rates",
        "multiverse", "influence",
    ):  # fmt: skip
        table = read_table(demo.results / f"group/{name}.tsv", name)
        assert list(table.columns) == list(TABLES[name])
        described = json.loads((demo.results / f"group/{name}.json").read_text())
        assert list(described) == list(TABLES[name])
        assert len(table)


def test_every_region_and_metric_has_its_row(demo: Run) -> None:
    regions = read_table(demo.results / "group/regions.tsv", "regions")
    assert regions["participant_id"].nunique() == N_PARTICIPANTS
    key = ["participant_id", "desc", "atlas", "index", "metric"]
    assert not regions.duplicated(key).any()
    n_regions = regions.groupby("atlas")["index"].nunique().to_dict()
    assert n_regions == {"DK": 83, "tissues": 4}
    assert len(regions) == N_PARTICIPANTS * (83 + 4) * regions["metric"].nunique()
    assert regions["metric"].nunique() == 24
    regions = regions[regions["atlas"] == "DK"]
    deposits = regions[regions["metric"] == "deposit_fraction"]
    assert deposits["value"].notna().mean() > 0.9
    pallidum = regions[(regions["region"] == "pallidum") & (regions["metric"] == "chi_mean")]
    assert (pallidum["value"] > 0.03).all()


def test_maps_share_the_grid_of_the_acquisition(demo: Run) -> None:
    for chi_path in demo.results.glob("sub-*/anat/sub-??_desc-*_Chimap.nii.gz"):
        who = chi_path.name.split("_")[0]
        raw = nib.load(
            demo.results / f"sourcedata/demo/{who}/anat/{who}_echo-1_part-mag_MEGRE.nii.gz"
        )
        for path in chi_path.parent.glob("*.nii.gz"):
            image = nib.load(path)
            assert image.shape == raw.shape
            assert np.allclose(image.affine, raw.affine, atol=1e-3)
        sidecar = json.loads(chi_path.with_name(chi_path.name[:-7] + ".json").read_text())
        assert sidecar["Units"] == "ppm"
        r2star = chi_path.with_name(chi_path.name.replace("Chimap.nii.gz", "R2starmap.json"))
        described = json.loads(r2star.read_text())
        assert (described["Units"], described["SkullStripped"]) == ("1/s", True)
        chi = nib.load(chi_path).get_fdata()
        assert chi[chi != 0].mean() == pytest.approx(0, abs=1e-4)  # whole-brain reference, ppm
    assert len(list(demo.results.glob("sub-*/anat/sub-??_desc-*_Chimap.nii.gz"))) == N_PARTICIPANTS


class Resources(HTMLParser):
    """Collects what a page would load."""

    def __init__(self) -> None:
        super().__init__()
        self.loaded: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if name == "src" or (name == "href" and tag == "link"):
                self.loaded.append(value or "")


def test_the_report_stands_alone(demo: Run) -> None:
    text = (demo.results / "report.html").read_text()
    resources = Resources()
    resources.feed(text)
    assert resources.loaded
    assert all(source.startswith("data:") for source in resources.loaded)
    assert "not a medical device" in text.lower()
    for number in range(1, N_PARTICIPANTS + 1):
        assert f"sub-{number:02d}" in text


def test_nothing_runs_twice(demo: Run) -> None:
    assert demo.would_run() == {}


def test_touched_inputs_run_nothing(demo: Run) -> None:
    demo.clinical_table.touch()
    assert demo.would_run() == {}


def test_one_score_repeats_its_own_jobs_only(demo: Run) -> None:
    before = demo.clinical_table.read_bytes()
    edit(demo.clinical_table, "sub-01", "alsfrs_r", "17")
    jobs = demo.would_run()
    assert jobs.pop("check_inputs") == 1
    assert jobs == {
        "assign_groups": 1,
        "correlate_scores": 1,
        "vary_choices": 1,
        "leave_one_out": 1,
        "gather_tests": 5,
        "draw_correlations": 1,
        "draw_forest": 1,
        "draw_specification_curves": 1,
        "compare_recovery": 1,
        "draw_recovery": 1,
        "write_report": 1,
    }
    demo.snakemake()
    assert demo.would_run() == {}
    demo.clinical_table.write_bytes(before)
    demo.snakemake()
    assert demo.would_run() == {}


def test_a_group_label_repeats_its_contrast_only(demo: Run) -> None:
    other = pd.read_csv(demo.clinical_table, sep="\t").set_index("participant_id")
    level = {"fast": "slow", "slow": "fast"}[other.loc["sub-02", "progression"]]
    edit(demo.clinical_table, "sub-02", "progression", level)
    jobs = demo.would_run()
    assert jobs["test_groups"] == 1
    assert "correlate_scores" not in jobs
    assert not {"map_field", "register_subject", "measure_regions"} & set(jobs)


def test_a_raw_image_and_a_score_may_change_at_once(demo: Run) -> None:
    edit(demo.clinical_table, "sub-01", "ecas_total", "77")
    raw = demo.results / "sourcedata/demo/sub-03/anat/sub-03_echo-2_part-phase_MEGRE.nii.gz"
    before, times = raw.read_bytes(), raw.stat()
    image = nib.load(raw)
    halved = nib.Nifti1Image(np.asarray(image.dataobj) // 2, image.affine, image.header)
    nib.save(halved, raw)
    try:
        jobs = demo.would_run()
    finally:
        raw.write_bytes(before)
        os.utime(raw, ns=(times.st_atime_ns, times.st_mtime_ns))
    assert jobs["map_field"] == 1
    assert jobs["correlate_scores"] == 3  # the regions change too
    assert "register_subject" not in jobs


def test_one_inversion_parameter_repeats_no_registration(demo: Run) -> None:
    changed = Run(
        demo.folder,
        {**demo.settings, "reconstruction": {"inversion": {"parameters": {"iterations": 30}}}},
    )
    jobs = changed.would_run()
    assert jobs["invert_dipole"] == N_PARTICIPANTS
    before = {"simulate_subject", "register_subject", "map_field", "remove_background_field"}
    assert not before & set(jobs)


def test_starts_from_a_given_regions_table(demo: Run, tmp_path: Path) -> None:
    run = Run(
        tmp_path,
        {
            **demo.settings,
            "bids_dir": str(tmp_path / "nowhere"),
            "analysis_only": True,
            "regions_table": str(demo.results / "group/regions.tsv"),
            "clinical_table": str(demo.clinical_table),
        },
    )
    run.snakemake()
    tests = read_table(run.results / "group/group_tests.tsv", "group_tests")
    whole = read_table(demo.results / "group/group_tests.tsv", "group_tests")
    # whole distributions are tested where the images are: they take the quantile functions
    assert len(tests) == (~whole["metric"].str.startswith("wasserstein")).sum()
    assert (run.results / "report.html").exists()
    assert not list(run.results.glob("sub-*"))


def test_a_foreign_table_is_not_compared_with_what_the_demo_planted(
    demo: Run, tmp_path: Path
) -> None:
    given = {
        "analysis_only": True,
        "regions_table": str(demo.results / "group/regions.tsv"),
        "clinical_table": str(demo.clinical_table),
    }
    jobs = Run(tmp_path, {**demo.settings, **given}).would_run()
    assert jobs["test_groups"] == 2
    assert not {"compare_recovery", "draw_recovery", "simulate_subject"} & set(jobs)
