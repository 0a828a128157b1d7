"""The stage's scripts, as a user calls them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pandas as pd
import pytest
from region_files import NAMES, call, make_case, measured, save

import count_deposits
import gather_regions
import measure_regions
import pool_thresholds
from qsmiron.regions.metrics import DEPOSITS, METRICS
from qsmiron.tables import TABLES, read_table

SCRIPTS = Path(measure_regions.__file__).parent


def test_minimal_call_has_every_row(tmp_path):
    files = make_case(tmp_path, 0)
    files = {key: files[key] for key in ("chi", "labels", "label-table")}
    table = read_table(measured(tmp_path, files=files), "regions")
    assert list(table.columns) == list(TABLES["regions"])
    assert list(table["metric"]) == list(METRICS) * len(NAMES)
    assert list(table["region"].unique()) == NAMES
    assert list(table["hemisphere"].unique()) == ["L", "B"]
    assert (table["participant_id"] == "sub-01").all()
    assert table["session"].isna().all()
    assert set(table["desc"]) == {"main"}
    assert set(table["atlas"]) == {"DK"}
    absent = table[table["region"] == "absent"]
    assert absent["value"].isna().all()
    assert set(absent["n_voxels"]) == set(absent["coverage"]) == {0}
    cells = table.set_index(["region", "metric"])
    labels = np.asarray(nib.load(files["labels"]).dataobj)
    chi = np.asarray(nib.load(files["chi"]).dataobj)
    for i, name in enumerate(NAMES[:5], start=1):
        value = chi[labels == i].astype(float)
        assert cells.loc[(name, "chi_mean"), "value"] == pytest.approx(value.mean(), rel=1e-6)
        assert cells.loc[(name, "chi_sd"), "value"] == pytest.approx(value.std(ddof=1), rel=1e-6)
        assert cells.loc[(name, "chi_mean"), "n_voxels"] == value.size
        assert cells.loc[(name, "chi_mean"), "coverage"] == 1
    assert cells.loc["Left-Pallidum"].loc["chi_mean", "value"] > 0.1
    described = json.loads((tmp_path / "regions.json").read_text())
    assert described.keys() == TABLES["regions"].keys()


def test_what_lies_beyond_the_view_is_not_covered(tmp_path):
    files = make_case(tmp_path, 0)
    del files["mask"]
    n_label = (np.asarray(nib.load(files["labels"]).dataobj) == 4).sum()
    rows = [f"{i}\t{name}\t{9 * n_label * (i == 4)}" for i, name in enumerate(NAMES, start=1)]
    both = "9\tnuclei\t0"
    lines = ["index\tname\tn_beyond\tmembers", *(f"{row}\t" for row in rows), f"{both}\t1,4"]
    Path(files["label-table"]).write_text("\n".join(lines) + "\n")
    asked = {"voxels": tmp_path / "voxels.tsv", "selection": '{"minimum_coverage": 0.11}'}
    table = read_table(measured(tmp_path, files=files, **asked), "regions")
    cells = table.set_index(["region", "metric"])
    cut = cells.loc[("Left-Thalamus", "chi_mean")]
    assert cut["coverage"] == pytest.approx(0.1)
    assert np.isnan(cut["value"])
    assert cut["n_voxels"] == n_label
    assert cells.loc[("Left-Caudate", "chi_mean"), "coverage"] == 1
    voxels = read_table(tmp_path / "voxels.tsv", "region_voxels").set_index("region")
    edge = np.prod(nib.load(files["chi"]).header.get_zooms())
    assert voxels.loc["Left-Thalamus", "n_beyond"] == 9 * n_label
    assert voxels.loc["Left-Thalamus", "volume"] == pytest.approx(10 * n_label * edge)
    n_caudate = voxels.loc["Left-Caudate", "n_label"]
    composite = voxels.loc["nuclei"]
    assert composite["n_beyond"] == 9 * n_label
    expected = (n_caudate + n_label) / (n_caudate + 10 * n_label)
    assert composite["coverage"] == pytest.approx(expected)
    assert cells.loc[("nuclei", "chi_mean"), "coverage"] == pytest.approx(expected)


def test_calibration_of_freesurfer_names(tmp_path):
    extra = {"age": 58.7, "calibration": tmp_path / "c.tsv", "quantiles": tmp_path / "q.tsv"}
    table = read_table(measured(tmp_path, session="2", **extra), "regions")
    values = table.set_index(["region", "metric"])["value"]
    line = read_table(tmp_path / "c.tsv", "calibration").iloc[0]
    assert (line["n_nuclei"], line["age"], line["session"]) == (3, 58.7, "2")
    assert pd.isna(line["reason"])
    assert line["nucleus"] == "Left-Caudate-L,Left-Putamen-L,Left-Pallidum-L"
    expected = [float(text) for text in line["expected_iron"].split(",")]
    found = [float(text) for text in line["measured_chi"].split(",")]
    assert found == pytest.approx([values[name, "chi_median"] for name in NAMES[:3]], rel=1e-6)
    assert [line["slope"], line["intercept"]] == pytest.approx(
        np.polyfit(expected, found, 1).tolist(), rel=1e-6
    )
    assert all(np.isnan(values[name, "iron_calibrated"]) for name in NAMES[:3])
    assert values["Brain-Stem", "iron_calibrated"] == pytest.approx(
        (values["Brain-Stem", "chi_mean"] - line["intercept"]) / line["slope"], rel=1e-5
    )
    quantiles = read_table(tmp_path / "q.tsv", "quantiles")
    assert len(quantiles) == 199 * len(NAMES)


def test_age_unknown(tmp_path, capsys):
    table = read_table(measured(tmp_path, age="n/a", calibration=tmp_path / "c.tsv"), "regions")
    assert table[table["metric"] == "iron_calibrated"]["value"].isna().all()
    line = read_table(tmp_path / "c.tsv", "calibration").iloc[0]
    assert line["reason"] == "the age is not known"
    assert line["nucleus"].startswith("Left-Caudate-L")
    assert "iron_calibrated is n/a" in capsys.readouterr().out


def test_two_ways_to_the_deposits_agree(tmp_path):
    """Pool, count and gather give what measuring again with the thresholds gives."""
    cohort = {f"sub-{i:02d}": tmp_path / str(i) for i in (3, 1, 2)}
    for seed, (who, folder) in enumerate(cohort.items()):
        measured(folder, seed, who, values=folder / "v.npz", age=60)
    table = tmp_path / "1" / "table.tsv"
    thresholds = tmp_path / "thresholds.tsv"
    values = [folder / "v.npz" for folder in cohort.values()]
    call(pool_thresholds, values=values, label_table=table, thresholds=thresholds)
    pooled = read_table(thresholds, "thresholds")
    assert pooled["n_subjects"].tolist() == [3, 3, 3, 3, 3, 0]
    assert pd.isna(pooled["threshold"].iloc[-1])
    for folder in cohort.values():
        call(
            count_deposits,
            values=folder / "v.npz",
            label_table=table,
            thresholds=thresholds,
            deposits=folder / "deposits.tsv",
        )
    tables = [
        folder / name for name in ("deposits.tsv", "regions.tsv") for folder in cohort.values()
    ]
    call(gather_regions, tables=tables, output=tmp_path / "all.tsv")
    together = read_table(tmp_path / "all.tsv", "regions")
    assert len(together) == 3 * len(NAMES) * len(METRICS)
    assert together["participant_id"].unique().tolist() == ["sub-01", "sub-02", "sub-03"]
    assert together["metric"].tolist() == list(METRICS) * (3 * len(NAMES))
    counted = together[together["metric"].isin(DEPOSITS)]
    assert counted["value"].isna().sum() == 3 * len(DEPOSITS), "only the absent region"
    fractions = counted[counted["metric"] == "deposit_fraction"].groupby("index")["value"].mean()
    assert fractions.dropna().between(0.03, 0.051).all()
    for seed, (who, folder) in enumerate(cohort.items()):
        again = read_table(measured(folder, seed, who, thresholds=thresholds, age=60), "regions")
        part = together[together["participant_id"] == who].reset_index(drop=True)
        pd.testing.assert_frame_equal(again, part, check_dtype=False)


def counted_apart_and_together(folder):
    """Deposits of two variants, each with its parameters: a table of each, and one of both."""
    options = {"label_table": folder / "table.tsv"}
    parameters = ['{"tissue_density": 1.0}', '{"tissue_density": 2.0}']
    for i, desc in enumerate(("main", "other")):
        measured(folder, i, desc=desc, values=folder / f"{i}.npz")
        call(pool_thresholds, values=[folder / f"{i}.npz"], thresholds=folder / f"t{i}", **options)
        call(
            count_deposits,
            values=folder / f"{i}.npz",
            thresholds=folder / f"t{i}",
            parameters=parameters[i],
            deposits=folder / f"{i}.tsv",
            **options,
        )
    call(
        count_deposits,
        values=[folder / "0.npz", folder / "1.npz"],
        label_table=[folder / "table.tsv"] * 2,
        thresholds=[folder / "t0", folder / "t1"],
        parameters=parameters,
        deposits=folder / "both.tsv",
    )
    return [read_table(folder / f"{name}.tsv", "regions") for name in ("0", "1", "both")]


def test_deposits_of_two_variants_may_be_counted_at_once(tmp_path):
    main, other, both = counted_apart_and_together(tmp_path)
    pd.testing.assert_frame_equal(both, pd.concat([main, other], ignore_index=True))
    assert both["value"].notna().sum() == 2 * 5 * len(DEPOSITS)


def test_one_variant_is_gathered_from_deposits_of_several(tmp_path):
    main, other, _ = counted_apart_and_together(tmp_path)
    for desc, expected in (("main", main), ("other", other)):
        gathered = tmp_path / f"{desc}.tsv"
        call(gather_regions, tables=[tmp_path / "both.tsv"], desc=desc, output=gathered)
        pd.testing.assert_frame_equal(read_table(gathered, "regions"), expected)


def test_every_count_needs_its_own_thresholds(tmp_path, capsys):
    options = {"label_table": [tmp_path / "t"] * 2, "thresholds": tmp_path / "t"}
    with pytest.raises(SystemExit, match="2"):
        call(count_deposits, values=["a.npz", "b.npz"], deposits=tmp_path / "d.tsv", **options)
    assert "--thresholds: 1 for 2 --values" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_threshold_survives_its_table(tmp_path):
    """The threshold is one of the data's values; that voxel itself is not above it."""
    for seed in range(5):
        folder = tmp_path / str(seed)
        measured(folder, seed, values=folder / "v.npz")
        options = {"label_table": folder / "table.tsv", "thresholds": folder / "t.tsv"}
        call(pool_thresholds, values=[folder / "v.npz"], **options)
        call(count_deposits, values=folder / "v.npz", deposits=folder / "d.tsv", **options)
        counted = read_table(folder / "d.tsv", "regions").set_index(["index", "metric"])
        for i in range(1, 6):
            row = counted.loc[(i, "deposit_fraction")]
            n = row["n_voxels"]
            assert round(row["value"] * n) == n - int(np.ceil(0.95 * n - 1e-9))


def test_orientation_does_not_matter(tmp_path):
    files = make_case(tmp_path, 4)
    options = {"age": 60, "participant": "sub-01"}
    first = measured(tmp_path, files=files, **options).read_bytes()
    for key in ("chi", "labels", "mask", "r2star"):
        image = nib.load(files[key])
        turned = image.as_reoriented(nib.orientations.axcodes2ornt(("I", "P", "R")))
        data = np.asarray(turned.dataobj, dtype=image.get_data_dtype())
        save(files[key], data, turned.affine)
    assert measured(tmp_path, files=files, **options).read_bytes() == first


def test_order_of_the_label_table_does_not_matter(tmp_path):
    files = make_case(tmp_path, 4)
    first = measured(tmp_path, files=files).read_bytes()
    head, *rows = (tmp_path / "table.tsv").read_text().splitlines()
    (tmp_path / "table.tsv").write_text("\n".join([head, *rows[::-1]]) + "\n")
    assert measured(tmp_path, files=files).read_bytes() == first


def test_same_inputs_same_bytes(tmp_path):
    files = make_case(tmp_path, 5)
    names = {"values": "v.npz", "quantiles": "q.tsv", "calibration": "c.tsv"}
    outputs = {key: tmp_path / name for key, name in names.items()}
    contents = []
    for _ in range(2):
        measured(tmp_path, files=files, age=50, **outputs)
        contents.append([path.read_bytes() for path in outputs.values()])
    assert contents[0] == contents[1]


def test_parameters(tmp_path):
    out = measured(tmp_path, parameters='{"line_slope": 0.5, "line_intercept": 10}')
    values = read_table(out, "regions").set_index(["region", "metric"])["value"]
    expected = (values["Left-Caudate", "chi_mean"] * 1000 - 10) / 0.5
    assert values["Left-Caudate", "iron_line"] == pytest.approx(expected, rel=1e-6)


def test_names_that_look_like_numbers(tmp_path):
    options = {"label_table": tmp_path / "table.tsv", "thresholds": tmp_path / "t.tsv"}
    measured(tmp_path, participant="01", session="01", desc="01", values=tmp_path / "v.npz")
    call(pool_thresholds, values=[tmp_path / "v.npz"], **options)
    call(count_deposits, values=tmp_path / "v.npz", deposits=tmp_path / "d.tsv", **options)
    call(gather_regions, tables=[tmp_path / "d.tsv"], output=tmp_path / "all.tsv")
    table = read_table(tmp_path / "all.tsv", "regions")
    for column in ("participant_id", "session", "desc"):
        assert set(table[column]) == {"01"}
    assert table["value"].notna().sum() == 5 * len(DEPOSITS)


def test_own_thresholds_need_two_columns_only(tmp_path):
    (tmp_path / "own.tsv").write_text("index\tthreshold\n1\t0.05\n4\tn/a\n")
    out = measured(tmp_path, thresholds=tmp_path / "own.tsv")
    values = read_table(out, "regions").set_index(["region", "metric"])["value"]
    assert 0.3 < values["Left-Caudate", "deposit_fraction"] < 0.7
    assert np.isnan(values["Left-Putamen", "deposit_fraction"])
    assert np.isnan(values["Left-Thalamus", "deposit_mass"])


def broken_labels(tmp_path, files):
    save(files["labels"], np.full((9, 10, 11), 77, np.int16))


def broken_grid(tmp_path, files):
    save(files["labels"], np.ones((9, 10, 12), np.int16))


def broken_fractions(tmp_path, files):
    save(files["labels"], np.full((9, 10, 11), 1.5, np.float32))


def broken_mask(tmp_path, files):
    save(files["mask"], np.ones((9, 10, 11), np.uint8), np.eye(4))


def broken_r2star(tmp_path, files):
    save(files["r2star"], np.ones((4, 4, 4), np.float32))


def broken_chi(tmp_path, files):
    Path(files["chi"]).unlink()


@pytest.mark.parametrize(
    ("breaking", "options", "message"),
    [
        (broken_labels, {}, "label table lacks: 77"),
        (broken_grid, {}, "dseg.nii.gz: found the grid"),
        (broken_fractions, {}, "no label (such as 1.5)"),
        (broken_mask, {}, "mask.nii.gz: found the grid"),
        (broken_r2star, {}, "r2star.nii.gz: found the grid"),
        (broken_chi, {}, "no such file"),
        (None, {"age": "young"}, "--age: found 'young'"),
        (None, {"parameters": '{"line_slop": 1}'}, "--parameters: line_slop"),
        (None, {"thresholds": "{folder}/table.tsv"}, "no column threshold"),
        (None, {"thresholds": "{folder}/other.tsv"}, "no row of desc main, atlas DK"),
        (None, {"thresholds": "{folder}/wrong.tsv"}, "row 3 with index 2, threshold high"),
    ],
)
def test_mistakes_end_in_a_message(tmp_path, capsys, breaking, options, message):
    files = make_case(tmp_path, 1)
    columns = "desc\tatlas\tindex\tregion\themisphere\tthreshold\tthreshold_centred\tn_subjects\n"
    (tmp_path / "other.tsv").write_text(columns + "tv\tDK\t1\tLeft-Caudate\tL\t0.1\t0.1\t9\n")
    (tmp_path / "wrong.tsv").write_text("index\tthreshold\n1\t0.1\n2\thigh\n")
    if breaking:
        breaking(tmp_path, files)
    options = {key: value.format(folder=tmp_path) if key == "thresholds" else value
               for key, value in options.items()}  # fmt: skip
    with pytest.raises(SystemExit) as stop:
        measured(tmp_path, files=files, **options)
    assert stop.value.code == 1
    shown = capsys.readouterr().err
    assert message in shown
    assert "Traceback" not in shown
    assert not (tmp_path / "regions.tsv").exists()


def test_gather_refuses_what_does_not_belong_together(tmp_path, capsys):
    out = measured(tmp_path, calibration=tmp_path / "c.tsv")
    for tables, name, message in (
        ([out, out], "regions", "more than once"),
        ([tmp_path / "c.tsv"] * 2, "calibration", "participant_id sub-01"),
        ([out], "quantiles", "no column probability"),
        ([tmp_path / "absent.tsv"], "regions", "no such file"),
    ):
        with pytest.raises(SystemExit):
            call(gather_regions, tables=tables, output=tmp_path / "all.tsv", name=name)
        assert message in capsys.readouterr().err
        assert not (tmp_path / "all.tsv").exists()


def test_gathered_order_is_the_same_whatever_the_order_of_files(tmp_path):
    paths = []
    for who, session in (("sub-02", "1"), ("sub-01", "2"), ("sub-01", "1"), ("sub-10", "1")):
        folder = tmp_path / (who + session)
        measured(folder, 1, who, session=session, quantiles=folder / "q.tsv")
        paths.append(folder / "q.tsv")
    for order, name in ((paths, "a.tsv"), (paths[::-1], "b.tsv")):
        call(gather_regions, tables=order, output=tmp_path / name, name="quantiles")
    assert (tmp_path / "a.tsv").read_bytes() == (tmp_path / "b.tsv").read_bytes()
    table = read_table(tmp_path / "a.tsv", "quantiles")
    scans = (table["participant_id"] + table["session"]).unique()
    assert list(scans) == ["sub-011", "sub-012", "sub-021", "sub-101"]


@pytest.mark.parametrize(
    "script", [measure_regions, pool_thresholds, count_deposits, gather_regions]
)
def test_help(script, capsys):
    with pytest.raises(SystemExit) as stop:
        script.main(["--help"])
    assert stop.value.code == 0
    assert "output" in capsys.readouterr().out


def test_runs_alone_from_any_folder(tmp_path):
    files = make_case(tmp_path, 0)
    command = [sys.executable, "-W", "error", str(SCRIPTS / "measure_regions.py")]
    command += ["--chi", files["chi"], "--labels", files["labels"]]
    command += ["--label-table", files["label-table"], "--participant", "sub-01"]
    command += ["--regions", "out/r.tsv"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    subprocess.run(command, cwd=tmp_path, check=True, env=environment)
    assert (tmp_path / "out" / "r.tsv").exists()
