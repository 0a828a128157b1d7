"""Labels from elsewhere, no labels at all, and which of their voxels count."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
import yaml
from end_to_end.small_cohort import HOME, N_BRANCHES, N_PARTICIPANTS, Run

import test_groups
from qsmiron.regions.colour_table import read_colour_table
from qsmiron.regions.label_table import read_label_table
from qsmiron.statistics.multiplicity import PRIMARY_METRICS
from qsmiron.tables import read_table, write_table

pytestmark = pytest.mark.end_to_end

LABEL_TABLE = HOME / "config/atlases/DesikanKilliany.tsv"
FREESURFER_TABLE = HOME / "config/atlases/aparc+aseg.tsv"
CELL = ["participant_id", "atlas", "region", "hemisphere", "metric"]


def table(run: Run, name: str) -> pd.DataFrame:
    return read_table(run.results / f"group/{name}.tsv", name)


def values_of(run: Run, participant: str | None = None) -> pd.DataFrame:
    regions = table(run, "regions")
    kept = regions if participant is None else regions[regions["participant_id"] == participant]
    return kept.set_index(CELL).sort_index()


def write_aparc(labels: Path, path: Path) -> None:
    """Desikan-Killiany labels as FreeSurfer would write them, with its numbers, as MGZ."""
    numbers = {
        (label.standard_name, label.hemisphere): index
        for index, label in read_colour_table(FREESURFER_TABLE).items()
    }
    image = nib.load(labels)
    data = np.asarray(image.dataobj)
    freesurfer = np.zeros(data.shape, np.int32)
    for label in read_label_table(LABEL_TABLE):
        freesurfer[data == label.index] = numbers[label.standard_name, label.hemisphere]
    freesurfer[(data == 0) & (np.indices(data.shape)[0] == 0)] = 24  # CSF, no region of ours
    path.parent.mkdir(parents=True)
    nib.save(nib.MGHImage(freesurfer, image.affine), path)


def test_a_subjects_own_aparc_is_worth_the_same_labels_of_an_atlas(demo_copy: Run) -> None:
    before = values_of(demo_copy)
    write_aparc(
        demo_copy.results / "sub-01/anat/sub-01_atlas-DK_dseg.nii.gz",
        demo_copy.folder / "freesurfer/sub-01/mri/aparc+aseg.mgz",
    )
    demo_copy.settings["atlases"] = {
        "DK": {
            "segmentation": f"{demo_copy.folder}/freesurfer/sub-{{subject}}/mri/aparc+aseg.mgz",
            "segmentation_space": "GRE",
            "colour_table": "config/atlases/aparc+aseg.tsv",
        }
    }

    jobs = demo_copy.would_run()
    own = {"carry_labels": 1, "draw_subject": 1, "measure_regions": 1 + N_BRANCHES}
    assert {rule: jobs.pop(rule) for rule in own} == own
    assert jobs.pop("pool_thresholds") == 1 + N_BRANCHES
    # by the pooled thresholds
    assert jobs.pop("count_deposits") == N_PARTICIPANTS
    assert jobs.pop("count_deposits_of_branches") == N_PARTICIPANTS
    group = {"assign_groups", "test_groups", "correlate_scores", "estimate_null_rates"}
    group |= {"vary_choices", "leave_one_out", "plan_sample_size"}
    group |= {"compare_recovery", "write_methods", "write_report", "check_inputs"}
    assert not {rule for rule in jobs if not rule.startswith(("gather_", "draw_"))} - group
    assert "draw_subject" not in jobs

    demo_copy.snakemake("results/group/quality.tsv")
    after = values_of(demo_copy)
    pd.testing.assert_frame_equal(
        after.drop(columns="labels_source"), before.drop(columns="labels_source"), rtol=1e-6
    )
    expected = {f"sub-{number:02d}": {"atlas"} for number in range(1, N_PARTICIPANTS + 1)}
    expected["sub-01"] = {"segmentation"}
    for name in ("regions", "region_voxels"):
        found = table(demo_copy, name)
        found = found[found["atlas"] == "DK"].groupby("participant_id")["labels_source"]
        assert found.agg(set).to_dict() == expected
    quality = table(demo_copy, "quality").set_index("participant_id")
    assert quality["labels_source"].to_dict() == {who: min(of) for who, of in expected.items()}
    sidecar = demo_copy.results / "sub-01/anat/sub-01_atlas-DK_dseg.json"
    assert json.loads(sidecar.read_text())["Segmentation"] == "aparc+aseg.mgz"


def test_the_options_decide_which_voxels_count(demo_copy: Run) -> None:
    plain = values_of(demo_copy, "sub-01")
    demo_copy.settings["participant_label"] = ["01"]
    demo_copy.settings["contrasts"] = {"progression": None, "phenotype": None}
    demo_copy.settings["regions"] = {
        "deep_erosion": 3,
        "cortex_grey_matter": 0.5,
        "exclude_veins": True,
        "partial_volume_weights": True,
    }
    demo_copy.snakemake("results/group/regions.tsv", "results/group/region_voxels.tsv")

    voxels = table(demo_copy, "region_voxels").set_index(["atlas", "region", "hemisphere"])
    left_out = ["n_eroded", "n_below_grey_matter", "n_vein", "n_outlier"]
    assert (voxels["n_reliable"] == voxels[[*left_out, "n_used"]].sum(axis=1)).all()
    assert (voxels["n_outlier"] == 0).all()
    structures = {
        ("DK", label.name, label.hemisphere): label.structure
        for label in read_label_table(LABEL_TABLE)
    }
    structure = pd.Series(structures).reindex(voxels.index).fillna("tissue")
    removed = voxels[left_out[:3]].groupby(structure.to_numpy()).sum()
    assert (removed["n_eroded"] > 0).to_dict() == {
        "brainstem": False, "cortex": False, "subcortex": True, "tissue": False,
    }  # fmt: skip
    assert (removed["n_below_grey_matter"] > 0).to_dict() == {
        "brainstem": False, "cortex": True, "subcortex": False, "tissue": False,
    }  # fmt: skip
    assert removed["n_vein"].sum() > 0

    options = values_of(demo_copy, "sub-01")
    mean = options.xs("chi_mean", level="metric")
    used = voxels["n_used"].reindex(mean.droplevel("participant_id").index)
    np.testing.assert_array_equal(mean["n_voxels"], used)
    change = (options["value"] - plain["value"]).xs("chi_mean", level="metric")
    change = change.droplevel("participant_id")
    for name, hemisphere in (("pallidum", "L"), ("caudate", "R"), ("insula", "L")):
        assert abs(change["DK", name, hemisphere]) > 1e-5, name
    # nothing is taken out of it and only means are weighted, so that its spread stays
    if voxels.loc[("DK", "brainstem", "B"), "n_vein"] == 0:
        spread = (options["value"] - plain["value"]).xs("chi_sd", level="metric")
        assert spread.droplevel("participant_id")["DK", "brainstem", "B"] == 0
        assert change["DK", "brainstem", "B"] != 0


@pytest.mark.nightly
def test_a_scan_that_cannot_be_registered_keeps_nobody_waiting(demo_copy: Run) -> None:
    t1w = demo_copy.results / "sourcedata/demo/sub-06/anat/sub-06_T1w.nii.gz"
    image = nib.load(t1w)
    # noise: an empty image would be refused before anything runs
    noise = np.random.default_rng(0).integers(0, 1000, image.shape, dtype=np.int16)
    nib.save(nib.Nifti1Image(noise, image.affine), t1w)
    demo_copy.settings["scores"] = ["alsfrs_r"]  # the others would add nothing but time
    demo_copy.snakemake()

    quality = table(demo_copy, "quality").set_index("participant_id")
    assert quality.loc["sub-06", "flags"].startswith("registration failed: ")
    assert quality.loc["sub-06", "used"] == "no"
    assert (quality["used"].drop("sub-06") == "yes").all()
    assert np.isnan(quality.loc["sub-06", "registration_similarity"])

    regions = table(demo_copy, "regions").set_index("participant_id")
    assert regions.loc["sub-06", "value"].isna().all()
    assert regions.loc["sub-05", "value"].notna().mean() > 0.8
    (chi,) = demo_copy.results.glob("sub-06/anat/sub-06_desc-*_Chimap.nii.gz")
    assert np.ptp(nib.load(chi).get_fdata()) > 0.1  # ppm
    assert "registration failed" in (demo_copy.results / "report.html").read_text()
    assert demo_copy.would_run() == {}


def test_an_atlas_is_corrected_by_itself(demo: Run, tmp_path: Path) -> None:
    both = table(demo, "group_tests")
    # those of whole distributions take the quantile functions too
    both = both[~both["metric"].str.startswith("wasserstein")]
    tissues = both[both["atlas"] == "tissues"]
    assert set(tissues["region"]) == {"brain", "grey_matter", "white_matter", "csf"}
    assert set(PRIMARY_METRICS.values()) <= set(tissues["metric"])

    regions = table(demo, "regions")
    write_table(regions[regions["atlas"] == "DK"], tmp_path / "regions.tsv", "regions")
    statistics = demo.settings["statistics"]
    blocks = yaml.safe_load((HOME / "config/config.yaml").read_text())
    blocks = {key: blocks[key] for key in ("contrasts", "covariates")}
    (tmp_path / "config.json").write_text(json.dumps({**blocks, "statistics": statistics}))
    output = tmp_path / "alone.tsv"
    test_groups.main(
        ["--regions", str(tmp_path / "regions.tsv"), "--participants", str(demo.clinical_table),
         "--config", str(tmp_path / "config.json"), "--contrast", "progression",
         "--output", str(output)]
    )  # fmt: skip
    alone = read_table(output, "group_tests")
    together = both[(both["atlas"] == "DK") & (both["contrast"] == "progression")]
    assert alone["q"].notna().any()
    keys = ["arm", "index", "metric"]
    columns = [*keys, "p", "p_perm", "p_maxt", "q", "effect"]
    pd.testing.assert_frame_equal(
        alone.sort_values(keys, ignore_index=True)[columns],
        together.sort_values(keys, ignore_index=True)[columns],
    )
