"""The options of measure_regions.py, as a user calls it."""

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from region_files import NAMES, call, make_case, measured, save

import count_deposits
import gather_regions
import pool_thresholds
from qsmiron.tables import TABLES, read_table

STRUCTURES = ["subcortex", "cortex", "cortex", "", "brainstem", "cortex", ""]


def make_case_with_options(folder, seed=0):
    """Structures and a composite in the label table, and images of tissues and weights."""
    files = make_case(folder, seed)
    rng = np.random.default_rng(seed + 100)
    rows = zip([*NAMES, "all"], STRUCTURES, [""] * len(NAMES) + ["1,2,3,4,5"], strict=True)
    lines = [f"{i}\t{name}\t{kind}\t{of}\n" for i, (name, kind, of) in enumerate(rows, start=1)]
    (folder / "table.tsv").write_text("index\tname\tstructure\tmembers\n" + "".join(lines))
    tissues = rng.dirichlet([1, 1, 1], (9, 10, 11)).astype(np.float32)
    weights = rng.random((9, 10, 11)).astype(np.float32)
    return files | {
        "tissues": save(folder / "tissues.nii.gz", tissues),
        "weights": save(folder / "weights.nii.gz", weights),
    }


def test_options_of_the_selection(tmp_path):
    files = make_case_with_options(tmp_path)
    options = {"cortex_grey_matter": 0.3, "partial_volume_weights": True, "minimum_coverage": 0.2}
    out = measured(
        tmp_path,
        files=files,
        selection=json.dumps(options),
        voxels=tmp_path / "voxels.tsv",
        values=tmp_path / "v.npz",
    )
    table = read_table(out, "regions").set_index(["region", "metric"])
    voxels = read_table(tmp_path / "voxels.tsv", "region_voxels").set_index("region")
    described = json.loads((tmp_path / "voxels.json").read_text())
    assert list(described) == list(TABLES["region_voxels"])
    chi, labels, mask, tissues, weights = (
        np.asarray(nib.load(files[key]).dataobj)
        for key in ("chi", "labels", "mask", "tissues", "weights")
    )
    cortex = np.isin(labels, [2, 3])
    used = (mask > 0) & (labels > 0) & ~(cortex & (tissues[..., 0] < 0.3))
    by = np.where(cortex, weights * tissues[..., 0], weights).astype(float)
    for i, name in enumerate([*NAMES, "all"], start=1):
        inside = used & ((labels == i) if name != "all" else (labels > 0))
        row = voxels.loc[name]
        assert row["n_used"] == table.loc[(name, "chi_mean"), "n_voxels"] == inside.sum()
        assert row["used_volume"] == pytest.approx(7.5 * inside.sum())
        assert row["coverage"] == pytest.approx(table.loc[(name, "chi_mean"), "coverage"])
        if name != "absent":
            expected = np.average(chi[inside].astype(float), weights=by[inside])
            assert table.loc[(name, "chi_mean"), "value"] == pytest.approx(expected, rel=1e-6)
            expected = chi[inside].astype(float).std(ddof=1)
            assert table.loc[(name, "chi_sd"), "value"] == pytest.approx(expected, rel=1e-6)
    absent = voxels.loc["absent"]
    assert (absent["n_label"], absent["n_used"], absent["coverage"]) == (0, 0, 0)
    assert voxels["n_below_grey_matter"].gt(0).tolist() == [0, 1, 1, 0, 0, 0, 1]
    shared = {"values": tmp_path / "v.npz", "label_table": tmp_path / "table.tsv"}
    call(pool_thresholds, thresholds=tmp_path / "t.tsv", **shared)
    call(count_deposits, thresholds=tmp_path / "t.tsv", deposits=tmp_path / "d.tsv", **shared)
    counted = read_table(tmp_path / "d.tsv", "regions").set_index(["region", "metric"])
    assert 0 < counted.loc[("all", "deposit_fraction"), "value"] <= 0.05
    assert counted["coverage"].tolist() == table["coverage"].reindex(counted.index).tolist()


def test_images_that_no_option_uses_change_nothing(tmp_path):
    files = make_case_with_options(tmp_path)
    first = measured(tmp_path, files=files, selection="{}").read_bytes()
    Path(files["weights"]).unlink()
    assert measured(tmp_path, files=files).read_bytes() == first


def test_too_little_coverage_is_told_and_stays_in_the_tables(tmp_path, capsys):
    files = make_case(tmp_path, 0)
    mask = np.asarray(nib.load(files["mask"]).dataobj).copy()
    labels = np.asarray(nib.load(files["labels"]).dataobj)
    mask[(labels == 4) & (np.indices(labels.shape)[0] > 1)] = 0
    save(files["mask"], mask)
    options = {"selection": '{"minimum_coverage": 0.5}', "values": tmp_path / "v.npz"}
    table = read_table(measured(tmp_path, files=files, **options), "regions")
    part = table[table["region"] == "Left-Thalamus"]
    assert part["value"].isna().all()
    assert 0 < part["coverage"].iloc[0] < 0.5
    assert part["n_voxels"].iloc[0] > 0
    assert table[table["region"] == "Brain-Stem"]["value"].notna().sum() > 8
    shown = capsys.readouterr().out
    assert "warning: 1 regions with less than the minimum coverage of 0.5: Left-Thalamus L" in shown
    shared = {"values": tmp_path / "v.npz", "label_table": tmp_path / "table.tsv"}
    call(pool_thresholds, thresholds=tmp_path / "t.tsv", **shared)
    thresholds = read_table(tmp_path / "t.tsv", "thresholds")
    assert thresholds["n_subjects"].tolist() == [1, 1, 1, 0, 1, 0]


def test_an_option_without_effect_is_told(tmp_path, capsys):
    files = make_case_with_options(tmp_path)
    files.pop("r2star")
    selection = '{"exclude_veins": true, "deep_erosion": 1}'
    measured(tmp_path, files=files, selection=selection)
    shown = capsys.readouterr().out
    assert "warning: exclude_veins: there is no R2* map" in shown
    assert "warning: deep_erosion of 1 mm is less than a voxel (1.5 x 2 x 2.5 mm)" in shown


def test_gathered_voxels(tmp_path):
    for seed, who in enumerate(("sub-02", "sub-01")):
        folder = tmp_path / who
        measured(folder, seed, who, voxels=folder / "voxels.tsv")
    paths = [tmp_path / who / "voxels.tsv" for who in ("sub-02", "sub-01")]
    call(gather_regions, tables=paths, output=tmp_path / "all.tsv", name="region_voxels")
    table = read_table(tmp_path / "all.tsv", "region_voxels")
    assert table["participant_id"].tolist() == ["sub-01"] * 6 + ["sub-02"] * 6
    assert table["index"].tolist() == list(range(1, 7)) * 2


GREY = '{"cortex_grey_matter": 0.5}'
WEIGHTED = '{"partial_volume_weights": true}'


def broken_tissues(tmp_path, files):
    save(files["tissues"], np.full((9, 10, 11, 2), 0.5, np.float32))


def percent_tissues(tmp_path, files):
    save(files["tissues"], np.full((9, 10, 11, 3), 50, np.float32))


def flat_tissues(tmp_path, files):
    save(files["tissues"], np.full((9, 10, 11), 0.5, np.float32))


def shifted_tissues(tmp_path, files):
    save(files["tissues"], np.full((9, 10, 11, 3), 0.5, np.float32), np.eye(4))


def negative_weights(tmp_path, files):
    save(files["weights"], np.full((9, 10, 11), -0.5, np.float32))


def shifted_weights(tmp_path, files):
    save(files["weights"], np.full((9, 10, 12), 0.5, np.float32))


def composite_labels(tmp_path, files):
    save(files["labels"], np.full((9, 10, 11), 7, np.int16))


@pytest.mark.parametrize(
    ("breaking", "selection", "message"),
    [
        (lambda _, files: files.pop("tissues"), GREY, "--tissues: found no image"),
        (lambda _, files: files.pop("tissues"), WEIGHTED, "--tissues: found no image"),
        (lambda _, files: files.pop("weights"), WEIGHTED, "--weights: found no image"),
        (broken_tissues, GREY, "tissues.nii.gz: found 2 volumes; expected 3"),
        (percent_tissues, GREY, "tissues.nii.gz: found values from 50 to 50; expected fractions"),
        (flat_tissues, GREY, "tissues.nii.gz: found 3 dimensions"),
        (shifted_tissues, GREY, "tissues.nii.gz: found the grid"),
        (negative_weights, WEIGHTED, "weights.nii.gz: found values from -0.5"),
        (shifted_weights, WEIGHTED, "weights.nii.gz: found the grid"),
        (composite_labels, "{}", "dseg.nii.gz: found voxels with the label of a composite: 7"),
        (None, '{"deep_erosion": -1}', "--selection: deep_erosion"),
        (None, "nonsense", "--selection: not a JSON object"),
    ],
)
def test_mistakes_of_the_options_end_in_a_message(tmp_path, capsys, breaking, selection, message):
    files = make_case_with_options(tmp_path)
    if breaking:
        breaking(tmp_path, files)
    with pytest.raises(SystemExit) as stop:
        measured(tmp_path, files=files, selection=selection, voxels=tmp_path / "voxels.tsv")
    assert stop.value.code == 1
    assert message in capsys.readouterr().err
    assert not (tmp_path / "regions.tsv").exists()
    assert not (tmp_path / "voxels.tsv").exists()
