"""Figures of change over time: what is drawn is what the tables hold."""

import json

import numpy as np
import pytest
from made_up_visits import LEVELS, MadeUp, write_study
from matplotlib import pyplot as plt
from matplotlib.text import Text

import draw_rates
import draw_trajectories
from qsmiron.figures.change import rates_figure, rates_on_brain_figure, trajectories_figure
from qsmiron.regions.label_table import Label
from qsmiron.statistics.change.change_table import change_table
from qsmiron.statistics.change.scans import read_change_inputs
from qsmiron.tables import read_table, write_table
from qsmiron.volumes import Volume


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Twelve patients at up to three visits, five regions, and the tables of two parts."""
    folder = write_study(tmp_path_factory.mktemp("v"), 4, MadeUp(n=12, n_first=6))
    regions = read_table(folder / "regions.tsv", "regions")
    kept = regions["region"].isin(["amygdala", "thalamus", "brainstem"])
    write_table(regions[kept], folder / "regions.tsv", "regions")
    inputs = read_change_inputs(*files(folder))
    for part in ("time", "contrast-progression"):
        write_table(change_table(inputs, part), folder / f"{part}.tsv", "change")
    return folder


def files(folder):
    names = ("regions.tsv", "raw/participants.tsv", "config.json")
    return [str(folder / name) for name in names]


def rows_of(folder, part):
    return read_table(folder / f"{part}.tsv", "change")


def test_every_participant_has_a_line_through_the_own_values(folder):
    scans = read_change_inputs(*files(folder)).scans[0]
    groups = {LEVELS[0]: list(scans.people[:6]), LEVELS[1]: list(scans.people[6:])}
    tests = rows_of(folder, "contrast-progression")
    figure, title, caption = trajectories_figure(tests, scans, groups, "progression")
    assert "progression" in title and "time × (fast − slow)" in caption
    axes = figure.axes[0]
    rows = tests[(tests["test"] == "mixed_model") & tests["term"].str.contains("×")]
    best = rows.sort_values("p").iloc[0]
    index = scans.cells.index
    here = index["region"].eq(best["region"]) & index["hemisphere"].eq(best["hemisphere"])
    values = 1000 * scans.cells.values[:, np.flatnonzero(here)[0]]
    lines = [line for line in axes.lines if line.get_alpha() == pytest.approx(0.28)]
    assert len(lines) == 12
    for number, line in enumerate(lines):
        own = scans.person == number
        np.testing.assert_allclose(np.sort(line.get_ydata()), np.sort(values[own]))
    means = axes.containers[0].lines[0]
    first = (scans.person < 6) & (scans.sessions == "1")
    assert means.get_ydata()[0] == pytest.approx(values[first].mean())
    assert "fast (n = 6)" in [text.get_text() for text in figure.findobj(Text)]


def test_the_forest_has_the_intervals_of_the_table(folder):
    tests = rows_of(folder, "contrast-progression")
    figure, _, _ = rates_figure(tests, "progression")
    axes = figure.axes[0]
    drawn = sorted(
        tuple(np.round(line.get_xdata(), 6)) for line in axes.lines
        if len(line.get_xdata()) == 2 and line.get_linewidth() == 1.0
    )  # fmt: skip
    rates = tests[tests["term"].isin(["time in fast", "time in slow"])]
    expected = sorted(
        tuple(np.round(1000 * np.array(pair), 6))
        for pair in zip(rates["ci_low"], rates["ci_high"], strict=True)
    )
    np.testing.assert_allclose(drawn, expected, atol=1e-5)
    assert axes.get_xlabel() == "ppb per year"


def test_rates_are_painted_where_their_region_is(folder):
    affine = np.diag([8.0, 8.0, 8.0, 1.0])
    affine[:3, 3] = [-76, -112, -72]
    tests = rows_of(folder, "time")
    row = tests[tests["region"] == "brainstem"].iloc[0]
    labels = np.zeros((20, 24, 20), np.int32)
    labels[2:18, 8:16, 6:14] = row["index"]
    volumes = Volume((labels > 0) * 100.0 + 50, affine), Volume(labels, affine)
    known = [Label(int(row["index"]), "brainstem", "B")]
    figure, _, caption = rates_on_brain_figure(tests, "everybody", *volumes, known)
    words = [text.get_text() for text in figure.findobj(Text)]
    assert "ppb per year" in words and "rising" in words and "falling" in words
    assert "time: estimate" in caption
    other = [Label(int(row["index"]), "putamen", "B")]
    _, _, caption = rates_on_brain_figure(tests, "everybody", *volumes, other)
    assert caption.startswith("Nothing is painted")


@pytest.mark.slow
def test_the_scripts_draw_both_parts(folder, tmp_path):
    regions, participants, config = files(folder)
    for part in ("time", "contrast-progression"):
        change = str(folder / f"{part}.tsv")
        draw_trajectories.main(
            ["--change", change, "--regions", regions, "--participants", participants,
             "--config", config, "--part", part, "--output", str(tmp_path / f"t_{part}.png")]
        )  # fmt: skip
        draw_rates.main(
            ["--change", change, "--part", part, "--forest", str(tmp_path / f"f_{part}.png"),
             "--brain", str(tmp_path / f"b_{part}.png")]
        )  # fmt: skip
    assert len(list(tmp_path.glob("*.png"))) == len(list(tmp_path.glob("*.svg"))) == 6
    assert json.loads((folder / "config.json").read_text())["analysis_only"]
