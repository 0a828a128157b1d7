"""The branches of the multiverse: their choices, labels and files."""

from __future__ import annotations

import json
import re
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from qsmiron.config import load_config
from qsmiron.errors import InputError
from qsmiron.study import Study, load_study
from qsmiron.study.branches import Branch, branches, main_branch

HOME = Path(__file__).resolve().parents[2]
NOTHING: dict[str, Any] = {
    "reference": [], "regions": [], "iron": [], "covariates": [], "metrics": {},
    "reconstruction": {"field_map": [], "background_field": [], "inversion": [], "sources": []},
}  # fmt: skip


def only(block: dict[str, Any]) -> dict[str, Any]:
    """A block ``multiverse`` that has only these alternatives."""
    reconstruction = {**NOTHING["reconstruction"], **block.get("reconstruction", {})}
    return {**NOTHING, **block, "reconstruction": reconstruction}


def found(values: dict[str, Any], **block: Any) -> list[Branch]:
    """Branches of a config that has only these alternatives."""
    return branches(load_config({**values, "multiverse": only(block)}))


def changes(branch: Branch, values: dict[str, Any]) -> set[tuple[str, str]]:
    """The stages in which it differs from the main branch, and how."""
    main = main_branch(load_config(values))
    return set(branch.choices.items()) - set(main.choices.items())


def test_without_alternatives_there_are_none(values: dict[str, Any]) -> None:
    assert found(values) == []


def test_branches_are_every_combination(values: dict[str, Any]) -> None:
    made = found(
        values,
        reference=[{"region": "csf"}, {"region": "none"}],
        regions=[{"deep_erosion": 2}],
        iron=[{"deposit_percentile": 90}],
    )
    expected = {
        frozenset(chosen) - {None}
        for chosen in product(
            (None, ("reference", "csf"), ("reference", "none")),
            (None, ("regions", "deep erosion 2")),
            (None, ("iron", "deposit percentile 90")),
        )
    } - {frozenset()}
    assert {frozenset(changes(branch, values)) for branch in made} == expected
    assert len({branch.desc for branch in made}) == len(made) == 11
    assert not any(branch.full for branch in made)
    assert all(branch.desc.isalnum() for branch in made)


def test_a_branch_carries_its_parameters(values: dict[str, Any]) -> None:
    values["regions"] = {**values["regions"], "minimum_coverage": 0.4}
    made = found(
        values, regions=[{"deep_erosion": 2}], reconstruction={"inversion": [{"method": "rts"}]}
    )
    both = next(branch for branch in made if len(changes(branch, values)) == 2)
    assert both.chain.inversion.method == "rts"
    assert both.chain.background_field == main_branch(load_config(values)).chain.background_field
    assert (both.regions.deep_erosion, both.regions.minimum_coverage) == (2, 0.4)
    assert both.full


def test_other_reconstructions_come_last_and_are_the_full_ones(values: dict[str, Any]) -> None:
    made = found(
        values,
        reference=[{"region": "csf"}],
        reconstruction={"background_field": [{"method": "pdf"}, {"method": "vsharp"}]},
    )
    assert [branch.full for branch in made] == [False] + 4 * [True]
    for branch in made:
        stages = {stage for stage, _ in changes(branch, values)}
        assert branch.full == ("background_field" in stages)


def test_an_alternative_that_is_the_main_one_adds_none(values: dict[str, Any]) -> None:
    config = load_config(values)
    chain = main_branch(config).chain
    assert found(values, reference=[{"region": chain.reference.region}]) == []
    assert found(values, reconstruction={"inversion": [{"method": chain.inversion.method}]}) == []
    assert found(values, regions=[{"deep_erosion": config.regions.deep_erosion}]) == []
    other = {"reference": [{"region": "csf"}]}
    same = {"reconstruction": {"inversion": [{"method": chain.inversion.method}]}}
    assert found(values, **other, **same) == found(values, **other)
    assert not found(values, **other, **same)[0].full


def test_labels_stay_when_an_alternative_is_added(values: dict[str, Any]) -> None:
    before = found(values, reference=[{"region": "csf"}], regions=[{"deep_erosion": 2}])
    after = found(
        values,
        reference=[{"region": "none"}, {"region": "csf"}],
        regions=[{"deep_erosion": 2}, {"deep_erosion": 3}],
        reconstruction={"inversion": [{"method": "rts"}]},
    )
    kept = {branch.desc: branch for branch in after}
    for branch in before:
        assert kept[branch.desc] == branch
        assert kept[branch.desc].choices == branch.choices


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ({"reference": [{"region": "liver"}]}, "liver"),
        ({"regions": [{"deep_erosion": -1}]}, "regions: deep_erosion"),
        ({"regions": [{"erosoin": 1}]}, "regions: erosoin"),
        ({"iron": [{"deposit_percentile": 900}]}, "iron: deposit_percentile"),
        ({"reconstruction": {"inversion": [{"method": "magic"}]}}, "inversion.*magic"),
        ({"reconstruction": {"inversion": [{"mthod": "tv"}]}}, "inversion.mthod"),
        ({"reconstruction": {"inversion": [{"parameters": {"iterations": 0}}]}}, "iterations"),
        ({"reconstruction": {"background_field": [{"method": "tv"}]}}, "background_field.*tv"),
        ({"reconstruction": {"mask": []}}, "mask"),
        ({"reconstruction": {"sources": [{"run": False}]}}, "sources: found a choice of run"),
        ({"reconstruction": {"sources": [{"r2": "maps/{who}.nii"}]}}, "sources.r2"),
        ({"metrics": {"susceptibility": ["chi_sd"]}}, "chi_sd"),
        ({"metrics": {"iron_concentration": ["chi_mean"]}}, "chi_mean"),
        ({"metrics": {"volume": []}}, "volume"),
        ({"covariates": ["age"]}, "covariates"),
    ],
)
def test_a_bad_alternative_is_named(
    values: dict[str, Any], block: dict[str, Any], named: str
) -> None:
    with pytest.raises(InputError, match=f"multiverse.*{named}"):
        found(values, **block)


def study_of(values: dict[str, Any], raw: Path, **block: Any) -> Study:
    whole = {**values, "bids_dir": str(raw), "results_dir": "out"}
    return load_study({**whole, "multiverse": only(block)}, HOME)


def without_single_echo(values: dict[str, Any]) -> dict[str, Any]:
    return {**values, "exclude": ["A"]}


def test_a_fluid_reference_is_left_out_where_a_scan_has_one_echo(
    values: dict[str, Any], raw: Path
) -> None:
    block = {"reference": [{"region": "csf"}, {"region": "none"}], "regions": [{"deep_erosion": 2}]}
    study = study_of(values, raw, **block)
    assert {branch.choices["reference"] for branch in study.cohort.branches} == {"brain", "none"}
    assert len(study.cohort.branches) == 3
    (warning,) = [problem for problem in study.left_out if "reference.region" in problem.where]
    assert warning.severity == "warning"
    assert "multiverse" in warning.where
    assert "single echo" in warning.found
    assert not any("multiverse" in problem.where for problem in study.inspect().errors)
    served = study_of(without_single_echo(values), raw, **block)
    assert len(served.cohort.branches) == 5
    assert not any("reference.region" in problem.where for problem in served.left_out)


def test_covariates_without_a_column_are_left_out_with_a_warning(
    values: dict[str, Any], raw: Path
) -> None:
    study = study_of(values, raw, covariates=[[], ["age"], ["sex"], ["age", "site"]])
    assert study.config.multiverse.covariates == ((), ("age",))
    warnings = [problem for problem in study.left_out if "multiverse.covariates" in problem.where]
    assert {problem.severity for problem in warnings} == {"warning"}
    assert len(warnings) == 2
    assert "site" in str(warnings[1])


def test_covariates_of_the_scans_need_no_column(values: dict[str, Any], raw: Path) -> None:
    sets = [["region_volume"], ["age", "brain_volume"]]
    study = study_of(values, raw, covariates=sets)
    assert study.config.multiverse.covariates == (("region_volume",), ("age", "brain_volume"))
    assert study.covariate_volumes(choices=True) == ["out/group/region_voxels.tsv"]
    assert study.covariate_quality(choices=True) == ["out/group/quality.tsv"]
    assert study.covariate_volumes() == study.covariate_quality() == []


def test_columns_of_other_covariates_reach_the_params(values: dict[str, Any], raw: Path) -> None:
    (raw / "participants.tsv").write_text(
        "participant_id\tage\tsite\tprogression\nsub-A\t60\ts1\tfast\nsub-B\tn/a\ts2\tslow\n"
    )
    layout = study_of(values, raw).multiverse
    plain = layout.clinical_values("contrast-progression", choices=True)
    assert plain == {"sub-A": ["fast", "60"], "sub-B": ["slow", "n/a"]}
    study = study_of(values, raw, covariates=[["age"], ["age", "site"]])
    more = study.multiverse.clinical_values("contrast-progression", choices=True)
    assert more == {"sub-A": ["fast", "60", "s1"], "sub-B": ["slow", "n/a", "s2"]}
    assert json.loads(study.settings.analysis_choices)["covariates"] == [["age"], ["age", "site"]]
    # neither the group's own tests nor the influence of a patient depend on them
    assert study.multiverse.clinical_values("contrast-progression") == plain
    assert study.clinical.contrast_values("progression") == plain


RECONSTRUCTIONS = {"reference": [{"region": "none"}],
                   "reconstruction": {"inversion": [{"method": "rts"}]}}  # fmt: skip


def test_only_the_full_multiverse_reconstructs_anew(values: dict[str, Any], raw: Path) -> None:
    study = study_of(values, raw, **RECONSTRUCTIONS)
    layout = study.multiverse
    few, all_ = layout.regions_tables("multiverse"), layout.regions_tables("full_multiverse")
    assert (len(few), len(all_)) == (1, 3)
    assert few == all_[:1]
    for extent, tables in (("multiverse", few), ("full_multiverse", all_)):
        for path in tables:
            desc = path.removeprefix("out/work/multiverse/desc-").removesuffix("_regions.tsv")
            inverted = study.cohort.shared("inversion", desc)
            assert (inverted == "main") or extent == "full_multiverse"
        words = json.loads(layout.choices(extent))
        assert list(words) == ["main", *(path.split("desc-")[1].split("_")[0] for path in tables)]
        assert {row["inversion"] for row in words.values()} == (
            {"tv"} if extent == "multiverse" else {"tv", "rts"}
        )
    assert study.cohort.shared("inversion", study.cohort.branches[-1].desc) != "main"


def test_what_a_branch_has_of_its_own_lies_in_work(values: dict[str, Any], raw: Path) -> None:
    study = study_of(values, raw, **RECONSTRUCTIONS)
    cohort, paths = study.cohort, study.paths

    def at(stage: str, path: str, desc: str) -> str:
        wildcards = SimpleNamespace(folder="sub-C/ses-2", entities="sub-C_ses-2", desc=desc)
        return cohort.from_stage(stage, path)(wildcards)

    anat = "sub-C/ses-2/anat/sub-C_ses-2"
    other_reference, *_, last = cohort.branches
    desc = other_reference.desc
    main_mask = at("background_field", paths.reliable_mask, "main")
    assert main_mask == f"out/{anat}_label-reliable_desc-main_mask.nii.gz"
    assert at("background_field", paths.reliable_mask, desc) == main_mask
    assert at("mask", paths.brain_mask, desc) == at("mask", paths.brain_mask, "main")
    unreferenced = at("inversion", paths.chi_unreferenced, "main")
    assert at("inversion", paths.chi_unreferenced, desc) == unreferenced
    assert at("reference", paths.chi, "main") == f"out/{anat}_desc-main_Chimap.nii.gz"
    own = f"out/work/multiverse/{anat}_desc-{desc}_Chimap.nii.gz"
    assert at("reference", paths.chi, desc) == own
    # an intermediate of a branch's own reconstruction stands where those of variants do
    path = at("inversion", paths.chi_unreferenced, last.desc)
    inverted = cohort.shared("inversion", last.desc)
    assert path == unreferenced.replace("desc-main", f"desc-{inverted}")
    wildcards = SimpleNamespace(folder="sub-C/ses-2", entities="sub-C_ses-2", desc=desc)
    assert cohort.r2star(wildcards) == [f"out/{anat}_desc-main_R2starmap.nii.gz"]


@pytest.mark.parametrize("root", ["work", "out/work", "/data/work", "sub-B"])
def test_the_name_of_the_results_folder_does_not_matter(
    values: dict[str, Any], raw: Path, root: str
) -> None:
    whole = {**values, "bids_dir": str(raw), "results_dir": root}
    paths = load_study({**whole, "multiverse": only(RECONSTRUCTIONS)}, HOME).paths
    assert paths.of_branch(paths.local_field) == paths.local_field
    assert paths.of_branch(paths.chi).startswith(f"{root}/work/multiverse/")
    assert paths.of_branch(paths.chi).count("multiverse") == 1


def test_the_patterns_match_their_own_labels_only(values: dict[str, Any], raw: Path) -> None:
    study = study_of(values, raw, **RECONSTRUCTIONS)
    for branch in study.cohort.branches:
        assert re.fullmatch(study.cohort.branch_pattern, branch.desc)
        assert not re.fullmatch(study.cohort.variant_pattern, branch.desc)
    assert re.fullmatch(study.cohort.variant_pattern, "main")
    assert not re.fullmatch(study.cohort.branch_pattern, "main")
    empty = study_of(values, raw).cohort.branch_pattern
    assert not re.search(empty, "")
    assert not re.search(empty, "mv12345678")


def test_settings_know_the_branches(values: dict[str, Any], raw: Path) -> None:
    study = study_of(
        values, raw, regions=[{"partial_volume_weights": True}], iron=[{"deposit_percentile": 90}]
    )
    settings = study.settings
    weighing = {b.desc for b in study.cohort.branches if b.regions.partial_volume_weights}
    assert weighing
    for desc in ("main", *(branch.desc for branch in study.cohort.branches)):
        assert settings.weighs_voxels(desc) == (desc in weighing)
    assert settings.any_weighs_voxels
    assert not study_of(values, raw).settings.any_weighs_voxels
    percentiles = {branch.desc: branch.iron.deposit_percentile for branch in study.cohort.branches}
    assert 90 in percentiles.values()
    for desc, percentile in percentiles.items():
        assert settings.iron(desc).deposit_percentile == percentile
    assert settings.iron("main") == study.config.iron


def test_what_the_group_has(values: dict[str, Any], raw: Path) -> None:
    study = study_of(values, raw, **RECONSTRUCTIONS)
    layout = study.multiverse
    assert layout.outcomes == ["contrast-progression"]
    assert layout.results("multiverse") == [
        "out/group/multiverse.tsv",
        "out/group/multiverse_curves.tsv",
        "out/figures/multiverse_contrast-progression.png",
    ]
    assert layout.influence == ["out/group/influence.tsv"]
    assert layout.tests("contrast-progression") == study.paths.contrast_tests.format(
        contrast="progression"
    )
    assert layout.option("score-a-b") == ["--score", "a-b"]
    (raw / "participants.tsv").unlink()
    nobody = study_of(values, raw).multiverse
    assert nobody.results("multiverse") == nobody.influence == []


def test_a_table_of_regions_alone_has_no_branches(values: dict[str, Any], raw: Path) -> None:
    table = raw / "regions.tsv"
    table.touch()
    study = load_study(
        {**values, "analysis_only": True, "regions_table": str(table), "results_dir": "out",
         "clinical_table": str(raw / "participants.tsv")}, HOME,
    )  # fmt: skip
    assert study.cohort.branches == []
    assert study.multiverse.regions_tables("full_multiverse") == []
    assert json.loads(study.multiverse.choices("multiverse")) == {}
    assert study.multiverse.results("multiverse")
    # the table may be of other variants and atlases than the configuration
    assert study.multiverse.which == ["--prefer", "main", "DK", "tissues"]


def test_headlines_are_of_the_first_variant_and_atlas_where_anybody_has_its_labels(
    values: dict[str, Any], raw: Path
) -> None:
    assert study_of(values, raw).multiverse.which == ["--desc", "main", "--atlas", "DK"]
    for t1w in raw.rglob("*_T1w.nii.gz"):
        t1w.unlink()
    assert study_of(values, raw).multiverse.which == ["--prefer", "main", "DK", "tissues"]


@pytest.mark.parametrize(
    "reference", [{"atlas": "DKK", "region": "thalamus"}, {"atlas": "DK", "region": "thallamus"}]
)
def test_a_reference_of_an_unknown_name_stops_the_run(
    values: dict[str, Any], raw: Path, reference: dict[str, str]
) -> None:
    values["multiverse"]["reference"] = [reference]
    wrong = reference["region"] if reference["atlas"] == "DK" else reference["atlas"]
    with pytest.raises(InputError, match=wrong):
        load_study({**values, "bids_dir": str(raw)}, HOME)
