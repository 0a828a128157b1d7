import itertools
import re

import made_up_results as made_up
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from qsmiron.figures.cells import Cell, choose_cells
from qsmiron.figures.contrast_groups import members
from qsmiron.figures.correlations import correlations_figure
from qsmiron.figures.distributions import beeswarm, distributions_figure
from qsmiron.figures.forest import REGIONS, forest_figure
from qsmiron.figures.quantile_differences import (
    densities,
    quantile_functions,
    quantiles_figure,
)
from qsmiron.figures.recovery import recovery_figure
from qsmiron.figures.style import save_figure
from qsmiron.parameters import parse_parameters
from qsmiron.statistics.multiplicity import DISTINCT_PRIMARY
from qsmiron.statistics.settings import StudyDesign
from qsmiron.statistics.study_findings import findings_of


@pytest.fixture(scope="module")
def groups():
    design = parse_parameters(StudyDesign, {"contrasts": made_up.CONTRASTS}, "test")
    return members(made_up.participants().set_index("participant_id"), design, "progression")


def texts(figure: Figure) -> str:
    return "\n".join(found.get_text() for found in figure.findobj(Text))


@pytest.fixture(scope="module")
def distributions(groups):
    return distributions_figure(made_up.regions(), made_up.group_tests(), groups, "progression")


def test_every_patient_is_a_point(distributions):
    figure, title, caption = distributions
    assert "fast against slow" in title
    assert "n = 16" in caption
    panels = [axes for axes in figure.axes if axes.axison]
    assert len(panels) == 5 * len(DISTINCT_PRIMARY)
    for axes in panels:
        counts = [len(dots.get_offsets()) for dots in axes.collections if dots.get_gid()]
        assert counts == [16, 22]
    shown = texts(figure)
    for name in ("L amygdala ★", "R amygdala ★", "R hippocampus ★", "Mean χ (ppb)", "q = "):
        assert name in shown


@pytest.mark.parametrize("region", ["amygdala", "rostralanteriorcingulate", "x" * 60])
def test_no_title_is_cut_or_runs_into_the_next(groups, region):
    regions, tests = made_up.regions().copy(), made_up.group_tests().copy()
    for table in (regions, tests):
        table["region"] = table["region"].replace("hippocampus", region)
        table["region"] = table["region"].replace("amygdala", region + "2")
    figure, _, _ = distributions_figure(regions, tests, groups, "progression")
    figure.canvas.draw()
    titles = [axes.title for axes in figure.axes if axes.get_title()]
    assert len(titles) == 5 * len(DISTINCT_PRIMARY)
    extents = [title.get_window_extent() for title in titles]
    for extent in extents:
        assert extent.x0 >= 0
        assert extent.x1 <= figure.bbox.width
    for one, following in itertools.pairwise(extents):
        if abs(one.y0 - following.y0) < 5:  # of one row
            assert one.x1 < following.x0
    # what fits keeps its size
    assert max(title.get_fontsize() for title in titles) == 7


def test_the_values_are_drawn_in_ppb(groups, distributions):
    figure = distributions[0]
    axes = next(a for a in figure.axes if a.get_title() == "R hippocampus ★")
    regions = made_up.regions()
    rows = regions[
        (regions["region"] == "hippocampus") & (regions["hemisphere"] == "R")
        & (regions["metric"] == "chi_sd") & regions["participant_id"].isin(groups["fast"])
    ]  # fmt: skip
    drawn = next(d for d in axes.collections if d.get_gid()).get_offsets()[:, 1]
    np.testing.assert_allclose(np.sort(drawn), np.sort(1000 * rows["value"]), rtol=1e-6)


def test_the_study_s_regions_come_first():
    tests = made_up.group_tests()
    tests = tests[tests["contrast"] == "phenotype"]
    cells = choose_cells(tests, "contrast", "phenotype", "susceptibility", "chi_mean", 5)
    assert [(c.region, c.hemisphere) for c in cells[:2]] == [("thalamus", "L"), ("amygdala", "R")]
    assert [c.reported for c in cells] == [True, True, False, False, False]
    others = tests[(tests["metric"] == "chi_mean") & (tests["arm"] == "replication")].sort_values(
        "p"
    )
    names = list(zip(others["region"], others["hemisphere"], strict=True))
    rest = [name for name in names if name not in [("thalamus", "L"), ("amygdala", "R")]]
    assert [(c.region, c.hemisphere) for c in cells[2:]] == rest[:3]


def test_no_two_points_of_a_swarm_overlap():
    values = np.random.default_rng(1).normal(size=22)
    span = float(np.ptp(values))
    offsets = beeswarm(values, span)
    gap = np.hypot(
        (values[:, None] - values) / (0.055 * span), (offsets[:, None] - offsets) / 0.105
    )
    assert gap[~np.eye(22, dtype=bool)].min() > 0.99


def test_a_correlation_panel_has_the_patients_with_a_score():
    people = made_up.participants().set_index("participant_id")
    figure, title, caption = correlations_figure(
        made_up.regions(), made_up.correlations(), people["ecas_total"], "ecas_total"
    )
    panels = [axes for axes in figure.axes if axes.axison]
    assert {
        len(dots.get_offsets())
        for axes in panels
        for dots in axes.collections
        if dots.get_gid() == "points"
    } == {36}
    assert "L thalamus ★" in texts(figure)
    assert "n = 36" in texts(figure)
    assert "ECAS" in title
    assert "n = 36" in caption


def test_densities_integrate_to_one_and_lie_where_they_should():
    probabilities = np.linspace(0.005, 0.995, 100)
    from scipy.stats import norm

    curves = norm.ppf(probabilities, 20, 30)[None]
    grid = np.arange(-120, 161, 2.0)
    density = densities(probabilities, curves, grid)[0]
    assert density.sum() * 2 / 10 == pytest.approx(100, abs=0.5)
    assert abs(grid[density.argmax()] - 20) <= 4
    # a normal of SD 30 has 13.3 % per 10 ppb at its top, a little less after smoothing
    assert 12.5 < density.max() < 13.5


def test_quantile_functions_are_split_by_group_in_ppb(groups):
    cell = Cell("distribution", "chi_sd", "hippocampus", "R")
    _, curves = quantile_functions(made_up.quantiles(), cell, groups)
    assert [len(found) for found in curves.values()] == [16, 22]
    spread = {level: found.std(axis=1).mean() for level, found in curves.items()}
    assert 1.1 < spread["fast"] / spread["slow"] < 1.5
    assert 15 < spread["slow"] < 45
    missing = Cell("distribution", "chi_sd", "nowhere", "R")
    assert quantile_functions(made_up.quantiles(), missing, groups) is None


def test_quantile_figure_shows_the_study_s_region_first(groups):
    figure, _, _ = quantiles_figure(
        made_up.quantiles(), made_up.group_tests(), groups, "progression"
    )
    assert figure.axes[0].get_title() == "R hippocampus ★"
    assert "W₁ centred: p" in texts(figure)
    assert "fast − slow (ppb)" in texts(figure)


def test_recovery_shows_every_effect_and_its_sign():
    figure, _, caption = recovery_figure(made_up.recovery())
    shown = texts(figure)
    assert "Mean χ, L thalamus, phenotype" in shown
    assert "+10.5 ppb" in shown
    assert "ρ −.46" in shown
    assert "6 of 7 effects" in caption


def test_a_table_without_any_test_still_gives_a_figure(groups, tmp_path):
    empty = made_up.group_tests().iloc[:0]
    for made in (
        distributions_figure(made_up.regions(), empty, groups, "progression"),
        quantiles_figure(made_up.quantiles(), empty, groups, "progression"),
    ):
        assert "no region could be tested" in texts(made[0])


def test_files_are_the_same_every_time_and_tell_their_caption(tmp_path):
    from PIL import Image

    for name in ("a", "b"):
        figure, title, caption = recovery_figure(made_up.recovery())
        save_figure(figure, tmp_path / f"{name}.png", title, caption)
    for ending in ("png", "svg"):
        first, second = ((tmp_path / f"{name}.{ending}").read_bytes() for name in "ab")
        assert first == second
    with Image.open(tmp_path / "a.png") as image:
        assert image.info["Title"] == title
        assert image.info["Description"] == caption
        assert image.info["dpi"][0] == pytest.approx(250, abs=0.1)
    svg = (tmp_path / "a.svg").read_text()
    assert "planted" in svg
    assert not re.search(r"<dc:date>", svg)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "a.svg", "b.png", "b.svg"]


@pytest.mark.parametrize(
    ("table", "kind", "name"),
    [("group_tests", "contrast", "progression"), ("correlations", "score", "ecas_total")],
)
def test_a_forest_has_the_reported_regions_and_the_largest_effects(table, kind, name):
    tests = getattr(made_up, table)()
    figure, title, _ = forest_figure(tests, kind, name)
    assert "Largest effects" in title
    effect = "effect" if kind == "contrast" else "rho"
    rows = tests[(tests[kind] == name) & (tests["arm"] == "rigorous") & tests["p"].notna()]
    for axes, (family, measured) in zip(figure.axes, DISTINCT_PRIMARY.items(), strict=True):
        own = rows[rows["metric"] == measured]
        labels = [label.get_text() for label in axes.get_yticklabels()]
        shown = [line.get_xdata()[0] for line in axes.lines if line.get_marker() in "os"]
        assert len(labels) == len(shown) == min(REGIONS, len(own))
        assert shown == sorted(shown)
        reported = [one for one in findings_of(kind, name) if one.metric == measured and one.region]
        assert sum("★" in label for label in labels) == len(reported), family
        largest = own[effect].abs().nlargest(REGIONS - len(reported)).to_numpy()
        assert np.isin(largest.round(12), np.abs(shown).round(12)).all()
    assert "n = " in texts(figure)


def test_a_forest_without_any_test_says_so():
    tests = made_up.group_tests().assign(p=np.nan, effect=np.nan)
    figure, _, _ = forest_figure(tests, "contrast", "progression")
    assert texts(figure).count("no test") == len(DISTINCT_PRIMARY)
