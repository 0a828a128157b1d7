"""Effects over the brain: which label image is painted, and with which regions' effects."""

import itertools

import made_up_results as made_up
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.text import Text

import draw_effects
from qsmiron.figures.effects import effects_figure
from qsmiron.figures.style import SIGNED_MAP
from qsmiron.regions.label_table import Label, read_label_table
from qsmiron.tables import write_table
from qsmiron.volumes import Volume, write_volume

METRICS = ["chi_mean", "chi_sd"]
LEFT, RIGHT = slice(2, 9), slice(11, 18)
AAL = [Label(35, "Lobule", "L"), Label(82, "Lobule", "R")]


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def texts(figure: Figure) -> str:
    return "\n".join(found.get_text() for found in figure.findobj(Text))


def head(left: int = 35, right: int = 82) -> tuple[Volume, Volume]:
    """A template of two boxes, and the labels of the boxes."""
    affine = np.diag([8.0, 8.0, 8.0, 1.0])
    affine[:3, 3] = [-76, -112, -72]
    labels = np.zeros((20, 24, 20), np.int32)
    labels[LEFT, 8:16, 6:14] = left
    labels[RIGHT, 8:16, 6:14] = right
    return Volume((labels > 0) * 100.0 + 50, affine), Volume(labels, affine)


def dk() -> list[Label]:
    return read_label_table(made_up.LABEL_TABLE)


def of_two_atlases() -> pd.DataFrame:
    """The made-up tests, and those of a second atlas with the same numbers and other regions."""
    tests = made_up.group_tests()
    other = tests[tests["index"].isin([35, 82])].assign(atlas="AAL", region="Lobule", effect=-0.9)
    return pd.concat([tests, other], ignore_index=True)


def drawn(tests: pd.DataFrame, labels: list[Label], name: str | None = None):
    return effects_figure(tests, "phenotype", METRICS, *head(), labels, name)


def colours(figure: Figure) -> np.ndarray:
    """All colours in the slices of the first row, but greys."""
    pixels = [axes.images[0].get_array()[..., :3].reshape(-1, 3) for axes in figure.axes[:8]]
    found = np.concatenate(pixels)
    return np.unique(found[np.ptp(found, axis=1) > 1e-6].round(4), axis=0)


def test_effects_are_outlined_where_they_pass():
    tests = made_up.group_tests()
    figure, _, caption = drawn(tests, dk())
    assert "UMN+ higher" in texts(figure)
    assert {"L", "R"} <= {found.get_text() for axes in figure.axes for found in axes.texts}
    assert "Cliff's δ" in caption
    rows = tests[(tests["contrast"] == "phenotype") & (tests["arm"] == "replication")]
    p = rows[(rows["metric"] == "chi_mean")].set_index("index")["p"]
    assert p[35] < 0.05  # the left thalamus, planted
    first_row = figure.axes[:8]
    assert any(len(axes.collections) for axes in first_row)


@pytest.mark.parametrize(("name", "labels"), [("DK", dk()), ("AAL", AAL), (None, dk())])
def test_of_two_atlases_only_the_one_of_the_image_is_painted(name, labels):
    figure, _, caption = drawn(of_two_atlases(), labels, name)
    assert caption.startswith(f"Atlas {name or 'DK'}. ")
    tests = of_two_atlases()
    painted = tests[
        (tests["atlas"] == (name or "DK")) & (tests["contrast"] == "phenotype")
        & (tests["arm"] == "replication") & tests["metric"].isin(METRICS)
        & tests["index"].isin([35, 82])
    ]  # fmt: skip
    # the scale is that of the regions that are painted
    limit = max(0.2, np.ceil(painted["effect"].abs().max() * 10) / 10)
    effects = painted.loc[painted["metric"] == "chi_mean", "effect"]
    tints = [np.array(SIGNED_MAP((value + limit) / (2 * limit))[:3]) for value in effects]
    shade = 0.3 + 0.42  # the template is as bright as it gets inside
    expected = np.array([0.85 * tint + 0.15 * shade for tint in tints])
    found = colours(figure)
    assert len(found)
    for colour in found:
        assert np.abs(expected - colour).max(axis=1).min() < 2e-4


def test_a_region_of_another_name_is_not_painted_and_the_caption_counts_it():
    labels = [one if one.index != 35 else Label(35, "cuneus", "L") for one in dk()]
    figure, _, caption = drawn(made_up.group_tests(), labels)
    # the regions without a voxel in this image, and the one of another name
    everywhere = made_up.group_tests()[["region", "hemisphere"]].drop_duplicates()
    assert f"{len(everywhere) - 1} of the regions" in caption
    assert len(colours(figure)) == 1
    # nothing is outlined there either: the left thalamus was planted, the right one was not
    both = drawn(made_up.group_tests(), dk())[0]
    outlined = [sum(len(axes.collections) for axes in one.axes[:8]) for one in (figure, both)]
    assert outlined[0] < outlined[1]


@pytest.mark.parametrize("change", [{"hemisphere": "R"}, {"region": "putamen"}, {"index": 36}])
def test_index_name_and_hemisphere_all_have_to_agree(change):
    tests = made_up.group_tests()
    tests = tests[tests["index"] == 35]
    assert len(drawn(tests, dk())[0].axes) > 8
    figure, _, caption = drawn(tests.assign(**change), dk())
    assert not figure.axes
    assert "no label image" in caption


def test_names_may_be_written_otherwise():
    labels = [Label(35, "Left-Thalamus-Proper", "L")]
    assert drawn(made_up.group_tests(), labels)[0].axes


def test_without_an_image_of_the_tested_atlas_words_say_so():
    foreign = made_up.group_tests().assign(atlas="Schaefer")
    figure, title, caption = drawn(foreign, dk(), "DK")
    assert not figure.axes
    assert title == "Effects over the brain by phenotype"
    assert texts(figure).replace("\n", " ") == caption
    assert "tests are of the atlas Schaefer" in caption
    assert "is DK" in caption
    figure, _, caption = drawn(foreign.assign(region="other"), dk())
    assert not figure.axes
    assert "regions of the atlas Schaefer" in caption


def test_without_any_test_words_say_so():
    figure, _, caption = drawn(made_up.group_tests().iloc[:0], dk())
    assert not figure.axes
    assert "no region could be tested" in caption


def test_the_script_takes_the_image_the_names_and_the_template(tmp_path):
    from PIL import Image

    template, labels = head()
    files = {name: tmp_path / f"{name}.nii.gz" for name in ("template", "atlas")}
    write_volume(files["template"], template.data.astype(np.float32), template.affine, {})
    write_volume(files["atlas"], labels.data, labels.affine, {})
    write_table(of_two_atlases(), tmp_path / "tests.tsv", "group_tests")
    (tmp_path / "aal.tsv").write_text("index\tname\themisphere\n35\tLobule\tL\n82\tLobule\tR\n")
    table = ["--group-tests", str(tmp_path / "tests.tsv"), "--contrast", "phenotype"]
    own = ["--atlas-name", "AAL", "--label-table", str(tmp_path / "aal.tsv")]
    own += [text for name, path in files.items() for text in (f"--{name}", str(path))]
    captions = []
    for number, options in enumerate((own, ["--atlas-name", "AAL"])):
        path = tmp_path / f"{number}.png"
        draw_effects.main([*table, *options, "--output", str(path)])
        assert path.with_suffix(".svg").exists()
        with Image.open(path) as image:
            captions.append(image.info["Description"])
    assert captions[0].startswith("Atlas AAL. ")
    # the default image is not of this atlas
    assert captions[1].startswith("Nothing is painted")


def test_the_caption_names_the_variant_where_there_are_several():
    tests = made_up.group_tests()
    both = pd.concat([tests.assign(desc="other"), tests])
    assert drawn(both, dk())[2].startswith("Atlas DK, variant main. ")


def test_ticks_and_names_beside_the_colour_bar_have_their_room():
    levels = {"level_1": "f" * 70, "level_2": "bulbar onset " * 6}
    tests = made_up.group_tests().assign(**levels)
    tests["effect"] *= 4
    tests["effect"] = tests["effect"].clip(-1, 1)
    figure = drawn(tests, dk())[0]
    figure.canvas.draw()
    bar = figure.axes[-1]
    ticks = [label.get_window_extent() for label in bar.get_xticklabels()]
    assert len(ticks) == 5
    for one, following in itertools.pairwise(ticks):
        assert one.x1 + 5 < following.x0
    for words in bar.texts:
        extent = words.get_window_extent()
        assert extent.x0 >= 0
        assert extent.x1 <= figure.bbox.width
