from pathlib import Path

import pytest

from qsmiron.errors import InputError
from qsmiron.regions.label_table import Label, hemisphere_of, read_label_table

DESIKAN_KILLIANY = Path(__file__).parents[2] / "config/atlases/DesikanKilliany.tsv"


def write(tmp_path, text):
    path = tmp_path / "labels.tsv"
    path.write_text(text)
    return path


def test_default_atlas():
    labels = read_label_table(DESIKAN_KILLIANY)
    assert [label.index for label in labels] == list(range(1, 84))
    assert labels[34] == Label(35, "thalamus", "L", "subcortex")
    assert labels[82] == Label(83, "brainstem", "B", "brainstem")
    sides = [label.hemisphere for label in labels]
    assert (sides.count("L"), sides.count("R"), sides.count("B")) == (41, 41, 1)


@pytest.mark.parametrize(
    ("name", "hemisphere", "plain"),
    [
        ("Left-Caudate", "L", "caudate"),
        ("Right-Thalamus-Proper", "R", "thalamusproper"),
        ("ctx-lh-insula", "L", "insula"),
        ("ctx_rh_G_precentral", "R", "gprecentral"),
        ("wm-rh-insula", "R", "insula"),
        ("lh.paracentral", "L", "paracentral"),
        ("L_Putamen", "L", "putamen"),
        ("Pallidum_R", "R", "pallidum"),
        ("Left Globus Pallidus", "L", "globuspallidus"),
        ("Brain-Stem", "B", "brainstem"),
        ("lingual", "B", "lingual"),
        ("rostralmiddlefrontal", "B", "rostralmiddlefrontal"),
        ("CSF", "B", "csf"),
    ],
)
def test_hemisphere_from_name(name, hemisphere, plain):
    assert hemisphere_of(name) == hemisphere
    assert Label(1, name, hemisphere).plain_name == plain


def test_sorted_without_background_and_hemisphere_optional(tmp_path):
    path = write(
        tmp_path,
        "name\tcolor\tindex\themisphere\nRight-Caudate\t#fff\t50\tn/a\nUnknown\t#000\t0\tn/a\n"
        "vermis\t#0f0\t7\tB\nputamen\t#00f\t12\tl\n",
    )
    assert read_label_table(path) == [
        Label(7, "vermis", "B"),
        Label(12, "putamen", "L"),
        Label(50, "Right-Caudate", "R"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("index\tname\n3\ta\n3\tb\n", "index 3 twice (a, b)"),
        ("index\tname\n3\ta\n4\ta\n", "a, B, twice (index 3, 4)"),
        ("index\tname\n3\ta\nx\tb\n", "row 3: found the index 'x'"),
        ("index\tname\n1.5\ta\n", "the index '1.5'"),
        ("index\tname\n-2\ta\n", "the index '-2'"),
        ("index\tname\nn/a\ta\n", "the index 'n/a'"),
        ("index\tname\n1\tn/a\n", "no name"),
        ("index\tname\themisphere\n1\ta\tX\n", "the hemisphere 'X'"),
        ("index,name\n1,a\n", "Add index and name"),
        ("index\tname\n0\tbackground\n", "no label"),
        ("index\tname\n", "no label"),
    ],
)
def test_refused(tmp_path, text, message):
    with pytest.raises(InputError) as error:
        read_label_table(write(tmp_path, text))
    assert message in str(error.value)
    assert "labels.tsv" in str(error.value)


def test_all_problems_at_once(tmp_path):
    path = write(tmp_path, "index\tname\nx\ta\n2\tn/a\n3\tc\n3\td\n")
    with pytest.raises(InputError) as error:
        read_label_table(path)
    assert len(error.value.problems) == 3


def test_missing_file(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        read_label_table(tmp_path / "absent.tsv")
