"""Forest plots whose names are long or odd, and what their captions say."""

import itertools

import made_up_results as made_up
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.text import Text

from qsmiron.figures.forest import forest_figure
from qsmiron.figures.style import save_figure
from qsmiron.figures.wording import abbreviated
from qsmiron.statistics.multiplicity import DISTINCT_PRIMARY

LONG = "_of_a_region_with_a_name_as_long_as_seventy_characters_at_the_very_least"


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


def drawn(**changes):
    figure, _, caption = forest_figure(
        made_up.group_tests().assign(**changes), "contrast", "progression"
    )
    figure.canvas.draw()
    return figure, caption


def title_of(axes):
    words = axes.get_title(loc="left")
    (title,) = (found for found in axes.findobj(Text) if found.get_text() == words)
    return title.get_window_extent()


@pytest.mark.parametrize(
    "levels",
    [("fast", "slow"), ("bulbar onset", "limb onset"), ("w" * 70, "by a neurologist " * 5)],
)
@pytest.mark.parametrize("ending", ["", LONG])
def test_nothing_is_cut_and_nothing_overlaps(levels, ending):
    regions = made_up.group_tests()["region"] + ending
    figure, _ = drawn(level_1=levels[0], level_2=levels[1], region=regions)
    width = figure.bbox.width
    for axes in figure.axes:
        names = [label.get_window_extent() for label in axes.get_yticklabels()]
        title = title_of(axes)
        label = axes.xaxis.label.get_window_extent()
        for extent in (*names, title, label):
            assert extent.x0 >= 0
            assert extent.x1 <= width
        for one, following in itertools.pairwise(names):
            assert one.y1 <= following.y0 + 1
        # the intervals keep a third of the panel
        assert axes.get_window_extent().width > width / 2 / 3
    for left, right in zip(figure.axes[::2], figure.axes[1::2], strict=False):
        labels = [axes.xaxis.label.get_window_extent() for axes in (left, right)]
        assert labels[0].x1 < labels[1].x0
        names = [label.get_window_extent().x0 for label in right.get_yticklabels()]
        assert left.get_window_extent().x1 < min(names)
    for above, below in zip(figure.axes[:-2], figure.axes[2:], strict=True):
        assert above.xaxis.label.get_window_extent().y0 > title_of(below).y1


def test_no_line_crosses_the_words_no_test():
    tests = made_up.group_tests()
    without = tests["metric"] == "deposit_fraction"
    figure, _ = drawn(p=tests["p"].mask(without), effect=tests["effect"].mask(without))
    empty = figure.axes[list(DISTINCT_PRIMARY.values()).index("deposit_fraction")]
    others = [axes for axes in figure.axes if axes is not empty]
    assert [found.get_text() for found in empty.texts] == ["no test"]
    assert not empty.lines
    assert all(len(axes.lines) for axes in others)


def test_the_caption_names_the_atlas_and_of_several_variants_the_one_shown():
    assert drawn()[1].startswith("Atlas DK. ")
    tests = made_up.group_tests()
    both = pd.concat([tests, tests.assign(desc="other"), tests.assign(atlas="AAL")])
    caption = forest_figure(both, "contrast", "progression")[2]
    assert caption.startswith("Atlas DK, variant main. ")


def test_dollar_signs_are_dollar_signs(tmp_path):
    odd = ["bad $\\foo_$ name", "$putamen_{x}$"]
    tests = made_up.group_tests()
    names = dict(zip(["hippocampus", "amygdala"], odd, strict=True))
    figure, title, caption = forest_figure(
        tests.assign(region=tests["region"].replace(names), level_1="$x$"), "contrast",
        "progression",
    )  # fmt: skip
    save_figure(figure, tmp_path / "forest.png", title, caption)
    svg = (tmp_path / "forest.svg").read_text()
    assert "$x$ (n = 16)" in svg
    assert "$putamen {x}$" in svg
    assert "bad $\\foo $ name" in svg


@pytest.mark.parametrize("most", [5, 6, 28])
def test_what_is_abbreviated_keeps_its_ends(most):
    words = "abcdefghij" * 5
    short = abbreviated(words, most)
    assert len(short) == most
    assert short[:2] == "ab"
    assert short[-2:] == "ij"
    assert "…" in short
    assert abbreviated("short", most) == "short"
    assert np.all([abbreviated("x" * n, most) == "x" * n for n in range(most + 1)])
