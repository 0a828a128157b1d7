"""Colour tables, and segmentations in the numbers of the label table."""

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from qsmiron.errors import InputError
from qsmiron.regions.colour_table import read_colour_table
from qsmiron.regions.label_table import Label, read_label_table
from qsmiron.regions.segmentation import read_segmentation, translate_segmentation

ATLASES = Path(__file__).parents[2] / "config/atlases"
APARC_ASEG = ATLASES / "aparc+aseg.tsv"
LUT = """#$Id: FreeSurferColorLUT.txt $

#No. Label Name:                R   G   B   A
0   Unknown                     0   0   0   0
2   Left-Cerebral-White-Matter  245 245 245 0
 10  Left-Thalamus-Proper\t0   118 14  0
11  Left-Caudate                122 186 220 0
11  Left-Caudate                122 186 220 0
16  Brain-Stem                  119 159 176 0   # to the end of the line
120 SC-Fat/Muscle               238 238 209 0
1035 ctx-lh-insula              80 196 98 0
3035 wm-lh-insula               80 196 98 0
2035 ctx-rh-insula              80 196 98 0
"""
TABLE = [
    Label(1, "insula", "L"),
    Label(2, "insula", "R"),
    Label(35, "thalamus", "L"),
    Label(36, "caudate", "L"),
    Label(77, "caudate", "R"),
    Label(83, "brainstem", "B"),
    Label(200, "both insulae", "B", members=(1, 2)),
]


def colour_table(tmp_path, text, name="colours.txt"):
    path = tmp_path / name
    path.write_text(text)
    return path


def test_freesurfers_format(tmp_path):
    labels = read_colour_table(colour_table(tmp_path, LUT))
    assert list(labels) == [0, 2, 10, 11, 16, 120, 1035, 2035, 3035]
    assert labels[10] == Label(10, "Left-Thalamus-Proper", "L")
    assert labels[16] == Label(16, "Brain-Stem", "B")
    assert labels[2035].hemisphere == "R"


def test_bids_format(tmp_path):
    text = "name\tcolor\tindex\themisphere\nLeft-Caudate\t#00f\t11\tn/a\n\ninsula\t#fff\t7\tR\n"
    for name in ("x_dseg.tsv", "x.txt"):
        assert read_colour_table(colour_table(tmp_path, text, name)) == {
            7: Label(7, "insula", "R"),
            11: Label(11, "Left-Caudate", "L"),
        }


def test_a_label_table_is_a_colour_table():
    labels = read_colour_table(ATLASES / "DesikanKilliany.tsv")
    assert len(labels) == 83
    assert labels[1] == Label(1, "bankssts", "L")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no label"),
        ("# nothing\n\n", "no label"),
        ("index\tname\n", "no label"),
        ("1 a 0 0 0 0\nx b 0 0 0 0\n", "line 2: found 'x b 0 0 0 0'; expected index, name, R"),
        ("1 a 0 0 0\n", "line 1: found '1 a 0 0 0'"),
        ("1 a 0 0 0 0\n-2 b 0 0 0 0\n", "line 2"),
        ("1 Left Caudate 0 0 0 0\n", "line 1"),
        ("number\tlabel\n1\ta\n", "line 1"),
        ("3 a 0 0 0 0\n#\n3 b 0 0 0 0\n", "line 3: found index 3 twice (a, b)"),
        ("index\tname\n\n1.5\ta\n", "line 3: found the index '1.5'"),
        ("index\tname\n\ta\n", "line 2: found the index 'n/a'"),
        ("index\tname\n1\n", "line 2: found no name"),
        ("index\tname\n1\tn/a\n", "no name"),
        ("index\tname\n3\ta\n3\tb\n", "line 3: found index 3 twice (a, b)"),
    ],
)
def test_colour_tables_that_are_none(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        read_colour_table(colour_table(tmp_path, text))
    assert message in str(error.value)
    assert "colours.txt" in str(error.value)


def test_all_bad_lines_at_once(tmp_path):
    with pytest.raises(InputError) as error:
        read_colour_table(colour_table(tmp_path, "x\n1 a 0 0 0 0\n1 b 0 0 0 0\n"))
    assert len(error.value.problems) == 2


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_colour_table(tmp_path / "absent.txt")
    (tmp_path / "picture.txt").write_bytes(b"\xff\xfe\x00\x80")
    for path in (tmp_path / "picture.txt", tmp_path):
        with pytest.raises(InputError, match="cannot be read"):
            read_colour_table(path)


def test_numbers_of_aparc_and_aseg():
    """Against the names and numbers that FreeSurfer's own software has fixed for twenty years."""
    labels = {label.index: label for label in read_label_table(APARC_ASEG)}
    for index, name in {
        2: "Left-Cerebral-White-Matter",
        41: "Right-Cerebral-White-Matter",
        10: "Left-Thalamus",
        49: "Right-Thalamus",
        12: "Left-Putamen",
        51: "Right-Putamen",
        16: "Brain-Stem",
        26: "Left-Accumbens-area",
        58: "Right-Accumbens-area",
        77: "WM-hypointensities",
        251: "CC_Posterior",
        255: "CC_Anterior",
        1001: "ctx-lh-bankssts",
        1005: "ctx-lh-cuneus",
        1024: "ctx-lh-precentral",
        1035: "ctx-lh-insula",
        2017: "ctx-rh-paracentral",
        2032: "ctx-rh-frontalpole",
    }.items():
        assert labels[index].name == name
    for label in labels.values():
        prefix = {"L": ("Left-", "ctx-lh-"), "R": ("Right-", "ctx-rh-")}
        assert label.name.startswith(prefix.get(label.hemisphere, "")) and label.structure
    for index in range(1000, 1036):
        assert labels[index].plain_name == labels[index + 1000].plain_name
    cortex = [index for index, label in labels.items() if label.structure == "cortex"]
    assert set(cortex) == {3, 42, *range(1001, 1036), *range(2001, 2036)} - {1004, 2004}


def test_every_region_of_the_default_atlas_is_in_aparc_and_aseg():
    table = read_label_table(ATLASES / "DesikanKilliany.tsv")
    colours = read_colour_table(APARC_ASEG)
    numbers = np.array(sorted(colours)).reshape(-1, 1, 1)
    labels, unknown = translate_segmentation(numbers, colours, table)
    assert unknown == []
    assert sorted(labels[labels > 0]) == list(range(1, 84))
    by_number = dict(zip(sorted(colours), labels.ravel().tolist(), strict=True))
    expected = {1001: 1, 1035: 34, 2001: 42, 2035: 75, 10: 35, 49: 76, 26: 39, 16: 83, 54: 82}
    expected |= dict.fromkeys((2, 41, 4, 43, 3, 42, 77, 85, 255, 1000, 2000, 1004, 24), 0)
    assert {number: by_number[number] for number in expected} == expected


def test_translation(tmp_path):
    colours = read_colour_table(colour_table(tmp_path, LUT))
    image = np.array([0, 2, 10, 11, 16, 1035, 2035, 3035, 0]).reshape(3, 3, 1)
    labels, unknown = translate_segmentation(image, colours, TABLE)
    assert labels.dtype == np.int32
    # the white matter below the insula is not the insula
    np.testing.assert_array_equal(labels.ravel(), [0, 0, 35, 36, 83, 1, 2, 0, 0])
    assert labels.shape == image.shape
    assert unknown == [Label(77, "caudate", "R")]


def test_two_numbers_of_one_region():
    colours = {9: Label(9, "Left-Thalamus", "L"), 10: Label(10, "Left-Thalamus-Proper", "L")}
    labels, _ = translate_segmentation(np.array([[[9, 10, 0]]]), colours, TABLE)
    assert labels.tolist() == [[[35, 35, 0]]]


def test_without_a_colour_table_numbers_are_the_label_tables():
    image = np.array([[[0, 1, 83, 77]]])
    labels, unknown = translate_segmentation(image, None, TABLE)
    np.testing.assert_array_equal(labels, image)
    assert unknown == []
    for strange in (2035, 200):  # 200 is a composite
        with pytest.raises(InputError, match=rf"seg.mgz.*the label table lacks: {strange};"):
            translate_segmentation(np.array([[[1, strange]]]), None, TABLE, "seg.mgz")


def test_refused_translations(tmp_path):
    colours = read_colour_table(colour_table(tmp_path, LUT))
    with pytest.raises(InputError, match=r"seg.mgz.*colour table lacks: 53, 2001;"):
        translate_segmentation(np.array([[[2001, 53, 53, 10]]]), colours, TABLE, "seg.mgz")
    with pytest.raises(InputError, match=r"999 and 20 more"):
        many = np.arange(980, 1020).reshape(1, 1, -1)
        translate_segmentation(many, colours | {}, TABLE[:1])
    with pytest.raises(InputError, match=r"t.tsv: found none of the 1 regions.*seg.mgz"):
        translate_segmentation(
            np.array([[[10]]]), colours, [Label(1, "vermis", "B")], "seg.mgz", "t.tsv"
        )
    twice = [*TABLE, Label(90, "Left-Thalamus-Proper", "L")]
    with pytest.raises(InputError, match=r"t.tsv.*thalamus \(35\).*Proper \(90\)"):
        translate_segmentation(np.array([[[10]]]), colours, twice, "seg.mgz", "t.tsv")


@pytest.mark.parametrize(
    ("values", "message"),
    [([0, 1.5], "1 voxels that are no label .such as 1.5"), ([0, -3], "-3"), ([0, 0], "no label")],
)
def test_images_that_are_no_segmentation(tmp_path, values, message):
    image = nib.MGHImage(np.array(values, np.float32).reshape(1, 1, -1), np.eye(4))
    nib.save(image, tmp_path / "x.mgz")
    with pytest.raises(InputError, match=message):
        read_segmentation(tmp_path / "x.mgz")
