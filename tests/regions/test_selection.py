"""Which voxels are measured, against plain loops over them."""

from dataclasses import replace

import numpy as np
import pytest
from region_scan import EVERYTHING, INDEX, OPTIONS, TABLE, VOXEL_VOLUME, Case, naive_select

from qsmiron.errors import InputError
from qsmiron.parameters import parse_parameters
from qsmiron.regions.label_table import Label
from qsmiron.regions.region_tables import voxel_rows
from qsmiron.regions.selection import (
    COUNTS,
    SelectionParameters,
    check_inputs,
    select,
)
from qsmiron.regions.values import (
    Who,
)

pytestmark = pytest.mark.filterwarnings("error")


@pytest.fixture(scope="module")
def case():
    return Case()


@pytest.mark.parametrize("name", OPTIONS)
def test_every_option_against_a_loop(case, name):
    parameters = SelectionParameters(**OPTIONS[name])
    selection = case.select(parameters)
    fate = naive_select(case, parameters)
    used = np.zeros(case.labels.shape, bool)
    for voxel, what in fate.items():
        used[voxel] = what == "used"
    np.testing.assert_array_equal(selection.measured, used)
    assert tuple(selection.counts) == COUNTS
    for position, label in enumerate(TABLE):
        parts = label.members or (label.index,)
        fates = [what for voxel, what in fate.items() if case.labels[voxel] in parts]
        expected = {what: fates.count(what) for what in COUNTS[3:]}
        expected["label"] = len(fates)
        expected["beyond"] = 0
        expected["reliable"] = len(fates) - fates.count("unreliable")
        assert {key: count[position] for key, count in selection.counts.items()} == expected
    touched = {what for what in fate.values() if what not in ("used", "unreliable")}
    assert touched == {
        "none": set(),
        "grey_matter": {"below_grey_matter"},
        "veins": {"vein"},
        "outliers": {"outlier"},
        "everything": set(COUNTS[3:-1]),
    }.get(name, {"eroded"})


def test_reliable_is_the_sum_of_what_becomes_of_it(case):
    counts = case.select(EVERYTHING).counts
    np.testing.assert_array_equal(counts["reliable"], sum(counts[name] for name in COUNTS[3:]))


def test_erosion_of_a_size_that_float32_rounds():
    """A header's 0.8 mm is not exactly 0.8; the layer at that distance goes all the same."""
    labels = np.full((5, 5, 5), 3)
    edge = float(np.float32(0.8))
    assert edge > 0.8
    parameters = SelectionParameters(deep_erosion=0.8)
    selection = select(labels, labels * 1.0, labels > 0, TABLE[:1], (edge, edge, edge), parameters)
    assert selection.counts["used"].tolist() == [27]
    assert selection.remarks == ()


def test_options_without_effect_say_so(case):
    small = case.select(SelectionParameters(deep_erosion=0.7))
    assert small.remarks == (
        "deep_erosion of 0.7 mm is less than a voxel (1.5 x 0.8 x 2.5 mm): nothing is eroded",
    )
    veins = case.select(SelectionParameters(exclude_veins=True), r2star=None)
    assert veins.remarks == ("exclude_veins: there is no R2* map, so no voxel is taken for a vein",)
    for selection in (small, veins):
        np.testing.assert_array_equal(selection.measured, case.reliable & (case.labels > 0))
    bare = [replace(label, structure="") for label in TABLE]
    selection = case.select(EVERYTHING, table=bare)
    assert [remark.split(":")[0] for remark in selection.remarks] == [
        "deep_erosion",
        "cortex_grey_matter",
    ]
    assert not selection.counts["eroded"].any()
    assert case.select(EVERYTHING).remarks == ()


def test_a_composite_itself_is_of_no_structure(case):
    """Its members decide: a composite called cortex of regions that are none changes nothing."""
    table = [replace(label, structure="cortex" if label.members else "") for label in TABLE]
    parameters = SelectionParameters(cortex_grey_matter=0.5, deep_erosion=2)
    selection = case.select(parameters, table=table, grey_matter=None)
    np.testing.assert_array_equal(selection.counts["used"], selection.counts["reliable"])


@pytest.mark.parametrize(
    ("options", "structure", "tissues", "weights", "missing"),
    [
        ({}, "cortex", False, False, []),
        ({"cortex_grey_matter": 0.5}, "cortex", False, False, ["--tissues"]),
        ({"cortex_grey_matter": 0.5}, "cortex", True, False, []),
        ({"cortex_grey_matter": 0.5}, "subcortex", False, False, []),
        ({"partial_volume_weights": True}, "cortex", False, False, ["--tissues", "--weights"]),
        ({"partial_volume_weights": True}, "cortex", False, True, ["--tissues"]),
        ({"partial_volume_weights": True}, "subcortex", False, True, []),
        ({"partial_volume_weights": True}, "subcortex", True, False, ["--weights"]),
    ],
)
def test_missing_images(options, structure, tissues, weights, missing):
    arguments = (SelectionParameters(**options), [Label(1, "a", "L", structure)], tissues, weights)
    if not missing:
        check_inputs(*arguments)
        return
    with pytest.raises(InputError) as error:
        check_inputs(*arguments)
    assert [problem.where for problem in error.value.problems] == missing
    assert all(next(iter(options)) in problem.expected for problem in error.value.problems)


@pytest.mark.parametrize(
    "text",
    [
        '{"deep_erosion": -1}',
        '{"cortex_grey_matter": 1.1}',
        '{"vein_robust_sd": 0}',
        '{"outlier_robust_sd": 0}',
        '{"minimum_coverage": 2}',
        '{"erosion": 1}',
    ],
)
def test_out_of_range(text):
    with pytest.raises(InputError, match="--selection: " + text.split('"')[1]):
        parse_parameters(SelectionParameters, text, "--selection")


def test_no_voxel_at_all():
    nothing = np.zeros((3, 3, 3), int)
    selection = select(
        nothing, nothing * 1.0, nothing == 0, TABLE, (1, 1, 1), EVERYTHING, nothing, nothing * 1.0
    )
    assert not selection.measured.any()
    assert not any(count.any() for count in selection.counts.values())


def test_rows(case):
    counts = case.select(EVERYTHING).counts
    rows = voxel_rows(Who("sub-01", labels_source="own"), TABLE, counts, VOXEL_VOLUME)
    assert rows["index"].tolist() == INDEX
    assert set(rows["labels_source"]) == {"own"}
    thalamus = rows.iloc[0]
    assert thalamus["n_label"] == (case.labels == 3).sum()
    assert thalamus["volume"] == 3.0 * thalamus["n_label"]
    assert thalamus["used_volume"] == 3.0 * thalamus["n_used"]
    assert thalamus["coverage"] == thalamus["n_reliable"] / thalamus["n_label"]
    absent = rows[rows["index"] == 30].iloc[0]
    assert (absent["n_label"], absent["volume"], absent["coverage"]) == (0, 0, 0)
