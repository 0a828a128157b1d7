import made_up_multiverse as made_up
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot as plt
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.text import Text

from qsmiron.figures.specification_curves import NOT_COUNTED, specification_figure
from qsmiron.figures.style import save_figure
from qsmiron.tables import TABLES

N_TESTED = made_up.N_SPECIFICATIONS - 1


def of(name):
    rows, curves = made_up.multiverse(), made_up.curves()
    return rows[rows["name"] == name], curves[curves["name"] == name]


@pytest.fixture
def draw():
    def draw(rows, curves):
        return specification_figure(rows, curves, 0.05)

    yield draw
    plt.close("all")


def texts(figure: Figure) -> str:
    return "\n".join(found.get_text() for found in figure.findobj(Text))


def panels(figure: Figure):
    """(curve, matrix) of each finding."""
    return list(zip(figure.axes[::2], figure.axes[1::2], strict=True))


def points(axes):
    """Effects drawn filled, empty and ringed; counted ones and others together."""
    other_filled, other_empty, filled, empty, ring = (
        dots.get_offsets() for dots in axes.collections
    )
    together = (np.concatenate(pair) for pair in ((other_filled, filled), (other_empty, empty)))
    return [*(found[np.argsort(found[:, 0])] for found in together), ring]


def test_what_does_not_count_is_grey(draw):
    rows, curves = of("phenotype")
    (axes, _), = panels(draw(rows, curves)[0])  # fmt: skip
    here = rows[rows["p"].notna()].sort_values("effect")
    grey = np.concatenate([dots.get_offsets()[:, 1] for dots in axes.collections[:2]])
    np.testing.assert_allclose(np.sort(grey), here.loc[here["counted"] == "no", "effect"])
    assert {tuple(dots.get_edgecolor()[0]) for dots in axes.collections[:2]} == {
        to_rgba(NOT_COUNTED)
    }


def test_every_tested_specification_is_a_point(draw):
    rows, curves = of("progression")
    figure, title, _ = draw(rows, curves)
    assert title == "Other choices: the findings by progression"
    assert len(panels(figure)) == 2
    for (curve, _), region in zip(panels(figure), ("amygdala", "hippocampus"), strict=True):
        here = rows[(rows["region"] == region) & rows["p"].notna()].sort_values("effect")
        filled, empty, ring = points(curve)
        assert len(filled) + len(empty) == N_TESTED
        passed = here[(here["p"] < 0.05) & (here["effect"] > 0)]
        np.testing.assert_allclose(filled[:, 1], passed["effect"])
        both = np.concatenate([filled, empty])
        both = both[np.argsort(both[:, 0])]
        np.testing.assert_array_equal(both[:, 0], np.arange(N_TESTED))
        np.testing.assert_allclose(both[:, 1], here["effect"])
        (main,) = ring
        assert main[1] == pytest.approx(here.loc[here["main"] == "yes", "effect"].item())
        low, high = curve.get_ylim()
        assert low < both[:, 1].min() < both[:, 1].max() < high


def test_the_other_sign_is_never_filled(draw):
    rows, curves = of("phenotype")
    rows = rows.assign(p=np.where(rows["p"].notna(), 0.001, np.nan))
    (curve, _), = panels(draw(rows, curves)[0])  # fmt: skip
    filled, empty, _ = points(curve)
    effects = rows.loc[rows["p"].notna(), "effect"]
    assert len(filled) == (effects < 0).sum()
    assert len(empty) == (effects > 0).sum() > 0


def test_below_each_point_are_its_choices(draw):
    rows, curves = of("alsfrs_r")
    figure, title, _ = draw(rows, curves)
    assert title.endswith("ALSFRS-R")
    ((_, matrix),) = panels(figure)
    labels = [label.get_text() for label in matrix.get_yticklabels()]
    # the main choice of each stage first; stages without a choice are left out
    assert labels == [
        "Reference: brain", "csf", "Voxels: as configured", "deep erosion 2",
        "Metric: Mean χ", "Median χ", "Covariates: age, sex", "age", "none",
    ]  # fmt: skip
    tested = rows[rows["p"].notna()].sort_values("effect").reset_index(drop=True)
    by_line = {
        int(dots.get_offsets()[0, 1]): dots.get_offsets()[:, 0] for dots in matrix.collections
    }
    for line, here in (
        (0, tested["reference"] == "brain"),
        (3, tested["regions"] == "deep erosion 2"),
        (5, tested["metric"] == "chi_median"),
        (8, tested["covariates"].isna()),
    ):
        np.testing.assert_array_equal(by_line[line], np.flatnonzero(here))
    assert matrix.get_xlabel() == f"{N_TESTED} specifications, by effect; n = 38"


def test_it_says_how_many_and_how_sure(draw):
    rows, curves = of("progression")
    figure, _, caption = draw(rows, curves)
    shown = texts(figure)
    for _, curve in curves.iterrows():
        assert f"{curve['n_same_sign']} of {curve['n_tested']} same sign, " in shown
        assert f"same sign, {curve['n_significant']} p < .05" in shown
    assert "p (curve) = .0040" in shown
    assert "L amygdala, iron deposits ★" in shown
    assert "Cliff's δ" in caption
    assert "Cliff's δ" in shown


def test_a_finding_of_the_cohort_alone_has_no_star(draw):
    figure, _, caption = draw(*of("alsfrs_r"))
    assert "L putamen, susceptibility" in texts(figure)
    assert "★" not in texts(figure)
    assert "ρ (partial)" in caption


def test_without_findings_it_says_so(draw, tmp_path):
    rows = pd.DataFrame(columns=list(TABLES["multiverse"]))
    curves = pd.DataFrame(columns=list(TABLES["specification_curves"]))
    figure, title, caption = draw(rows, curves)
    assert texts(figure) == caption == "No finding could be tested."
    assert title == "Other choices"
    save_figure(figure, tmp_path / "empty.png", title, caption)
    assert (tmp_path / "empty.png").stat().st_size > 0


def test_without_findings_the_caption_says_nothing_of_an_effect(draw):
    rows, curves = of("alsfrs_r")
    _, title, caption = draw(rows, curves.iloc[:0])
    assert title == "Other choices: the findings by ALSFRS-R"
    assert caption == "No finding could be tested."


def test_a_finding_without_any_test_is_drawn_empty(draw, tmp_path):
    rows, curves = of("phenotype")
    rows = rows.assign(p=np.nan, effect=np.nan)
    numbers = ["effect_main", "p_main", "effect_low", "effect_high", "effect_median", "p_median"]
    curves = curves.assign(n_tested=0, n_same_sign=0, n_significant=0, **dict.fromkeys(numbers))
    figure, title, caption = draw(rows, curves.astype(dict.fromkeys(numbers, float)))
    assert "0 of 0 same sign" in texts(figure)
    save_figure(figure, tmp_path / "none.png", title, caption)


def test_many_specifications_fit(draw, tmp_path):
    rows, curves = of("alsfrs_r")
    many = pd.concat([rows.assign(inversion=f"method{k}") for k in range(6)], ignore_index=True)
    figure, title, caption = draw(many, curves)
    (curve, matrix), = panels(figure)  # fmt: skip
    assert len(np.concatenate(points(curve)[:2])) == 6 * N_TESTED
    save_figure(figure, tmp_path / "many.png", title, caption)
    height = figure.get_size_inches()[1] * figure.dpi
    for axes in (curve, matrix):
        box = axes.get_window_extent()
        assert box.y0 >= 0
        assert box.y1 <= height
