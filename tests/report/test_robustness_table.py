import made_up_multiverse as made_up
import numpy as np
import pandas as pd

from qsmiron.report.robustness_table import HEADER, robustness_table
from qsmiron.tables import TABLES


def table(curves, influence):
    """The rows, no-break spaces as plain ones."""
    rows = robustness_table(curves, influence)
    return [[cell.replace("\u00a0", " ") for cell in row] for row in rows]


def test_a_row_per_finding():
    header, *rows = table(made_up.curves(), made_up.influence())
    assert header == HEADER
    assert all(len(row) == len(HEADER) for row in rows)
    assert [row[0] for row in rows] == [
        "Iron deposits, L amygdala, progression ★",
        "Susceptibility distribution, R hippocampus, progression ★",
        "Susceptibility, L thalamus, phenotype ★",
        "Susceptibility, L putamen, ALSFRS-R",
    ]
    for row, (_, curve) in zip(rows, made_up.curves().iterrows(), strict=True):
        assert row[3:5] == [f"{curve['n_same_sign']} of 8", f"{curve['n_significant']} of 8"]
    assert rows[0][1] == "δ = .35, p = .061"
    assert rows[3][1] == "ρ = .40, p = .041"
    assert rows[2][1].startswith("δ = −.20")
    assert rows[0][5] == ".0040"


def test_the_patient_who_shifts_the_effect_most():
    _, *rows = table(made_up.curves(), made_up.influence())
    influence = made_up.influence()
    for row, (*_, size) in zip(rows, made_up.HEADLINES, strict=True):
        assert row[8] == "sub-05"
        low = f"{size - 0.3:.2f}".replace("0.", ".").replace("-", "−")
        assert row[6].startswith(f"{low} to ")
    here = influence[influence["region"] == "amygdala"]
    assert rows[0][7].endswith(f" to {here['p_without'].max():.3f}".replace("0.", "."))


def test_a_tiny_p_has_no_equals_sign():
    curves = made_up.curves().assign(p_main=1e-6)
    assert table(curves, made_up.influence())[1][1] == "δ = .35, p < .0001"


def test_what_is_missing_is_n_a():
    curves = made_up.curves().assign(p_median=np.nan)
    empty = pd.DataFrame(columns=list(TABLES["influence"]))
    _, *rows = table(curves, empty)
    assert all(row[5:] == ["n/a"] * 4 for row in rows)
    impossible = made_up.influence().assign(p_without=np.nan, effect_without=np.nan)
    _, *rows = table(curves, impossible)
    assert all(row[6:] == ["n/a"] * 3 for row in rows)


def test_without_findings_there_is_no_table():
    empty = pd.DataFrame(columns=list(TABLES["specification_curves"]))
    assert robustness_table(empty, made_up.influence()) == []
