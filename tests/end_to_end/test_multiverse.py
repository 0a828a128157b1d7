"""The multiverse on a small demo: its branches, what they share, and what an alternative costs."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from end_to_end.small_cohort import EROSION, N_PARTICIPANTS, Run

from qsmiron.tables import read_table

pytestmark = pytest.mark.end_to_end

CELL = ["participant_id", "index", "metric"]


def branches(demo: Run) -> pd.DataFrame:
    """What each branch chose, by desc."""
    table = read_table(demo.results / "group/multiverse.tsv", "multiverse")
    chosen = table.drop_duplicates("desc").set_index("desc")
    return chosen[["background_field", "inversion", "reference", "regions"]]


def values(demo: Run, desc: str) -> pd.DataFrame:
    """Values of the first atlas (participants × regions by metric) of a variant or branch."""
    path = demo.results / f"work/multiverse/desc-{desc}_regions.tsv"
    if desc == "main":
        path = demo.results / "group/regions.tsv"
    table = read_table(path, "regions")
    return table[table["atlas"] == "DK"].set_index(CELL)["value"].unstack("metric")


def test_every_combination_of_choices_is_a_branch(demo: Run) -> None:
    chosen = branches(demo)
    assert len(chosen) == 4
    assert set(chosen["reference"]) == {"brain", "csf"}
    assert set(chosen["regions"]) == {"as configured", "deep erosion 3"}
    # branches are no results: one χ map per scan
    assert len(list(demo.results.glob("sub-*/anat/sub-??_desc-*_Chimap.nii.gz"))) == N_PARTICIPANTS


def test_the_main_specification_is_the_rigorous_arm(demo: Run) -> None:
    table = read_table(demo.results / "group/multiverse.tsv", "multiverse")
    tests = read_table(demo.results / "group/group_tests.tsv", "group_tests")
    main = table[(table["main"] == "yes") & (table["kind"] == "contrast")]
    assert len(main) >= 2
    key = ["contrast", "atlas", "index", "metric"]
    rigorous = tests[tests["arm"] == "rigorous"].set_index(key)
    for _, row in main.iterrows():
        same = rigorous.loc[(row["name"], row["atlas"], row["index"], row["metric"])]
        assert row["p"] == pytest.approx(same["p"], rel=1e-6, nan_ok=True)
        assert row["effect"] == pytest.approx(same["effect"], rel=1e-6, nan_ok=True)


def test_another_reference_moves_all_of_a_patients_regions_alike(demo: Run) -> None:
    chosen = branches(demo)
    (desc,) = chosen.index[(chosen["reference"] == "csf") & (chosen["regions"] == "as configured")]
    main, branch = values(demo, "main"), values(demo, desc)
    shift = (branch["chi_mean"] - main["chi_mean"]).unstack()
    assert (shift.std(axis=1) < 1e-6).all()  # ppm
    assert (shift.mean(axis=1).abs() > 1e-4).all()
    np.testing.assert_allclose(branch["chi_sd"], main["chi_sd"], atol=1e-6)


def test_erosion_leaves_cortex_alone(demo: Run) -> None:
    chosen = branches(demo)
    here = (chosen["reference"] == "brain") & (chosen["regions"] == "deep erosion 3")
    (desc,) = chosen.index[here]
    main, branch = values(demo, "main")["chi_mean"], values(demo, desc)["chi_mean"]
    changed = (branch - main).abs().unstack().max()
    deep = [*range(35, 42), *range(76, 83)]
    assert (changed.drop(deep) < 1e-9).all()
    assert (changed[deep].dropna() > 1e-5).all()


ONE_OTHER_BACKGROUND = {
    "reference": [],
    "regions": [],
    "covariates": [],
    "metrics": {},
    "reconstruction": {"background_field": [{"method": "vsharp"}], "inversion": []},
}


def test_the_full_multiverse_adds_reconstructions_and_no_registration(demo: Run) -> None:
    run = Run(demo.folder, {**demo.settings, "multiverse": ONE_OTHER_BACKGROUND})
    planned = run.snakemake("multiverse", "--dry-run").stdout
    jobs = dict(line.split() for line in planned.splitlines() if len(line.split()) == 2)
    assert jobs["remove_background_field_of_branch"] == str(N_PARTICIPANTS)
    assert jobs["invert_dipole"] == str(N_PARTICIPANTS)
    assert not {"register_subject", "map_field", "remove_background_field"} & set(jobs)


@pytest.mark.nightly
def test_the_full_multiverse_comes_to_its_table_and_figures(demo_copy: Run) -> None:
    run = Run(demo_copy.folder, {**demo_copy.settings, "multiverse": ONE_OTHER_BACKGROUND})
    run.snakemake("multiverse")
    table = read_table(run.results / "group/full_multiverse.tsv", "multiverse")
    assert set(table["background_field"]) == {"joint_tv_tissue", "vsharp"}
    assert table["p"].notna().any()
    assert len(list(run.results.glob("sub-*/anat/sub-??_desc-*_Chimap.nii.gz"))) == N_PARTICIPANTS
    assert list(run.results.glob("figures/full_multiverse_contrast-*.svg"))
    sidecars = list(run.results.glob("work/multiverse/sub-*/anat/*_Chimap.json"))
    branch = [path for path in sidecars if "vsharp" in path.read_text()]
    assert len(branch) == N_PARTICIPANTS
    assert json.loads(branch[0].read_text())["Units"] == "ppm"


def test_an_added_alternative_repeats_no_other_branch(demo: Run) -> None:
    more = {"regions": [EROSION, {"exclude_veins": True}]}
    jobs = Run(demo.folder, {**demo.settings, "multiverse": more}).would_run()
    assert jobs["measure_regions"] == 2 * N_PARTICIPANTS  # with each of two references
    assert jobs["pool_thresholds"] == 2
    assert jobs["count_deposits_of_branches"] == N_PARTICIPANTS
    others = {"reference_chi_of_branch", "count_deposits", "test_groups", "correlate_scores"}
    assert not others & set(jobs)
