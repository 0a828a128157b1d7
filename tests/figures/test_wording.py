import numpy as np
import pytest

from qsmiron.figures import wording
from qsmiron.regions.metrics import METRICS
from qsmiron.simulation.effects import EFFECTS
from qsmiron.statistics.multiplicity import PRIMARY_METRICS
from qsmiron.statistics.study_findings import FINDINGS


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0014, ".0014"), (0.028, ".028"), (0.34, ".34"), (0.00004, "< .0001"), (1.0, "1.00"),
        (0.1, ".10"), (0.00059, ".00059"), (np.nan, "n/a"), (None, "n/a"), (0.996, "1.00"),
        (0.00099990001, ".0010"), (0.0996, ".10"), (0.0994, ".099"),
    ],
)  # fmt: skip
def test_probabilities_read_as_in_a_paper(value, text):
    assert wording.format_probability(value) == text


def test_p_with_its_symbol():
    assert wording.format_p(0.03) == "p = .030"
    assert wording.format_p(1e-9, "q") == "q < .0001"
    assert wording.format_p(np.nan) == "p n/a"


@pytest.mark.parametrize(
    ("value", "text"), [(0.36, ".36"), (-0.46, "−.46"), (1.0, "1.00"), (-1, "−1.00"), (0, ".00")]
)
def test_coefficients_have_a_true_minus(value, text):
    assert wording.format_coefficient(value) == text


@pytest.mark.parametrize(
    ("region", "name"),
    [
        ("rostralmiddlefrontal", "rostral middle frontal"),
        ("lateralorbitofrontal", "lateral orbitofrontal"),
        ("isthmuscingulate", "isthmus cingulate"),
        ("parsopercularis", "pars opercularis"),
        ("bankssts", "banks of STS"),
        ("precuneus", "precuneus"),
        ("my_region", "my region"),
    ],
)
def test_region_names_get_spaces(region, name):
    assert wording.region_name(region) == name


def test_every_metric_of_the_tables_has_words_and_chi_is_in_ppb():
    for name, metric in METRICS.items():
        shown = wording.METRICS[name]
        assert (shown.factor == 1000) == (metric.unit == "ppm"), name
        assert (shown.unit == "ppb") == (metric.unit == "ppm"), name
    assert wording.shown_values("chi_mean", [0.0123]) == pytest.approx([12.3])
    families = {name: METRICS[metric].family for name, metric in PRIMARY_METRICS.items()}
    assert all(name == family for name, family in families.items())


def test_reported_findings_are_those_planted_in_the_demo():
    def key(finding):
        return finding.family, finding.p, finding.rho

    planted = {
        (effect.family, effect.p, effect.rho): effect for effect in EFFECTS if effect.reported
    }
    assert {key(finding) for finding in FINDINGS} == set(planted)
    for finding in FINDINGS:
        if finding.region is not None:
            effect = planted[key(finding)]
            assert (finding.region, finding.hemisphere) == (effect.region, effect.hemisphere)
            assert finding.names == effect.contrast_or_score
