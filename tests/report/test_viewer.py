"""What the slice viewer embeds: volumes that unpack to what went in, and the tables' effects."""

import base64
import gzip
import json
from dataclasses import replace

import made_up_results as made_up
import numpy as np
import pandas as pd
import pytest

from qsmiron.errors import InputError
from qsmiron.registration.template_average import picture_grid
from qsmiron.report.viewer import ViewerSources, slice_viewer
from qsmiron.spaces import grid_points, look_up
from qsmiron.statistics.multiplicity import PRIMARY_METRICS
from qsmiron.template import desikan_killiany, template_t1w
from qsmiron.volumes import Volume, read_volume, write_scaled_volume, write_volume

TABLES = (made_up.group_tests, made_up.correlations, made_up.regions)


@pytest.fixture(scope="module")
def chi():
    shape, affine = picture_grid(read_volume(template_t1w()))
    data = np.random.default_rng(4).normal(0, 0.05, shape).astype(np.float32)
    data[:5] = np.nan
    return Volume(data, affine)


@pytest.fixture(scope="module")
def sources(chi, tmp_path_factory):
    path = tmp_path_factory.mktemp("viewer") / "mean.nii.gz"
    write_volume(path, chi.data, chi.affine, {"NumberOfParticipants": 37})
    return ViewerSources(path, "DK", desikan_killiany())


def shown(sources, tests=None, correlations=None, regions=None):
    given = (tests, correlations, regions)
    tables = [make() if table is None else table for make, table in zip(TABLES, given, strict=True)]
    found = slice_viewer(sources, *tables)
    return found, json.loads(found["json"])


@pytest.fixture(scope="module")
def data(sources):
    return shown(sources)[1]


def unpacked(text, kind, shape):
    return np.frombuffer(gzip.decompress(base64.b64decode(text)), kind).reshape(shape)


def fine_labels(data):
    shape = [2 * length - 1 for length in data["chi"]["shape"]]
    return unpacked(data["labels"], "<u2", shape)


def test_chi_unpacks_to_what_went_in(chi, data):
    packed = data["chi"]
    found = unpacked(packed["data"], "<i2", packed["shape"]).astype(float)
    empty = found == packed["missing"]
    np.testing.assert_array_equal(empty, np.isnan(chi.data))
    step = packed["step"]
    error = found * step - 1000 * chi.data
    assert np.abs(error[~empty]).max() <= step / 2 + 1e-4
    assert data["origin"] == pytest.approx(chi.affine[:3, 3])


def test_both_sources_are_maps_beside_chi(sources, chi, data, tmp_path):
    assert data["sources"] == []
    parts = {"paramagnetic": np.maximum(chi.data, 0), "diamagnetic": np.minimum(chi.data, 0)}
    for sign, part in parts.items():
        write_volume(tmp_path / f"{sign}.nii.gz", part, chi.affine)
    paths = {sign: tmp_path / f"{sign}.nii.gz" for sign in parts}
    found, both = shown(replace(sources, mean_sources=paths))
    assert found["sources"]
    assert {key: value for key, value in both.items() if key != "sources"} == {
        key: value for key, value in data.items() if key != "sources"
    }
    regions = made_up.regions()
    for one, (sign, part) in zip(both["sources"], parts.items(), strict=True):
        assert one["name"].endswith(f"({sign})")
        packed = unpacked(one["data"], "<i2", data["chi"]["shape"]).astype(float)
        empty = packed == data["chi"]["missing"]
        error = packed * data["chi"]["step"] - 1000 * part
        assert np.abs(error[~empty]).max() <= data["chi"]["step"] / 2 + 1e-4
        metric = "chi_para_mean" if sign == "paramagnetic" else "chi_dia_mean"
        rows = regions[(regions["metric"] == metric) & (regions["region"] == "putamen")]
        value = 1000 * rows[rows["hemisphere"] == "R"].groupby("participant_id")["value"].mean()
        place = [name for name, _ in data["regions"]].index("R putamen")
        words = one["measured"][place].replace("−", "-")
        assert words == f"{value.mean():.1f} ± {value.std():.1f} ppb (n = {len(value)})"
    write_volume(paths["diamagnetic"], chi.data[:-1], chi.affine)
    with pytest.raises(InputError, match="diamagnetic"):
        shown(replace(sources, mean_sources=paths))


def test_the_labels_are_the_atlas_at_one_millimetre(data):
    found = fine_labels(data)
    affine = np.eye(4)
    affine[:3, 3] = data["origin"]
    atlas = read_volume(desikan_killiany(), dtype=np.int32)
    expected = look_up(atlas.data, atlas.affine, grid_points(found.shape, affine), order=0)
    table = made_up.label_table().sort_values("index")
    np.testing.assert_array_equal(found > 0, expected > 0)
    numbers = table["index"].to_numpy()
    np.testing.assert_array_equal(numbers[found[found > 0] - 1], expected[found > 0])
    assert (found > 0).sum() == (atlas.data > 0).sum()
    first = table.iloc[0]
    assert data["regions"][0][0] == f"{first['hemisphere']} banks of STS"


def test_every_question_has_its_primary_metrics(data):
    questions = {(one["question"], one["metric"]) for one in data["overlays"]}
    assert len(questions) == len(data["overlays"]) == (2 + 3) * len(PRIMARY_METRICS)
    assert ("phenotype: UMN+ vs other", "Mean χ") in questions
    assert ("UMN score", "Deposit fraction") in questions


def test_effects_are_those_of_the_rigorous_arm(data):
    one = next(
        one
        for one in data["overlays"]
        if one["question"] == "progression: fast vs slow" and one["metric"] == "SD of χ"
    )
    names = [name for name, _ in data["regions"]]
    effect, p, q, words = one["cells"][names.index("R hippocampus")]
    tests = made_up.group_tests()
    row = tests[
        (tests["contrast"] == "progression") & (tests["arm"] == "rigorous")
        & (tests["metric"] == "chi_sd") & (tests["region"] == "hippocampus")
        & (tests["hemisphere"] == "R")
    ].iloc[0]  # fmt: skip
    assert [effect, p, q] == pytest.approx([row["effect"], row["p"], row["q"]], abs=1e-5)
    assert words.startswith("Cliff's δ = .")
    assert (one["low"], one["high"]) == ("slow higher", "fast higher")
    largest = max(abs(cell[0]) for cell in one["cells"] if cell)
    assert largest <= one["limit"] < largest + 0.1


def test_a_cell_that_was_not_tested_is_empty(sources):
    tests = made_up.group_tests().copy()
    here = (tests["region"] == "pallidum") & (tests["hemisphere"] == "L")
    tests.loc[here & (tests["metric"] == "iron_line"), "effect"] = np.nan
    data = shown(sources, tests)[1]
    one = next(one for one in data["overlays"] if one["metric"] == "Iron, global line")
    names = [name for name, _ in data["regions"]]
    assert one["cells"][names.index("L pallidum")] is None
    assert one["cells"][names.index("L thalamus")] is not None


def test_another_atlas_and_variant_stay_out(sources, data):
    tables = []
    for make in TABLES:
        table = make()
        other = table.assign(atlas="other", index=table["index"] + 500)
        later = table.assign(desc="vsharp")
        tables.append(pd.concat([other, later, table], ignore_index=True))
    assert shown(sources, *tables)[1] == data


def test_labels_of_another_numbering_are_not_painted(sources):
    """Every scan has a segmentation, numbered as FreeSurfer does: the template's labels differ."""
    tables = [make().assign(index=make()["index"] + 1000) for make in TABLES]
    tables[2] = tables[2].assign(labels_source="segmentation")
    found, data = shown(sources, *tables)
    assert data["labels"] is None
    assert data["overlays"] == data["regions"] == []
    assert found["atlas"] == ""
    # numbered alike, they are
    alike = made_up.regions().assign(labels_source="segmentation")
    assert shown(sources, regions=alike)[1]["labels"] is not None


def test_without_labels_there_is_chi_alone(sources):
    found, data = shown(replace(sources, atlas="", labels=None))
    assert data["labels"] is None
    assert data["overlays"] == []
    assert found["n"] == 37


def test_an_atlas_of_another_template_is_looked_up_through_the_map(sources, data, tmp_path):
    atlas = read_volume(desikan_killiany(), dtype=np.int32)
    moved = atlas.affine.copy()
    moved[:3, 3] += [12, 0, -7]
    write_volume(tmp_path / "atlas.nii.gz", atlas.data, moved)
    grid = np.diag([4.0, 4, 4, 1])
    grid[:3, 3] = -110, -150, -100
    onward = grid_points((56, 72, 56), grid) + np.array([12, 0, -7], np.float32)
    write_scaled_volume(tmp_path / "map.nii.gz", onward, grid, 0.01)
    other = replace(sources, labels=tmp_path / "atlas.nii.gz", template_map=tmp_path / "map.nii.gz")
    found = fine_labels(shown(other)[1])
    assert (found == fine_labels(data)).mean() > 0.9999


def test_no_text_of_a_table_can_end_the_script(sources):
    tests = made_up.group_tests().replace({"level_1": {"fast": "</script><b>"}})
    found, data = shown(sources, tests=tests)
    assert "<" not in found["json"]
    assert data["overlays"][0]["high"] == "</script><b> higher"


def test_it_is_small(sources):
    """With noise in every voxel, which compresses worst."""
    assert len(shown(sources)[0]["json"]) < 3e6
