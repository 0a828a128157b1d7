"""What the visits of a participant differ in: flags against the median of the others."""

import numpy as np
import pandas as pd
import pytest

from qsmiron.visit_quality import VisitParameters, flag_visits

COLUMNS = {
    "field_noise": 0.002,
    "gre_sharpness": 4.0,
    "min_coverage": 0.9,
    "reliable_fraction": 0.95,
    "brain_volume": 1300.0,
    "reference_mean": 0.001,
    "reference_volume": 1200.0,
    "field_strength": 3.0,
    "n_echoes": 5,
}


def table(*visits: dict[str, float]) -> pd.DataFrame:
    rows = [
        {"participant_id": "sub-1", "session": str(n), "desc": "main", "flags": np.nan}
        | COLUMNS
        | visit
        for n, visit in enumerate(visits, start=1)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"field_noise": 0.0031}, "field noise 3.1 ppb against 2.0 ppb"),
        ({"gre_sharpness": 2.8}, "sharpness 2.8 against 4.0"),
        ({"min_coverage": 0.7}, "least coverage 0.70 against 0.90"),
        ({"reliable_fraction": 0.85}, "reliable mask 85% against 95%"),
        ({"brain_volume": 1400.0}, "brain mask 1400 mL against 1300 mL"),
        ({"reference_mean": -0.006}, "mean of the reference -6.0 ppb against 1.0 ppb"),
        ({"reference_volume": 1000.0}, "volume of the reference 1000 mL against 1200 mL"),
        ({"field_strength": 1.5}, "field strength 1.5 T against 3 T"),
        ({"n_echoes": 4}, "number of echoes 4 against 5"),
    ],
)
def test_the_visit_that_differs_is_named(change, words):
    flags = flag_visits(table({}, {}, change), VisitParameters())["flags"]
    assert flags[2] == f"unlike the other visits: {words}"
    assert flags[:2].isna().all()


def test_small_differences_and_single_visits_are_not_flagged():
    near = {"field_noise": 0.0028, "brain_volume": 1340.0, "reference_mean": 0.004}
    assert flag_visits(table({}, near), VisitParameters())["flags"].isna().all()
    one = table({}).assign(flags="something")
    pd.testing.assert_frame_equal(flag_visits(one, VisitParameters()), one)


def test_earlier_flags_stay_and_what_is_missing_is_not_compared():
    visits = table({}, {"field_noise": np.nan, "gre_sharpness": 2.0}).assign(flags=["a", np.nan])
    flags = flag_visits(visits, VisitParameters())["flags"]
    assert flags[0] == "a; unlike the other visits: sharpness 4.0 against 2.0"
    assert flags[1] == "unlike the other visits: sharpness 2.0 against 4.0"
