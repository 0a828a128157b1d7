"""Contrasts within a scan, against loops over pairs of voxels."""

import itertools
import math

import numpy as np
import pytest

from qsmiron.regions.deposits import IronParameters
from qsmiron.regions.label_table import Label
from qsmiron.regions.measure import measure
from qsmiron.regions.relative import LEAST_WHITE_MM3, mean_adjacent_white, right_minus_left
from qsmiron.regions.values import RegionValues, Who, sort_by_region

TABLE = [
    Label(3, "precentral", "L", "cortex"),
    Label(4, "precentral", "R", "cortex"),
    Label(6, "insula", "L", "cortex"),
    Label(8, "caudate", "L", "subcortex"),
    Label(9, "Right-Caudate", "R", "subcortex"),
    Label(11, "brainstem", "B", "brainstem"),
    Label(20, "left cortex", "B", "cortex", (3, 6)),
    Label(21, "mixture", "B", "", (3, 8)),
    Label(30, "pole", "R", "cortex"),
]
VOXEL_SIZE = (2.0, 1.6, 2.5)


@pytest.fixture(scope="module")
def case():
    """Two hemispheres of cortex over white matter, and a nucleus in it."""
    rng = np.random.default_rng(5)
    shape = (16, 9, 8)
    image = np.zeros(shape, dtype=np.int64)
    image[:5, :, 6:] = 3
    image[5:8, :, 6:] = 6
    image[9:, :, 6:] = 4
    image[3:5, 3:6, 1:3] = 8
    image[12:14, 3:6, 1:3] = 9
    image[rng.random(shape) < 0.03] = 0
    chi = rng.normal(0, 0.03, shape).astype(np.float32)
    white = (rng.random(shape) < 0.8) & (np.arange(8) < 7)
    return image, chi, white


def naive_white(case, table, distance):
    """Every white voxel against every voxel of every region."""
    image, chi, white = case
    means = []
    for label in table:
        members = label.members or (label.index,)
        by_index = {one.index: one for one in table if one.structure == "cortex"}
        if not all(member in by_index for member in members):
            means.append(math.nan)
            continue
        kept = set()
        for voxel in map(tuple, np.argwhere(white & (image == 0))):
            nearest = {}
            for other in map(tuple, np.argwhere(np.isin(image, list(by_index)))):
                steps = [(a - b) * s for a, b, s in zip(voxel, other, VOXEL_SIZE, strict=True)]
                key = image[other]
                nearest[key] = min(nearest.get(key, math.inf), math.hypot(*steps))
            for member in members:
                mine = nearest.get(member, math.inf)
                side = by_index[member].hemisphere
                across = [
                    there
                    for index, there in nearest.items()
                    if {side, by_index[index].hemisphere} == {"L", "R"}
                ]
                if mine <= distance + 1e-6 and mine <= min(across, default=math.inf) + 1e-6:
                    kept.add(voxel)
        enough = len(kept) * math.prod(VOXEL_SIZE) >= LEAST_WHITE_MM3
        values = [float(chi[voxel]) for voxel in kept]
        means.append(math.fsum(values) / len(values) if enough else math.nan)
    return means


@pytest.mark.parametrize("distance", [1.0, 3.2, 5.0, 8.0])
def test_adjacent_white_matter_against_a_loop(case, distance):
    image, chi, white = case
    found = mean_adjacent_white(chi, image, TABLE, white, VOXEL_SIZE, distance)
    expected = naive_white(case, TABLE, distance)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert np.isfinite(found).any() == (distance > 1)
    assert np.isnan(found[[3, 4, 5, 7, 8]]).all()


def test_white_matter_across_the_midline_is_the_other_sides(case):
    image, chi, white = case
    reach = mean_adjacent_white(chi, image, TABLE, white, VOXEL_SIZE, 12.0)
    one_sided = [label for label in TABLE if label.hemisphere != "R"]
    alone = np.where(np.isin(image, [4, 9]), 1000, image)
    beyond = mean_adjacent_white(chi, alone, one_sided, white, VOXEL_SIZE, 12.0)
    assert reach[2] != beyond[2]


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3)))[1:])
def test_the_same_bits_however_voxels_are_stored(case, axes):
    turned = [np.ascontiguousarray(np.flip(each.transpose(axes), 1)) for each in case]
    size = [VOXEL_SIZE[axis] for axis in axes]
    first = mean_adjacent_white(case[1], case[0], TABLE, case[2], VOXEL_SIZE, 5.0)
    second = mean_adjacent_white(turned[1], turned[0], TABLE, turned[2], size, 5.0)
    np.testing.assert_array_equal(first, second)


def test_a_shift_of_the_whole_scan_changes_neither_contrast(case):
    image, chi, white = case
    found = []
    for shift in (0.0, 0.25):
        moved = chi + np.float32(shift)
        regions = sort_by_region(
            image, moved, np.ones(image.shape, bool), [label.index for label in TABLE],
            composites={label.index: label.members for label in TABLE if label.members},
        )  # fmt: skip
        beside = mean_adjacent_white(moved, image, TABLE, white, VOXEL_SIZE, 5.0)
        scan = RegionValues(Who("sub-01"), regions, 8.0)
        metrics, _ = measure(scan, TABLE, IronParameters(), adjacent_white=beside)
        found.append((metrics["chi_mean"], metrics["chi_right_left"], metrics["chi_cortex_white"]))
    mean, asymmetry, contrast = (np.stack(pair) for pair in zip(*found, strict=True))
    np.testing.assert_allclose(mean[1] - mean[0], [0.25] * 5 + [np.nan, 0.25, 0.25, np.nan])
    for values, there in ((asymmetry, [1, 4]), (contrast, [0, 1, 2, 6])):
        assert np.flatnonzero(np.isfinite(values[0])).tolist() == there
        np.testing.assert_allclose(values[1], values[0], atol=1e-7)
    sides = [float(chi[image == index].astype(float).mean()) for index in (3, 4)]
    assert asymmetry[0][1] == pytest.approx(sides[1] - sides[0], abs=1e-9)


def test_a_name_that_is_there_twice_on_a_side_has_no_mirror_image():
    labels = [Label(1, "insula", "L"), Label(2, "insula", "L"), Label(3, "insula", "R")]
    assert np.isnan(right_minus_left(labels, np.array([1.0, 2.0, 4.0]))).all()
    assert right_minus_left(labels[1:], np.array([2.0, 4.0])).tolist()[1] == 2.0
